"""A plane as it looks before it has colours: its lightness, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# What red, green and blue light add to the luminance: Rec. ITU-R BT.709, IEC 61966-2-1.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def grey_pixels(
    plane: NDArray[Any], contrast_limits: Sequence[float] | None = None
) -> NDArray[np.uint8]:
    """Return a picture in the greys of its lightness, (H, W, 3) uint8.

    Parameters
    ----------
    plane : ndarray of shape (H, W), (H, W, 3) or (H, W, 4)
        As `Lightness` takes it; values out of the range are cut.
    contrast_limits : (low, high), optional
        The values of black and white of a grey picture.
    """
    if plane.ndim == 3:
        shares = _encoded(_decoded(_shares(plane[..., :3], None)) @ LUMINANCE)
    else:
        shares = _shares(plane, contrast_limits)
    grey = (shares * 255 + 0.5).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _shares(values: NDArray[Any], limits: Sequence[float] | None) -> NDArray[np.float32]:
    """Return values in parts of white, 0..1; what is not a number is black."""
    if limits is not None:
        low, high = (float(limit) for limit in limits)
    elif values.dtype.kind in "ui":
        low, high = (float(limit) for limit in _range_of(values.dtype))
    else:
        low, high = 0.0, 1.0
    wide = values.dtype.itemsize > 4 or (values.dtype.kind in "ui" and values.dtype.itemsize == 4)
    exact: NDArray[Any] = values.astype(np.float64 if wide else np.float32)
    shares = np.clip((exact - low) / (high - low), 0, 1)
    found: NDArray[np.float32] = np.nan_to_num(shares, nan=0.0).astype(np.float32)
    return found


def _range_of(kind: np.dtype[Any]) -> tuple[int, int]:
    info = np.iinfo(kind)
    return int(info.min), int(info.max)


def _decoded(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return linear light of sRGB values, 0..1."""
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def _encoded(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sRGB values of linear light, 0..1."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
