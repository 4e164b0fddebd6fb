"""Planes as pages of a TIFF that Fiji, napari and others read with its axes.

The file is laid out at once, and full of holes; a plane fills its own. It is an ImageJ hyperstack
where that can hold it, OME-TIFF in BigTIFF where it is larger than 4 GB, and has the axes in
tifffile's way where there are others than t, c and z.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.files import xmp
from napari_colorize.files.stacks.growing_store import sync
from napari_colorize.files.stacks.scale import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.files.stacks.scale import Scale

LARGEST = 2**32 - 2**25
"""Bytes of pixels above which a TIFF is a BigTIFF; the rest is for what else stands in it."""
_ORDER = "tzc"
"""Order of the outer axes in ImageJ and OME."""
_XMP = 700


class TiffStack:
    """A TIFF with a page of RGB for each plane, not packed, one after the other.

    Parameters
    ----------
    axes : Axes
    record : dict
        Stands in the first page as XMP.
    scale : mapping
        From an axis to its step.
    """

    def __init__(self, axes: Axes, record: dict[str, Any], scale: Scale) -> None:
        self._axes, self._record, self._scale = axes, record, scale
        outer = axes.names[: len(axes.outer)]
        self._common = set(outer) <= set(_ORDER)
        self._names = "".join(sorted(outer, key=_ORDER.index)) if self._common else outer
        self._lengths = tuple(axes.outer[outer.index(name)] for name in self._names)
        self._from = [outer.index(name) for name in self._names]
        self._start = 0

    def is_result(self, folder: Path) -> bool:
        """Return False: results are files."""
        return False

    def make(self, content: Path) -> None:
        """Lay the file out."""
        import tifffile

        shape = (*self._lengths, *self._axes.plane, 3)
        big = self._axes.planes * self._plane_bytes > LARGEST
        packet = xmp.packet(self._record)
        tifffile.imwrite(
            content,
            shape=shape,
            dtype=np.uint8,
            photometric="rgb",
            bigtiff=big,
            imagej=self._common and not big,
            ome=self._common and big,
            metadata=self._metadata(big),
            extratags=[(_XMP, 1, len(packet), packet, True)],
            **self._resolution(),
        )
        self.resume(content)

    def resume(self, content: Path) -> None:
        """Find out where the planes lie."""
        import tifffile

        with tifffile.TiffFile(content) as tiff:
            self._start = tiff.pages.first.dataoffsets[0]

    def put(self, content: Path, place: Place, pixels: NDArray[np.uint8]) -> None:
        """Fill the hole of a plane."""
        with content.open("r+b") as file:
            file.seek(self._start + self._number(place) * self._plane_bytes)
            file.write(np.ascontiguousarray(pixels).data)
        sync(content)

    def complete(self, content: Path, missing: Sequence[Place]) -> None:
        """Do nothing: a hole is black."""

    @property
    def _plane_bytes(self) -> int:
        height, width = self._axes.plane
        return 3 * height * width

    def _number(self, place: Place) -> int:
        if not place:
            return 0
        return int(np.ravel_multi_index([place[axis] for axis in self._from], self._lengths))

    def _metadata(self, big: bool) -> dict[str, Any]:
        told: dict[str, Any] = {"axes": self._names.upper() + "YXS"}
        steps = {axis: step for axis, step in self._scale.items() if axis in self._axes.names}
        if not self._common:
            return told | {"steps": {axis: list(step) for axis, step in steps.items()}}
        if not big:
            return told | _imagej(steps)
        for axis, key in (("x", "PhysicalSizeX"), ("y", "PhysicalSizeY"), ("z", "PhysicalSizeZ")):
            if axis in steps and steps[axis].unit in SYMBOLS:
                told |= {key: steps[axis].size, f"{key}Unit": SYMBOLS[steps[axis].unit]}
        if "t" in steps and steps["t"].unit in SYMBOLS:
            told |= {
                "TimeIncrement": steps["t"].size,
                "TimeIncrementUnit": SYMBOLS[steps["t"].unit],
            }
        return told

    def _resolution(self) -> dict[str, Any]:
        """Return the pixels a unit of length, which ImageJ reads there."""
        if not {"x", "y"} <= set(self._scale):
            return {}
        return {"resolution": (1 / self._scale["x"].size, 1 / self._scale["y"].size)}


def _imagej(steps: Scale) -> dict[str, Any]:
    """Return what ImageJ is told of steps."""
    told: dict[str, Any] = {}
    unit = next((steps[axis].unit for axis in "xyz" if axis in steps), "")
    if unit:
        told["unit"] = "micron" if unit == "micrometer" else unit
    if "z" in steps:
        told["spacing"] = steps["z"].size
    if "t" in steps:
        told |= {"finterval": steps["t"].size, "tunit": SYMBOLS.get(steps["t"].unit, "")}
    return told
