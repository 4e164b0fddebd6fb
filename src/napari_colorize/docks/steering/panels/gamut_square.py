"""A square of the ab plane that shows the colours possible at one lightness, to choose from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_colorize.color.hints import Color
from napari_colorize.docks.steering.panels.inks import color_of, ink, paint_ring
from napari_colorize.docks.steering.panels.shades import PLANE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE, _EDGE = 180, 8  # pixels; the edge stays free for the marker
_LEAST = 40.0  # units of ab from middle to edge at least: a little colour is not blown up
_STEP, _STRIDE = 1.0, 8.0  # units of ab that an arrow key moves, and with Shift
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class GamutSquare(QWidget):
    """Red to the right, green to the left, yellow up, blue down; grey in the middle.

    Attributes
    ----------
    chosen : Signal(object)
        A person has chosen a colour (r, g, b), 0..255.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._slice: NDArray[np.uint8] | None = None
        self._image = QImage()
        self._half, self._centre = PLANE, (0.0, 0.0)  # what is in view of the plane
        self._ab = (0.0, 0.0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Colours possible at this place")
        self.setAccessibleDescription("The arrow keys move through the colours; Shift is faster.")
        self.setToolTip(
            "All colours that a place of this lightness can have; grey is in the middle.\n"
            "Click or drag to choose; the arrow keys move, with Shift faster."
        )

    @property
    def ab(self) -> tuple[float, float]:
        """a and b of the marker."""
        return self._ab

    @property
    def color(self) -> Color | None:
        """The colour (r, g, b) under the marker; None as long as no colours are shown."""
        pixel = self._pixel(*self._ab)
        return None if pixel is None else _color_of(pixel)

    def show_slice(self, colors: NDArray[np.uint8] | None) -> None:
        """Show other colours, (side, side, 4) RGBA of the whole ab plane, or none at all."""
        self._slice = colors
        if colors is not None:
            self._cut(colors)
        self.update()

    def mark(self, color: Color) -> None:
        """Put the marker on the colour (r, g, b) that is shown, or on the one most like it."""
        if self._slice is None:
            return
        pixel = self._pixel(*self._ab)
        if pixel is not None and pixel[3] and np.abs(pixel[:3] - np.asarray(color)).max() <= 1:
            return  # it is there already: in the dark many places look the same
        difference = np.abs(self._slice[..., :3] - np.array(color, np.float32)).sum(axis=-1)
        difference[self._slice[..., 3] == 0] = np.inf
        alike = np.argwhere(difference <= difference.min() + 0.5)
        # Of many that look the same, one in their midst.
        row, column = alike[np.abs(alike - alike.mean(axis=0)).sum(axis=1).argmin()]
        unit = 2 * PLANE / len(self._slice)
        self._ab = (
            float((column + 0.5) * unit - PLANE),
            float(PLANE - (row + 0.5) * unit),
        )
        self.update()

    def point_of(self, a: float, b: float) -> QPointF:
        """Return where in the widget a colour is."""
        middle, scale = self.width() / 2, (self.width() / 2 - _EDGE) / self._half
        return QPointF(
            middle + (a - self._centre[0]) * scale, middle - (b - self._centre[1]) * scale
        )

    def sizeHint(self) -> QSize:
        """Return the size that it always has."""
        return QSize(_SIDE, _SIDE)

    def minimumSizeHint(self) -> QSize:
        """Return the size that it always has."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the colours, the middle and the marker."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        whole = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink("foreground"))
        painter.drawRoundedRect(whole, 6, 6)
        if self._slice is not None:
            painter.drawImage(whole.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE), self._image)
            self._paint_middle(painter)
            if self.isEnabled():
                self._paint_marker(painter)
        if self.hasFocus():
            paint_ring(painter, whole, ink("current"))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the colour under the mouse."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose_at(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Choose the colours that the mouse is dragged over."""
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._choose_at(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move with the arrow keys."""
        if event is None:
            return
        towards = _ARROWS.get(Qt.Key(event.key()))
        if towards is None:
            super().keyPressEvent(event)
            return
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        step = _STRIDE if shift else _STEP
        self._choose(self._ab[0] + step * towards[0], self._ab[1] + step * towards[1])

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Draw the line around."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Take the line away."""
        super().focusOutEvent(event)
        self.update()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow napari's theme."""
        super().changeEvent(event)
        self.update()

    def _choose_at(self, event: QMouseEvent) -> None:
        middle, scale = self.width() / 2, self._half / (self.width() / 2 - _EDGE)
        point = event.position()
        self._choose(
            self._centre[0] + (point.x() - middle) * scale,
            self._centre[1] + (middle - point.y()) * scale,
        )

    def _choose(self, a: float, b: float) -> None:
        """Choose a colour; of one that is not possible take as much as is."""
        if self._slice is None:
            return
        steps = max(1, math.ceil(math.hypot(a, b)))
        for part in np.linspace(1, 0, steps + 1):
            pixel = self._pixel(a * part, b * part)
            if pixel is not None and pixel[3]:
                self._ab = (float(a * part), float(b * part))
                self.update()
                self.chosen.emit(_color_of(pixel))
                return

    def _pixel(self, a: float, b: float) -> NDArray[np.int64] | None:
        """Return red, green, blue and alpha of a colour of the plane, None beside it."""
        if self._slice is None:
            return None
        side = len(self._slice)
        column = math.floor((a + PLANE) / (2 * PLANE) * side)
        row = math.floor((PLANE - b) / (2 * PLANE) * side)
        if not (0 <= row < side and 0 <= column < side):
            return None
        pixel: NDArray[np.int64] = self._slice[row, column].astype(np.int64)
        return pixel

    def _cut(self, colors: NDArray[np.uint8]) -> None:
        """Cut out of the plane what has colours."""
        side = len(colors)
        unit = 2 * PLANE / side
        found = [(int(part.min()), int(part.max())) for part in np.nonzero(colors[..., 3])]
        reach = max(_LEAST / unit, *((last - first) / 2 for first, last in found))
        reach = min((side - 1) // 2, math.ceil(reach) + 1)
        row, column = (
            min(side - 1 - reach, max(reach, (first + last) // 2)) for first, last in found
        )
        self._half = (reach + 0.5) * unit
        self._centre = ((column + 0.5) * unit - PLANE, PLANE - (row + 0.5) * unit)
        cut = colors[row - reach : row + reach + 1, column - reach : column + reach + 1]
        self._image = QImage(
            cut.tobytes(), len(cut), len(cut), 4 * len(cut), QImage.Format.Format_RGBA8888
        ).copy()

    def _paint_middle(self, painter: QPainter) -> None:
        middle = self.point_of(0, 0)
        painter.setPen(QPen(ink("background", 120), 1))
        for across in (QPointF(4, 0), QPointF(0, 4)):
            painter.drawLine(middle - across, middle + across)

    def _paint_marker(self, painter: QPainter) -> None:
        point, color = self.point_of(*self._ab), self.color
        if color is None:
            return
        painter.setBrush(color_of(color))
        painter.setPen(QPen(Qt.GlobalColor.black, 1))
        painter.drawEllipse(point, 7.5, 7.5)
        painter.setPen(QPen(Qt.GlobalColor.white, 2))
        painter.drawEllipse(point, 6, 6)


def _color_of(pixel: NDArray[np.int64]) -> Color:
    """Return the colour of a pixel, RGBA."""
    red, green, blue, _ = pixel.tolist()
    return float(red), float(green), float(blue)
