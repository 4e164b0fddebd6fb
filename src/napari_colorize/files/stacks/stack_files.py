"""Stacks opened from files: TIFF, zarr, OME-Zarr, movies, folders of frames, nothing read yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.movies import is_movie, open_movie
from napari_colorize.files.stacks.ome_zarr import ZARR_MARKS
from napari_colorize.files.stacks.open_frames import open_frames
from napari_colorize.files.stacks.opened import OpenStack
from napari_colorize.files.stacks.scale import Step
from napari_colorize.files.tiff import TIFF_STARTS

if TYPE_CHECKING:
    import os


def open_stack(path: str | os.PathLike[str]) -> OpenStack:
    """Open a stack; its planes are read when they are asked for.

    Parameters
    ----------
    path
        A TIFF of any kind, a zarr array, an OME-Zarr, a movie, or a folder of pictures; what a file
        is, is told by its bytes.

    Raises
    ------
    PictureError
        If it is missing, empty, broken, or none of these.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _open_folder(path)
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError as error:
        raise PictureError(f"There is no file or folder {path}.") from error
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}.") from error
    if not head:
        raise PictureError(f"{path} is empty.")
    if head[:4] in TIFF_STARTS:
        from napari_colorize.files.stacks.open_tiff import open_tiff

        return open_tiff(path)
    if is_movie(path, head):
        return _open_movie(path)
    raise PictureError(
        f"{path} is no stack of a known kind: a movie, TIFF, zarr, OME-Zarr or a folder of "
        "pictures."
    )


def _open_movie(path: Path) -> OpenStack:
    movie = open_movie(path)
    ticks = movie.stamps[-1] + movie.lengths[-1] - movie.stamps[0]
    seconds = float(ticks * movie.clock) / len(movie)
    scale = {"t": Step(seconds, "second")}
    return OpenStack(movie, movie.axes, 1 / seconds, scale, path.stem)


def _open_folder(path: Path) -> OpenStack:
    if any((path / mark).is_file() for mark in ZARR_MARKS):
        from napari_colorize.files.stacks.open_zarr import open_zarr

        return open_zarr(path)
    if path.suffix.lower() == ".zarr":
        raise PictureError(f"{path} is a broken zarr: it does not say what it holds.")
    return open_frames(path)
