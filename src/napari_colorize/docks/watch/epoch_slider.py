"""The epochs of a run on a slider: their previews in the viewer, and the use of their weights."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QSlider, QWidget
from superqt.utils import signals_blocked

from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.labels import sentence, tell
from napari_colorize.docks.life import Life
from napari_colorize.docks.model_events import model_wanted, models_changed
from napari_colorize.docks.watch.preview_layer import PreviewLayer, read_sheet
from napari_colorize.files.models import ModelInfo, import_model
from napari_colorize.runs.events import Event, PreviewWritten, Started, Validated

if TYPE_CHECKING:
    import napari
    import numpy as np
    from numpy.typing import NDArray

    from napari_colorize.runs.folder import RunFolder

_SLIDER_TIP = (
    "Go through the epochs: the same photographs, which the network never learned from, as they "
    "were coloured after each. Left grey, middle coloured, right true."
)
_COLUMNS = "In the preview, from left to right: grey, coloured, true."
_USE_TIP = (
    "Put the weights of this epoch among your own models and choose them in the Colorize dock."
)


class EpochSlider(QWidget):
    """Slider over the epochs of a run, with *Best*, *Show* and *Use this epoch*.

    Hidden until there is a first epoch. It stands at the newest epoch until somebody moves it.

    Parameters
    ----------
    viewer
        Gets the layer of the previews, and the Colorize dock when an epoch is to be used.
    """

    said = Signal(str)

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._layer = PreviewLayer(viewer)
        self._life = Life(self)
        self._make_widgets()
        self.show_run(None)

    @property
    def epoch(self) -> int:
        """The epoch that the slider stands at; 0 when there is none."""
        place = self.slider.value()
        return self._epochs[place] if place < len(self._epochs) else 0

    def show_run(self, run: RunFolder | None) -> None:
        """Turn to another run, or to none."""
        self._run = run
        self._epochs: list[int] = []
        self._folders: dict[int, str] = {}
        self._checks: dict[int, Validated] = {}
        self._total = 0
        self._follows = True
        self._auto = False
        self._made = False
        self._reading = self._using = False
        self._shown: tuple[int, str] | None = None
        self._problem = ""
        with signals_blocked(self.slider):
            self.slider.setRange(0, 0)
        self.setVisible(False)

    def add(self, event: Event) -> None:
        """Take in an event; `refresh` shows what came of it."""
        if isinstance(event, Started):
            self._total = event.epochs
            done = event.step // max(1, event.steps_per_epoch)
            self._checks = {n: check for n, check in self._checks.items() if n <= done}
            self._folders = {n: place for n, place in self._folders.items() if n <= done}
        elif isinstance(event, Validated):
            self._checks[event.epoch] = event
        elif isinstance(event, PreviewWritten):
            self._folders[event.epoch] = event.folder
            self._shown = None if self._shown and self._shown[0] == event.epoch else self._shown

    def refresh(self) -> None:
        """Offer the epochs that are known, and go on to the newest unless it was moved back."""
        if self._life.over or self._run is None:
            return
        before = self.epoch
        self._epochs = sorted(self._checks.keys() | self._folders.keys())
        self.setVisible(bool(self._epochs))
        if not self._epochs:
            return
        newest = len(self._epochs) - 1
        stays = not self._follows and before in self._epochs
        with signals_blocked(self.slider):
            self.slider.setRange(0, newest)
            self.slider.setEnabled(newest > 0)
            self.slider.setValue(self._epochs.index(before) if stays else newest)
        self._show_epoch()

    def let_appear(self) -> None:
        """Let the layer be made by itself: the run is under way, and somebody watches it."""
        if not self._auto:
            self._auto = True
            self.refresh()

    # Building.

    def _make_widgets(self) -> None:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setPageStep(1)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setToolTip(_SLIDER_TIP)
        self.slider.setAccessibleName("Epoch")
        self.label = sentence(_SLIDER_TIP)
        self.columns = sentence(_SLIDER_TIP)
        self.columns.setEnabled(False)  # fainter than what changes
        title = QLabel("&Epoch")
        title.setBuddy(self.slider)
        title.setToolTip(_SLIDER_TIP)
        self.best = QPushButton("&Best")
        self.best.setToolTip("Go to the best epoch: the one with the lowest check loss.")
        self.show_layer = QPushButton("Show")
        self.show_layer.setToolTip(
            "Bring the layer with the previews into view, and make it again if it was deleted."
        )
        self.use = QPushButton("&Use this epoch")
        self.use.setToolTip(_USE_TIP)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(4)
        layout.addWidget(title, 0, 0)
        layout.addWidget(self.slider, 0, 1, 1, 3)
        layout.addWidget(self.label, 1, 0, 1, 4)
        layout.addWidget(self.columns, 2, 0, 1, 4)
        layout.addWidget(self.best, 3, 0)
        layout.addWidget(self.show_layer, 3, 1)
        layout.addWidget(self.use, 3, 2, 1, 2)
        layout.setColumnStretch(2, 1)
        self.slider.valueChanged.connect(self._moved)
        self.best.clicked.connect(self._go_to_best)
        self.show_layer.clicked.connect(self._show_layer)
        self.use.clicked.connect(self._use)

    # What the user does.

    def _moved(self, place: int) -> None:
        self._follows = place == self.slider.maximum()
        self._problem = ""
        if not self._made:  # who moves it wants to see
            self._auto = True
        self._show_epoch()

    def _go_to_best(self) -> None:
        best = self._best()
        if best in self._epochs:
            self.slider.setValue(self._epochs.index(best))

    def _show_layer(self) -> None:
        self._auto, self._made, self._shown = True, False, None
        self._read(reveal=True)

    def _use(self) -> None:
        run, epoch = self._run, self.epoch
        weights = self._weights()
        if run is None or weights is None:
            return
        self._using = True
        self._refresh_buttons()
        name = f"{run.path.name}-epoch-{epoch}"
        run_errand(
            lambda: import_model(weights, name),
            partial(self._take_model, run),
            partial(self._take_refusal, run),
        )

    def _take_refusal(self, run: RunFolder, reason: str) -> None:
        """Say why the weights cannot be used."""
        if not self._life.over:
            self._be_done_using(run)
            self.said.emit(f"This epoch cannot be used: {reason}")

    def _take_model(self, run: RunFolder, model: ModelInfo) -> None:
        """Say that a model is there, and let the Colorize dock choose it."""
        if self._life.over:
            return
        self._be_done_using(run)
        models_changed.emit()
        said = f"The model {model.name} is among your models."
        if open_colorize_dock(self._viewer):
            model_wanted.emit(model.name)
            said = f"The model {model.name} is chosen in the Colorize dock."
        self.said.emit(said)

    def _be_done_using(self, run: RunFolder) -> None:
        if self._run is run:
            self._using = False
            self._refresh_buttons()

    # Showing.

    def _show_epoch(self) -> None:
        """Tell of the epoch that the slider stands at, and show its previews."""
        self._refresh_label()
        self._refresh_buttons()
        self._read()

    def _refresh_label(self) -> None:
        epoch = self.epoch
        parts = [f"{epoch} of {self._total}" if self._total else f"{epoch}"]
        if epoch == self._best():
            parts.append("the best" if self._epochs[-1:] == [self._total] else "best so far")
        check = self._checks.get(epoch)
        if check is not None and math.isfinite(check.psnr):
            parts.append(f"{check.psnr:.2f} dB (grey {check.psnr_grey:.2f} dB)")
        if epoch not in self._folders:
            parts.append("no preview yet")
        elif self._problem:
            parts.append(self._problem)
        if self._weights() is None:
            parts.append("weights not kept")
        tell(self.label, "Epoch " + " · ".join(parts))
        tell(self.columns, _COLUMNS if epoch in self._folders else "")

    def _refresh_buttons(self) -> None:
        weights = self._weights()
        self.use.setEnabled(weights is not None and not self._using)
        self.use.setText("Copying…" if self._using else "&Use this epoch")
        self.use.setToolTip(
            _USE_TIP
            if weights is not None
            else f"The weights of epoch {self.epoch} were not kept: a run keeps those of its last "
            "epochs and the best ones."
        )
        self.best.setEnabled(self._best() in self._epochs and self._best() != self.epoch)
        self.show_layer.setEnabled(self.epoch in self._folders)

    def _best(self) -> int:
        """Return the best epoch so far, 0 when there is none."""
        return max((n for n, check in self._checks.items() if check.best), default=0)

    def _weights(self) -> Path | None:
        """Return the file with the weights of the epoch, None when they were not kept."""
        run, epoch = self._run, self.epoch
        if run is None or epoch < 1:
            return None
        own = run.epoch_model(epoch)
        if own.is_file():
            return own
        best = run.best_model
        return best if epoch == self._best() and best.is_file() else None

    # The previews.

    def _read(self, reveal: bool = False) -> None:
        """Read the previews of the epoch in a thread, unless they are shown or not wanted."""
        run, epoch = self._run, self.epoch
        folder = self._folders.get(epoch)
        if run is None or folder is None or self._reading or self._shown == (epoch, folder):
            return
        there = self._layer.find(run) is not None
        if not there and (self._made or not self._auto):
            return
        self._reading = True
        place = run.path / folder
        read = partial(self._take_sheet, run, epoch, reveal)
        failed = partial(self._take_problem, run, epoch)
        self._shown = (epoch, folder)
        run_errand(lambda: read_sheet(place), read, failed)

    def _take_sheet(
        self, run: RunFolder, epoch: int, reveal: bool, sheet: NDArray[np.uint8]
    ) -> None:
        """Put a sheet into the layer."""
        if self._life.over or self._run is not run:
            return
        self._made |= self._layer.put(run, sheet, epoch, make=self._auto and not self._made)
        if reveal:
            self._layer.reveal(run)
        self._read_on(epoch, "", reveal)

    def _take_problem(self, run: RunFolder, epoch: int, reason: str) -> None:
        """Say that there are no previews that can be read."""
        if not self._life.over and self._run is run:
            self._read_on(epoch, reason)

    def _read_on(self, epoch: int, problem: str, reveal: bool = False) -> None:
        """Be ready for another sheet, and read it if the slider has moved on."""
        self._reading = False
        self._problem = problem
        if self.epoch != epoch:
            self._problem = ""
            self._read(reveal)
        self._refresh_label()


def open_colorize_dock(viewer: napari.viewer.Viewer) -> bool:
    """Open the Colorize dock, or bring it to the front; return whether there is one now."""
    try:
        dock, _ = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize", tabify=True)
    except (AttributeError, ValueError, KeyError):
        return False
    dock.show()
    dock.raise_()
    return True
