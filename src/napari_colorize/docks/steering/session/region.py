"""Where in a picture a layer of labels is painted, found through the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_colorize.color.strokes import LabelMap
from napari_colorize.docks.steering.session.places import Passage, Plane
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.docks.layers import Source

STRIP = 256  # rows worked on at once
BRUSH = 14  # parts of the short side that the brush of a new region is wide


@dataclass(frozen=True)
class Painted:
    """A plane of labels as it was, and the way to it: a thread makes a region of it.

    Attributes
    ----------
    labels : array-like, (h, w)
    start, down, right : (row, column)
        Where in it the picture's first pixel lies, and how far on the next ones do.
    shape : (H, W)
        Of the picture.
    """

    labels: Any
    start: NDArray[np.float64]
    down: NDArray[np.float64]
    right: NDArray[np.float64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, layer: Labels, source: Source) -> Painted:
        """Return what of a layer lies on a plane of a picture.

        Raises
        ------
        PictureError
            When the layer has more axes than the picture or lies across it.
        """
        picture, plane = source.layer, Plane.of(source)
        if layer.ndim > picture.ndim:
            raise PictureError(
                f"'{layer.name}' has {layer.ndim} axes and the picture {picture.ndim}: choose a "
                f"Labels layer of at most as many."
            )
        passage = _passage(picture, layer)
        first = passage(np.asarray([plane.place], float))[0]
        matrix = np.where(np.abs(passage.matrix) < 1e-9, 0.0, passage.matrix)  # noise of rounding
        down, right = (matrix[:, axis] for axis in plane.axes)
        moving = [axis for axis in range(layer.ndim) if down[axis] or right[axis]]
        if len(moving) < 2:
            moving = [layer.ndim - 2, layer.ndim - 1]
        if len(moving) > 2:
            raise PictureError(f"'{layer.name}' lies across the picture: lay it in its plane.")
        data = layer.data[0] if layer.multiscale else layer.data
        others = [axis for axis in range(layer.ndim) if axis not in moving]
        place = {axis: round(first[axis]) for axis in others}
        if any(not 0 <= index < data.shape[axis] for axis, index in place.items()):
            labels = np.zeros((1, 1), dtype=np.uint8)  # it ends before this plane
        else:
            labels = data[tuple(place.get(axis, slice(None)) for axis in range(layer.ndim))]
            # What is painted next is not to come in halfway.
            labels = labels.copy() if isinstance(labels, np.ndarray) else labels
        return cls(labels, first[moving], down[moving], right[moving], plane.shape)

    def region(self) -> LabelMap:
        """Return where the picture's pixels have a label, as 0 and 1; nearest is taken."""
        painted = np.asarray(self.labels) != 0
        height, width = self.shape
        inside = np.zeros(self.shape, dtype=bool)
        columns = np.arange(width)[:, None] * self.right  # (W, 2)
        for top in range(0, height, STRIP):
            rows = np.arange(top, min(top + STRIP, height))[:, None] * self.down
            places = self.start + rows[:, None] + columns  # (rows, W, 2)
            if not self.right[0] and not self.down[1]:  # not turned: whole rows and columns
                row, row_is_in = _nearest(places[:, 0, 0], painted.shape[0])
                column, column_is_in = _nearest(places[0, :, 1], painted.shape[1])
                found = painted[np.ix_(row, column)] & row_is_in[:, None] & column_is_in
            else:
                row, row_is_in = _nearest(places[..., 0], painted.shape[0])
                column, column_is_in = _nearest(places[..., 1], painted.shape[1])
                found = painted[row, column] & row_is_in & column_is_in
            inside[top : top + STRIP] = found
        return LabelMap.from_array(inside)


def region_layer(source: Source, region: LabelMap | None = None) -> Labels:
    """Return a layer to paint a region of a picture in, empty if there is none yet."""
    shape = source.result_shape[:-1]
    labels = np.zeros(shape, np.uint8) if region is None else region.to_array().reshape(shape)
    layer = Labels(labels.astype(np.uint8), name=region_name(source), **source.geometry)
    layer.brush_size = max(4, min(source.shape[axis] for axis in source.axes) // BRUSH)
    layer.opacity = 0.35
    return layer


def region_in(viewer: Viewer, source: Source) -> Labels | None:
    """Return the layer that was made for a picture's region, if it is there."""
    shape = source.result_shape[:-1]
    for layer in viewer.layers:
        if isinstance(layer, Labels) and layer.name == region_name(source):
            return layer if tuple(layer.data.shape) == shape else None
    return None


def region_name(source: Source) -> str:
    """Return what the layer of a picture's region is called."""
    return f"{source.layer.name} [only here]"


def _passage(picture: Any, layer: Labels) -> Passage:
    """Return the way from a picture to a layer of as many axes or fewer: the last ones."""
    if layer.ndim == picture.ndim:
        return Passage.between(picture, layer)
    corners = [np.zeros(picture.ndim), *np.eye(picture.ndim)]
    world = [np.asarray(picture.data_to_world(corner))[-layer.ndim :] for corner in corners]
    offset, *ends = (np.asarray(layer.world_to_data(place), float) for place in world)
    return Passage(np.stack([end - offset for end in ends], axis=1), offset)


def _nearest(places: NDArray[np.float64], side: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the nearest pixels along an axis, and which places are on one at all."""
    nearest = np.floor(places + 0.5)
    is_in = (nearest >= 0) & (nearest < side)
    return np.clip(nearest, 0, side - 1).astype(np.intp), is_in
