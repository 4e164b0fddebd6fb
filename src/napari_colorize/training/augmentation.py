"""Crops become lightness and ab, flipped and toned, in batch on the device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_colorize.color.lab import rgb_to_lab

# Largest natural logarithm of the random gamma, and largest change of contrast and brightness.
GAMMA = 0.3
CONTRAST = 0.15
BRIGHTNESS = 0.08


@dataclass(frozen=True)
class Augmentation:
    """The random numbers of a batch: drawn apart from their use, so that the use is pure.

    Each is of shape (B, 1, 1, 1).
    """

    flip: Tensor
    gamma: Tensor
    contrast: Tensor
    brightness: Tensor

    def of(self, pictures: slice) -> Augmentation:
        """Return the changes of some of the pictures."""
        return Augmentation(
            self.flip[pictures],
            self.gamma[pictures],
            self.contrast[pictures],
            self.brightness[pictures],
        )


def draw_augmentation(count: int, seed: int, step: int) -> Augmentation:
    """Return the random changes of `count` pictures of a step; the same on every device."""
    state = np.random.SeedSequence([seed, step]).generate_state(1)
    generator = torch.Generator().manual_seed(int(state[0]))
    flip, gamma, contrast, brightness = torch.rand(4, count, 1, 1, 1, generator=generator)
    return Augmentation(
        flip=flip < 0.5,
        gamma=torch.exp((2 * gamma - 1) * GAMMA),
        contrast=1 + (2 * contrast - 1) * CONTRAST,
        brightness=(2 * brightness - 1) * BRIGHTNESS,
    )


def to_lab(crops: Tensor) -> Tensor:
    """Return CIELAB, (B, 3, H, W) float32, of crops (B, H, W, 3) uint8."""
    return rgb_to_lab(crops.permute(0, 3, 1, 2).float() / 255)


def augment(lab: Tensor, changes: Augmentation) -> tuple[Tensor, Tensor]:
    """Return lightness (B, 1, H, W) and ab (B, 2, H, W), flipped, the lightness toned.

    The tone changes only what the network sees: old, dull and hard prints have the same colours.

    Parameters
    ----------
    lab : Tensor of shape (B, 3, H, W), float32
    changes : Augmentation
    """
    flip, gamma, contrast, brightness = (
        change.to(lab.device)
        for change in (changes.flip, changes.gamma, changes.contrast, changes.brightness)
    )
    flipped = torch.where(flip, lab.flip(-1), lab)
    tone = (flipped[:, :1] / 100).clamp(1e-4, 1) ** gamma
    tone = (tone - 0.5) * contrast + 0.5 + brightness
    return tone.clamp(0, 1) * 100, flipped[:, 1:]
