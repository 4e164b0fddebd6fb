"""TIFF, BigTIFF, ImageJ's and OME's, opened as a stack; a page is read when it is asked for."""

from __future__ import annotations

import logging
import struct
import threading
import weakref
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.opened import LazyPlanes, OpenStack, checked, letters_of
from napari_colorize.files.stacks.scale import step_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.files.stacks.scale import Step

_MINISWHITE, _PALETTE = 0, 3
# Letters that tifffile gives an axis of which nothing is known, and colours out of their place.
_UNKNOWN = "IQS"


def open_tiff(path: Path) -> OpenStack:
    """Open the pages of a TIFF as planes, with the axes that the file tells.

    Raises
    ------
    PictureError
        If it is broken, or holds pictures of several sizes.
    """
    import tifffile

    # It tells about odd tags in the log, which is for the authors of files, not for the user.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(path) as tiff:
            series = _one_series(tiff, path)
            axes, before = _axes_of(series, path)
            promised = (tiff.imagej_metadata or {}).get("images", 1) if tiff.is_imagej else 1
            if promised > axes.planes or (not tiff.is_ndpi and _ends_early(tiff)):
                raise PictureError(f"{path} is cut short: pages that it speaks of are not there.")
            scale = _scale_of(tiff, axes)
            reader = _Pages(path, series, axes, before)
    except PictureError:
        raise
    # A broken file can make the decoders raise anything.
    except Exception as exc:
        raise PictureError(f"{path} is a broken TIFF ({type(exc).__name__}: {exc}).") from exc
    step = scale.get("t")
    rate = 1 / step.size if step is not None and step.unit == "second" else None
    name = path.name.rsplit(".", 1)[0].removesuffix(".ome")
    return OpenStack(LazyPlanes(axes, series.dtype, reader.read), axes, rate, scale, name)


class _Pages:
    """Reads planes from the pages of a series, or from where they lie if that has one page only."""

    def __init__(self, path: Path, series: Any, axes: Axes, samples_before: bool) -> None:
        self._path, self._axes, self._samples_before = path, axes, samples_before
        self._lock = threading.Lock()
        self._tiff: Any = None
        keyframe = series.keyframe
        self._dtype = series.dtype.newbyteorder(series.parent.byteorder)
        self._inverted = int(keyframe.photometric) == _MINISWHITE and series.dtype.kind == "u"
        one_a_page = len(series) == axes.planes and keyframe.ndim <= 3
        self._offset = None if one_a_page else series.dataoffset
        if not one_a_page and (self._offset is None or samples_before):
            raise PictureError(
                f"The planes of {path} cannot be told apart; save it as a plain or ImageJ TIFF."
            )

    def read(self, place: Place) -> NDArray[Any]:
        """Return a plane."""
        number = int(np.ravel_multi_index(place, self._axes.outer)) if place else 0
        try:
            pixels = self._page(number) if self._offset is None else self._piece(number)
        except PictureError:
            raise
        except Exception as exc:
            raise PictureError(f"page {number} is broken ({type(exc).__name__}: {exc})") from exc
        if self._samples_before:
            pixels = np.moveaxis(pixels, 0, -1)
        if self._inverted:
            pixels = np.iinfo(pixels.dtype).max - pixels
        native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        return checked(native, self._axes)

    def _page(self, number: int) -> NDArray[Any]:
        import tifffile

        with self._lock:
            if self._tiff is None:
                self._tiff = tifffile.TiffFile(self._path)
                weakref.finalize(self, self._tiff.close)
            page = self._tiff.series[0][number]
            if page is None:
                raise PictureError(f"page {number} is not in the file")
            return np.asarray(page.asarray())

    def _piece(self, number: int) -> NDArray[Any]:
        shape = self._axes.shape[len(self._axes.outer) :]
        count = prod(shape)
        at = self._offset + number * count * self._dtype.itemsize
        pixels = np.fromfile(self._path, self._dtype, count, offset=at)
        if pixels.size < count:
            raise PictureError(f"the file ends before page {number}")
        return pixels.reshape(shape)


def _one_series(tiff: Any, path: Path) -> Any:
    """Return the series that the file is about; thumbnails stand behind it."""
    first, *others = tiff.series
    if not all(other.keyframe.is_reduced for other in others):
        raise PictureError(
            f"{path} holds {1 + len(others)} pictures or stacks of several sizes; "
            "save the one that is meant in a file of its own."
        )
    return first


def _ends_early(tiff: Any) -> bool:
    """Return whether the row of pages leads out of the file, of which tifffile tells nobody."""
    file, kind, seen = tiff.filehandle, tiff.tiff, set[int]()
    file.seek(4 + 4 * (kind.offsetsize == 8))
    while data := file.read(kind.offsetsize):
        if len(data) < kind.offsetsize:
            return True
        offset = struct.unpack(kind.offsetformat, data)[0]
        if not offset or offset in seen:
            return False
        seen.add(offset)
        file.seek(offset)
        count = file.read(kind.tagnosize)
        if len(count) < kind.tagnosize:
            return True
        file.seek(struct.unpack(kind.tagnoformat, count)[0] * kind.tagsize, 1)
    return True


def _axes_of(series: Any, path: Path) -> tuple[Axes, bool]:
    """Return the axes, and whether the colours of a page stand before its rows."""
    letters, lengths = series.axes, series.shape
    if int(series.keyframe.photometric) == _PALETTE:
        raise PictureError(f"{path} has colours from a palette; save it as grey or RGB.")
    if letters.endswith("SYX"):
        plane, samples = letters[-3:], lengths[-3]
    elif letters.endswith("YXS"):
        plane, samples = letters[-3:], lengths[-1]
    elif letters.endswith("YX"):
        plane, samples = "YX", 0
    else:
        raise PictureError(f"The axes of {path}, {letters}, do not end with planes.")
    outer = ["" if letter in _UNKNOWN else letter.lower() for letter in letters[: -len(plane)]]
    rows = plane.index("Y") - len(plane)
    height, width = lengths[rows], lengths[rows + 1]
    shape = (*lengths[: len(outer)], height, width, *[samples] * bool(samples))
    return Axes(letters_of(outer) + "yx" + "s" * bool(samples), shape), plane == "SYX"


def _scale_of(tiff: Any, axes: Axes) -> dict[str, Step]:
    """Return the steps that the file tells of, by axis."""
    import tifffile

    told: dict[str, tuple[Any, Any]] = {}
    if tiff.is_ome:
        images = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        pixels = (images[0] if isinstance(images, list) else images)["Pixels"]
        for axis in "xyz":
            key = f"PhysicalSize{axis.upper()}"
            told[axis] = (pixels.get(key), pixels.get(f"{key}Unit", "µm"))
        told["t"] = (pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"))
    elif tiff.is_imagej:
        facts = tiff.imagej_metadata
        unit = facts.get("unit", "")
        told["z"] = (facts.get("spacing"), unit)
        told["t"] = (facts.get("finterval"), facts.get("tunit", "s"))
        if "fps" in facts and "finterval" not in facts:
            told["t"] = (1 / facts["fps"] if facts["fps"] else None, "s")
        told |= _from_resolution(tiff.pages.first, unit)
    elif tiff.shaped_metadata:
        told |= (tiff.shaped_metadata[0] or {}).get("steps", {})
    steps = {axis: step_of(*pair) for axis, pair in told.items() if axis in axes.names}
    return {axis: step for axis, step in steps.items() if step is not None}


def _from_resolution(page: Any, unit: str) -> dict[str, tuple[Any, Any]]:
    """Return the steps that ImageJ writes as pixels a unit."""
    told = {}
    for axis, key in (("x", "XResolution"), ("y", "YResolution")):
        value = page.tags.valueof(key)
        if unit and value and value[0] and value[1]:
            told[axis] = (value[1] / value[0], unit)
    return told
