"""One's notes on a model: a text that is kept in the file when Keep is pressed."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QTextEdit, QVBoxLayout, QWidget

_LINES = 3


class NotesField(QWidget):
    """A text with its label and button; what is typed and not kept is remembered by model."""

    kept = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._key = self._stored = ""
        self._drafts: dict[str, str] = {}
        self.text = QTextEdit()
        self.text.setToolTip("What you want to remember about this model; it goes with the file.")
        self.text.setTabChangesFocus(True)
        self.text.setAcceptRichText(False)
        self.text.setFixedHeight(_LINES * self.text.fontMetrics().lineSpacing() + 16)
        self.keep = QPushButton("&Keep notes")
        self.keep.setToolTip("Write the notes into the model's file.")
        label = QLabel("N&otes")
        label.setBuddy(self.text)
        head = QHBoxLayout()
        head.addWidget(label, 1)
        head.addWidget(self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.text)
        self.text.textChanged.connect(self._take_draft)
        self.keep.clicked.connect(lambda: self.kept.emit(self.text.toPlainText()))

    def show_notes(self, key: str, notes: str) -> None:
        """Show the notes of a model, or what was typed for it before.

        Parameters
        ----------
        key : str
            What the model is known by; the same while it is called anew.
        notes : str
            What its file holds.
        """
        self._key, self._stored = key, notes
        text = self._drafts.get(key, notes)
        if text != self.text.toPlainText():
            blocked = self.text.blockSignals(True)
            self.text.setPlainText(text)
            self.text.blockSignals(blocked)
        self._take_draft()

    def move_draft(self, old: str, new: str) -> None:
        """Keep what was typed for a model that is known by another key now."""
        if old in self._drafts:
            self._drafts[new] = self._drafts.pop(old)

    def drafts(self) -> dict[str, str]:
        """Return what was typed and not kept, by model."""
        return dict(self._drafts)

    def settle(self, key: str, text: str) -> None:
        """Take note that a text is in the file of a model now."""
        self._drafts.pop(key, None)
        if key == self._key:
            self._stored = text
            self._take_draft()

    def _take_draft(self) -> None:
        """Remember what is not in the file yet."""
        text = self.text.toPlainText()
        changed = text != self._stored
        if changed:
            self._drafts[self._key] = text
        else:
            self._drafts.pop(self._key, None)
        self.keep.setEnabled(changed)
