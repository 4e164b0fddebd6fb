"""Hints and references as people might give them, drawn from the true colours of a batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from napari_colorize.color.gamut import histogram
from napari_colorize.color.lab import lab_to_rgb, rgb_to_lab
from napari_colorize.color.planes import coverage, hint_planes
from napari_colorize.networks.palette import CELL

if TYPE_CHECKING:
    from collections.abc import Sequence

# After each hint the chance that it was the last: seven on average, an eighth has none (Zhang et
# al. 2017).
LAST = 1 / 8
# Share of the pictures that get many hints instead, and how many at most.
MANY, MOST = 1 / 8, 150
# Sides of hints as shares of the crop, and the smallest in pixels.
SIDES, SMALLEST = (0.006, 0.055), 1.0
# Share of the pictures whose true colours are turned to other hues: hints outweigh belief. Of those
# with hints, the share in which only what is alike to the place of the first hint is turned, and of
# these the share in which it also has to be connected with that place.
TURNED, ONE_OBJECT, CONNECTED = 0.4, 0.85, 0.5
# Degrees of hue from which colours are of another object, and up to which they are of the same.
ALIKE = (60, 25)
# Share of the pasted objects that are painted in one colour, and its chroma.
PAINTED, CHROMA = 0.5, (10, 70)
# Share of the pictures that get the histogram of their own true colours.
REFERENCES = 0.25


class Guidance(NamedTuple):
    """What a user might tell about a batch, and the colours that are then true.

    Attributes
    ----------
    hints : Tensor of shape (B, 3, H/4, W/4)
    reference : Tensor of shape (B, Q)
    ab : Tensor of shape (B, 2, H, W)
    """

    hints: Tensor
    reference: Tensor
    ab: Tensor


def draw_guidance(lab: Tensor, inside: Tensor, bins: Tensor) -> Guidance:
    """Return hints and references for a batch, drawn by torch's seed.

    Parameters
    ----------
    lab : Tensor of shape (B, 3, H, W)
        CIELAB.
    inside : Tensor of shape (B, H, W), bool
        Where objects were pasted: they get colours of their own, and the first hint. See
        `napari_colorize.training.pasting`.
    bins : Tensor of shape (Q, 2)
    """
    count = len(lab)
    pasted = inside.flatten(1).any(dim=1).cpu()
    turned = (torch.rand(count) < TURNED) & ~pasted
    numbers = torch.maximum(_numbers(count), pasted.long())
    centres, sides = _patches(numbers, lab.shape[-2:])
    centres[pasted, 0] = _places(inside[pasted.to(lab.device)])
    lab = _turned(lab, turned.to(lab.device), centres[:, 0], numbers > 0)
    lab = _repainted(lab, inside)
    # A turned picture tells about its hues, or the network could not know.
    referred = torch.rand(count) < torch.where(numbers == 0, turned + REFERENCES, REFERENCES)
    small = functional.avg_pool2d(lab[:, 1:], CELL)
    reference = lab.new_zeros(count, len(bins))
    if referred.any():
        chosen = referred.to(lab.device)
        reference[chosen] = histogram(small[chosen], bins)
    return Guidance(_hints(lab[:, 1:], centres, sides), reference, lab[:, 1:])


def _turned(lab: Tensor, which: Tensor, places: Tensor, hinted: Tensor) -> Tensor:
    """Return the pictures, the hues of some turned by one angle each, inside the gamut.

    In most of those with hints only hues like that at the first hint are turned, in half of these
    only where they are connected with it, so that a hint is learned to speak of its object and not
    of all that surrounds it or looks the same; else all hues are.

    Parameters
    ----------
    lab : Tensor of shape (B, 3, H, W)
    which : Tensor of shape (B,), bool
        Those to turn.
    places : Tensor of shape (B, 2)
        Row and column of the first hint.
    hinted : Tensor of shape (B,), bool
        Those that have hints.
    """
    if not which.any():
        return lab
    chosen = which.cpu()
    count = int(chosen.sum())
    angle = torch.rand(count, 1, 1, device=lab.device) * 2 * math.pi
    lightness, a, b = lab[which].unbind(dim=1)
    one_object = (torch.rand(count) < ONE_OBJECT) & hinted[chosen]
    alike = likeness(torch.atan2(b, a), places[chosen])
    connected = (torch.rand(count) < CONNECTED).to(lab.device)
    alike[connected] = _connected(alike[connected], places[chosen][connected.cpu()])
    angle = angle * torch.where(one_object.view(-1, 1, 1).to(lab.device), alike, 1.0)
    cos, sin = torch.cos(angle), torch.sin(angle)
    turned = torch.stack((lightness, cos * a - sin * b, sin * a + cos * b), dim=1)
    result = lab.clone()
    result[which] = _in_gamut(turned)
    return result


def _repainted(lab: Tensor, inside: Tensor) -> Tensor:
    """Return the pictures, what lies inside turned to other hues or painted in one colour."""
    count = len(lab)
    angle, hue = (torch.rand(2, count, 1, 1) * 2 * math.pi).to(lab.device)
    chroma = torch.empty(count, 1, 1).uniform_(*CHROMA).to(lab.device)
    painted = (torch.rand(count, 1, 1) < PAINTED).to(lab.device)
    lightness, a, b = lab.unbind(dim=1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    a, b = (
        torch.where(painted, chroma * torch.cos(hue), cos * a - sin * b),
        torch.where(painted, chroma * torch.sin(hue), sin * a + cos * b),
    )
    return torch.where(inside[:, None], _in_gamut(torch.stack((lightness, a, b), dim=1)), lab)


def _in_gamut(lab: Tensor) -> Tensor:
    """Return colours that a screen can show."""
    return rgb_to_lab(lab_to_rgb(lab))


def _places(inside: Tensor) -> Tensor:
    """Return row and column, (B, 2), of a random pixel inside each picture (B, H, W)."""
    pixel = inside.flatten(1).float().cpu().multinomial(1).flatten()
    width = inside.shape[-1]
    return torch.stack((pixel // width, pixel % width), dim=1) + 0.5


def likeness(hue: Tensor, places: Tensor) -> Tensor:
    """Return how alike hues (B, H, W), in radians, are to those at a place each, 0..1."""
    height, width = hue.shape[1:]
    row = places[:, 0].long().clamp_max(height - 1)
    column = places[:, 1].long().clamp_max(width - 1)
    there = hue.flatten(1).gather(1, (row * width + column)[:, None].to(hue.device))
    closeness = torch.cos(hue - there[..., None])
    other, same = (math.cos(math.radians(degrees)) for degrees in ALIKE)
    return ((closeness - other) / (same - other)).clamp(0, 1)


def _connected(alike: Tensor, places: Tensor) -> Tensor:
    """Return likeness (B, H, W) to a place each, where it is connected with that place.

    A reconstruction by dilation (Vincent 1993), in cells: what a place is reached by is the least
    likeness on the best way to it.
    """
    height, width = alike.shape[1:]
    cells = functional.max_pool2d(alike[:, None], CELL, ceil_mode=True)
    rows, columns = cells.shape[-2:]
    row = (places[:, 0] / CELL).long().clamp_max(rows - 1)
    column = (places[:, 1] / CELL).long().clamp_max(columns - 1)
    reached = torch.zeros_like(cells)
    reached[torch.arange(len(cells)), 0, row, column] = 1
    for _ in range(2 * max(rows, columns)):
        reached = torch.minimum(functional.max_pool2d(reached, 3, 1, 1), cells)
    spread = functional.interpolate(reached, scale_factor=CELL)[:, 0, :height, :width]
    return torch.minimum(alike, spread)


def _numbers(count: int) -> Tensor:
    """Return how many hints each picture gets, (B,)."""
    few = torch.empty(count).geometric_(LAST) - 1
    many = torch.exp(torch.empty(count).uniform_(math.log(10), math.log(MOST)))
    return torch.where(torch.rand(count) < MANY, many, few).clamp_max(MOST).long()


def _patches(numbers: Tensor, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return centres (B, K, 2) and sides (B, K) in pixels; the side of no hint is 0.

    Half lie anywhere, half around the middle.
    """
    count, most = len(numbers), max(1, int(numbers.max()))
    anywhere = torch.rand(count, most, 2)
    middle = (0.5 + torch.randn(count, most, 2) / 4).clamp(0, 1)
    centres = torch.where(torch.rand(count, most, 1) < 0.5, anywhere, middle)
    sides = torch.empty(count, most).uniform_(*SIDES) * min(shape)
    given = torch.arange(most) < numbers[:, None]
    return centres * torch.tensor(shape), torch.where(given, sides.clamp_min(SMALLEST), 0)


def _hints(ab: Tensor, centres: Tensor, sides: Tensor) -> Tensor:
    """Return hint planes whose colours are the means of ab, (B, 2, H, W), in patches."""
    height, width = ab.shape[-2:]
    sides = sides.to(ab)
    y, x = centres.to(ab).unbind(dim=-1)
    down, across = coverage(y, sides, height), coverage(x, sides, width)
    colors = torch.einsum("bkh,bchw,bkw->bkc", down, ab, across)
    colors = colors / (down.sum(dim=-1) * across.sum(dim=-1)).clamp_min(1e-6)[..., None]
    rows, columns = -(-height // CELL), -(-width // CELL)
    return hint_planes(
        coverage(y / CELL, sides / CELL, rows), coverage(x / CELL, sides / CELL, columns), colors
    )
