"""What a network sees of a picture, of its hints and of a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from napari_colorize.color.gamut import histogram
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
    """A picture that a network has looked at."""

    lightness: Lightness
    guide: Guide
    features: tuple[Tensor, ...]
    shape: tuple[int, int]  # in pixels at the working size

    def hint_planes(self, hints: Sequence[Hint], cell: int) -> Tensor:
        """Return hints as planes on cells of so many pixels a side, (1, 3, h, w)."""
        covered = []
        for axis, (full, small) in enumerate(zip(self.lightness.shape, self.shape, strict=True)):
            scale = small / full
            places = torch.tensor([(hint.y, hint.x)[axis] + 0.5 for hint in hints]) * scale
            sides = torch.tensor([hint.size for hint in hints]) * scale
            sides = sides.clamp_min(SMALLEST_HINT)
            covered.append(coverage(places / cell, sides / cell, -(-small // cell))[None])
        colors = torch.tensor([hint.color for hint in hints]).view(-1, 3) / 255
        ab = rgb_to_lab(colors.T[..., None])[1:, :, 0].T[None]  # (1, K, 2)
        down, across = covered
        return hint_planes(down, across, ab)


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
    pixels = np.asarray(reference)
    if pixels.ndim != 3 or pixels.shape[2] not in {3, 4} or 0 in pixels.shape:
        raise PictureError(
            f"The reference has to be a colour picture (H, W, 3), got the shape {pixels.shape}."
        )
    lightness = Lightness(pixels)  # checks the values
    rgb = lightness.reduced_values(
        *working_shape(lightness.shape, min(REFERENCE_SIDE, *lightness.shape))
    )
    return histogram(rgb_to_lab(rgb)[None, 1:], bins)
