"""The ab bins that sRGB can show: distributions over them, and colours out of distributions."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from napari_colorize.color.lab import rgb_to_lab

# Distance in ab between the centres of two neighbouring bins.
BIN = 10.0
# Standard deviation, in ab, with which a prior is smoothed.
PRIOR_SIGMA = 5.0
# Share of the uniform distribution in a prior: a colour never seen is rare, not impossible.
PRIOR_FLOOR = 1e-4
# Steps of each side of the RGB cube's faces when the gamut is sought.
FACE_STEPS = 64
# Added to squared distances from the centres of bins: one that is met would outweigh all others.
NEAREST = 9.0


@cache
def _bins() -> Tensor:
    """Return the bins in float64; every sRGB colour lies in one of them, or 0.1 beside it.

    A line of constant ab leaves the RGB cube through its faces, so the faces hold every ab. Finer
    steps find one bin more, of which sRGB shows but a corner; weights rest on the number as it is.
    """
    with torch.device("cpu"):  # also where a network is built without memory
        steps = torch.linspace(0, 1, FACE_STEPS, dtype=torch.float64)
        u, v = (side.flatten() for side in torch.meshgrid(steps, steps, indexing="ij"))
        faces = []
        for axis in range(3):
            for level in (0.0, 1.0):
                face = [u, v]
                face.insert(axis, torch.full_like(u, level))
                faces.append(torch.stack(face))
        ab = rgb_to_lab(torch.cat(faces, dim=1)[..., None])[1:, :, 0]  # (2, N)
        a, b = (ab / BIN).round()
        row = 100  # numbers from one a to the next: more than there are b
        numbers = torch.unique(row * a + b)  # of pairs it takes eighty times as long
        a = (numbers / row).round()
        return torch.stack((a, numbers - row * a), dim=1) * BIN


def gamut_bins() -> Tensor:
    """Return a and b of the centres of all bins that sRGB colours fall into, (Q, 2) float32."""
    return _bins().float()


def encode_softly(ab: Tensor, bins: Tensor) -> Tensor:
    """Return colours as shares of the bins around them.

    Between the four nearest bins the shares are bilinear, so that their mean is the colour.

    Parameters
    ----------
    ab : Tensor of shape (N, 2)
    bins : Tensor of shape (Q, 2)

    Returns
    -------
    Tensor of shape (N, Q)
        Each row sums to 1.
    """
    # a and b apart: twice as quick as side by side.
    offset = (ab.T[..., None] - bins.T.contiguous()[:, None]) / BIN  # (2, N, Q)
    near = (1 - offset.abs()).clamp_min(0).prod(dim=0)
    # Where the gamut ends, or beyond it, the nearest bins take what bilinear shares cannot give.
    near = near + 1e-4 * (-2 * offset.square().sum(dim=0)).softmax(dim=1)
    return near / near.sum(dim=1, keepdim=True)


def histogram(ab: Tensor, bins: Tensor) -> Tensor:
    """Return the share of each bin in pictures.

    Parameters
    ----------
    ab : Tensor of shape (B, 2, H, W)
    bins : Tensor of shape (Q, 2)

    Returns
    -------
    Tensor of shape (B, Q)
        Each row sums to 1.
    """
    batch, _, height, width = ab.shape
    places = ab.permute(0, 2, 3, 1).reshape(-1, 2)
    return encode_softly(places, bins).view(batch, height * width, -1).mean(dim=1)


def smoothed_prior(shares: Tensor, bins: Tensor) -> Tensor:
    """Return how common each bin is, smoothed in the ab plane and nowhere zero, (Q,)."""
    distance = torch.cdist(bins, bins)
    kernel = torch.exp(-(distance**2) / (2 * PRIOR_SIGMA**2))
    smooth = (kernel / kernel.sum(dim=0)) @ shares
    return (1 - PRIOR_FLOOR) * smooth / smooth.sum() + PRIOR_FLOOR / len(bins)


def rebalancing_weights(prior: Tensor, largest: float) -> Tensor:
    """Return how much each bin counts in training: rare ones more, their mean over the prior 1.

    The weight is 1 / (p / 2 + 1 / (2 Q)) (Zhang, Isola and Efros 2016, with lambda 1/2), scaled to
    the mean 1, limited to `largest` and scaled again. Where `largest` is 1 all are alike.
    """
    if largest <= 1:  # the common ones would still count less than the rest
        return torch.ones_like(prior)
    weights = 1 / (prior / 2 + 0.5 / len(prior))
    weights = (weights / (prior * weights).sum()).clamp_max(largest)
    return weights / (prior * weights).sum()


def annealed_mean(
    logits: Tensor,
    bins: Tensor,
    log_prior: Tensor,
    temperature: float,
    adjustment: float | Tensor,
) -> Tensor:
    """Return the mean colour of sharpened distributions.

    Parameters
    ----------
    logits : Tensor of shape (B, Q, h, w)
    bins : Tensor of shape (Q, 2)
    log_prior : Tensor of shape (Q,)
    temperature : float
        1 is the distribution itself, towards 0 its likeliest colour alone (annealed mean, Zhang,
        Isola and Efros 2016).
    adjustment : float or Tensor of shape (h, w)
        How far the prior is taken out, 0..1 (logit adjustment, Menon et al. 2021): what is common
        everywhere then counts less.

    Returns
    -------
    Tensor of shape (B, 2, h, w)
    """
    adjusted = (logits - adjustment * log_prior.view(1, -1, 1, 1)) / temperature
    mean: Tensor = torch.einsum("bqhw,qc->bchw", adjusted.softmax(dim=1), bins)
    return mean


def toward_median(ab: Tensor, logits: Tensor, bins: Tensor) -> Tensor:
    """Return colours one step nearer to the geometric medians of distributions.

    The geometric median is the colour from which the mean distance is least; the step is that of
    Weiszfeld (1937): the mean of the bins, each weighted by its share over its distance.

    Parameters
    ----------
    ab : Tensor of shape (B, 2, h, w)
    logits : Tensor of shape (B, Q, h, w)
    bins : Tensor of shape (Q, 2)

    Returns
    -------
    Tensor of shape (B, 2, h, w)
    """
    weights = (logits - (squares_to(bins, ab) + NEAREST).log() / 2).softmax(dim=1)
    nearer: Tensor = torch.einsum("bqhw,qc->bchw", weights, bins)
    return nearer


def squares_to(bins: Tensor, ab: Tensor) -> Tensor:
    """Return the squared distances, (B, Q, h, w), of colours (B, 2, h, w) to the bins (Q, 2)."""
    along = torch.einsum("qc,bchw->bqhw", bins, ab)
    lengths = bins.square().sum(dim=1).view(1, -1, 1, 1)
    return (ab.square().sum(dim=1, keepdim=True) + lengths - 2 * along).clamp_min(0)


def entropy(shares: Tensor) -> Tensor:
    """Return the entropy in nats of distributions along axis 1."""
    return -torch.xlogy(shares, shares).sum(dim=1)


def confidence_of(logits: Tensor) -> Tensor:
    """Return how sure distributions are, (B, h, w): 1 of one bin alone, 0 where all are alike.

    It is 1 - H / log Q, with H the entropy and Q the number of bins.
    """
    return 1 - entropy(logits.softmax(dim=1)) / math.log(logits.shape[1])


def spread_of(logits: Tensor, bins: Tensor) -> Tensor:
    """Return the mean distance in ab from the mean colour of distributions, (B, h, w).

    Parameters
    ----------
    logits : Tensor of shape (B, Q, h, w)
    bins : Tensor of shape (Q, 2)
    """
    shares = logits.softmax(dim=1)
    mean = torch.einsum("bqhw,qc->bhwc", shares, bins)
    return (shares.permute(0, 2, 3, 1) * torch.cdist(mean, bins)).sum(dim=-1)
