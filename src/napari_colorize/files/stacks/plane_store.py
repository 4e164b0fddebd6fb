"""Places to write coloured planes to, in any order: OME-Zarr, TIFF, movies, folders of frames."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from napari_colorize.errors import StorageError
from napari_colorize.files.stacks.growing_store import GrowingStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.files.stacks.growing_store import Layout
    from napari_colorize.files.stacks.movies import Movie
    from napari_colorize.files.stacks.scale import Scale

KINDS = ".ome.zarr, .zarr, .tif, .tiff, .mp4, or no suffix for a folder of PNG files"
"""Names that `open_store` takes, in words."""
RATE = Fraction(25)
"""Frames a second of a movie made of what has no times."""


def is_kind(path: Path) -> bool:
    """Return whether `open_store` takes a name."""
    return path.suffix.lower() in {*_LAYOUTS, ".mp4"}


class PlaneStore(Protocol):
    """A place to write coloured planes to, each safe when `write` returns.

    Attributes
    ----------
    path : Path
        The final name, under which nothing stands before `finish`.
    axes : Axes
        Of the stack that is coloured.
    done : frozenset of places
        Planes that an interrupted run left; they need not be written again.
    """

    path: Path
    axes: Axes
    done: frozenset[Place]

    def write(self, place: Place, pixels: NDArray[np.uint8]) -> None:
        """Write a plane of (H, W, 3); `StorageError` when it is not on the disk in the end."""

    def finish(self) -> Path:
        """Give the result its final name; planes that were not written are black."""

    def close(self) -> None:
        """Let go; planes that are done stay for the next run."""


def open_store(
    path: Path,
    axes: Axes,
    record: dict[str, Any],
    *,
    overwrite: bool = False,
    scale: Scale | None = None,
    movie: Movie | None = None,
    rate: Fraction = RATE,
) -> PlaneStore:
    """Return a place to write the planes of a stack to; unfinished work there is gone on with.

    Parameters
    ----------
    path : Path
        Its suffix says what is written: ``.ome.zarr`` or ``.zarr``, ``.tif`` or ``.tiff``,
        ``.mp4``; without a suffix a folder of PNG files.
    axes : Axes
        Of the stack that is coloured.
    record : dict
        What makes the result, as JSON can hold it: source, model, settings. It stands in the
        result; work of another record is not gone on with.
    overwrite : bool
        Whether an older result is replaced at the end, and unfinished work of another record now.
    scale : mapping, optional
        From an axis to the length of a step along it and its unit.
    movie : Movie, optional
        What is coloured, if that is a movie: an .mp4 keeps its times and its sound.
    rate : Fraction
        Frames a second of an .mp4 of anything else.

    Raises
    ------
    StorageError
        If the suffix is unknown, the result is there already, another run writes it, unfinished
        work is another's, or the place cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".mp4":
        from napari_colorize.files.stacks.movie_store import MovieParts

        parts = MovieParts(axes, record, movie, rate)
        return GrowingStore(path, axes, record, parts, overwrite=overwrite)
    make = _LAYOUTS.get(suffix)
    if make is None:
        raise StorageError(
            f"A stack cannot be written to {path.name}: give a name that ends in {KINDS}."
        )
    layout = make(axes, record, scale or {})
    return GrowingStore(path, axes, record, layout, overwrite=overwrite)


def _zarr(axes: Axes, record: dict[str, Any], scale: Scale) -> Layout:
    from napari_colorize.files.stacks.ome_zarr import OmeZarr

    return OmeZarr(axes, record, scale)


def _tiff(axes: Axes, record: dict[str, Any], scale: Scale) -> Layout:
    from napari_colorize.files.stacks.tiff_stack import TiffStack

    return TiffStack(axes, record, scale)


def _frames(axes: Axes, record: dict[str, Any], scale: Scale) -> Layout:
    from napari_colorize.files.stacks.frame_folder import FrameFolder

    return FrameFolder(axes, record)


_LAYOUTS: dict[str, Callable[[Axes, dict[str, Any], Scale], Layout]] = {
    "": _frames,
    ".tif": _tiff,
    ".tiff": _tiff,
    ".zarr": _zarr,
}
