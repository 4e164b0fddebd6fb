"""What lies in the bin of models: Undo for the last deletion, and a button that empties it."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtWidgets import QGridLayout, QMessageBox, QPushButton, QWidget

from napari_colorize.docks.models.model_card import plain_label
from napari_colorize.files.removed import LONG, Removed, removed_models

_NAMED = 10  # models that the question names


class ModelBin(QWidget):
    """Two lines with a button each; hidden while there is nothing to say."""

    undo_asked = Signal()
    empty_asked = Signal(list)  # of what lies there and was agreed to

    def __init__(self) -> None:
        super().__init__()
        self.last: Removed | None = None  # what Undo takes out
        self.last_line = plain_label("", "What was deleted last.")
        self.undo = QPushButton("U&ndo")
        self.undo.setToolTip("Take the model that was deleted last out of the bin (Ctrl+Z).")
        self.line = plain_label("", "Deleted models stay in the bin until you empty it.")
        self.empty = QPushButton("Empt&y bin…")
        self.empty.setToolTip("Delete for good what lies in the bin.")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(0, 1)
        for row, parts in enumerate(((self.last_line, self.undo), (self.line, self.empty))):
            for column, part in enumerate(parts):
                grid.addWidget(part, row, column)
        self.undo.clicked.connect(lambda: self.undo_asked.emit())
        self.empty.clicked.connect(self._ask)

    def read(self) -> None:
        """Look into the bin."""
        lying = removed_models()
        self.last = lying[0] if lying else None
        if self.last is not None:
            days = self.last.days
            since = f", deleted {days:,} day{'s' * (days != 1)} ago" if days else ""
            self.last_line.setText(f"{self.last.name!r} is in the bin{since}.")
        size = sum(one.size for one in lying) / 1e6
        old = sum(one.days > LONG for one in lying)
        told = f"In the bin: {len(lying):,} model{'s' * (len(lying) != 1)}, {size:,.1f} MB"
        self.line.setText(f"{told}; {old:,} for more than {LONG} days." if old else f"{told}.")
        self.setVisible(bool(lying))

    def _ask(self) -> None:
        """Ask whether what lies there shall go for good."""
        lying = removed_models()
        names = [one.name for one in lying]
        told = ", ".join(names[:_NAMED]) + ", …" * (len(names) > _NAMED)
        asked = QMessageBox.question(
            self, "Empty the bin", f"Delete for good: {told}? This cannot be undone."
        )
        if asked == QMessageBox.StandardButton.Yes:
            self.empty_asked.emit(lying)
