"""What a network sees of a picture, of its hints and of a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from napari_colorize.color.gamut import histogram
from napari_colorize.color.hints import finite_number, inside
from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.color.lightness import Lightness
from napari_colorize.color.planes import coverage, hint_planes
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_colorize.color.guided import Guide
    from napari_colorize.color.hints import Hint

# A picture more than so many times longer than high is squeezed before the network sees it.
LONGEST = 4
# Smallest side of a hint's patch, in pixels at the working size: what networks are trained with.
SMALLEST_HINT = 1.0
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

    def hint_planes(self, hints: Sequence[Hint], side: int) -> Tensor:
        """Return hints as planes on cells of so many pixels a side, (1, 3, h, w)."""
        full, small, cells = self.lightness.shape, self.shape, self.cells(side)
        places = torch.tensor([(hint.y, hint.x) for hint in hints]).view(-1, 2) + 0.5
        sizes = torch.tensor([hint.size for hint in hints])
        down, across = (
            coverage(
                places[:, axis] * scale / side,
                (sizes * scale).clamp_min(SMALLEST_HINT) / side,
                cells[axis],
            )
            for axis, scale in enumerate((small[0] / full[0], small[1] / full[1]))
        )
        colors = torch.tensor([hint.color for hint in hints]).view(-1, 3) / 255
        ab = rgb_to_lab(colors.T[..., None])[1:, :, 0].T  # (K, 2)
        return hint_planes(down[None], across[None], ab[None])


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
        If it is no colour picture.
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
    return histogram(rgb_to_lab(rgb)[None, 1:], bins)
