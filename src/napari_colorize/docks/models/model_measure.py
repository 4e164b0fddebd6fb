"""The progress of measuring a model, with Cancel; the figures end up in the model's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QInputDialog,
    QProgressBar,
    QPushButton,
    QWidget,
)

from napari_colorize.docks.life import Life
from napari_colorize.docks.models.measuring import Measuring
from napari_colorize.docks.models.model_card import plain_label

if TYPE_CHECKING:
    from pathlib import Path

_USUAL = 50  # photographs
_MOST = 100_000


class ModelMeasure(QWidget):
    """Asks what to measure on, and is seen while it goes on; ``ended`` tells how it ended."""

    ended = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._measuring: Measuring | None = None
        self._life = Life(self)
        self.line = plain_label("", "What is being measured.")
        self.bar = QProgressBar()
        self.bar.setToolTip("How far the measuring is.")
        self.cancel = QPushButton("&Cancel")
        self.cancel.setToolTip("Stop measuring; nothing is kept.")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.line, 0, 0, 1, 2)
        grid.addWidget(self.bar, 1, 0)
        grid.addWidget(self.cancel, 1, 1, Qt.AlignmentFlag.AlignTop)
        self.cancel.clicked.connect(self._cancel)
        self.hide()

    def is_under_way(self) -> bool:
        """Return whether a model is being measured."""
        return self._measuring is not None

    def ask(self, model: Path) -> bool:
        """Ask for the photographs and start; return whether it was started."""
        folder = QFileDialog.getExistingDirectory(
            self, f"Measure {model.stem}: a folder of colour photographs it was not trained on"
        )
        if not folder:
            return False
        count, wanted = QInputDialog.getInt(
            self,
            f"Measure {model.stem}",
            "Photographs at most; more take longer and tell more surely:",
            _USUAL,
            1,
            _MOST,
        )
        if wanted:
            self._start(Measuring(model, folder, count))
        return bool(wanted)

    def _start(self, measuring: Measuring) -> None:
        self._measuring = measuring
        measuring.progressed.connect(self._show_progress)
        measuring.ended.connect(self._end)
        self.destroyed.connect(measuring.kill)
        self.bar.setRange(0, 0)
        self.line.setText(f"Measuring {measuring.model.stem!r}…")
        self.cancel.setEnabled(True)
        self.show()
        measuring.start()

    def _show_progress(self, done: int, total: int) -> None:
        if not self._life.over:
            self.bar.setRange(0, total)
            self.bar.setValue(done)

    def _cancel(self) -> None:
        if self._measuring is not None:
            self.cancel.setEnabled(False)
            self.line.setText("Cancelling…")
            self._measuring.cancel()

    def _end(self, reason: str) -> None:
        """Hide, and tell how it ended in a sentence."""
        measuring, self._measuring = self._measuring, None
        if self._life.over or measuring is None:
            return
        self.hide()
        if reason == "cancelled":
            self.ended.emit("Measuring was cancelled; nothing was kept.")
        elif reason:
            self.ended.emit(f"{measuring.model.stem!r} could not be measured: {reason}")
        else:
            self.ended.emit(f"{measuring.model.stem!r} was measured; the figures are in its file.")
