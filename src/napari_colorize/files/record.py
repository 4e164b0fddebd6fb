"""The record of a coloured picture: made for its file, and read back from it.

It stands in the file as XMP, beside the mark that a trained model had a part in the picture; how,
is told in :mod:`napari_colorize.files.xmp`.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from PIL import Image

from napari_colorize.files import tiff, xmp
from napari_colorize.files.decoding import FORMATS, reading
from napari_colorize.files.steering_file import as_dict

if TYPE_CHECKING:
    import os

    from napari_colorize.color.steering import Steering


def make_record(
    *, model: str, model_hash: str, steering: Steering, source: str, **more: Any
) -> dict[str, Any]:
    """Return the record of a result: what made it, as JSON can hold it.

    Parameters
    ----------
    model, model_hash : str
        The model, and the hash on its card.
    steering : Steering
        What was wanted; `napari_colorize.files.steering_file.from_dict` gives it back.
    source : str
        Name of the picture that was coloured, without its folder.
    **more
        What else is worth telling.
    """
    return {
        "model": model,
        "hash": model_hash,
        "steering": as_dict(steering),
        "version": program_version(),
        "source": source,
        **more,
    }


def read_record(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the record in a picture file, None when it holds none; no pixel is decoded.

    Parameters
    ----------
    path
        PNG, TIFF, BigTIFF, JPEG, WebP or AVIF of any name; what it is, is told by its bytes.

    Raises
    ------
    PictureError
        When the file is missing or no picture, or its XMP or its record is broken. The text does
        not name the path.

    See Also
    --------
    napari_colorize.files.pictures.write_picture : the inverse.
    """
    with reading(path), open(path, "rb") as file:
        head = file.read(4)
        file.seek(0)
        if head in tiff.TIFF_STARTS:
            told = tiff.read_xmp(path)
            return None if told is None else xmp.record_of(told)
        with Image.open(file, formats=FORMATS) as image:
            packet = image.info.get("xmp") or image.info.get(xmp.KEYWORD)
            if not packet:
                return None
            markers = [body for name, body in getattr(image, "applist", ()) if name == "APP1"]
            data = packet.encode() if isinstance(packet, str) else bytes(packet)
            return xmp.record_of(data, markers)


def program_version() -> str:
    """Return the version of napari-colorize, "unknown" where it is not installed."""
    try:
        return version("napari-colorize")
    except PackageNotFoundError:
        return "unknown"
