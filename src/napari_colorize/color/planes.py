"""Hints as planes: which colour is wanted where, on the grid of a network's answer."""

from __future__ import annotations

import torch
from torch import Tensor


def coverage(centres: Tensor, sides: Tensor, length: int) -> Tensor:
    """Return how much of each cell 0..length-1 the intervals cover, (..., length), 0..1.

    Parameters
    ----------
    centres, sides : Tensor of shape (...)
        In cells; cell i reaches from i to i + 1.
    length : int
    """
    cells = torch.arange(length, device=centres.device, dtype=centres.dtype)
    low, high = (centres - sides / 2)[..., None], (centres + sides / 2)[..., None]
    return (torch.minimum(high, cells + 1) - torch.maximum(low, cells)).clamp(0, 1)


def hint_planes(down: Tensor, across: Tensor, ab: Tensor) -> Tensor:
    """Return a, b and the hinted share of every cell.

    Where hints overlap, their mean is wanted, each by the area that it covers.

    Parameters
    ----------
    down : Tensor of shape (B, K, h)
        `coverage` of K hints over the rows; zeros leave a hint out.
    across : Tensor of shape (B, K, w)
        The same over the columns.
    ab : Tensor of shape (B, K, 2)

    Returns
    -------
    Tensor of shape (B, 3, h, w)
        a and b, 0 where no hint is, and the share, 0..1.
    """
    colors = torch.cat((ab, torch.ones_like(ab[..., :1])), dim=-1)  # (B, K, 3)
    sums = torch.einsum("bkh,bkc,bkw->bchw", down, colors, across)
    area = sums[:, 2:]
    return torch.cat((sums[:, :2] / area.clamp_min(1e-6), area.clamp_max(1)), dim=1)
