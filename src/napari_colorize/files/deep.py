"""TIFF and PNG of more than 8 bits, which Pillow would bring down to 8."""

from __future__ import annotations

import logging
import struct
import zlib
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

_REDUCED = 1  # NewSubfileType bit: a smaller copy of another page
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6


def read_tiff(file: str | os.PathLike[str] | IO[bytes]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Pixels of a TIFF of one page and what else it tells.

    Parameters
    ----------
    file
        Its path or its bytes in an open file.

    Returns
    -------
    pixels
        ``(H, W)`` or ``(H, W, 3)``, uint8 or uint16, on white where transparent, not yet upright.
        Floating-point values 0..1 and fewer than 16 bits are spread over uint16.
    facts
        ``icc`` (bytes or None), ``orientation`` (1..8), ``resolution`` (dots per inch, or None).

    Raises
    ------
    PictureError
        When there are several pages, or values or channels that are no picture's.
    """
    import tifffile

    # It tells about odd tags in the log, which is for the authors of files, not for the user.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(file) as tiff:
            page = tiff.pages.first
            _refuse_stacks(tiff, page)
            pixels = _as_picture(page.asarray(), page)
            return pixels, _facts(page)
    except PictureError:
        raise
    # A broken file can make the decoders raise anything.
    except Exception as exc:
        raise PictureError(f"broken or unknown TIFF ({type(exc).__name__}: {exc})") from exc


def _refuse_stacks(tiff: Any, page: Any) -> None:
    full = [p for p in tiff.pages if not int(getattr(p, "subfiletype", 0) or 0) & _REDUCED]
    count = max(len(full), tiff.series[0].size // max(1, page.size))
    if count > 1:
        raise PictureError(
            f"holds {count} pages, not one picture; open it in napari and colour it as a stack"
        )


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
        return np.asarray(np.moveaxis(page.colormap, 0, -1)[pixels])
    if kind not in (_MINISWHITE, _MINISBLACK, _RGB, _YCBCR):
        raise PictureError(f"TIFF of kind {page.photometric.name} and more than 8 bits")
    pixels = _as_integers(pixels, int(page.bitspersample))
    if kind == _MINISWHITE:
        pixels = np.iinfo(pixels.dtype).max - pixels
    alpha = [int(extra) in (1, 2) for extra in page.extrasamples]
    return without_alpha(pixels, bool(alpha and alpha[0]))


def _as_integers(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    kind = pixels.dtype.kind
    if kind == "b" or (kind == "u" and bits == 1):
        return pixels.astype(np.uint8) * np.uint8(255)
    if kind == "f":
        if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
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


def without_alpha(pixels: NDArray[Any], alpha: bool = True) -> NDArray[Any]:
    """Grey ``(H, W)`` or RGB ``(H, W, 3)`` of pixels with one or two channels too many.

    Parameters
    ----------
    pixels
        ``(H, W)`` or ``(H, W, 1..4)``, uint8 or uint16.
    alpha
        Whether the last of 2 or 4 channels is opacity (then the picture lies on white).
    """
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2]
    if channels > 4:
        raise PictureError(f"{channels} channels; open it in napari and choose one")
    colours = pixels[..., : 3 if channels > 2 else 1]
    if channels in (2, 4) and alpha:
        top = np.float32(np.iinfo(pixels.dtype).max)
        opacity = pixels[..., -1:] / top
        colours = np.rint(colours * opacity + top * (1 - opacity)).astype(pixels.dtype)
    return np.ascontiguousarray(colours if channels > 2 else colours[..., 0])


def read_png(data: bytes) -> NDArray[Any]:
    """Pixels of a PNG of 16 bits, ``(H, W)`` or ``(H, W, 3)`` uint16, on white."""
    import imagecodecs

    try:
        return without_alpha(imagecodecs.png_decode(data))
    except (imagecodecs.PngError, ValueError) as exc:
        raise PictureError("truncated or broken PNG") from exc


def is_deep_png(head: bytes) -> bool:
    """Whether the first 33 bytes of a PNG tell of 16 bits."""
    return len(head) > 24 and head[12:16] == b"IHDR" and head[24] == 16


def turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Pixels made upright; orientation 1..8 as in EXIF and TIFF."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def write_tiff(
    file: IO[bytes],
    rgb: NDArray[np.uint16],
    icc: bytes | None,
    resolution: tuple[float, float] | None,
) -> None:
    """Write ``(H, W, 3)`` uint16 as a TIFF, packed without loss."""
    import tifffile

    tifffile.imwrite(
        file,
        rgb,
        bigtiff=rgb.nbytes > 2**32 - 2**25,
        photometric="rgb",
        compression="adobe_deflate",
        predictor=True,
        rowsperstrip=max(1, 2**20 // max(1, rgb.shape[1] * 6)),
        iccprofile=icc,
        resolution=resolution,
        resolutionunit="INCH" if resolution else None,
        software="napari-colorize",
        metadata=None,
    )


def write_png(
    file: IO[bytes],
    rgb: NDArray[np.uint16],
    icc: bytes | None,
    resolution: tuple[float, float] | None,
    exif: bytes | None,
) -> None:
    """Write ``(H, W, 3)`` uint16 as a PNG of 16 bits."""
    import imagecodecs

    data = bytes(imagecodecs.png_encode(rgb))
    head = 8 + 12 + 13  # signature and IHDR; the chunks below have to stand before the pixels
    file.write(data[:head])
    if icc:
        file.write(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc)))
    if resolution:
        per_metre = [round(dots / 0.0254) for dots in resolution]
        file.write(_chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1)))
    if exif:
        file.write(_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")))
    file.write(data[head:])


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
