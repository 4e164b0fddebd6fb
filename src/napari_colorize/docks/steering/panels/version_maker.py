"""The work behind the versions of a picture: their anchors, small pictures, whole pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.color.steering import Steering
from napari_colorize.docks.colorizing.cost import lack
from napari_colorize.docks.geometry import moved_geometry, whole_geometry
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_colorize.color.hints import Hint
    from napari_colorize.docks.layers import Source
    from napari_colorize.prediction.colorizer import Colorizer

THUMBNAIL = 160  # pixels of its longer side, at least


@dataclass(frozen=True)
class Version:
    """One coherent colouring: the anchors that make it, on top of what else is wanted."""

    number: int
    anchors: tuple[Hint, ...]

    def joined_to(self, steering: Steering) -> Steering:
        """Return the steering that shows this version."""
        return replace(steering, hints=(*steering.hints, *self.anchors))


def find_versions(
    colorizer: Colorizer, count: int, steering: Steering, seed: int, cancel: Callable[[], bool]
) -> list[Version]:
    """Return versions of the picture, all with the hints of a steering."""
    found = colorizer.versions(count, steering.hints, seed=seed, cancel=cancel)
    return [Version(number, tuple(anchors)) for number, anchors in enumerate(found, start=1)]


def thumbnail(colorizer: Colorizer, steering: Steering, shape: tuple[int, int]) -> NDArray[Any]:
    """Return a picture of shape (H, W) in small, (h, w, 3) uint8."""
    from napari_colorize.prediction.window import Window

    step = max(1, max(shape) // THUMBNAIL)
    pixels: NDArray[Any] = colorizer.render(steering, window=Window(0, 0, *shape, step)).pixels
    return pixels


class Stacked:
    """Whole pictures of versions, stacked: the data and the geometry of one layer.

    Raises
    ------
    PictureError
        If they do not fit into memory.
    """

    def __init__(self, source: Source, count: int) -> None:
        self._source = source
        thin = [side if axis in source.axes else 1 for axis, side in enumerate(source.shape)]
        if lacking := lack(count * math.prod(thin) * 3):
            raise PictureError(f"One layer of {count} versions needs {lacking}: make fewer.")
        self.pixels = np.zeros((count, *thin, 3), dtype=np.uint8)

    def fill(
        self,
        colorizer: Colorizer,
        index: int,
        steering: Steering,
        cancel: Callable[[], bool],
    ) -> None:
        """Colour one version."""
        rendered = colorizer.render(steering, cancel=cancel)
        self.pixels[index] = rendered.pixels.reshape(self.pixels.shape[1:])

    def geometry(self) -> dict[str, Any]:
        """Return where the layer lies: on its source, the versions along a first axis."""
        source = self._source
        layer: Any = source.layer
        plane = (
            whole_geometry(layer) if source.place is None else moved_geometry(layer, source.place)
        )
        return with_first_axis(plane, len(source.shape))


def with_first_axis(geometry: dict[str, Any], ndim: int) -> dict[str, Any]:
    """Return the geometry of a layer of `ndim` axes with an axis of versions before them."""
    return {
        "scale": np.concatenate(([1.0], geometry["scale"])),
        "translate": np.concatenate(([0.0], geometry["translate"])),
        "rotate": _bordered(np.asarray(geometry["rotate"])),
        "shear": _bordered_shear(np.asarray(geometry["shear"]), ndim),
        "affine": _bordered(np.asarray(geometry["affine"])),
        "units": ("pixel", *geometry["units"]),
        "axis_labels": ("version", *geometry["axis_labels"]),
    }


def _bordered(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """Return a matrix with a row and a column of the identity before it."""
    side = len(matrix) + 1
    bordered = np.eye(side)
    bordered[1:, 1:] = matrix
    return bordered


def _bordered_shear(shear: NDArray[Any], ndim: int) -> NDArray[np.float64]:
    """Return the shear of one axis more; napari keeps it as a matrix, or its upper triangle."""
    if shear.ndim == 2:
        return _bordered(shear)
    return np.concatenate((np.zeros(ndim), shear))
