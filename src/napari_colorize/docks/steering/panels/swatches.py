"""Colours to press: what the model suggests, what was used last, and a few with names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QAbstractButton, QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from napari_colorize.color.hints import Color
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.steering.panels.inks import color_of, ink, paint_patch, paint_ring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_colorize.prediction.suggestions import Suggestion

# As people think of them; how light they are does not matter.
COMMON: tuple[tuple[str, Color], ...] = (
    ("Skin", (224, 172, 140)),
    ("Ginger", (206, 116, 48)),
    ("Brown", (124, 80, 36)),
    ("Lemon", (232, 208, 72)),
    ("Grass", (104, 146, 58)),
    ("Teal", (64, 168, 160)),
    ("Sky blue", (112, 172, 226)),
    ("Denim", (62, 96, 160)),
    ("Violet", (140, 92, 172)),
    ("Rose", (216, 122, 146)),
    ("Brick red", (172, 68, 54)),
    ("Grey", (128, 128, 128)),
)
LAST = 8  # colours used last that are kept
_COLUMNS = 4
_GAP = 4


class Swatch(QAbstractButton):
    """A colour to press, with words below it, beside it, or without.

    Parameters
    ----------
    kind
        ``"below"``, ``"beside"`` or ``"plain"``: where the words are.
    """

    def __init__(self, kind: Literal["below", "beside", "plain"] = "plain") -> None:
        super().__init__()
        self._kind = kind
        self.color: Color = (128.0, 128.0, 128.0)
        self._look = QColor(128, 128, 128)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        wide = QSizePolicy.Policy.Fixed if kind == "plain" else QSizePolicy.Policy.Ignored
        self.setSizePolicy(wide, QSizePolicy.Policy.Fixed)

    def offer(self, color: Color, look: Color, words: str, name: str) -> None:
        """Offer a colour (r, g, b), 0..255.

        Parameters
        ----------
        color
            What a press takes.
        look
            As what it is shown.
        words
            Written at the colour.
        name
            For the tooltip, and for those who cannot see it.
        """
        self.color, self._look = color, color_of(look)
        self.setText(words)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.update()

    @property
    def look(self) -> QColor:
        """The colour as it is shown."""
        return self._look

    def sizeHint(self) -> QSize:
        """Return a size that has room for colour and words."""
        line = self.fontMetrics().height()
        if self._kind == "below":
            return QSize(48, 32 + line)
        if self._kind == "beside":
            return QSize(84, max(20, line) + 4)
        return QSize(30, 26)

    def minimumSizeHint(self) -> QSize:
        """Return the same."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the colour, the words, and a line around when it is pointed at."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        if self.isDown():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink("primary"))
            painter.drawRoundedRect(whole, 6, 6)
        patch, words = self._parts(whole)
        look = QColor(self._look)
        if not self.isEnabled():
            look.setAlpha(90)
        paint_patch(painter, patch, look)
        painter.setPen(ink("text", 255 if self.isEnabled() else 110))
        align = Qt.AlignmentFlag.AlignVCenter | (
            Qt.AlignmentFlag.AlignHCenter if self._kind == "below" else Qt.AlignmentFlag.AlignLeft
        )
        painter.drawText(words, int(align), self.text())
        if self.hasFocus() or (self.underMouse() and self.isEnabled()):
            paint_ring(painter, whole, ink("current" if self.hasFocus() else "highlight"))
        painter.end()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow napari's theme."""
        super().changeEvent(event)
        self.update()

    def _parts(self, whole: QRectF) -> tuple[QRectF, QRectF]:
        """Return where the colour is and where the words are."""
        if self._kind == "below":
            line = self.fontMetrics().height() + 2
            patch = whole.adjusted(4, 4, -4, -line - 2)
            return patch, QRectF(whole.left(), patch.bottom() + 1, whole.width(), line)
        if self._kind == "beside":
            side = whole.height() - 8
            patch = QRectF(QPointF(4, 4), QPointF(4 + side, 4 + side))
            return patch, whole.adjusted(side + 10, 0, 0, 0)
        return whole.adjusted(4, 4, -4, -4), QRectF()


class SwatchRow(QWidget):
    """Swatches beside each other.

    Attributes
    ----------
    taken : Signal(object)
        A person has taken a colour (r, g, b), 0..255.
    """

    taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.swatches: list[Swatch] = []

    def _add(self, swatch: Swatch) -> Swatch:
        swatch.clicked.connect(lambda: self.taken.emit(swatch.color))
        self.swatches.append(swatch)
        return swatch


class Suggestions(SwatchRow):
    """The likeliest colours of a place, each with its share in percent, or a sentence."""

    MOST = 5

    def __init__(self) -> None:
        super().__init__()
        self.sentence, self.problem = FieldNote("aside"), FieldNote()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        layout.addWidget(self.sentence)
        layout.addWidget(self.problem)
        for _ in range(self.MOST):
            swatch = self._add(Swatch("below"))
            swatch.hide()
            layout.addWidget(swatch)

    def tell(self, text: str) -> None:
        """Show a sentence in the place of colours."""
        self._clear()
        self.sentence.tell(text)

    def tell_problem(self, text: str) -> None:
        """Show what went wrong in the place of colours."""
        self._clear()
        self.problem.tell(text)

    def offer(self, suggestions: Sequence[Suggestion]) -> None:
        """Show colours, the likeliest first."""
        self._clear()
        for swatch, suggestion in zip(self.swatches, suggestions, strict=False):
            color = suggestion.color
            share = percent(suggestion.share)
            code = color_of(color).name()
            swatch.offer(color, color, share, f"{code}, held {share} likely: take it")
            swatch.show()

    def _clear(self) -> None:
        self.sentence.tell("")
        self.problem.tell("")
        for swatch in self.swatches:
            swatch.hide()


class LastColors(SwatchRow):
    """The colours that were used last, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.colors: list[Color] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        for _ in range(LAST):
            swatch = self._add(Swatch())
            swatch.hide()
            layout.addWidget(swatch)
        layout.addStretch()

    def use(self, color: Color, look: Callable[[Color], Color]) -> None:
        """Put a colour in front."""
        others = [other for other in self.colors if color_of(other) != color_of(color)]
        self.colors = [color, *others][:LAST]
        self.show_looks(look)

    def show_looks(self, look: Callable[[Color], Color]) -> None:
        """Show the colours as they look at another lightness."""
        for swatch, color in zip(self.swatches, self.colors, strict=False):
            swatch.offer(color, look(color), "", f"{color_of(color).name()}, used before")
            swatch.show()


class CommonColors(SwatchRow):
    """A few colours that are often wanted, with their names."""

    def __init__(self) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for number in range(len(COMMON)):
            layout.addWidget(self._add(Swatch("beside")), *divmod(number, _COLUMNS))
        self.show_looks(lambda color: color)

    def show_looks(self, look: Callable[[Color], Color]) -> None:
        """Show the colours as they look at another lightness."""
        for swatch, (name, color) in zip(self.swatches, COMMON, strict=True):
            swatch.offer(color, look(color), name, f"{name}, as it looks at this place")


def percent(share: float) -> str:
    """Return a share 0..1 in words that never say nothing or all when it is not."""
    rounded = round(100 * share)
    if rounded == 0:
        return "< 1 %"
    return f"{rounded} %"
