"""Save the picture that is steered: where to, and its pixels with their record."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.pictures import DEEP_SUFFIXES, Picture, read_picture, write_picture
from napari_colorize.files.record import make_record

if TYPE_CHECKING:
    from napari_colorize.color.steering import Steering
    from napari_colorize.docks.layers import Source
    from napari_colorize.prediction.colorizer import Colorizer

KINDS = {"PNG": (".png",), "TIFF": (".tif", ".tiff"), "JPEG": (".jpg", ".jpeg")}


def source_file(source: Source) -> Path | None:
    """Return the file that a picture was opened from, None if there is none."""
    path = source.layer.source.path
    return None if path is None else Path(str(path))


def proposed_file(source: Source) -> Path:
    """Return where a picture is proposed to be saved: beside its source."""
    path = source_file(source)
    folder = Path.home() if path is None else path.parent
    name = source.layer.name if path is None else path.stem
    plain = "".join("_" if letter in '<>:"/\\|?*' else letter for letter in name).strip(". ")
    return folder / f"{plain or 'picture'}-colored.png"


def checked_file(path: Path, source: Source, kind: str = "PNG") -> Path:
    """Return where to save, with a suffix that is known: that of a kind where it has none.

    Raises
    ------
    PictureError
        When it is the file of the source, or of a kind that is not written here, or when a file has
        the name that it gets by a suffix: nobody was asked about that one.
    """
    known = [suffix for suffixes in KINDS.values() for suffix in suffixes]
    if not path.suffix:
        path = path.with_name(path.name + KINDS[kind][0])
        if path.exists():
            raise PictureError(f"{path.name} exists already: choose another name.")
    if path.suffix.lower() not in known:
        raise PictureError(
            f"{path.name} is of no kind that is saved here: choose one of {', '.join(known)}."
        )
    original = source_file(source)
    if original is not None and _is_same(path, original):
        raise PictureError(
            f"{path.name} is the original itself, which is never written over: choose another name."
        )
    return path


@dataclass(frozen=True)
class Order:
    """What is to be written, and where to, as it is when a person presses Save.

    Attributes
    ----------
    path : Path
        Of `checked_file`.
    steering : Steering
        What is wanted of the picture.
    name : str
        What the picture is called.
    original : Path or None
        The file that it was opened from.
    is_deep, is_grey : bool
        Whether it has more than 8 bits, and no colours of its own.
    """

    path: Path
    steering: Steering
    name: str
    original: Path | None
    is_deep: bool
    is_grey: bool

    @classmethod
    def of(cls, path: Path, steering: Steering, source: Source) -> Order:
        """Take it from a picture."""
        is_deep = np.dtype(source.data.dtype).itemsize > 1
        name, original = source.layer.name, source_file(source)
        return cls(path, steering, name, original, is_deep, is_grey=not source.rgb)


def save(colorizer: Colorizer, order: Order) -> Path:
    """Write the picture at full resolution with its record; return where it is.

    It keeps EXIF, colour profile and resolution of the file that it was opened from, and 16 bits
    where the picture has more than 8 and the new file can hold them. Runs in the thread of a
    session.
    """
    is_deep = order.is_deep and order.path.suffix.lower() in DEEP_SUFFIXES
    rendered = colorizer.render(order.steering, dtype="uint16" if is_deep else "uint8")
    record = make_record(
        model=colorizer.model_name,
        model_hash=str(colorizer.card.get("hash", "")),
        steering=order.steering,
        source=order.name,
        grey=order.is_grey,
    )
    like = None if order.original is None else _picture_in(order.original)
    write_picture(order.path, rendered.pixels, like=like, record=record)
    return order.path


def _picture_in(original: Path) -> Picture | None:
    """Return what the file of the original says beside its pixels; None if it cannot be read."""
    try:
        return read_picture(original)
    except (ColorizeError, OSError):  # of microscopes and the like: napari has readers for them
        return None


def _is_same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, also through links."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return os.path.abspath(one) == os.path.abspath(other)
