"""Zarr arrays and OME-Zarr of versions 0.4 and 0.5 opened as stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.ome_zarr import OURS
from napari_colorize.files.stacks.opened import LazyPlanes, OpenStack, letters_of
from napari_colorize.files.stacks.scale import step_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.files.stacks.scale import Step

_NAMES = {"time": "t", "depth": "z", "channel": "c"}


def open_zarr(path: Path) -> OpenStack:
    """Open an array, an image of several levels, or a collection of images of one size.

    Raises
    ------
    PictureError
        If it is broken, or holds no picture or several of different sizes.
    """
    import zarr

    name = path.name.removesuffix(".zarr").removesuffix(".ome")
    try:
        opened = zarr.open(path, mode="r")
        if isinstance(opened, zarr.Array):
            return _of_array(opened, name)
        return _of_group(opened, path, name)
    except PictureError:
        raise
    # What is broken can make the library raise anything.
    except Exception as exc:
        raise PictureError(f"{path} is a broken zarr ({type(exc).__name__}: {exc}).") from exc


class _Image:
    """An array, and where time, depth, rows, columns and colours lie in it."""

    def __init__(self, array: Any, letters: list[str]) -> None:
        self.array = array
        plane = [letters.index("y"), letters.index("x")]
        colors = letters.index("s") if "s" in letters else None
        self._outer = [axis for axis, letter in enumerate(letters) if letter not in ("y", "x", "s")]
        self.names = letters_of([letters[axis] for axis in self._outer])
        self.outer = tuple(array.shape[axis] for axis in self._outer)
        self.plane = tuple(array.shape[axis] for axis in plane)
        self.samples = () if colors is None else (array.shape[colors],)
        left = [axis for axis in range(array.ndim) if axis not in self._outer]
        order = plane if colors is None else [*plane, colors]
        self._turn = [left.index(axis) for axis in order]

    def read(self, place: Place) -> NDArray[Any]:
        """Return a plane."""
        index: list[Any] = [slice(None)] * self.array.ndim
        for axis, number in zip(self._outer, place, strict=True):
            index[axis] = number
        try:
            pixels = np.asarray(self.array[tuple(index)])
        # A broken chunk can make the decoders raise anything.
        except Exception as exc:
            raise PictureError(f"it is broken ({type(exc).__name__}: {exc})") from exc
        return pixels.transpose(self._turn)


def _of_array(array: Any, name: str) -> OpenStack:
    """Open an array that says little of itself."""
    told = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if told and all(told) and len(told) == array.ndim:
        letters = [_NAMES.get(str(word).lower(), str(word).lower()[:1]) for word in told]
        if letters[-2:] == ["y", "x"] or letters[-3:-1] == ["y", "x"]:
            letters = _with_colors(letters, array)
            return _opened([_Image(array, letters)], name, {})
    colored = array.ndim > 3 and array.shape[-1] in {3, 4}
    plane = "yxs" if colored else "yx"
    if array.ndim < len(plane):
        raise PictureError(f"{name} is an array of {array.ndim} axes, which holds no picture.")
    outer = letters_of([""] * (array.ndim - len(plane)))
    return _opened([_Image(array, [*outer, *plane])], name, {})


def _of_group(group: Any, path: Path, name: str) -> OpenStack:
    attributes = dict(group.attrs)
    if _multiscale(attributes) is not None:
        image, scale = _image_of(group)
        return _opened([image], name, scale)
    if "bioformats2raw.layout" in (attributes.get("ome") or attributes):
        names = _series_of(group)
        found = [_image_of(group[number]) for number in names]
        if len({image.array.shape for image, _ in found}) != 1:
            raise PictureError(
                f"{path} holds {len(found)} images of several sizes; open one of them, such as "
                f"{path / names[0]}."
            )
        ours = attributes.get(OURS) or {}
        return _opened([image for image, _ in found], name, found[0][1], ours)
    arrays = [key for key, _ in group.arrays()]
    if len(arrays) != 1:
        raise PictureError(
            f"{path} is no OME-Zarr, and holds {len(arrays)} arrays, not one; give the path of one."
        )
    return _of_array(group[arrays[0]], name)


def _multiscale(attributes: dict[str, Any]) -> dict[str, Any] | None:
    told = (attributes.get("ome") or attributes).get("multiscales")
    return told[0] if told else None


def _series_of(group: Any) -> list[str]:
    """Return the names of the images of a collection."""
    if "OME" in group:
        attributes = dict(group["OME"].attrs)
        series = (attributes.get("ome") or attributes).get("series")
        if series:
            return [str(name) for name in series]
    return sorted((key for key, _ in group.groups() if key.isdecimal()), key=int)


def _image_of(group: Any) -> tuple[_Image, dict[str, Step]]:
    """Return the largest level of an image, and its steps by axis."""
    told = _multiscale(dict(group.attrs))
    if told is None:
        raise PictureError(f"The image {group.name} in the collection has no levels.")
    level = told["datasets"][0]
    array = group[level["path"]]
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in told["axes"]]
    letters = _with_colors(_letters_of(axes), array)
    scale = {}
    transforms = level.get("coordinateTransformations", ())
    sizes = next((step["scale"] for step in transforms if step["type"] == "scale"), ())
    for letter, axis, size in zip(letters, axes, sizes, strict=False):
        step = step_of(size, axis.get("unit", ""))
        if step is not None and letter in set("tzyx") and (step.unit or step.size != 1):
            scale[letter] = step
    return _Image(array, letters), scale


def _letters_of(axes: list[dict[str, Any]]) -> list[str]:
    """Return a letter for each axis: what its type says, else its name."""
    letters = []
    for axis in axes:
        kind, name = axis.get("type"), str(axis["name"]).lower()
        letters.append({"time": "t", "channel": "c"}.get(str(kind), name[:1]))
    space = [number for number, axis in enumerate(axes) if axis.get("type") == "space"]
    for number, letter in zip(space[::-1], "xyz", strict=False):
        letters[number] = letter
    return letters


def _with_colors(letters: list[str], array: Any) -> list[str]:
    """Return the letters, with s for channels that are red, green and blue."""
    if "s" in letters or "c" not in letters or array.dtype != np.uint8:
        return letters
    at = letters.index("c")
    return [*letters[:at], "s", *letters[at + 1 :]] if array.shape[at] == 3 else letters


def _opened(
    images: list[_Image], name: str, scale: dict[str, Step], ours: dict[str, Any] | None = None
) -> OpenStack:
    """Return the stack of an image, or of a collection of them along axes of their own."""
    first = images[0]
    tail = (*first.plane, *first.samples)
    names = first.names + "yx" + "s" * bool(first.samples)
    axes = Axes(names, (*first.outer, *tail))
    read = first.read
    if len(images) > 1 or ours:
        axes, find = _collected(axes, len(images), ours or {})

        def read(place: Place) -> NDArray[Any]:
            number, within = find(place)
            return images[number].read(within)

    step = scale.get("t")
    rate = 1 / step.size if step is not None and step.unit == "second" else None
    return OpenStack(LazyPlanes(axes, first.array.dtype, read), axes, rate, scale, name)


def _collected(
    axes: Axes, count: int, ours: dict[str, Any]
) -> tuple[Axes, Callable[[Place], tuple[int, Place]]]:
    """Return the axes of a collection, and from a place to the image and the place in it."""
    inner = axes.names[: len(axes.outer)]
    whole = Axes("p" + axes.names, (count, *axes.shape))
    if ours.get("axes") and ours.get("shape"):
        whole = Axes(ours["axes"], tuple(ours["shape"]))
    outer = whole.names[: len(whole.outer)]
    apart = [axis for axis in outer if axis not in inner]
    lengths = [whole.outer[outer.index(axis)] for axis in apart]
    if np.prod(lengths) != count or whole.plane != axes.plane:
        raise PictureError("The collection does not hold what it says that it holds.")

    def find(place: Place) -> tuple[int, Place]:
        at = dict(zip(outer, place, strict=True))
        number = int(np.ravel_multi_index([at[axis] for axis in apart], lengths))
        return number, tuple(at[axis] for axis in inner)

    return whole, find
