"""The colours of a palette as stripes, the wider the more there is of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, QSize
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 9  # stripes
_NEAR = 22.0  # units of ab within which two bins are one colour to the eye
_LIGHTNESS = 66.0  # at which the stripes are shown: most hues can be told apart there
_GREY = 8.0  # chroma below which a colour is none
_HEIGHT = 26


@dataclass(frozen=True)
class Stripe:
    """A colour (r, g, b), 0..255, and its share of the palette, 0..1."""

    color: tuple[int, int, int]
    share: float


def stripes_of(shares: Sequence[float]) -> tuple[Stripe, ...]:
    """Return the stripes of a palette; it loads torch, so call it in a thread.

    Parameters
    ----------
    shares
        Share of each bin of `napari_colorize.color.gamut.gamut_bins`.

    Returns
    -------
    tuple of Stripe
        Ordered by hue, grey last; at most nine.
    """
    from napari_colorize.color.gamut import gamut_bins

    bins = [(float(a), float(b)) for a, b in gamut_bins().tolist()]
    found: list[tuple[float, float, float]] = []  # share, a, b
    left = sorted(zip(shares, bins, strict=True), reverse=True)
    while left and len(found) < _MOST and left[0][0] > 0:
        a, b = left[0][1]
        near = [pair for pair in left if math.dist(pair[1], (a, b)) < _NEAR]
        left = [pair for pair in left if math.dist(pair[1], (a, b)) >= _NEAR]
        found.append((sum(share for share, _ in near), a, b))
    found.sort(key=lambda one: _hue(one[1], one[2]))
    return tuple(Stripe(_rgb(a, b), share) for share, a, b in found)


def _hue(a: float, b: float) -> float:
    return 10.0 if math.hypot(a, b) < _GREY else math.atan2(b, a)


def _rgb(a: float, b: float) -> tuple[int, int, int]:
    """Return the sRGB colour, 0..255, with this a and b that can be told from others best."""
    from napari_colorize.color.gamut import gamut_bins
    from napari_colorize.color.lab import lab_to_rgb

    lab = gamut_bins().new_tensor([_LIGHTNESS, a, b]).view(3, 1, 1)
    red, green, blue = (round(255 * value) for value in lab_to_rgb(lab).flatten().tolist())
    return red, green, blue


class PaletteStripes(QWidget):
    """Paints stripes side by side; nothing of it is seen while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.stripes: tuple[Stripe, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.hide()

    def show_stripes(self, stripes: tuple[Stripe, ...]) -> None:
        """Show other stripes, or nothing."""
        self.stripes = stripes
        self.setToolTip(f"The {len(stripes)} main colours of the reference, by hue.")
        self.setVisible(bool(stripes))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that stripes can be told apart at."""
        return QSize(20 * _MOST, _HEIGHT)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the stripes."""
        # The root lets a rare but telling colour be seen beside much grey.
        weights = [math.sqrt(stripe.share) for stripe in self.stripes]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), 4, 4)
        painter.setClipPath(outline)
        left = 0.0
        for stripe, weight in zip(self.stripes, weights, strict=True):
            width = self.width() * weight / sum(weights)
            area = QRectF(QPointF(left, 0), QPointF(left + width + 1, self.height()))
            painter.fillRect(area, QColor(*stripe.color))
            left += width
        painter.end()
