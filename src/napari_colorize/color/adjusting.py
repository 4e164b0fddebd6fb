"""Adjustments of colours that need no network: chroma, hue and warmth in the ab plane."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from napari_colorize.color.steering import Adjustments

# What warmth 1 adds: a and b, towards orange; so far that white looks like lamp light.
WARMTH = (8.0, 24.0)


def adjusted(ab: Tensor, adjustments: Adjustments) -> Tensor:
    """Return a and b, (B, 2, ...), turned in hue, with more or less chroma, warmer or colder.

    Blending with the original is not done here: it takes the original.
    """
    angle = math.radians(adjustments.hue)
    across, along = math.cos(angle) * adjustments.chroma, math.sin(angle) * adjustments.chroma
    a, b = ab.unbind(dim=1)
    turned = (across * a - along * b, along * a + across * b)
    return torch.stack(
        [
            channel + adjustments.warmth * shift
            for channel, shift in zip(turned, WARMTH, strict=True)
        ],
        dim=1,
    )
