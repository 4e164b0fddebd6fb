"""TIFF read where Pillow knows its kind not or only in 8 bits; TIFF written with EXIF."""

from __future__ import annotations

import contextlib
import logging
import struct
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image, TiffImagePlugin

from napari_colorize.errors import PictureError
from napari_colorize.files.decoding import without_alpha

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""What TIFF and BigTIFF begin with."""
_PARTS = (0x8769, 0x8825)  # EXIF and GPS, directories of their own
_XMP = 700
_REDUCED = 1  # NewSubfileType bit: a smaller copy of another page
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE = 0, 1, 2, 3
_PLAIN = (_MINISWHITE, _MINISBLACK, _RGB, _PALETTE)


def read_tiff(file: str | os.PathLike[str] | IO[bytes]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Read the first page of a TIFF and what else it tells.

    Parameters
    ----------
    file
        Its path or its bytes in an open file.

    Returns
    -------
    pixels
        ``(H, W)`` or ``(H, W, 3)``, uint8 or uint16, on white where transparent, not yet upright.
        Floating-point values 0..1 (NaN is black) and fewer than 16 bits are spread over uint16.
    facts
        ``icc`` (bytes or None), ``orientation`` (1..8), ``resolution`` (dots per inch, or None).

    Raises
    ------
    PictureError
        When it is broken, or its values or channels are no picture's.
    """
    with _first_page(file) as (page, _):
        pixels = _as_picture(page.asarray(), page)
        return pixels, _facts(page)


def is_plain(file: str | os.PathLike[str] | IO[bytes]) -> bool:
    """Tell whether `read_tiff` knows the kind of pixels, which CMYK and L*a*b* are not."""
    with _first_page(file) as (page, _):
        return int(page.photometric) in _PLAIN


def read_facts(file: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what a TIFF of one page tells beside its pixels.

    Returns
    -------
    dict
        As `read_tiff`, and ``plain``: whether `read_tiff` knows its kind of pixels.

    Raises
    ------
    PictureError
        When it is broken, or holds several pages that are no smaller copies of the first.
    """
    with _first_page(file) as (page, tiff):
        full = [p for p in tiff.pages if not int(getattr(p, "subfiletype", 0) or 0) & _REDUCED]
        count = max(len(full), tiff.series[0].size // max(1, page.size))
        facts = _facts(page) | {"plain": int(page.photometric) in _PLAIN}
    if count > 1:
        raise PictureError(
            f"holds {count} pages, not one picture; open it in napari and colour it as a stack"
        )
    return facts


def read_xmp(file: str | os.PathLike[str] | IO[bytes]) -> bytes | None:
    """Read the XMP packet of the first page, None when it has none."""
    with _first_page(file) as (page, _):
        told = page.tags.valueof(_XMP)
    if isinstance(told, str):  # some programs write it as text
        return told.encode()
    return bytes(told) if told else None


@contextlib.contextmanager
def _first_page(file: str | os.PathLike[str] | IO[bytes]) -> Iterator[tuple[Any, Any]]:
    import tifffile

    # It tells about odd tags in the log, which is for the authors of files, not for the user.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(file) as tiff:
            yield tiff.pages.first, tiff
    except PictureError:
        raise
    # A broken file can make the decoders raise anything.
    except Exception as exc:
        raise PictureError(f"broken or unknown TIFF ({type(exc).__name__}: {exc})") from exc


def _facts(page: Any) -> dict[str, Any]:
    tags = page.tags
    resolution = None
    unit = {2: 1.0, 3: 2.54}.get(int(tags.valueof("ResolutionUnit", 2)))
    x, y = tags.valueof("XResolution"), tags.valueof("YResolution")
    if unit and x and y and x[0] and x[1] and y[0] and y[1]:
        resolution = (unit * x[0] / x[1], unit * y[0] / y[1])
    icc = tags.valueof("InterColorProfile")
    return {
        "icc": bytes(icc) if icc else None,
        "orientation": int(tags.valueof("Orientation", 1)),
        "resolution": resolution,
    }


def _as_picture(pixels: NDArray[Any], page: Any) -> NDArray[Any]:
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    elif page.axes not in ("YX", "YXS"):
        raise PictureError(f"holds an array of axes {page.axes}, not one picture")
    kind = int(page.photometric)
    if kind == _PALETTE:
        # Its colours are told in 16 bits, but are those of screens.
        return np.asarray(np.moveaxis(page.colormap >> 8, 0, -1).astype(np.uint8)[pixels])
    if kind not in _PLAIN:
        raise PictureError(f"TIFF of kind {page.photometric.name}, which cannot be read")
    pixels = _as_integers(pixels, int(page.bitspersample))
    if kind == _MINISWHITE:
        pixels = np.iinfo(pixels.dtype).max - pixels
    extra = [int(kind) for kind in page.extrasamples]
    return without_alpha(pixels, opacity=bool(extra and extra[0]), multiplied=extra[:1] == [1])


def _as_integers(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    kind = pixels.dtype.kind
    if kind == "b" or (kind == "u" and bits == 1):
        return pixels.astype(np.uint8) * np.uint8(255)
    if kind == "f":
        # As everywhere: what is not a number is black.
        pixels = np.nan_to_num(pixels, nan=0, posinf=1, neginf=0)
        if pixels.min() < 0 or pixels.max() > 1:
            raise PictureError(
                "floating-point values outside 0..1; open it in napari and set contrast limits"
            )
        return np.rint(pixels.astype(np.float64) * 65535).astype(np.uint16)
    if kind == "u" and pixels.dtype.itemsize <= 2:
        full = 8 * pixels.dtype.itemsize
        if bits == full:
            return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        top = (1 << bits) - 1
        spread = pixels.astype(np.uint64) * ((1 << full) - 1) + top // 2
        return (spread // top).astype(pixels.dtype.newbyteorder("="))
    raise PictureError(
        f"values of type {pixels.dtype.name}; open it in napari and set contrast limits"
    )


def write_tiff(
    file: IO[bytes],
    rgb: NDArray[Any],
    icc: bytes | None,
    resolution: tuple[float, float] | None,
    exif: bytes | None,
    xmp: bytes | None = None,
) -> None:
    """Write ``(H, W, 3)`` uint8 or uint16 as a TIFF, packed without loss.

    Parameters
    ----------
    file
        A file on the disk, open for writing.
    rgb
        The pixels.
    icc, resolution, exif, xmp
        Colour profile, dots per inch, EXIF and XMP, each None for none. More than 4 GB (BigTIFF)
        are written without EXIF.
    """
    import tifffile

    big = rgb.nbytes > 2**32 - 2**25
    tags = Image.Exif()
    if exif is not None and not big:
        tags.load(exif)
    parts = {tag: tags.get_ifd(tag) for tag in _PARTS if tag in tags}
    extra: list[tuple[Any, ...]] = [*_text_tags(tags), *((tag - 1, 4, 1, 0, True) for tag in parts)]
    if xmp:
        extra.append((_XMP, 1, len(xmp), xmp, True))
    tifffile.imwrite(
        file,
        rgb,
        bigtiff=big,
        byteorder="<",
        photometric="rgb",
        compression="adobe_deflate",
        predictor=True,
        rowsperstrip=max(1, 2**20 // (rgb.shape[1] * 3 * rgb.itemsize)),
        iccprofile=icc,
        resolution=resolution,
        resolutionunit="INCH" if resolution else None,
        software=False,
        metadata=None,
        extratags=extra,
    )
    if parts:
        file.flush()
        _append(file.name, parts)


def _text_tags(tags: Image.Exif) -> list[tuple[int, int, int, bytes, bool]]:
    texts = {tag: text.encode() for tag, text in tags.items() if isinstance(text, str) and text}
    return [(tag, 2, len(text) + 1, text + b"\0", True) for tag, text in texts.items()]


def _append(name: str, parts: dict[int, dict[int, Any]]) -> None:
    """Put directories of EXIF at the end of a TIFF and their places into its first directory.

    tifffile writes no such tags; it wrote the tags before them, which nobody uses, instead.
    """
    import tifffile

    with tifffile.TiffFile(name) as tiff:
        places = {tag: tiff.pages.first.tags[tag - 1].offset for tag in parts}
    with open(name, "r+b") as file:
        for tag, values in parts.items():
            offset = file.seek(0, 2)
            offset += file.write(b"\0" * (offset % 2))
            directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0")
            for key, value in values.items():
                directory[key] = value
            file.write(directory.tobytes(offset))
            file.seek(places[tag])
            file.write(struct.pack("<HHII", tag, 4, 1, offset))
