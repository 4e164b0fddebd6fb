"""ICC profiles: pixels of any profile as sRGB, and back.

Eight bits are converted by Pillow (LittleCMS), sixteen by imagecodecs (LittleCMS as well). A
profile that is broken or does not fit its pixels is taken for not being there.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
# In 16 bits the table that LittleCMS makes of two profiles is off by thousands of 65535.
_DEEP_FLAGS = _FLAGS | ImageCms.Flags.NOOPTIMIZE
# Names that LittleCMS gives to the kinds of pixels, by the name in the profile's header.
_SPACES = {"RGB": "rgb", "GRAY": "gray"}


@lru_cache(maxsize=1)
def srgb() -> bytes:
    """Return the bytes of an sRGB profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@lru_cache(maxsize=32)
def space_of(icc: bytes) -> str | None:
    """Tell what pixels a profile is for: ``"RGB"``, ``"GRAY"``, ``"CMYK"``; None if broken."""
    try:
        return str(ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.xcolor_space).strip()
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=32)
def is_srgb(icc: bytes) -> bool:
    """Tell whether a profile says of itself that it is sRGB."""
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    # "c2" is the small sRGB profile that big photograph sites write.
    return "srgb" in name.lower() or name.strip() == "c2"


def to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Return an 8-bit image as sRGB: mode L stays L, L*a*b*, CMYK and RGB become RGB.

    Parameters
    ----------
    image
        Mode ``L``, ``RGB``, ``CMYK`` or ``LAB``.
    icc
        Its profile, or None for sRGB (and for the plain formula of CMYK).
    """
    if image.mode == "LAB":
        transform = _transform(None, "LAB", "RGB", False)
    else:
        fits = icc is not None and space_of(icc) == {"L": "GRAY"}.get(image.mode, image.mode)
        if not fits or is_srgb(icc or b""):
            return image.convert("RGB") if image.mode == "CMYK" else image
        transform = _transform(icc, image.mode, "RGB", False)
    if transform is None:
        return image.convert("L" if image.mode == "L" else "RGB")
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        return image
    return converted.getchannel(1) if image.mode == "L" else converted


def from_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    """Return an sRGB image of mode RGB in another RGB profile; the inverse of `to_srgb`."""
    transform = None if is_srgb(icc) else _transform(icc, "RGB", "RGB", True)
    converted = None if transform is None else ImageCms.applyTransform(image, transform)
    return image if converted is None else converted


@lru_cache(maxsize=32)
def _transform(icc: bytes | None, mode: str, to_mode: str, back: bool) -> Any:
    try:
        source = ImageCms.ImageCmsProfile(
            ImageCms.createProfile("LAB") if icc is None else io.BytesIO(icc)
        )
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        if back:
            source, target = target, source
        return ImageCms.buildTransform(source, target, mode, to_mode, _INTENT, _FLAGS)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def deep_to_srgb(pixels: NDArray[np.uint16], icc: bytes | None) -> NDArray[np.uint16]:
    """Return 16-bit pixels ``(H, W)`` or ``(H, W, 3)`` of a profile as sRGB, same shape."""
    space = "GRAY" if pixels.ndim == 2 else "RGB"
    if icc is None or space_of(icc) != space or is_srgb(icc):
        return pixels
    converted = _deep(pixels, icc, srgb(), _SPACES[space])
    if converted is None:
        return pixels
    return np.ascontiguousarray(converted[..., 1]) if pixels.ndim == 2 else converted


def deep_from_srgb(pixels: NDArray[np.uint16], icc: bytes) -> NDArray[np.uint16] | None:
    """Return 16-bit sRGB pixels ``(H, W, 3)`` in an RGB profile; None if that fails."""
    return pixels if is_srgb(icc) else _deep(pixels, srgb(), icc, "rgb")


def _deep(
    pixels: NDArray[np.uint16], profile: bytes, to_profile: bytes, space: str
) -> NDArray[np.uint16] | None:
    import imagecodecs

    try:
        converted: NDArray[np.uint16] = imagecodecs.cms_transform(
            np.ascontiguousarray(pixels),
            profile,
            to_profile,
            colorspace=space,
            outcolorspace="rgb",
            outdtype="uint16",
            intent=int(_INTENT),
            flags=int(_DEEP_FLAGS),
        )
    except (imagecodecs.CmsError, ValueError):
        return None
    return converted
