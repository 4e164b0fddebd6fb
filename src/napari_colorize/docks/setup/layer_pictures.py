"""Open layers as photographs: every plane, or the regions drawn in it, written as PNG files.

What is to be written is taken from the layers in the main thread; the writing needs no napari and
is done by a worker, one plane at a time.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Shapes
from PIL import Image as Pillow

from napari_colorize.docks.layers import is_result
from napari_colorize.errors import Cancelled, PictureError
from napari_colorize.files.decoding import without_alpha
from napari_colorize.files.photographs import TOO_SMALL, UNREADABLE, reduce_image
from napari_colorize.files.pictures import write_picture
from napari_colorize.runs.storage import storage_error

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

LEAST_SIDE = 16
"""Side in pixels below which a region is not worth a file."""
SHORT_SIDE = 512
"""Short side in pixels of what is written: twice that of the cache, which sees no difference."""
OUTSIDE = "outside the picture"
_AT_ONCE = 512 * 2**20  # bytes of a plane above which its regions are read one by one

Place = tuple[int, ...]


@dataclass(frozen=True)
class Region:
    """A part of a plane: of the plane at `place`, or of every plane where that is None."""

    label: str
    place: Place | None
    rows: slice
    columns: slice


@dataclass(frozen=True)
class LayerPictures:
    """The pictures of a layer as it was when they were chosen.

    Attributes
    ----------
    name
        Name of the layer.
    data
        ``(..., H, W, 3 or 4)``, full resolution, dask and zarr kept lazy.
    regions
        The parts to cut out; one that is whole where no regions are wanted.
    left_out
        Names of regions that cannot be used, by reason.
    """

    name: str
    data: Any
    regions: tuple[Region, ...]
    left_out: dict[str, tuple[str, ...]]

    @property
    def planes(self) -> Place:
        """Sides of the stack, nothing for a single picture."""
        return tuple(int(side) for side in self.data.shape[:-3])

    def __len__(self) -> int:
        everywhere = sum(region.place is None for region in self.regions)
        return everywhere * prod(self.planes) + len(self.regions) - everywhere

    def cuts(self) -> Iterator[tuple[Place, Region]]:
        """Yield what is to be written, plane by plane."""
        for place in np.ndindex(*self.planes):
            for region in self.regions:
                if region.place is None or region.place == place:
                    yield place, region


def is_colour(layer: Layer) -> bool:
    """Return whether a layer holds pictures to learn from; what a network coloured does not."""
    return isinstance(layer, Image) and bool(layer.rgb) and not is_result(layer)


def take_pictures(layer: Image, shapes: Shapes | None = None) -> LayerPictures:
    """Return what is to be written of an RGB layer; main thread only.

    Parameters
    ----------
    layer
        The layer; nothing of its data is read.
    shapes
        The layer with the regions to cut out: the bounding box of each shape in the pixels of
        `layer`. A shape with fewer axes than `layer` is cut out of every plane. None takes whole
        planes.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    name = str(layer.name)
    height, width = (int(side) for side in data.shape[-3:-1])
    if shapes is None:
        whole = Region("", None, slice(0, height), slice(0, width))
        return LayerPictures(name, data, (whole,), {})
    regions: list[Region] = []
    left_out: dict[str, tuple[str, ...]] = {}
    for number, corners in enumerate(_corners(layer, shapes), 1):
        label = f"region-{number:03d}"
        found = _region(label, corners, data.shape[:-1], everywhere=shapes.ndim < layer.ndim)
        if isinstance(found, Region):
            regions.append(found)
        else:
            left_out[found] = (*left_out.get(found, ()), f"{name} {label}")
    return LayerPictures(name, data, tuple(regions), left_out)


def write_pictures(
    layers: Sequence[LayerPictures],
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Write the pictures of layers as PNG files of 8 bits.

    Colours are those that napari shows: floats of 0..1, 16 bits brought down to 8, NaN black,
    transparent pixels on white. A large picture is reduced to a short side of `SHORT_SIDE`.

    Parameters
    ----------
    layers
        What `take_pictures` returned; one plane is read at a time.
    folder
        Where to; made if there is none.
    progress
        Called with (pictures done, pictures in all).
    cancel
        Returns True when the user wants out; looked at before each plane and each picture.

    Returns
    -------
    dict
        Names of what was left out, by reason.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    Cancelled
        When the user wanted out.
    """
    left_out: dict[str, tuple[str, ...]] = {}
    total, done = sum(map(len, layers)), 0
    for index, layer in enumerate(layers, 1):
        for reason, names in layer.left_out.items():
            left_out[reason] = (*left_out.get(reason, ()), *names)
        for place, cuts in groupby(layer.cuts(), key=lambda cut: cut[0]):
            for region, pixels in _read(layer, place, [cut[1] for cut in cuts]):
                if cancel is not None and cancel():
                    raise Cancelled("Cancelled while the layers were read.")
                name = _file_name(index, layer, place, region)
                if pixels is None:
                    left_out[UNREADABLE] = (*left_out.get(UNREADABLE, ()), name)
                else:
                    small = reduce_image(Pillow.fromarray(pixels), SHORT_SIDE)
                    write_picture(folder / name, np.asarray(small))
                done += 1
                if progress is not None:
                    progress(done, total)
    return left_out


def put_into(source: Path, target: Path) -> None:
    """Put the pictures of a folder into a new one.

    Raises
    ------
    StorageError
        When there is such a folder already, the disk is full or it cannot be written; nothing of
        it stays then.
    """
    try:
        target.mkdir(parents=True)
    except OSError as exc:
        raise storage_error(target, exc) from exc
    try:
        for file in source.iterdir():
            _put(file, target / file.name)
    except OSError as exc:
        shutil.rmtree(target, ignore_errors=True)
        raise storage_error(target, exc) from exc


def _put(file: Path, place: Path) -> None:
    with contextlib.suppress(OSError):
        os.link(file, place)
        return
    shutil.copyfile(file, place)


def as_shown(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return RGB or RGBA ``(H, W, 3 or 4)`` of any type as RGB uint8, the way napari shows it."""
    kind = pixels.dtype.kind
    if pixels.dtype == np.uint8:
        shown = pixels
    elif kind == "b":
        shown = pixels.astype(np.uint8) * np.uint8(255)
    elif kind == "f":
        clipped = np.clip(np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
        shown = np.rint(clipped * 255).astype(np.uint8)
    elif kind in "ui":
        low = np.maximum(pixels, 0)
        bits = 8 * pixels.dtype.itemsize - (kind == "i") - 8
        # Numbers of 8 bits are taken for such, whatever they are kept in.
        deep = bits > 0 and low.max(initial=0) > 255
        shown = (low >> bits if deep else low << max(0, -bits)).astype(np.uint8)
    else:
        raise PictureError(f"pixels of type {pixels.dtype} are no colours")
    return np.ascontiguousarray(without_alpha(shown))


def _read(
    layer: LayerPictures, place: Place, regions: list[Region]
) -> Iterator[tuple[Region, NDArray[np.uint8] | None]]:
    """Yield regions of one plane with their pixels, None where they cannot be read."""
    data, plane = layer.data, None
    size = prod(data.shape[-3:]) * np.dtype(data.dtype).itemsize
    for region in regions:
        cut = (region.rows, region.columns)
        try:
            if len(regions) == 1 or size > _AT_ONCE:
                yield region, as_shown(np.asarray(data[(*place, *cut)]))
                continue
            if plane is None:
                plane = np.asarray(data[place])
            yield region, as_shown(plane[cut])
        # Lazy data can fail in as many ways as there are libraries for it.
        except Exception:
            yield region, None


def _file_name(index: int, layer: LayerPictures, place: Place, region: Region) -> str:
    plain = re.sub(r"[^\w.-]+", "-", layer.name).strip("-._")[:50] or "layer"
    plane = "plane-" + "-".join(f"{i:04d}" for i in place) if place else ""
    return "-".join(filter(None, [f"{index:02d}", plain, plane, region.label])) + ".png"


def _corners(layer: Image, shapes: Shapes) -> Iterator[NDArray[np.float64]]:
    """Yield the corners of each shape, (N, axes), in the pixels of a layer."""
    if not len(shapes.data):
        return
    to_world, world = _linear(shapes.data_to_world, shapes.ndim)
    common = min(layer.ndim, shapes.ndim)
    units = _units(layer, shapes, common)
    to_data, origin = _linear(layer.world_to_data, layer.ndim)
    for corners in shapes.data:
        there = (np.asarray(corners, dtype=float) @ to_world.T + world)[:, -common:] * units
        padded = np.zeros((len(there), layer.ndim))
        padded[:, -common:] = there
        yield padded @ to_data.T + origin


def _linear(
    transform: Callable[[Any], Any], axes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the matrix and the shift of an affine function."""
    shift = np.asarray(transform((0.0,) * axes), dtype=float)
    steps = [np.asarray(transform(tuple(unit)), dtype=float) - shift for unit in np.eye(axes)]
    return np.stack(steps, axis=1), shift


def _units(layer: Image, shapes: Shapes, axes: int) -> NDArray[np.float64]:
    """Return how many units of a layer one unit of the shapes is, for the last axes."""
    pairs = zip(shapes.units[-axes:], layer.units[-axes:], strict=True)
    try:
        return np.array([(1.0 * here).to(there).magnitude for here, there in pairs])
    # Pixels are not so many micrometres: then the numbers are taken as they are, like napari does.
    except Exception:
        return np.ones(axes)


def _region(
    label: str, corners: NDArray[np.float64], shape: Sequence[int], *, everywhere: bool
) -> Region | str:
    """Return the part of a picture that a shape covers, or why there is none."""
    if not np.isfinite(corners).all():
        return OUTSIDE
    place = tuple(int(i) for i in np.round(corners[:, :-2].mean(axis=0)))
    inside = all(0 <= i < side for i, side in zip(place, shape, strict=False))
    # Pixel i reaches from i - 0.5 to i + 0.5.
    edges = np.floor(np.stack([corners[:, -2:].min(axis=0), corners[:, -2:].max(axis=0)]) + 0.5)
    (top, left), (bottom, right) = np.clip(edges, 0, shape[-2:]).astype(int).tolist()
    if (not inside and not everywhere) or bottom <= top or right <= left:
        return OUTSIDE
    if min(bottom - top, right - left) < LEAST_SIDE:
        return TOO_SMALL
    where = None if everywhere or not place else place
    return Region(label, where, slice(top, bottom), slice(left, right))
