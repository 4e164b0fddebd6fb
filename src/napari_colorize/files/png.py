"""PNG of 16 bits, which Pillow would bring down to 8."""

from __future__ import annotations

import struct
import zlib
from typing import IO, TYPE_CHECKING, Any

from napari_colorize.errors import PictureError
from napari_colorize.files.decoding import without_alpha
from napari_colorize.files.xmp import KEYWORD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


def write_png(
    file: IO[bytes],
    rgb: NDArray[np.uint16],
    icc: bytes | None,
    resolution: tuple[float, float] | None,
    exif: bytes | None,
    xmp: bytes | None = None,
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
    if xmp:
        # Keyword, not packed, no language, no translated keyword.
        file.write(_chunk(b"iTXt", KEYWORD.encode() + b"\0" * 5 + xmp))
    file.write(data[head:])


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
