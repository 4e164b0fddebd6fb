"""Planes as OME-Zarr: NGFF 0.5 on zarr 3, with smaller copies of each plane.

Axes stand in the order t, c, z, y, x that the specification wants; c is red, green, blue. It knows
no other axes: where there are some, each index along them is an image of its own, in a collection
as bioformats2raw makes it.

Sources: https://ngff.openmicroscopy.org/0.5/, "multiscales", "omero", "bioformats2raw.layout".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from napari_colorize.files.stacks.growing_store import sync

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.files.stacks.scale import Scale

VERSION = "0.5"
OURS = "napari-colorize"
"""Key of what we tell beside the specification: ``axes`` and ``shape`` of all, ``record``."""
ZARR_MARKS = ("zarr.json", ".zarray", ".zgroup")
"""Files by which a folder is known as zarr."""
SMALL = 256
"""Longest side in pixels that is not made smaller any more."""
CHUNK = 4096
"""Longest side of a chunk in pixels; a smaller plane is one chunk."""
_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
_OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_COLORS = (("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF"))


class OmeZarr:
    """An image with a pyramid, or a collection of them.

    Parameters
    ----------
    axes : Axes
    record : dict
        Stands in the attributes of the topmost group.
    scale : mapping
        From an axis to its step.
    """

    def __init__(self, axes: Axes, record: dict[str, Any], scale: Scale) -> None:
        self._axes, self._record, self._scale = axes, record, scale
        outer = axes.names[: len(axes.outer)]
        self._within = [axis for axis in "tz" if axis in outer]
        self._apart = [axis for axis in outer if axis not in "tz"]
        self._names = "".join(axis for axis in "tczyx" if axis in [*self._within, *"cyx"])
        self._lengths = {axis: axes.outer[outer.index(axis)] for axis in outer}
        self._levels = levels_of(axes.plane)
        self._opened: tuple[Path | None, list[Any]] = (None, [])

    def is_result(self, folder: Path) -> bool:
        """Return whether a folder is a zarr of any kind."""
        return any((folder / mark).is_file() for mark in ZARR_MARKS)

    def make(self, content: Path) -> None:
        """Make the groups and the arrays of all levels."""
        import zarr

        ours = {
            OURS: {
                "axes": self._axes.names.removesuffix("s") + "s",
                "shape": [*self._axes.outer, *self._axes.plane, 3],
                "record": self._record,
            }
        }
        if not self._apart:
            self._make_image(zarr.create_group(content, attributes=ours), content.name)
            return
        layout = {"ome": {"version": VERSION, "bioformats2raw.layout": 3}}
        top = zarr.create_group(content, attributes=ours | layout)
        places = list(product(*(range(self._lengths[axis]) for axis in self._apart)))
        names = [str(number) for number in range(len(places))]
        top.create_group("OME", attributes={"ome": {"version": VERSION, "series": names}})
        titles = [
            ", ".join(f"{axis}={number}" for axis, number in zip(self._apart, place, strict=True))
            for place in places
        ]
        for name, title in zip(names, titles, strict=True):
            self._make_image(top.create_group(name), title)
        (content / "OME" / "METADATA.ome.xml").write_text(self._ome_xml(titles), "utf-8")

    def resume(self, content: Path) -> None:
        """Remove files that a kill left half-written."""
        for path in content.rglob("*.partial"):
            path.unlink()

    def put(self, content: Path, place: Place, pixels: NDArray[np.uint8]) -> None:
        """Write a plane and its smaller copies."""
        at = dict(zip(self._axes.names, place, strict=False))
        image = content / self._image(at) if self._apart else content
        index = tuple(at[axis] if axis in self._within else slice(None) for axis in self._names)
        touched: set[Path] = set()
        for level, array in enumerate(self._arrays(image)):
            if level:
                pixels = halved(pixels)
            array[index] = np.moveaxis(pixels, -1, 0)
            touched |= self._touched(image / str(level), at, pixels.shape[:2])
        # A disk makes many ready at a time as quickly as one.
        with ThreadPoolExecutor(min(16, len(touched))) as threads:
            for done in [threads.submit(sync, path) for path in touched]:
                done.result()

    def complete(self, content: Path, missing: Sequence[Place]) -> None:
        """Do nothing: a chunk that is not there is black."""

    def _image(self, at: dict[str, int]) -> str:
        """Return the name of the image that holds a plane."""
        lengths = [self._lengths[axis] for axis in self._apart]
        return str(np.ravel_multi_index([at[axis] for axis in self._apart], lengths))

    def _make_image(self, group: Any, name: str) -> None:
        """Make the arrays of an image, and tell what they are."""
        title = name.removesuffix(".zarr").removesuffix(".ome")
        group.attrs["ome"] = {
            "version": VERSION,
            "multiscales": [self._multiscale(title)],
            "omero": _omero(title),
        }
        for level, (height, width) in enumerate(self._levels):
            sides = {**self._lengths, "c": 3, "y": height, "x": width}
            chunk = {"c": 3, "y": min(CHUNK, height), "x": min(CHUNK, width)}
            group.create_array(
                str(level),
                shape=tuple(sides[axis] for axis in self._names),
                chunks=tuple(chunk.get(axis, 1) for axis in self._names),
                dtype="uint8",
                fill_value=0,
                dimension_names=list(self._names),
            )

    def _ome_xml(self, titles: list[str]) -> str:
        """Return what OME tells of the images of a collection; some readers find them by it."""
        root = ElementTree.Element("OME", xmlns=_OME)
        height, width = self._axes.plane
        sides = {"X": width, "Y": height, "C": 3}
        sides |= {axis.upper(): self._lengths.get(axis, 1) for axis in "zt"}
        for number, title in enumerate(titles):
            image = ElementTree.SubElement(root, "Image", ID=f"Image:{number}", Name=title)
            facts = {"ID": f"Pixels:{number}", "DimensionOrder": "XYZCT", "Type": "uint8"}
            facts |= {f"Size{axis}": str(side) for axis, side in sides.items()}
            pixels = ElementTree.SubElement(image, "Pixels", facts)
            for channel, (label, _) in enumerate(_COLORS):
                name = {"ID": f"Channel:{number}:{channel}", "Name": label, "SamplesPerPixel": "1"}
                ElementTree.SubElement(pixels, "Channel", name)
            ElementTree.SubElement(pixels, "MetadataOnly")
        return ElementTree.tostring(root, "unicode", xml_declaration=True)

    def _multiscale(self, name: str) -> dict[str, Any]:
        steps = {axis: step for axis, step in self._scale.items() if axis in self._names}
        axes = [{"name": axis, "type": _TYPES[axis]} for axis in self._names]
        for axis in axes:
            if axis["name"] in steps and steps[axis["name"]].unit:
                axis["unit"] = steps[axis["name"]].unit
        sizes = {axis: step.size for axis, step in steps.items()}
        return {
            "name": name,
            "axes": axes,
            "datasets": [
                {"path": str(level), "coordinateTransformations": self._transform(level, sizes)}
                for level in range(len(self._levels))
            ],
            "type": "mean",
            "metadata": {"description": "each pixel is the mean of 2 x 2 of the level before"},
        }

    def _transform(self, level: int, sizes: dict[str, float]) -> list[dict[str, Any]]:
        """Return where the pixels of a level lie: each amid those that it is the mean of."""
        scale, shift = [], []
        for axis in self._names:
            times = 2**level if axis in "yx" else 1
            scale.append(float(sizes.get(axis, 1) * times))
            shift.append(float(sizes.get(axis, 1) * (times - 1) / 2))
        moved = [{"type": "translation", "translation": shift}] if level else []
        return [{"type": "scale", "scale": scale}, *moved]

    def _arrays(self, image: Path) -> list[Any]:
        """Return the arrays of an image, which stay open for the planes that follow."""
        import zarr

        if self._opened[0] != image:
            levels = range(len(self._levels))
            self._opened = image, [zarr.open_array(image / str(n), mode="r+") for n in levels]
        return self._opened[1]

    def _touched(self, array: Path, at: dict[str, int], plane: tuple[int, ...]) -> set[Path]:
        """Return the chunks of a plane and the folders above; a black chunk is not there."""
        rows, columns = (range(-(-side // CHUNK)) for side in plane)
        outer = [at[axis] if axis in self._within else 0 for axis in self._names[:-2]]
        folder = array / "c" / "/".join(map(str, outer))
        chunks = [folder / str(row) / str(column) for row, column in product(rows, columns)]
        touched = {path for chunk in chunks for path in (chunk, chunk.parent)}
        while folder != array:
            touched.add(folder)
            folder = folder.parent
        return {path for path in touched if path.exists()} | {array}


def levels_of(plane: tuple[int, int]) -> list[tuple[int, int]]:
    """Return height and width of a plane and of its smaller copies, each half of the one before."""
    levels = [plane]
    while max(levels[-1]) > SMALL:
        height, width = levels[-1]
        levels.append(((height + 1) // 2, (width + 1) // 2))
    return levels


def halved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 3) at half the size: means of 2 x 2, of what is there at an odd edge."""
    height, width, _ = pixels.shape
    even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge").astype(np.uint16)
    total = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return ((total + 2) >> 2).astype(np.uint8)


def _omero(name: str) -> dict[str, Any]:
    """Return how viewers are to show the image: three channels that add up to its colours."""
    window = {"min": 0, "max": 255, "start": 0, "end": 255}
    return {
        "name": name,
        "channels": [
            {
                "label": label,
                "color": color,
                "active": True,
                "coefficient": 1,
                "family": "linear",
                "inverted": False,
                "window": window,
            }
            for label, color in _COLORS
        ],
        "rdefs": {"model": "color", "defaultT": 0, "defaultZ": 0},
    }
