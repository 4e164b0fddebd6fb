"""Colours to pick from: what sRGB can show at a lightness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_colorize.color.lab import fitted_linear, lab_to_rgb, rgb_to_lab

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Largest |a| and |b| that is offered: sRGB shows no more than 108.
LARGEST_AB = 110.0


def gamut_slice(lightness: float, side: int) -> NDArray[np.uint8]:
    """Return the colours of a lightness as a square picture, (side, side, 4) uint8 RGBA.

    a rises to the right and b upwards, from -`LARGEST_AB` to `LARGEST_AB` between the outer edges
    of the pixels; alpha is 0 where sRGB shows no such colour.

    Parameters
    ----------
    lightness : float
        L, 0..100.
    side : int
        In pixels.
    """
    steps = ((torch.arange(side) + 0.5) / side * 2 - 1) * LARGEST_AB
    b, a = torch.meshgrid(-steps, steps, indexing="ij")
    level = torch.full_like(a, min(max(lightness, 0.0), 100.0))
    inside = ~fitted_linear(level, a, b).outside
    rgb = lab_to_rgb(torch.stack((level, a, b)))
    rgba = torch.cat((rgb, inside[None].float())).permute(1, 2, 0)
    pixels: NDArray[np.uint8] = (rgba * 255).round().to(torch.uint8).numpy()
    return pixels


def at_lightness(color: tuple[float, float, float], lightness: float) -> tuple[float, float, float]:
    """Return a colour as it looks at another lightness: its hue, and its chroma if sRGB has it.

    Parameters
    ----------
    color : (r, g, b)
        sRGB, 0..255.
    lightness : float
        L, 0..100.

    Returns
    -------
    (r, g, b)
        sRGB, 0..255.
    """
    lab = rgb_to_lab(torch.tensor(color).view(3, 1, 1) / 255)
    lab[0] = lightness
    red, green, blue = (lab_to_rgb(lab).flatten() * 255).tolist()
    return red, green, blue
