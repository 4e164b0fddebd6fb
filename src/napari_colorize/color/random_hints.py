"""Hints drawn from a true picture, as a person who knows its colours would give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_colorize.color.hints import Hint
from napari_colorize.color.lab import lab_to_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Side in pixels of the patches whose mean colour a hint tells.
PATCH = 6


def random_hints(lab: NDArray[np.float32], count: int, seed: int | tuple[int, ...]) -> list[Hint]:
    """Return hints at uniformly random places, each the mean colour of its patch.

    The same picture, count and seed give the same hints. Patches lie wholly inside the picture
    and may overlap; in a picture smaller than a patch they are as large as its short side.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3)
        L, a, b.
    count : int
        How many.
    seed : int or tuple of int
        For numpy's generator.
    """
    height, width = lab.shape[:2]
    side = min(PATCH, height, width)
    rng = np.random.default_rng(seed)
    tops = rng.integers(0, height - side + 1, count)
    lefts = rng.integers(0, width - side + 1, count)
    patches: NDArray[Any] = np.lib.stride_tricks.sliding_window_view(lab, (side, side), (0, 1))
    means = patches[tops, lefts].mean(axis=(2, 3), dtype=np.float64)  # (count, 3)
    rgb = lab_to_rgb(torch.from_numpy(means).T[..., None])[..., 0].T * 255
    middle = (side - 1) / 2
    return [
        Hint(top + middle, left + middle, tuple(color), side)
        for top, left, color in zip(tops, lefts, rgb.clamp(0, 255).tolist(), strict=True)
    ]
