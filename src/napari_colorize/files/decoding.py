"""Foreign picture files opened with Pillow without its warnings, limits and odd modes.

What comes out is upright, sRGB, 8 bits, mode L or RGB. Transparent pictures lie on white, as on
a page.
"""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from napari_colorize.errors import PictureError
from napari_colorize.files.profiles import to_srgb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "BMP")

_lock = threading.Lock()
_users = 0
_found: list[Any] = []


@contextmanager
def calm_pillow() -> Iterator[None]:
    """Lift Pillow's limit of pixels and keep its warnings from reaching the user, meanwhile.

    Both are settings of the whole process: the first to come sets them, the last to go puts them
    back. Who opens a picture here looks at its size.
    """
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _found.append(Image.MAX_IMAGE_PIXELS)
            Image.MAX_IMAGE_PIXELS = None
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
            _found.append(warnings.filters[0])
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                # Not catch_warnings: it would put back a list that another thread has changed.
                with suppress(ValueError):
                    warnings.filters.remove(_found.pop())  # type: ignore[attr-defined]
                Image.MAX_IMAGE_PIXELS = _found.pop()


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Read a picture file with a calm Pillow; whatever goes wrong becomes a `PictureError`.

    Raises
    ------
    PictureError
        When the file is missing, no picture or broken. The text does not name the path.
    """
    try:
        with calm_pillow():
            yield
    except PictureError:
        raise
    except UnidentifiedImageError as exc:
        raise PictureError(_not_a_picture(path)) from exc
    except FileNotFoundError as exc:
        raise PictureError("no such file") from exc
    except IsADirectoryError as exc:
        raise PictureError("a folder, not a file") from exc
    except PermissionError as exc:
        raise PictureError("may not be read") from exc
    except MemoryError as exc:
        raise PictureError("too large for the memory") from exc
    # A broken file can make a decoder raise anything: struct.error, KeyError, SyntaxError, ...
    except Exception as exc:
        said = "truncated file" if "truncated" in str(exc).lower() else f"broken file ({exc})"
        raise PictureError(said) from exc


def _not_a_picture(path: str | os.PathLike[str]) -> str:
    if os.path.getsize(path) == 0:
        return "empty file"
    return f"not a picture of a known kind ({', '.join(FORMATS)}), or its beginning is broken"


def plain_image(image: Image.Image) -> Image.Image:
    """Return an opened image as mode L or RGB: upright, sRGB, on white where transparent."""
    icc = image.info.get("icc_profile") or None
    image = ImageOps.exif_transpose(image)
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("LA", "La"):
        image = image.convert("LA")
        return _on_white(to_srgb(image.getchannel("L"), icc), image.getchannel("A"))
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return to_srgb(image, icc)
    if image.mode in ("CMYK", "LAB"):
        return to_srgb(image, icc)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return _on_white(to_srgb(image.convert("RGB"), icc), image.getchannel("A"))
    return to_srgb(image.convert("RGB"), icc)


def _on_white(image: Image.Image, alpha: Image.Image) -> Image.Image:
    return Image.composite(image, Image.new(image.mode, image.size, "white"), alpha)


def without_alpha(
    pixels: NDArray[Any], *, opacity: bool = True, multiplied: bool = False
) -> NDArray[Any]:
    """Grey ``(H, W)`` or RGB ``(H, W, 3)`` of pixels with one or two channels too many.

    Parameters
    ----------
    pixels
        ``(H, W)`` or ``(H, W, 1..4)``, uint8 or uint16.
    opacity
        Whether the last of 2 or 4 channels is opacity (then the picture lies on white).
    multiplied
        Whether the colours are already multiplied with it.
    """
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2]
    if channels > 4:
        raise PictureError(f"{channels} channels; open it in napari and choose one")
    colours = pixels[..., : 3 if channels > 2 else 1]
    if channels in (2, 4) and opacity:
        top = np.float32(np.iinfo(pixels.dtype).max)
        share = pixels[..., -1:] / top
        mixed = (colours if multiplied else colours * share) + top * (1 - share)
        colours = np.rint(np.minimum(mixed, top)).astype(pixels.dtype)
    return np.ascontiguousarray(colours if channels > 2 else colours[..., 0])


def turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Pixels made upright; orientation 1..8 as in EXIF and TIFF."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
