"""Hints carried to all that is like the places they were given: Gaussian-process regression.

Where a hint says another colour than the network, the network is off there; it is off by as much
where things are alike. How alike two cells are says the distance between their keys, which are
learned. This is simple kriging (Matheron 1963; Rasmussen and Williams 2006, chapter 2) of what the
network is off by, with the exponential covariance. Keys that are learned together with a network
are those of deep kernel learning (Wilson et al. 2016, arXiv:1511.02222).
"""

from __future__ import annotations

from copy import copy
from functools import cached_property

import torch
from torch import Tensor

# Variance of what a hint says, where it covers its cell, in parts of that of colour.
NOISE = 0.02
# Added to squared distances of keys: the root has a slope at 0.
NEAREST = 1e-4
# Largest logarithm of how much a cell may be off, and smallest.
LOUDEST = 3.0
# Hinted cells of a picture that are gone by; of more, as many that lie evenly among them.
MOST = 512
# Multiples of this, less their whole part, lie evenly in 0..1 (Weyl 1916): the golden ratio's.
GOLDEN = 0.6180339887498949


class Kriging:
    """What hints tell about all cells of pictures.

    Parameters
    ----------
    keys : Tensor of shape (B, 1 + K, h, w)
        The logarithm of how much the colour of a cell may be off, in parts of the mean, and K
        coordinates: the nearer two cells are the more alike they are.
    planes : Tensor of shape (B, 3, h, w)
        Hints, see `napari_colorize.color.planes.hint_planes`.
    most : int
        Hinted cells of each picture that are gone by.
    """

    def __init__(self, keys: Tensor, planes: Tensor, most: int = MOST) -> None:
        amplitude, places = keys[:, :1].clamp(-LOUDEST, LOUDEST).exp(), keys[:, 1:]
        hinted = planes[:, 2].flatten(1)
        self._shape = keys.shape[-2:]
        self._chosen = _evenly(hinted > 0, most)
        share = hinted.gather(1, self._chosen)[:, None]  # (B, 1, M)
        self._given = share > 0
        self._wanted = self._at_hints(planes[:, :2])
        self._scale, self._scale_there = amplitude.flatten(2), self._at_hints(amplitude)
        places_there = self._at_hints(places)
        self._squares = _squares(places.flatten(2), places_there)  # (B, N, M)
        # What is small here must not be lost to rounding, or the matrix has no factor.
        differences = places_there[..., :, None] - places_there[..., None, :]
        self._squares_among = differences.square().sum(dim=1)
        # A place that no hint was left for says nothing.
        self._noise = torch.where(self._given, NOISE / share.clamp_min(1e-3).sqrt(), 1e6)
        self._solve(1.0)

    def stretched(self, by: float) -> Kriging:
        """Return the same with distances of keys multiplied: hints reach less far above 1."""
        other = copy(self)
        other.__dict__.pop("told", None)  # is kept, and would be that of the unstretched
        other._solve(by)
        return other

    def _solve(self, stretch: float) -> None:
        there = self._scale_there
        likeness = _likeness(self._squares * stretch**2)
        self._likeness = likeness * self._scale.mT * there  # (B, N, M)
        among = _likeness(self._squares_among * stretch**2) * there.mT * there
        self._factor = torch.linalg.cholesky(among + torch.diag_embed(self._noise[:, 0]))

    def carry(self, ab: Tensor) -> Tensor:
        """Return the colours ab, (B, 2, h, w), as the hints change them."""
        return ab + self.spread(self.off(ab))

    def off(self, ab: Tensor) -> Tensor:
        """Return by how much the colours ab, (B, 2, h, w), miss the M hints, (B, 2, M)."""
        return torch.where(self._given, self._wanted - self._at_hints(ab), 0)

    def spread(self, off: Tensor) -> Tensor:
        """Return what is missed at the hints, (B, 2, M), carried to all cells, (B, 2, h, w)."""
        weights: Tensor = torch.cholesky_solve(off.mT, self._factor)  # (B, M, 2)
        carried: Tensor = (self._likeness @ weights).mT
        return carried.reshape(*off.shape[:2], *self._shape)

    @cached_property
    def told(self) -> Tensor:
        """How much hints tell of each cell, (B, 1, h, w): 0 nothing, 1 its colour."""
        solved = torch.linalg.solve_triangular(self._factor, self._likeness.mT, upper=False)
        share: Tensor = solved.square().sum(dim=1, keepdim=True) / self._scale.square()
        return share.clamp(0, 1).reshape(-1, 1, *self._shape)

    def _at_hints(self, planes: Tensor) -> Tensor:
        """Return what planes (B, C, h, w) say at the hinted cells, (B, C, M)."""
        flat = planes.flatten(2)
        return flat.gather(2, self._chosen[:, None].expand(-1, flat.shape[1], -1))


def _evenly(hinted: Tensor, most: int) -> Tensor:
    """Return which cells are gone by, (B, M): those hinted, (B, N), first."""
    count = min(most, max(1, int(hinted.sum(dim=1).max())))
    order = (torch.arange(hinted.shape[1], dtype=torch.float64) * GOLDEN % 1).float()
    return torch.where(hinted, order.to(hinted.device) + 1, 0).topk(count, dim=1).indices


def _squares(one: Tensor, other: Tensor) -> Tensor:
    """Return the squared distances, (B, N, M), of the places (B, K, N) and (B, K, M)."""
    squares = one.square().sum(dim=1)[:, :, None] + other.square().sum(dim=1)[:, None]
    return (squares - 2 * one.mT @ other).clamp_min(0)


def _likeness(squares: Tensor) -> Tensor:
    """Return how alike places at such squared distances are: 1 is the same."""
    return torch.exp(-(squares + NEAREST).sqrt())
