"""Lightness and ab become the pixels of a picture, quickly."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from napari_colorize.color.lab import encode_srgb, fitted_linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Steps of linear light in the table of 8-bit sRGB: at the dark end one is 0.05 of a grey level.
TABLE_STEPS = 65535
# L of the middle, and how far from it a pixel is black or white: there is no room for colour.
MIDDLE, FAR = 50.0, 49.5


def recombine(lightness: Tensor, ab: Tensor, out: NDArray[np.generic]) -> Tensor:
    """Write the pixels of L with ab, brought into the gamut at fixed L and hue.

    Parameters
    ----------
    lightness : Tensor of shape (H, W), float32
        L, 0..100.
    ab : Tensor of shape (2, H, W), float32
    out : ndarray of shape (H, W, 3), uint8 or uint16
        Becomes sRGB over the whole range of its type.

    Returns
    -------
    Tensor of shape (H, W), bool
        Which of them lay outside the gamut, but for black and white, which no colour can be.
    """
    encode = _as_uint8 if out.dtype == np.uint8 else _as_uint16
    linear, outside = fitted_linear(lightness, ab[0], ab[1])
    for channel, light in enumerate(linear):
        out[..., channel] = encode(light).numpy()
    return outside & ((lightness - MIDDLE).abs_() < FAR)


def _as_uint8(linear: Tensor) -> Tensor:
    """Return 8-bit sRGB of one channel of linear light, by a table."""
    index = linear.mul(TABLE_STEPS).add_(0.5).to(torch.int32)
    return _table().index_select(0, index.view(-1)).view(linear.shape)


def _as_uint16(linear: Tensor) -> Tensor:
    """Return 16-bit sRGB of one channel of linear light, as int32: torch lacks the type."""
    return encode_srgb(linear).mul_(65535).add_(0.5).to(torch.int32)


@cache
def _table() -> Tensor:
    """Return 8-bit sRGB of linear light in steps of 1 / TABLE_STEPS."""
    linear = torch.arange(TABLE_STEPS + 1, dtype=torch.float64) / TABLE_STEPS
    return (encode_srgb(linear) * 255).round().to(torch.uint8)
