"""A folder of pictures opened as the frames of a movie."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from napari_colorize.errors import PictureError
from napari_colorize.files.decoding import FORMATS, reading
from napari_colorize.files.pictures import PICTURE_SUFFIXES, read_picture
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.opened import LazyPlanes, OpenStack, checked

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place

_ORIENTATION = 0x0112
_GREY = {"1", "L", "LA", "La", "I", "F"}


class _Frame(NamedTuple):
    height: int
    width: int
    grey: bool


def open_frames(folder: Path) -> OpenStack:
    """Open a folder of pictures of one size, sorted by the numbers in their names.

    Raises
    ------
    PictureError
        If it holds no picture that can be read, or pictures of several sizes.
    """
    paths = _pictures_in(folder)
    frames = [_look_at(path) for path in paths]
    good = [(path, frame) for path, frame in zip(paths, frames, strict=True) if frame is not None]
    if not good:
        known = ", ".join(sorted(PICTURE_SUFFIXES))
        raise PictureError(f"There is no picture in {folder} that can be read ({known}).")
    first = good[0][1]
    for path, frame in good:
        if frame[:2] != first[:2]:
            raise PictureError(
                f"The pictures in {folder} are of several sizes: {good[0][0].name} is "
                f"{first.width} x {first.height} pixels, {path.name} is {frame.width} x "
                f"{frame.height}; the frames of a movie have one size."
            )
    colored = not all(frame.grey for _, frame in good)
    axes = (
        Axes("tyxs", (len(paths), *first[:2], 3))
        if colored
        else Axes("tyx", (len(paths), *first[:2]))
    )
    deep = read_dtype(good[0][0])

    def read(place: Place) -> NDArray[Any]:
        try:
            pixels = read_picture(paths[place[0]]).pixels
        except PictureError as error:
            raise PictureError(f"{paths[place[0]].name}: {error}") from error
        return checked(_alike(pixels, deep, colored=colored), axes)

    return OpenStack(LazyPlanes(axes, deep, read), axes, name=folder.name)


def read_dtype(path: Path) -> np.dtype[Any]:
    """Return the type of the pixels of a picture, uint8 where it cannot be decoded."""
    try:
        return read_picture(path).pixels.dtype
    except PictureError:
        return np.dtype(np.uint8)


def natural(name: str) -> list[tuple[int, str]]:
    """Return what to sort names by, so that 2 comes before 10."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _pictures_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith(".")
                and os.path.splitext(entry.name)[1].lower() in PICTURE_SUFFIXES
                and entry.is_file()
            ]
    except OSError as error:
        raise PictureError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    return [folder / name for name in sorted(names, key=lambda name: (natural(name), name))]


def _look_at(path: Path) -> _Frame | None:
    """Return what the beginning of a file tells, None if it cannot be read."""
    try:
        with reading(path), Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):
                width, height = height, width
            return _Frame(height, width, image.mode in _GREY or image.mode.startswith("I;16"))
    except PictureError:
        return None


def _alike(pixels: NDArray[Any], dtype: np.dtype[Any], *, colored: bool) -> NDArray[Any]:
    """Return the pixels of a frame in the form that all have."""
    if dtype != pixels.dtype:
        pixels = (pixels // 257 if dtype == np.uint8 else pixels.astype(np.uint16) * 257).astype(
            dtype
        )
    if colored and pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    if not colored and pixels.ndim == 3:
        return np.asarray(pixels.mean(axis=2), dtype)
    return pixels
