"""A label that holds a sentence of any length, or hides."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy


class Sentence(QLabel):
    """Text that wraps, is taken literally, can be copied, and widens nothing; hidden when empty.

    Parameters
    ----------
    tooltip
        What the text is about.
    """

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self.setToolTip(tooltip)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.tell("")

    def tell(self, text: str) -> None:
        """Show a text, or nothing at all when it is empty."""
        # Qt breaks a line after a slash of itself, but not after a backslash.
        text = text.replace("\\", "\\\u200b")
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))

    def words(self) -> str:
        """Return the text as it was told."""
        return self.text().replace("\u200b", "")
