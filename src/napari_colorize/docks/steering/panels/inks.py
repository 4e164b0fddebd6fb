"""The colours of napari's theme, for what is painted by hand."""

from __future__ import annotations

from napari import current_viewer
from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from napari_colorize.color.hints import Color


def ink(part: str, alpha: int = 255) -> QColor:
    """Return a colour of the theme that is shown now.

    Parameters
    ----------
    part
        ``"background"``, ``"foreground"``, ``"primary"``, ``"secondary"``, ``"highlight"``,
        ``"text"``, ``"icon"`` or ``"current"``.
    alpha
        0..255.
    """
    viewer = current_viewer()
    theme = get_theme(get_settings().appearance.theme if viewer is None else viewer.theme)
    color = QColor(*getattr(theme, part).as_rgb_tuple()[:3])
    color.setAlpha(alpha)
    return color


def color_of(rgb: Color) -> QColor:
    """Return Qt's colour of (r, g, b), 0..255."""
    red, green, blue = (min(255, max(0, round(channel))) for channel in rgb)
    return QColor(red, green, blue)


def paint_patch(painter: QPainter, patch: QRectF, color: QColor, radius: float = 4) -> None:
    """Paint a rounded patch whose border can be told from any theme's background."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink("text", 70), 1))
    painter.setBrush(color)
    painter.drawRoundedRect(patch.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


def paint_ring(painter: QPainter, patch: QRectF, color: QColor, radius: float = 6) -> None:
    """Paint a line around a patch that is under the mouse or has the focus."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(patch.adjusted(1, 1, -1, -1), radius, radius)
