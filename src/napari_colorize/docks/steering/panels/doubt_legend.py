"""The legend of a layer: its colours from low to high, with numbers below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.life import Life

if TYPE_CHECKING:
    from napari.layers import Image

_STOPS = 17
_TICKS = 6
_HEIGHT = 16


class DoubtLegend(QWidget):
    """Follows the colormap and the contrast limits of a layer; hidden without one.

    Parameters
    ----------
    meaning : str
        What the numbers are, with their unit.
    """

    def __init__(self, meaning: str) -> None:
        super().__init__()
        self._life = Life(self)
        self._layer: Image | None = None
        self.gradient = _Gradient()
        self.numbers = _Ticks()
        self.meaning = FieldNote("aside")
        self.meaning.tell(meaning)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for part in (self.gradient, self.numbers, self.meaning):
            layout.addWidget(part)
        self.hide()

    def follow(self, layer: Image | None) -> None:
        """Be the legend of another layer, or of none."""
        if self._layer is not None:
            for event in (self._layer.events.colormap, self._layer.events.contrast_limits):
                event.disconnect(self._update)
        self._layer = layer
        if layer is not None:
            for event in (layer.events.colormap, layer.events.contrast_limits):
                event.connect(self._update)
        self.setVisible(layer is not None)
        self._update()

    def _update(self, _: Any = None) -> None:
        if self._layer is None or self._life.over:
            return
        low, high = (float(limit) for limit in self._layer.contrast_limits)
        values = [place / (_STOPS - 1) for place in range(_STOPS)]
        colors = (255 * self._layer.colormap.map(values)[:, :3]).round().astype(int)
        self.gradient.show_colors([(int(r), int(g), int(b)) for r, g, b in colors])
        self.numbers.show_range(low, high)


class _Gradient(QWidget):
    """Paints colours from left to right, flowing into one another."""

    def __init__(self) -> None:
        super().__init__()
        self.colors: list[tuple[int, int, int]] = []
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_colors(self, colors: list[tuple[int, int, int]]) -> None:
        """Show others."""
        self.colors = colors
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint them."""
        gradient = QLinearGradient(0, 0, self.width(), 0)
        for place, color in enumerate(self.colors):
            gradient.setColorAt(place / (len(self.colors) - 1), QColor(*color))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        painter.end()


class _Ticks(QWidget):
    """Numbers below a gradient, evenly spread, the outer ones at its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = [QLabel(self) for _ in range(_TICKS)]
        self.setFixedHeight(16)

    def show_range(self, low: float, high: float) -> None:
        """Show other numbers."""
        decimals = 1 if high - low < 8 else 0
        for place, label in enumerate(self.texts):
            value = low + (high - low) * place / (_TICKS - 1)
            label.setText(f"{value:.{decimals}f}")
            label.adjustSize()
        self._spread()

    def resizeEvent(self, event: Any) -> None:
        """Spread them over another width."""
        self._spread()

    def _spread(self) -> None:
        for place, label in enumerate(self.texts):
            share = place / (_TICKS - 1)
            label.move(round(share * (self.width() - label.width())), 0)
