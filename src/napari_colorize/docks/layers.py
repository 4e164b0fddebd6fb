"""Layers to arrays and back: which can be coloured, what a worker reads, what comes of it.

A :class:`Source` is taken from a layer in the main thread; from then on a worker reads planes
from it without touching napari. What it holds is what the layer was at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from napari.layers import Image

from napari_colorize.docks.geometry import flat_geometry, moved_geometry, whole_geometry
from napari_colorize.docks.movie_reader import MOVIE, movie_of
from napari_colorize.docks.stack_axes import letters, meanings_of
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.stacks.axes import Axes, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.color.steering import AnyHint

# What picks one plane out of a layer's data: an index, or a whole axis.
Key: TypeAlias = tuple[int | slice, ...]
RECORD = "napari_colorize"
# Which layer a result was made from; it stays the same when that is renamed.
SOURCE = f"{RECORD} source"
Values = TypeVar("Values", bound=np.generic)


@dataclass(frozen=True)
class Source:
    """A layer as it was when a run began.

    Attributes
    ----------
    layer : napari.layers.Layer
        The layer itself, for its name; it may have left the viewer. Main thread only.
    data : array-like
        (..., H, W), or (..., H, W, 3 or 4) when `rgb`; full resolution, dask and zarr kept lazy.
    rgb : bool
        Whether the last axis holds colours.
    contrast_limits : (float, float) or None
        The grey values shown as black and white, the same for every plane.
    axes : (int, int)
        The two axes of a plane, in the order of the data.
    place : tuple of int or None
        Index of the one plane to colour, 0 along `axes`; None for all of them.
    geometry : dict
        scale, translate, rotate, shear, affine, units and axis_labels of the result.
    meanings : tuple of str
        What the axes besides `axes` are taken as, keys of `stack_axes.MEANINGS`.
    hints : mapping of places to hints
        Of planes of a whole stack, by their index along the axes besides `axes`.
    """

    layer: Layer
    data: Any
    rgb: bool
    contrast_limits: tuple[float, float] | None
    axes: tuple[int, int]
    place: tuple[int, ...] | None
    geometry: dict[str, Any]
    meanings: tuple[str, ...] = ()
    hints: Mapping[Place, tuple[AnyHint, ...]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the data without the axis of colours."""
        return tuple(int(side) for side in (self.data.shape[:-1] if self.rgb else self.data.shape))

    @property
    def where(self) -> tuple[tuple[int, ...] | None, tuple[int, int]]:
        """Which plane it is: `place` and `axes`."""
        return self.place, self.axes

    @property
    def planes(self) -> int:
        """How many planes are to be coloured."""
        if self.place is not None:
            return 1
        return prod(side for axis, side in enumerate(self.shape) if axis not in self.axes)

    @property
    def result_shape(self) -> tuple[int, ...]:
        """Shape of the result, the axis of colours included."""
        if self.place is None:
            return (*self.shape, 3)
        height, width = (self.shape[axis] for axis in self.axes)
        if self.is_flat:
            return (height, width, 3)
        return (*(s if a in self.axes else 1 for a, s in enumerate(self.shape)), 3)

    @property
    def is_flat(self) -> bool:
        """Whether the result is one picture of two axes.

        A plane that is not spanned by the last two axes keeps all axes, the others one thick:
        napari would draw a two-dimensional layer along other axes than its source.
        """
        return self.place is not None and self.axes == (len(self.shape) - 2, len(self.shape) - 1)

    def cuts(self) -> Iterator[tuple[Key, Key]]:
        """Yield for each plane what picks it out of the data and out of the result."""
        if self.place is not None:
            inside = () if self.is_flat else self._key((0,) * len(self.shape))
            yield self._key(self.place), inside
            return
        thin = [1 if axis in self.axes else side for axis, side in enumerate(self.shape)]
        for place in np.ndindex(*thin):
            yield self._key(place), self._key(place)

    @property
    def is_stack(self) -> bool:
        """Whether all planes of more than two axes are to be coloured."""
        return self.place is None and len(self.shape) > 2

    @property
    def stack_axes(self) -> Axes:
        """The axes as stacks are coloured: those of a plane last."""
        outer = tuple(self.shape[axis] for axis in self._others)
        plane = tuple(self.shape[axis] for axis in self.axes)
        samples = tuple(self.data.shape[-1:]) if self.rgb else ()
        names = letters(self.meanings, rgb=self.rgb)
        return Axes(names, (*outer, *plane, *(int(side) for side in samples)))

    def key_of(self, place: Place) -> Key:
        """Return what picks a plane out of data and result, by its index in `stack_axes`."""
        whole: list[int | slice] = [slice(None)] * len(self.shape)
        for axis, index in zip(self._others, place, strict=True):
            whole[axis] = index
        return tuple(whole)

    def place_of(self, place: tuple[int, ...]) -> Place:
        """Return the index in `stack_axes` of a plane, of its index in all the data."""
        return tuple(place[axis] for axis in self._others)

    def read(self, key: Key) -> NDArray[Any]:
        """Return one plane, (H, W) or (H, W, 3 or 4); nothing else of the data is read."""
        return np.asarray(self.data[key])

    def read_for_people(self, key: Key) -> NDArray[Any]:
        """Return one plane as `read` does, or raise ColorizeError with a sentence."""
        try:
            return self.read(key)
        except MemoryError:
            raise
        except Exception as error:
            # Lazy data can fail in as many ways as there are libraries for it.
            raise ColorizeError(f"The data cannot be read: {error}") from error

    def in_order_of_data(self, names: str | None = None) -> str:
        """Return a letter for each axis of the data but that of colours.

        Parameters
        ----------
        names : str, optional
            What the axes are, those of a plane last; as in `stack_axes` by default.
        """
        given = iter(self.stack_axes.names if names is None else names)
        first, second = self.axes
        letters = {axis: next(given) for axis in self._others} | {first: "y", second: "x"}
        return "".join(letters[axis] for axis in range(len(self.shape)))

    @property
    def _others(self) -> list[int]:
        return [axis for axis in range(len(self.shape)) if axis not in self.axes]

    def _key(self, place: tuple[int, ...]) -> Key:
        return tuple(
            slice(None) if axis in self.axes else index for axis, index in enumerate(place)
        )


class StackView:
    """The planes of a source as stacks are coloured: read one by one, those of dask and zarr too.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getitem__(self, place: Place) -> NDArray[Any]:
        """Return one plane, (H, W) or (H, W, 3 or 4)."""
        return self._source.read(self._source.key_of(place))


@dataclass(frozen=True)
class Facts:
    """What made a result: the model's name, the SHA-256 of its weights, and what else decided."""

    model: str
    model_hash: str
    settings: dict[str, Any]


def refusal(layer: Layer) -> str:
    """Return why a layer cannot be coloured, in words, or nothing when it can."""
    if isinstance(layer, Image):
        return ""
    kind = layer.__class__.__name__  # type() would tell napari's proxy
    return f"'{layer.name}' is a {kind} layer: choose an Image layer."


def workable_layers(viewer: Viewer) -> list[Layer]:
    """Return the layers of a viewer that can be coloured, the topmost first."""
    return [layer for layer in reversed(viewer.layers) if not refusal(layer)]


def is_result(layer: Layer) -> bool:
    """Return whether a layer was made by this plugin."""
    return RECORD in layer.metadata


def take_source(viewer: Viewer, layer: Layer, *, whole: bool) -> Source:
    """Return what a worker needs of a layer: the plane in view, or the whole stack.

    Raises
    ------
    PictureError
        When the layer cannot be coloured, is empty, or has no plane where the sliders stand.
    """
    reason = refusal(layer)
    if reason:
        raise PictureError(reason)
    if 0 in _full_resolution(layer).shape:
        raise PictureError(f"'{layer.name}' is empty: choose a layer that has pixels.")
    axes = plane_axes(viewer, layer.ndim)
    place = None if whole or layer.ndim == 2 else place_in_view(viewer, layer, axes)
    return Source(
        layer=layer,
        data=_full_resolution(layer),
        rgb=bool(layer.rgb),
        contrast_limits=None if layer.rgb else _contrast_limits(layer),
        axes=axes,
        place=place,
        geometry=geometry_of(layer, axes, place),
        meanings=meanings_of(layer, axes),
    )


def geometry_of(
    layer: Image, axes: tuple[int, int], place: tuple[int, ...] | None
) -> dict[str, Any]:
    """Return where the result of a layer, or of its plane at a place, lies now."""
    if place is None:
        return whole_geometry(layer)
    if axes == (layer.ndim - 2, layer.ndim - 1):
        return flat_geometry(layer, axes)
    return moved_geometry(layer, place)


def result_layer(source: Source, pixels: NDArray[np.uint8], facts: Facts) -> Image:
    """Return the coloured layer, named after its source as that is called now.

    The viewer makes the name unique by its own rule when the layer is added.

    Parameters
    ----------
    source : Source
        Where the picture came from.
    pixels : ndarray
        `source.result_shape`, uint8 sRGB.
    facts : Facts
        What made it; plane and contrast limits are added in its record.
    """
    return Image(
        pixels,
        rgb=True,
        name=f"{source.layer.name} [colorized]",
        metadata={RECORD: record_of(source, facts), SOURCE: source.layer.unique_id},
        **source.geometry,
    )


def confidence_layer(source: Source, sure: NDArray[np.float32], facts: Facts) -> Image:
    """Return the layer of how sure the model was, 0..1, `source.result_shape` without colours."""
    return Image(
        sure,
        rgb=False,
        name=f"{source.layer.name} [confidence]",
        colormap="viridis",
        contrast_limits=(0, 1),
        metadata={RECORD: record_of(source, facts)},
        **source.geometry,
    )


def record_of(source: Source, facts: Facts) -> dict[str, Any]:
    """Return what a layer of ours tells about its making."""
    movie = movie_of(source.layer)
    return {
        "model": facts.model,
        "hash": facts.model_hash,
        "settings": {
            **facts.settings,
            "plane": None if source.place is None else list(source.place),
            "contrast_limits": source.contrast_limits and list(source.contrast_limits),
        },
        "version": version("napari-colorize"),
        "source": source.layer.name,
        **({} if movie is None else {MOVIE: str(movie)}),
    }


def _full_resolution(layer: Image) -> Any:
    return layer.data[0] if layer.multiscale else layer.data


def _contrast_limits(layer: Image) -> tuple[float, float] | None:
    low, high = (float(limit) for limit in layer.contrast_limits)
    return (low, high) if np.isfinite([low, high]).all() and low < high else None


def plane_axes(viewer: Viewer, ndim: int) -> tuple[int, int]:
    """Return the two axes of a layer that are shown, or the last two of those shown in 3-D."""
    # A layer with fewer axes than the viewer stands for the last of them.
    order = np.argsort(np.argsort(viewer.dims.order[-ndim:]))
    first, second = sorted(int(axis) for axis in order[-2:])
    return first, second


def place_in_view(viewer: Viewer, layer: Image, axes: tuple[int, int]) -> tuple[int, ...]:
    """Return the index of the plane that napari draws, found the way napari finds it."""
    if viewer.dims.ndim < layer.ndim:
        raise PictureError(f"'{layer.name}' is not in the viewer any more.")
    point = np.asarray(viewer.dims.point[-layer.ndim :]) * _viewer_units(viewer, layer)
    others = [axis for axis in range(layer.ndim) if axis not in axes]
    origin = layer.world_to_data((0.0,) * layer.ndim)
    # (axis of the data, axis of the world)
    to_data = np.stack([layer.world_to_data(unit) - origin for unit in np.eye(layer.ndim)], axis=1)
    # napari leaves out what the axes in view add: it draws no oblique planes.
    inside = to_data[np.ix_(others, others)] @ point[others] + origin[others]
    place = np.zeros(layer.ndim, dtype=int)
    place[others] = np.round(inside)
    data = _full_resolution(layer)
    if any(not 0 <= place[axis] < data.shape[axis] for axis in others):
        raise PictureError(
            f"'{layer.name}' has no plane where the sliders stand: move them into the layer."
        )
    return tuple(int(index) for index in place)


def _viewer_units(viewer: Viewer, layer: Image) -> NDArray[np.float64]:
    """Return how many of a layer's units one unit of the viewer is, for each axis."""
    units = viewer.dims.units
    if units is None or len(units) < layer.ndim:
        return np.ones(layer.ndim)
    pairs = zip(units[-layer.ndim :], layer.units, strict=True)
    return np.array([(1.0 * here).to(there).magnitude for here, there in pairs])
