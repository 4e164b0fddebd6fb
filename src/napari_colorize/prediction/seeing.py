"""What a network sees of a picture, of its hints and of a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from napari_colorize.color.gamut import histogram
from napari_colorize.color.hints import Hint, finite_number, inside
from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.color.lightness import Lightness
from napari_colorize.color.planes import coverage, hint_planes
from napari_colorize.color.strokes import Strokes
from napari_colorize.errors import PictureError
from napari_colorize.prediction.alternatives import ANCHOR_SIDE
from napari_colorize.prediction.suggestions import rgb_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_colorize.color.guided import Guide
    from napari_colorize.color.steering import AnyHint

# A picture more than so many times longer than high is squeezed before the network sees it.
LONGEST = 4
# Smallest side of a hint's patch, in pixels at the working size: what networks are trained with.
SMALLEST_HINT = 1.0
# Mean chroma below which a reference says nothing about colour.
GREY = 1.0
# Short side at which the colours of a reference are counted.
REFERENCE_SIDE = 64


@dataclass(frozen=True)
class Seen:
    """A picture that a network has looked at.

    Attributes
    ----------
    lightness : Lightness
        The picture itself, as large as it is.
    guide : Guide
        The small picture whose edges colour follows.
    features : tuple of Tensor
        What the network's `encode` returned.
    shape : (h, w)
        Pixels at the working size, at which the network looked.
    """

    lightness: Lightness
    guide: Guide
    features: tuple[Tensor, ...]
    shape: tuple[int, int]

    def cells(self, side: int) -> tuple[int, int]:
        """Return how many rows and columns of cells of so many pixels a side there are."""
        height, width = self.shape
        return -(-height // side), -(-width // side)

    def cell_at(self, y: float, x: float, side: int) -> tuple[int, int]:
        """Return the cell, of so many pixels a side, of a place in the picture.

        Raises
        ------
        PictureError
            If y or x is no finite number, or the place lies outside the picture.
        """
        y, x = finite_number("y", y), finite_number("x", x)
        full = self.lightness.shape
        if not inside(y, x, full):
            raise PictureError(
                f"Row {y:g}, column {x:g} lies outside the picture of {full[0]} x {full[1]} px."
            )
        rows, columns = self.cells(side)
        row, column = (
            int((place + 0.5) * small / pixels / side)
            for place, small, pixels in zip((y, x), self.shape, full, strict=True)
        )
        return min(row, rows - 1), min(column, columns - 1)

    def middle_of(self, row: float, column: float, side: int) -> tuple[float, float]:
        """Return the place in the picture of the middle of a cell of so many pixels a side.

        A cell that reaches beyond the picture stands for its last pixels.
        """
        y, x = (
            min((place + 0.5) * side * pixels / small, pixels) - 0.5
            for place, small, pixels in zip(
                (row, column), self.shape, self.lightness.shape, strict=True
            )
        )
        return y, x

    def hints_at(self, places: Tensor, colors: Tensor, side: int) -> tuple[Hint, ...]:
        """Return hints of the colours ab, (K, 2), at places in cells, (K, 2)."""
        scale = min(old / new for new, old in zip(self.shape, self.lightness.shape, strict=True))
        hints = []
        for (row, column), ab in zip((places - 0.5).tolist(), colors, strict=True):
            y, x = self.middle_of(row, column, side)
            red, green, blue = rgb_at(self.lightness.at(y, x), ab[None])[:, 0, 0].tolist()
            color = (255 * red, 255 * green, 255 * blue)
            hints.append(Hint(y, x, color, ANCHOR_SIDE * side * scale))
        return tuple(hints)

    def hint_planes(self, hints: Sequence[AnyHint], side: int) -> Tensor:
        """Return hints as planes on cells of so many pixels a side, (1, 3, h, w)."""
        scales = torch.tensor(
            [new / old for new, old in zip(self.shape, self.lightness.shape, strict=True)]
        )
        points, spans = _patches(hints)
        sides = (points.sides * scales).clamp_min(SMALLEST_HINT)
        centres = torch.cat((points.centres * scales, spans.centres * scales)) / side
        sides = torch.cat((sides, spans.sides * scales)) / side
        down, across = (
            coverage(centres[:, axis], sides[:, axis], cells)
            for axis, cells in enumerate(self.cells(side))
        )
        colors = torch.cat((points.colors, spans.colors)) / 255
        ab = rgb_to_lab(colors.T[..., None])[1:, :, 0].T  # (K, 2)
        return hint_planes(down[None], across[None], ab[None])


class _Patches(NamedTuple):
    """Rectangles in pixels: middle and sides, (K, 2) each, and colours, (K, 3) of 0..255."""

    centres: Tensor
    sides: Tensor
    colors: Tensor


def _patches(hints: Sequence[AnyHint]) -> tuple[_Patches, _Patches]:
    """Return the squares of the hints and the spans of all strokes."""
    points = [hint for hint in hints if isinstance(hint, Hint)]
    squares = _Patches(
        torch.tensor([(hint.y, hint.x) for hint in points]).view(-1, 2) + 0.5,
        torch.tensor([(hint.size, hint.size) for hint in points]).view(-1, 2),
        torch.tensor([hint.color for hint in points]).view(-1, 3),
    )
    spans = [_spans(strokes) for strokes in hints if isinstance(strokes, Strokes)]
    none = _Patches(torch.zeros(0, 2), torch.zeros(0, 2), torch.zeros(0, 3))
    return squares, _Patches(*(torch.cat(parts) for parts in zip(none, *spans, strict=True)))


def _spans(strokes: Strokes) -> _Patches:
    row, column, length, label = torch.from_numpy(strokes.areas.spans())
    colors = torch.zeros(max(strokes.areas.labels, default=0) + 1, 3)
    for number, color in strokes.colors:
        if number < len(colors):
            colors[number] = torch.tensor(color)
    centres = torch.stack((row + 0.5, column + length / 2), dim=1)
    sides = torch.stack((torch.ones_like(length), length), dim=1)
    return _Patches(centres.float(), sides.float(), colors[label])


def working_shape(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the shape, (h, w) in pixels, at which a network looks at a picture.

    The short side is `size`; the long one keeps the aspect up to `LONGEST` times as much.
    """
    short = min(shape)
    height, width = (min(round(side * size / short), LONGEST * size) for side in shape)
    return height, width


def reference_histogram(reference: Any, bins: Tensor) -> Tensor:
    """Return the share of each bin in a colour picture, (1, Q).

    Raises
    ------
    PictureError
        If it is no colour picture, or a grey one.
    """
    try:
        pixels = np.asarray(reference)
    except Exception as error:
        raise PictureError(f"The reference cannot be read as an array: {error}.") from error
    if pixels.ndim != 3 or pixels.shape[2] not in {3, 4} or 0 in pixels.shape:
        raise PictureError(
            f"The reference has to be a colour picture (H, W, 3), got the shape {pixels.shape}."
        )
    lightness = Lightness(pixels)  # checks the values
    rgb = lightness.reduced_values(
        *working_shape(lightness.shape, min(REFERENCE_SIDE, *lightness.shape))
    )
    ab = rgb_to_lab(rgb)[1:]
    if float(ab.norm(dim=0).mean()) < GREY:
        raise PictureError("The reference is grey: choose a colour picture.")
    return histogram(ab[None], bins)
