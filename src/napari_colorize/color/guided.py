"""Colour brought from a small picture to a large one along the edges of its lightness.

In every window of the small picture ab is fitted as a line of L, ab = slope L + offset; slope and
offset are smooth, so they may be enlarged, and meet the fine L of the large picture there. This is
the fast guided filter of He and Sun (2015, arXiv:1505.00996), after He, Sun and Tang (2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# Half the side of a window, in pixels of the small picture, where nothing else is said.
RADIUS = 3
# Variance of L below which a window counts as flat, in squared units of L.
FLATNESS = 20.0


@dataclass(frozen=True)
class GuidedColor:
    """Colour of a picture of any size: two smooth maps of a line from L to ab.

    Parameters
    ----------
    lines : Tensor of shape (4, h, w), float32
        Slope of a, slope of b, offset of a, offset of b.
    shape : (H, W)
        Size of the picture to be coloured.
    places : Tensor of shape (H,), float64, optional
        Where the middles of the rows lie among those of `lines`; evenly when left out.
    """

    lines: Tensor
    shape: tuple[int, int]
    places: Tensor | None = None

    def rows(self, start: int, stop: int, lightness: Tensor) -> Tensor:
        """Return ab of some rows, (2, stop - start, W).

        The numbers depend on the row and on nothing else, so that strips fit without a seam.

        Parameters
        ----------
        start, stop : int
            First row, and the one after the last.
        lightness : Tensor of shape (stop - start, W), float32
            L of these rows.
        """
        lines = _rows_at(self.lines, self._row_places(slice(start, stop)))  # (4, rows, w)
        if self.lines.shape[2] != self.shape[1]:
            lines = functional.interpolate(lines, self.shape[1], mode="linear")
        return torch.addcmul(lines[2:], lines[:2], lightness)

    def part(self, rows: slice, columns: slice) -> GuidedColor:
        """Return the colour of a part of the picture, which may leave out rows and columns."""
        across = _places(columns, self.shape[1], self.lines.shape[2])
        down = self._row_places(rows)
        # Whole rows are copied much faster than single numbers: the columns lie down for it.
        lines = _rows_at(self.lines.mT.contiguous(), across).mT.contiguous()
        return GuidedColor(lines, (len(down), len(across)), down)

    def _row_places(self, rows: slice) -> Tensor:
        if self.places is not None:
            return self.places[rows]
        return _places(rows, self.shape[0], self.lines.shape[1])


def _places(pixels: slice, side: int, count: int) -> Tensor:
    """Return where the middles of some of `side` pixels lie among `count` lines, float64."""
    chosen = torch.arange(*pixels.indices(side))
    return (chosen.double() + 0.5) * (count / side) - 0.5


def _rows_at(tensor: Tensor, places: Tensor) -> Tensor:
    """Return rows of a tensor (C, h, w) at places among them, linear in between."""
    last = tensor.shape[1] - 1
    places = places.clamp(0, last)
    low = places.floor().long().clamp_max(max(0, last - 1))
    share = (places - low).float().to(tensor.device)[:, None]
    low = low.to(tensor.device)
    before, after = tensor.index_select(1, low), tensor.index_select(1, (low + 1).clamp_max(last))
    return torch.lerp(before, after, share)


class Guide:
    """The small picture whose edges colour follows; what does not depend on colour is kept.

    Parameters
    ----------
    lightness : Tensor of shape (h, w), float32
        L, 0..100.
    radius : int
        Half the side of a window, in pixels.
    """

    def __init__(self, lightness: Tensor, radius: int = RADIUS) -> None:
        self._lightness, self._radius = lightness[None, None], radius
        self._mean = self._window_mean(self._lightness)
        square = self._window_mean(self._lightness * self._lightness)
        self._inverse = 1 / ((square - self._mean * self._mean).clamp_min(0) + FLATNESS)

    @property
    def lightness(self) -> Tensor:
        """L of the small picture, (h, w) float32, 0..100."""
        return self._lightness[0, 0]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the small picture."""
        height, width = self._lightness.shape[-2:]
        return height, width

    def fit(self, ab: Tensor, shape: tuple[int, int]) -> GuidedColor:
        """Return the colour that follows the edges.

        Parameters
        ----------
        ab : Tensor of shape (2, h, w), float32
            Colour of the small picture.
        shape : (H, W)
            Size of the large picture.
        """
        return GuidedColor(self._lines(ab[None])[0].contiguous(), shape)

    def evened(self, ab: Tensor) -> Tensor:
        """Return colours of the small picture, (2, h, w) float32, made even between its edges."""
        slope, offset = self._lines(ab[None])[0].split(2)
        return torch.addcmul(offset, slope, self._lightness[0])

    def _lines(self, color: Tensor) -> Tensor:
        both = self._window_mean(torch.cat((color, self._lightness * color), dim=1))
        mean, product = both.split(2, dim=1)
        slope = (product - self._mean * mean) * self._inverse
        offset = mean - slope * self._mean
        return self._window_mean(torch.cat((slope, offset), dim=1))  # (1, 4, h, w)

    def _window_mean(self, tensor: Tensor) -> Tensor:
        return window_mean(tensor, self._radius)


def window_mean(tensor: Tensor, radius: int) -> Tensor:
    """Return means over windows of side 2 radius + 1, smaller at the border.

    Sums of shifted copies, the rows first: ten times faster than pooling.
    """
    height, width = tensor.shape[-2:]
    padded = functional.pad(tensor, (radius, radius, radius, radius))
    rows = padded[..., :height, :].clone()
    for shift in range(1, 2 * radius + 1):
        rows += padded[..., shift : shift + height, :]
    sums = rows[..., :width].clone()
    for shift in range(1, 2 * radius + 1):
        sums += rows[..., shift : shift + width]
    count = _window_length(height, radius)[:, None] * _window_length(width, radius)
    return sums.div_(count.to(sums))


def _window_length(side: int, radius: int) -> Tensor:
    """Return how many pixels of each window lie inside, (side,)."""
    place = torch.arange(side)
    return (place + radius).clamp_max(side - 1) - (place - radius).clamp_min(0) + 1
