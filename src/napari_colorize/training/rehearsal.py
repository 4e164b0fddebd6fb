"""What a network knew is rehearsed on made-up pictures while it is fine-tuned.

The photographs that it once learned from are not at hand. In their place stand dead leaves, shapes
of all sizes that hide one another (Lee, Mumford and Huang 2001), and clouds, which have the edges
and the spectrum of natural pictures. On them the network is held to the answers that it gave before
(learning without forgetting, Li and Hoiem 2016). What is kept of a training lies part of the way
back to the old weights besides (Wortsman et al. 2022): there both are known nearly as well as at
either end.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from napari_colorize.training.losses import REGRESSION_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_colorize.networks.interface import ColorNetwork, Prediction
    from napari_colorize.training.objectives import Objective

# Made-up pictures for each one that is learned from.
SHARE = 0.5
# The rehearsal with which half of the old weights is kept.
HALF_KEPT = 3.0
# Shapes on a picture, and their radii as shares of its shorter side, which follow a power of -3.
LEAVES, RADII = 80, (0.03, 0.6)
# Share of the shapes that are boxes, and of the pictures that are clouds, or soft.
BOXES, CLOUDS, SOFT = 0.4, 0.25, 0.6
# Exponents of the amplitude's fall with frequency: of clouds and of the texture on shapes.
CLOUD_SLOPE, TEXTURE_SLOPE = 1.3, 1.0
# Standard deviation of L in clouds, the largest in a texture, and that of a slope of L on a shape.
CLOUDY, TEXTURE, SHADE = 20.0, 20.0, 15.0
# Middle of the range of L; contrast about it and mean L of a picture.
MEAN_L = 50.0
CONTRAST, MEAN = (0.4, 1.0), (30.0, 70.0)


class Rehearsed:
    """An objective, and how far a network has left what it knew.

    Parameters
    ----------
    objective : Objective
        What is to be learned.
    network : ColorNetwork
        As it is now; a copy is kept.
    loss : callable
        Distance of ab.
    weight : float
        What leaving counts beside learning.
    """

    def __init__(
        self,
        objective: Objective,
        network: ColorNetwork,
        loss: Callable[[Tensor, Tensor], Tensor],
        weight: float,
    ) -> None:
        self._objective, self._loss, self._weight = objective, loss, weight
        self._before = copy.deepcopy(network).eval().requires_grad_(False)

    def learn(self, network: Callable[..., Prediction], lightness: Tensor, lab: Tensor) -> Tensor:
        """Return the loss of a batch and of as many made-up pictures as `SHARE` says."""
        made = made_up(math.ceil(len(lab) * SHARE), *lab.shape[-2:]).to(lightness)
        with torch.no_grad():
            known = self._before.to(made.device)(made)
        left = self._distance(network(made), known)
        return self._objective.learn(network, lightness, lab) + self._weight * left

    def look(self, prediction: Prediction, lab: Tensor) -> Tensor:
        """Return the loss of a prediction; what was known does not count."""
        return self._objective.look(prediction, lab)

    def _distance(self, prediction: Prediction, known: Prediction) -> Tensor:
        """Return how far an answer lies from the one that was known."""
        distance = self._loss(prediction.ab, known.ab)
        if prediction.logits is None or known.logits is None:
            return distance
        wanted, got = known.logits.log_softmax(dim=1), prediction.logits.log_softmax(dim=1)
        divergence = (wanted.exp() * (wanted - got)).sum(dim=1).mean()
        return divergence + REGRESSION_WEIGHT * distance


def kept_share(rehearsal: float) -> float:
    """Return the share of the old weights in what is kept, 0..1."""
    return rehearsal / (rehearsal + HALF_KEPT)


def made_up(count: int, height: int, width: int) -> Tensor:
    """Return the lightness of made-up pictures, (B, 1, H, W), 0..100, drawn by torch's seed."""
    leaves = torch.stack([_leaves(height, width) for _ in range(count)])
    clouds = MEAN_L + CLOUDY * _clouds(count, height, width, CLOUD_SLOPE)
    which = torch.rand(count, 1, 1) < CLOUDS
    pictures = torch.where(which, clouds, leaves)[:, None]
    padded = functional.pad(pictures, (1, 1, 1, 1), mode="replicate")
    soft = functional.avg_pool2d(padded, 3, 1)
    pictures = torch.where(torch.rand(count, 1, 1, 1) < SOFT, soft, pictures)
    contrast = torch.empty(count, 1, 1, 1).uniform_(*CONTRAST)
    mean = torch.empty(count, 1, 1, 1).uniform_(*MEAN)
    return (mean + contrast * (pictures - MEAN_L)).clamp(0, 100)


def _clouds(count: int, height: int, width: int, slope: float) -> Tensor:
    """Return noise whose amplitude falls with a power of frequency, (B, H, W); mean 0, std 1."""
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)
    frequency = torch.hypot(down, across).clamp_min(1 / max(height, width))
    spectrum = torch.fft.rfft2(torch.randn(count, height, width)) / frequency**slope
    noise: Tensor = torch.fft.irfft2(spectrum, s=(height, width))
    noise = noise - noise.mean(dim=(1, 2), keepdim=True)
    return noise / noise.std(dim=(1, 2), keepdim=True).clamp_min(1e-6)


def _leaves(height: int, width: int) -> Tensor:
    """Return a picture of shapes that hide one another, (H, W)."""
    across, along, radius = _places_on_shapes(height, width)
    boxes = torch.rand(LEAVES, 1, 1) < BOXES
    away = torch.where(boxes, torch.maximum(across.abs(), along.abs()), across.hypot(along))
    inside = away < radius
    inside[-1] = True  # the ground
    front = inside.to(torch.uint8).argmax(dim=0)  # (H, W), the first shape that covers a pixel
    texture = _clouds(1, height, width, TEXTURE_SLOPE)[0]
    shade = (across / radius).gather(0, front[None])[0].clamp(-2, 2)
    tone = torch.rand(LEAVES) * 100
    return (
        tone[front]
        + (torch.rand(LEAVES) ** 2 * TEXTURE)[front] * texture
        + (torch.randn(LEAVES) * SHADE)[front] * shade
    )


def _places_on_shapes(height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return where each pixel lies along both axes of each shape, (K, H, W), and their radii."""
    y, x, turn, share = torch.rand(4, LEAVES, 1, 1)
    down = torch.arange(height).view(-1, 1) + 0.5 - y * height
    right = torch.arange(width) + 0.5 - x * width
    small, large = (radius * min(height, width) for radius in RADII)
    radius = (small**-2 - share * (small**-2 - large**-2)) ** -0.5
    cos, sin = torch.cos(turn * math.pi), torch.sin(turn * math.pi)
    stretch = torch.exp(torch.randn(LEAVES, 1, 1) * 0.4)
    return (cos * down + sin * right) * stretch, (cos * right - sin * down) / stretch, radius
