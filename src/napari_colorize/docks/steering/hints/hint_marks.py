"""Which layers hold the hints of which picture: told in the metadata of the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

_KEY = "napari_colorize hints"
Kind = TypeVar("Kind", bound="Layer")


def mark(layer: Layer, picture: Layer, place: tuple[int, ...]) -> None:
    """Note for which picture a layer holds hints, and of which plane its strokes are."""
    layer.metadata[_KEY] = {"picture": str(picture.unique_id), "place": list(place)}


def unmark(layer: Layer) -> None:
    """Forget that a layer holds hints."""
    layer.metadata.pop(_KEY, None)


def marked(viewer: Viewer, picture: Layer, kind: type[Kind]) -> Kind | None:
    """Return the layer of a kind that an earlier session left for a picture, if there is one."""
    for layer in viewer.layers:
        note = layer.metadata.get(_KEY)
        if isinstance(layer, kind) and note and note["picture"] == str(picture.unique_id):
            return layer
    return None


def marked_place(layer: Layer, otherwise: tuple[int, ...]) -> tuple[int, ...]:
    """Return the plane whose strokes a layer holds, `otherwise` if nothing tells it."""
    note: dict[str, Any] = layer.metadata.get(_KEY, {})
    return tuple(note.get("place", otherwise))
