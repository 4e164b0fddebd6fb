"""A few distinct colours out of a distribution over the ab bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from napari_colorize.color.lab import lab_to_rgb, rgb_to_lab

# Colours nearer to one another than this, in ab, are one.
APART = 25.0


@dataclass(frozen=True)
class Suggestion:
    """A colour that a model holds possible at a place.

    Attributes
    ----------
    color : (r, g, b)
        sRGB, 0..255, at the lightness of the place.
    share : float
        How likely this colour or one near it is, 0..1.
    """

    color: tuple[int, int, int]
    share: float


class AbShare(NamedTuple):
    """A colour and how much of a distribution lies around it, 0..1."""

    ab: Tensor
    share: float


def distinct_colors(shares: Tensor, bins: Tensor, count: int) -> list[AbShare]:
    """Return at most so many colours that a distribution holds likely, the likeliest first.

    The heaviest neighbourhood of the distribution becomes a colour, its mean, and is taken out;
    then comes the next.

    Parameters
    ----------
    shares : Tensor of shape (Q,)
        They sum to 1.
    bins : Tensor of shape (Q, 2)
    count : int
    """
    near = torch.cdist(bins, bins) < APART / 2
    left = shares.clone()
    found: list[AbShare] = []
    while len(found) < count:
        masses = near.to(left) @ left
        around = near[int(masses.argmax())] & (left > 0)
        share = float(left[around].sum())
        if share < 1e-3:
            break
        weights = left[around] / share
        found.append(AbShare((weights[:, None] * bins[around]).sum(dim=0), share))
        left[torch.cdist(found[-1].ab[None], bins)[0] < APART] = 0
    return found


def suggestions_at(lightness: float, shares: Tensor, bins: Tensor, count: int) -> list[Suggestion]:
    """Return at most so many likely colours of a place, distinct as they look at its lightness.

    Parameters
    ----------
    lightness : float
        L, 0..100.
    shares, bins, count
        As for `distinct_colors`.
    """
    shown = rgb_to_lab(rgb_at(lightness, bins))[1:, :, 0].T  # what sRGB can show of each bin
    found = distinct_colors(shares, shown, count)
    if not found:
        return []
    rgb = rgb_at(lightness, torch.stack([ab for ab, _ in found]))[..., 0].T
    return [
        Suggestion((red, green, blue), share)
        for (red, green, blue), (_, share) in zip(
            (rgb * 255).round().int().tolist(), found, strict=True
        )
    ]


def rgb_at(lightness: float, ab: Tensor) -> Tensor:
    """Return sRGB, (3, N, 1) in 0..1, of a and b (N, 2) at a lightness."""
    level = ab.new_full((1, len(ab)), lightness)
    return lab_to_rgb(torch.cat((level, ab.T))[..., None])
