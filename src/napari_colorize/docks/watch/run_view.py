"""What a run tells, live: progress, numbers, warnings, curves, previews, and how it ended."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme
from psygnal import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.labels import sentence, tell
from napari_colorize.docks.life import Life
from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.watch.curves import LossPlot, load
from napari_colorize.docks.watch.epoch_slider import EpochSlider
from napari_colorize.docks.watch.run_history import LossHistory
from napari_colorize.docks.watch.run_numbers import RunNumbers
from napari_colorize.docks.watch.run_watcher import RunWatcher
from napari_colorize.files.models import ModelInfo, import_model
from napari_colorize.runs import words
from napari_colorize.runs.advice import Adviser
from napari_colorize.runs.events import CLOSING, Event, Started, Validated
from napari_colorize.runs.folder import RunFolder, RunState

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QShowEvent

# Seconds between two words while a long run is read for the first time.
_TELL_EVERY = 0.5
# Seconds between two drawings of the curves, but for what is told once an epoch.
_DRAW_EVERY = 2.0
_PUT = "Its model was put into the Colorize dock."


class RunView(QWidget):
    """Shows one run, under way or ended, and looks after it twice a second.

    Emits `stands` with the state of the run after each look; the events that led to it are shown
    by then.

    Parameters
    ----------
    viewer
        Gets the layer of the previews.
    """

    stands = Signal(RunState)

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._life = Life(self)
        self._run: RunFolder | None = None
        self._make_widgets()
        self._watcher = RunWatcher(self)
        self._watcher.told.connect(self._take_events)
        self._watcher.stands.connect(self._take_state)
        viewer.events.theme.connect(self._restyle)
        self._can_draw: bool | None = None  # None: what draws was not asked for yet
        self.leave()

    @property
    def run(self) -> RunFolder | None:
        """The run that is shown."""
        return self._run

    @property
    def state(self) -> RunState | None:
        """How the run stood when it was last looked at; None before the first look."""
        return self._state

    def watch(self, run: RunFolder) -> None:
        """Show a run from its first event on; nothing is there yet when this returns."""
        self.leave()
        self._run = run
        self.epochs.show_run(run)
        if self._can_draw is None:
            self._can_draw = False
            run_errand(load, self._begin_to_draw, self._say)
        self._watcher.watch(run)

    def leave(self) -> None:
        """Show nothing any more."""
        self._watcher.leave()
        self._run = None
        self._state: RunState | None = None
        self._adviser = Adviser()
        self._history = LossHistory()
        self._told = self._drawn = 0.0
        self.numbers.clear()
        self.epochs.show_run(None)
        for part in (self.status, self.warnings, self.said, self.facts, self.score):
            tell(part, "")
        if self.plot is not None:
            self.plot.widget.hide()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch on if the view was out of the window."""
        super().showEvent(event)
        self._watcher.go_on()

    # Building.

    def _make_widgets(self) -> None:
        self.numbers = RunNumbers()
        self.status = sentence("How the run ended, and what can be done.")
        self.warnings = sentence("What is amiss, and what to do.")
        self.score = sentence("The best result on the photographs that are checked with.")
        self.epochs = EpochSlider(self._viewer)
        self.said = sentence("What came of what you did here.")
        self.epochs.said.connect(self._say)
        self.facts = sentence("What it learns from, and where it computes.")
        self.plot: LossPlot | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        above = (self.status, self.numbers, self.warnings, self.score)
        for part in (*above, self.epochs, self.said, self.facts):
            self._layout.addWidget(part)
        self._layout.addStretch()
        self._colour_warnings()

    # What the run tells.

    def _take_events(self, events: list[Event]) -> None:
        """Take in new events, and show what came of them unless there are many more to come."""
        if self._life.over:
            return
        for event in events:
            for hearer in (self._adviser, self._history, self.numbers, self.epochs):
                hearer.add(event)
            if isinstance(event, Started):
                facts = (words.examination_line(event), words.device_line(event))
                tell(self.facts, "\n".join(facts))
        if self._watcher.share < 1.0:
            # Each change of what is seen paints the whole window anew.
            if time.monotonic() - self._told >= _TELL_EVERY:
                self._told = time.monotonic()
                self.numbers.show_reading(self._watcher.share)
            return
        if any(isinstance(event, Started | Validated) for event in events):
            self._drawn = 0.0
        self._show()

    def _show(self) -> None:
        """Show all that was taken in."""
        self.numbers.show_numbers()
        over = self._state is not None and self._state.name not in ("new", "running")
        warnings = self._adviser.warnings(over=over)
        mark = "• " if len(warnings) > 1 else ""
        tell(self.warnings, "\n".join(f"{mark}{warning}" for warning in warnings))
        best = self._history.best
        tell(self.score, "" if best is None else words.score_line(best, over=over))
        if time.monotonic() - self._drawn >= _DRAW_EVERY:
            self._draw()
        self.numbers.show_progress()
        self.epochs.refresh()

    def _take_state(self, state: RunState) -> None:
        """Show how the run stands, and pass it on."""
        if self._life.over or self._run is None:
            return
        previous, self._state = self._state, state
        if state.name == "running":
            if previous is not None and previous.name != "running":
                self._show()  # resumed: what is said is of a run that goes on again
            self._show_running(state)
        elif previous is None or (previous.name, previous.detail) != (state.name, state.detail):
            self._drawn = 0.0
            self._show()
            self._show_ending(state)
        self.stands.emit(state)

    def _show_running(self, state: RunState) -> None:
        tell(self.status, "")
        self.epochs.let_appear()
        if self._run is not None and _is_silent(self._run, state.last_event):
            self.numbers.show_starting()

    def _show_ending(self, state: RunState) -> None:
        """Show how the run ended; a finished one gives its model to the Colorize dock."""
        run = self._run
        if run is None:
            return
        self.numbers.end(finished=state.name == "finished")
        if state.name == "new":
            there = run.exists()
            tell(self.status, "Not started yet." if there else f"There is no run in {run.path}.")
            return
        said = words.ending(state)
        tell(self.status, said)
        if state.name == "finished":
            run_errand(
                lambda: _fetch_model(run),
                partial(self._take_model, run, said),
                partial(self._take_refusal, run, said),
            )

    def _take_model(self, run: RunFolder, said: str, model: ModelInfo | None) -> None:
        """Say where the model of a finished run is."""
        if self._life.over:
            return
        if model is not None:
            models_changed.emit()
        if self._run is run:
            there = _PUT if model is None else f"The model {model.name} is in the Colorize dock."
            tell(self.status, f"{said} {there}")

    def _take_refusal(self, run: RunFolder, said: str, reason: str) -> None:
        """Say why the model of a finished run cannot be used."""
        if not self._life.over and self._run is run:
            tell(self.status, f"{said} Its model could not be put into the Colorize dock: {reason}")

    # The curves and the theme.

    def _begin_to_draw(self, _: None) -> None:
        """Draw what was told meanwhile."""
        self._can_draw = True
        if not self._life.over:
            self._draw()

    def _draw(self) -> None:
        """Draw the curves; the plot is made when there is something to draw."""
        if self._history.is_empty() or not self._can_draw:
            return
        self._drawn = time.monotonic()
        if self.plot is None:
            self.plot = LossPlot(self._viewer.theme, self._say)
            self._layout.insertWidget(self._layout.indexOf(self.score) + 1, self.plot.widget)
        self.plot.widget.show()
        self.plot.draw(self._history)

    def _restyle(self) -> None:
        """Follow napari's theme."""
        if self._life.over:
            return
        self._colour_warnings()
        if self.plot is not None:
            self.plot.restyle(self._viewer.theme)

    def _colour_warnings(self) -> None:
        colour = get_theme(self._viewer.theme).warning.as_hex()
        self.warnings.setStyleSheet(f"border-left: 4px solid {colour}; padding: 2px 0 2px 6px;")

    def _say(self, text: str) -> None:
        """Tell what came of something."""
        tell(self.said, text)


def _is_silent(run: RunFolder, last: Event | None) -> bool:
    """Return whether the process that is at work has told nothing yet."""
    if last is None or isinstance(last, CLOSING):
        return True
    child = run.started_child()
    return child is not None and last.time < child.started


def _fetch_model(run: RunFolder) -> ModelInfo | None:
    """Copy a finished run's model among the user's own; None when that was done before.

    It is done once: a model that the user removed later does not come back.
    """
    if run.imported_file.exists():
        return None
    model = import_model(run.best_model, run.read_config().name or run.path.name)
    with contextlib.suppress(OSError):
        run.imported_file.touch()
    return model
