"""A line below a field that tells what is wrong with it, or what to know."""

from __future__ import annotations

from typing import Literal

from napari import current_viewer
from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QLabel, QSizePolicy

# Parts of the text's colour in what is said beside the point; the rest is the background's.
_FAINT = 0.72


class FieldNote(QLabel):
    """A text that wraps, is taken literally, and is not there while it is empty.

    Parameters
    ----------
    kind
        ``"problem"`` is drawn in the theme's warning colour, ``"aside"`` a little fainter.
    """

    def __init__(self, kind: Literal["problem", "aside"] = "problem") -> None:
        super().__init__()
        self._kind = kind
        self._colour = ""
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        self._restyle()

    def tell(self, text: str) -> None:
        """Show a text, or nothing at all when it is empty."""
        # Qt breaks a line after a slash of itself, but not after a backslash.
        self.setText(text.replace("\\", "\\\u200b"))
        self.setVisible(bool(text))

    def told(self) -> str:
        """Return the text."""
        return self.text().replace("\u200b", "")

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow napari's theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._restyle()

    def _restyle(self) -> None:
        colour = _colour(self._kind)
        if colour != self._colour:  # a new sheet is a change of style too
            self._colour = colour
            self.setStyleSheet(f"color: {colour}")


def _colour(kind: str) -> str:
    """Return a colour that can be read on the theme's background, as ``#rrggbb``."""
    viewer = current_viewer()
    theme = get_theme(get_settings().appearance.theme if viewer is None else viewer.theme)
    text, ground = theme.text.as_rgb_tuple(), theme.background.as_rgb_tuple()
    if kind == "problem":
        return "#ffb454" if theme.type == "dark" else "#a33a00"
    pairs = zip(text[:3], ground[:3], strict=True)
    mixed = [round(_FAINT * a + (1 - _FAINT) * b) for a, b in pairs]
    return "#{:02x}{:02x}{:02x}".format(*mixed)
