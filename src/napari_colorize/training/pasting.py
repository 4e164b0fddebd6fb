"""Objects of other pictures, pasted with a known border: where a hint has to stop."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

# Share of the pictures into which an object is pasted.
PASTED = 0.3
# Mean radius of an object as a share of the shorter side.
RADII = (0.12, 0.42)
# Waves of an outline once around, and the largest amplitude of the first; that of the k-th is 1/k
# of it.
WAVES, AMPLITUDE = 4, 0.3
# How much of its own contrast an object keeps: from smooth paint to a photograph.
CONTRAST = (0.15, 1.0)


class Pasted(NamedTuple):
    """A batch with objects of its own pictures pasted into one another.

    Attributes
    ----------
    lightness : Tensor of shape (B, 1, H, W)
    lab : Tensor of shape (B, 3, H, W)
    inside : Tensor of shape (B, H, W), bool
        Where the objects lie; nowhere in most pictures.
    """

    lightness: Tensor
    lab: Tensor
    inside: Tensor


def paste(lightness: Tensor, lab: Tensor) -> Pasted:
    """Return a batch with a blob of its neighbour in some pictures, drawn by torch's seed.

    Parameters
    ----------
    lightness : Tensor of shape (B, 1, H, W)
        L as the network sees it.
    lab : Tensor of shape (B, 3, H, W)
        The true colours.
    """
    count, _, height, width = lab.shape
    pasted = torch.rand(count) < PASTED
    inside = (_blobs(count, height, width) & pasted.view(-1, 1, 1)).to(lab.device)
    contrast = torch.empty(count, 1, 1, 1).uniform_(*CONTRAST).to(lab.device)
    there = inside[:, None]
    seen, true = (_flattened(x.roll(1, dims=0), contrast) for x in (lightness, lab))
    return Pasted(torch.where(there, seen, lightness), torch.where(there, true, lab), inside)


def _flattened(planes: Tensor, contrast: Tensor) -> Tensor:
    """Return pictures whose first plane, L, varies less."""
    mean = planes[:, :1].mean(dim=(2, 3), keepdim=True)
    return torch.cat((mean + contrast * (planes[:, :1] - mean), planes[:, 1:]), dim=1)


def _blobs(count: int, height: int, width: int) -> Tensor:
    """Return which pixels lie in a round thing with a wavy outline, (B, H, W) bool."""
    y, x = torch.rand(2, count, 1, 1)
    down = torch.arange(height).view(1, -1, 1) + 0.5 - y * height
    across = torch.arange(width).view(1, 1, -1) + 0.5 - x * width
    k = torch.arange(1, WAVES + 1).view(-1, 1, 1, 1)
    amplitude, phase = torch.rand(2, WAVES, count, 1, 1)
    angle = torch.atan2(down, across)
    waves = (amplitude * AMPLITUDE / k * torch.cos(k * angle + phase * 2 * math.pi)).sum(dim=0)
    radius = torch.empty(count, 1, 1).uniform_(*RADII) * min(height, width)
    inside: Tensor = torch.hypot(down, across) < radius * (1 + waves)
    return inside
