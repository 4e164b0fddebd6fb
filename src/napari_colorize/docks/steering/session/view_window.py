"""Which part of a picture is on screen, and how finely the screen shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_colorize.prediction.window import Window

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer
    from numpy.typing import NDArray

# The coarsest part has so many pixels on its shorter side: units of a layer that napari does not
# know how to compare would make a mosaic of the picture.
FEWEST = 200


def part_on_screen(viewer: Viewer, layer: Image, axes: tuple[int, int]) -> Window:
    """Return what the canvas showed of a layer when it was last drawn.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    layer : napari.layers.Image
        Not multiscale.
    axes : (int, int)
        Its axes of rows and columns.
    """
    height, width = (int(layer.data.shape[axis]) for axis in axes)
    corners = np.asarray(layer.corner_pixels)[:, list(axes)]
    (top, left), (bottom, right) = corners[0], corners[1] + 1
    top, bottom = (int(np.clip(row, 0, height)) for row in (top, bottom))
    left, right = (int(np.clip(column, 0, width)) for column in (left, right))
    if viewer.dims.ndisplay != 2 or bottom - top <= 1 or right - left <= 1:
        top, left, bottom, right = 0, 0, height, width  # turned in space, or never drawn
    step = min(_step(layer, axes), max(1, min(bottom - top, right - left) // FEWEST))
    # From a multiple of the step on: a picture that is moved does not flicker.
    return Window(top // step * step, left // step * step, bottom, right, step)


def is_whole(window: Window, shape: tuple[int, int]) -> bool:
    """Return whether a window is every pixel of a picture of shape (H, W)."""
    return window == Window(0, 0, *shape)


def painted(
    before: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    part: Window,
    inside: NDArray[np.bool_] | None,
) -> NDArray[np.uint8]:
    """Return a copy of a picture with a part of it painted over.

    Parameters
    ----------
    before : ndarray, (H, W, 3)
    pixels : ndarray, (h, w, 3)
        Every `part.step`-th pixel of the part; each stands for the square behind it.
    part : Window
    inside : ndarray of bool, (H, W), or None
        Where it may be painted; None is everywhere.
    """
    covers_all = inside is None and is_whole(replace(part, step=1), before.shape[:2])
    after = np.empty_like(before) if covers_all else before.copy()
    rows, columns = slice(part.top, part.bottom), slice(part.left, part.right)
    wide = pixels.repeat(part.step, axis=1)[:, : part.right - part.left]
    for offset in range(part.step):
        lines = after[part.top + offset : part.bottom : part.step, columns]
        if inside is None:
            lines[...] = wide[: len(lines)]
        else:
            where = inside[rows, columns][offset :: part.step]
            np.copyto(lines, wide[: len(lines)], where=where[..., None])
    return after


def _step(layer: Image, axes: tuple[int, int]) -> int:
    """Return how many pixels of a layer, along an axis, are one on screen."""
    origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
    units = np.eye(layer.ndim)[list(axes)]
    ends = [np.asarray(layer.data_to_world(unit)) for unit in units]
    lengths = [float(np.linalg.norm(end - origin)) for end in ends]
    pixels = float(layer.scale_factor) / max(*lengths, 1e-12)
    # The nearest: for a moment it may be a little softer than the screen, and comes much sooner.
    return max(1, int(min(pixels, 64.0) + 0.5))
