"""The layer that shows the colours of a session: found, made, laid on its picture, written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_colorize.docks.layers import RECORD, SOURCE, record_of, refusal, result_layer
from napari_colorize.errors import PictureError
from napari_colorize.files.steering_file import as_dict, from_dict

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.color.steering import Steering
    from napari_colorize.docks.layers import Facts, Source

# What was wanted last; the record of a result tells what its pixels show.
WANTED = f"{RECORD} wanted"


def picture_of(viewer: Viewer, layer: Layer) -> tuple[Image, Image | None]:
    """Return the picture that a layer stands for, and the result that it is, if it is one.

    Raises
    ------
    PictureError
        When the layer cannot be coloured.
    """
    reason = refusal(layer)
    if reason:
        raise PictureError(reason)
    for other in viewer.layers:
        if other != layer and not refusal(other) and is_made_of(layer, other):
            return other, layer
    return layer, None


def find_result(viewer: Viewer, source: Source) -> Image | None:
    """Return the topmost layer of ours that shows colours of a plane, if there is one."""
    for layer in reversed(viewer.layers):
        if _is_coloured(layer) and is_made_of(layer, source.layer) and suits(layer, source):
            settings = layer.metadata[RECORD].get("settings", {})
            plane = None if source.place is None else list(source.place)
            if settings.get("plane") == plane:
                return layer
    return None


def suits(layer: Image, source: Source) -> bool:
    """Return whether a layer can show the colours of a plane."""
    return not layer.multiscale and tuple(layer.data.shape) == source.result_shape


def steering_in(result: Image) -> Steering | None:
    """Return what a result says that was wanted of it; nothing if it does not tell."""
    told = result.metadata.get(WANTED, result.metadata.get(RECORD, {}).get("steering"))
    if told is None:
        return None
    try:
        return from_dict(told)
    except PictureError:
        return None


def pixels_in(result: Image | None, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Return the colours that a result shows, (H, W, 3); nothing if they cannot be gone on with."""
    data = None if result is None else result.data
    if (
        not isinstance(data, np.ndarray)
        or data.dtype != np.uint8
        or data.size != 3 * np.prod(shape)
    ):
        return None
    return data.reshape((*shape, 3))


def add_result(
    viewer: Viewer, source: Source, pixels: NDArray[np.uint8], facts: Facts, visible: bool
) -> Image:
    """Return a new result, put right above its picture; what is selected stays so."""
    layer = result_layer(source, pixels, facts)
    layer.visible = visible
    put_above(viewer, layer, source.layer)
    return layer


def put_above(viewer: Viewer, layer: Layer, below: Layer) -> None:
    """Put a new layer right above another; what is selected stays so."""
    selected, active = set(viewer.layers.selection), viewer.layers.selection.active
    viewer.layers.insert(viewer.layers.index(below) + 1, layer)
    viewer.layers.selection.clear()
    viewer.layers.selection.update(selected)
    viewer.layers.selection.active = active


def tell(result: Image, source: Source, facts: Facts, steering: dict[str, Any]) -> None:
    """Write down in a result what made it."""
    result.metadata[RECORD] = {**record_of(source, facts), "steering": steering}
    result.metadata.pop(WANTED, None)


def tell_wanted(result: Image, steering: Steering) -> None:
    """Write down in a result what is wanted of it, before its pixels show it."""
    result.metadata[WANTED] = as_dict(steering)


def made_of(viewer: Viewer, picture: Layer) -> list[Layer]:
    """Return all layers of ours that were made from a picture."""
    return [layer for layer in viewer.layers if is_made_of(layer, picture)]


def is_made_of(layer: Layer, picture: Layer) -> bool:
    """Return whether a layer of ours was made from a picture, by what it says of its source."""
    record = layer.metadata.get(RECORD)
    if not isinstance(record, dict):
        return False
    source = layer.metadata.get(SOURCE)
    if source is None:  # it came out of a file: no layer had this id before
        return bool(picture.name == record.get("source"))
    return bool(picture.unique_id == source)


def cover_of(viewer: Viewer, picture: Layer) -> Layer | None:
    """Return the topmost visible image that lies over the middle of a picture and is not of it."""
    middle = picture.extent.world.mean(axis=0)
    for layer in reversed(viewer.layers[viewer.layers.index(picture) + 1 :]):
        if isinstance(layer, Image) and layer.visible and not is_made_of(layer, picture):
            shared = min(layer.ndim, picture.ndim)
            low, high = layer.extent.world[:, -shared:]
            if ((low <= middle[-shared:]) & (middle[-shared:] <= high)).all():
                return layer
    return None


def _is_coloured(layer: Layer) -> bool:
    return isinstance(layer, Image) and layer.rgb
