"""The hints of all planes of a stack: what whoever colours it whole takes along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari.layers import Labels, Points

from napari_colorize.docks.steering.hints.hint_layers import FIRST_COLOR
from napari_colorize.docks.steering.hints.hint_marks import marked, marked_place
from napari_colorize.docks.steering.hints.hint_points import HintPoints
from napari_colorize.docks.steering.hints.hint_strokes import HintStrokes
from napari_colorize.docks.steering.session.places import Plane
from napari_colorize.docks.steering.steered import Steered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.docks.layers import Source
    from napari_colorize.files.stacks.axes import Place


def stack_hints(viewer: Viewer, source: Source) -> dict[Place, tuple[AnyHint, ...]]:
    """Return the hints of a layer by plane, as `Source.hints` has them.

    They come from the Steer dock if the layer is steered now, else from the layers that it left;
    those of planes that are spanned by other axes are not among them.
    """
    found: dict[Place, tuple[AnyHint, ...]] = {}
    steered = Steered.of(source.layer)
    pairs = _left(viewer, source) if steered is None else _told(steered, source)
    for place, hints in pairs:
        if hints:
            key = source.place_of(place)
            found[key] = (*found.get(key, ()), *hints)
    return found


def _told(steered: Steered, source: Source) -> Iterator[tuple[Place, tuple[AnyHint, ...]]]:
    session, hint_layers = steered.session, steered.hint_layers
    if session.source.axes == source.axes:
        yield session.source.place or (0,) * len(source.shape), session.steering.hints
        yield from hint_layers.elsewhere.items()


def _left(viewer: Viewer, source: Source) -> Iterator[tuple[Place, tuple[AnyHint, ...]]]:
    picture, origin = source.layer, (0,) * len(source.shape)
    points = marked(viewer, picture, Points)
    if points is not None and points.ndim == picture.ndim:
        plane = Plane(source.shape, source.axes, origin)
        held = HintPoints(points, picture, plane, lambda: None, lambda _: None)
        read = held.read()
        held.close()
        yield origin, read.hints
        yield from read.elsewhere.items()
    strokes = marked(viewer, picture, Labels)
    if strokes is not None:
        place = marked_place(strokes, origin)
        one = replace(source, place=place)
        painted = HintStrokes(strokes, one, lambda: None, lambda: None)
        yield place, painted.strokes(FIRST_COLOR)
        painted.close()
