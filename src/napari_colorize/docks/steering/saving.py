"""Save the picture that is steered: where to, and its pixels with their record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_colorize.errors import PictureError
from napari_colorize.files.pictures import write_picture
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


def checked_file(path: Path, source: Source) -> Path:
    """Return where to save, with a suffix that is known.

    Raises
    ------
    PictureError
        When it is the file of the source, or of a kind that is not written here.
    """
    known = [suffix for suffixes in KINDS.values() for suffix in suffixes]
    if not path.suffix:
        path = path.with_name(f"{path.name}.png")
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


def save(colorizer: Colorizer, path: Path, steering: Steering, name: str) -> Path:
    """Write the picture at full resolution with its record.

    Runs in the thread of a session.

    Parameters
    ----------
    path : Path
        Of `checked_file`.
    name : str
        What the picture is called.
    """
    rendered = colorizer.render(steering)
    model, model_hash = colorizer.model_name, str(colorizer.card.get("hash", ""))
    record = make_record(model=model, model_hash=model_hash, steering=steering, source=name)
    write_picture(path, rendered.pixels, record=record)
    return path


def _is_same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, also through links."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return os.path.abspath(one) == os.path.abspath(other)
