"""Crops become what a network sees and the true colours, flipped and toned, in batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_colorize.color.lab import lightness_of_grey, rgb_to_lab

if TYPE_CHECKING:
    from collections.abc import Callable

# Largest natural logarithm of the random gamma, and largest change of contrast and brightness.
GAMMA, CONTRAST, BRIGHTNESS = 0.4, 0.2, 0.1
# How far a grey may be mixed from other shares of red, green and blue than the eye's: old films did
# not see red.
MIX = 0.8
# Largest standard deviations: of blur in pixels, of noise in L.
BLUR, NOISE = 1.8, 4.0
# Quality of the JPEG, 0..100: from bad to good.
QUALITY = (20, 90)
# Share of the pictures that each change meets where `tone` is 1.
SHARES = {"tone": 0.7, "mix": 0.35, "blur": 0.35, "noise": 0.3, "jpeg": 0.2}
# Rec. 601, the mix that cameras and converters use.
EYE = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentation:
    """The random numbers of a batch, drawn apart from their use, so that the use is pure.

    Each is of shape (B, 1, 1, 1) but `mix`, (B, 3, 1, 1), and `seed`, (B,). The larger
    `amount`, the more blur and the less noise and loss by JPEG. Which pictures a change meets
    stands in `meets`, (B, 1, 1, 1) bool each.
    """

    flip: Tensor
    gamma: Tensor
    contrast: Tensor
    brightness: Tensor
    amount: Tensor
    mix: Tensor
    seed: Tensor
    meets: dict[str, Tensor]

    def of(self, pictures: slice) -> Augmentation:
        """Return the changes of some of the pictures."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        meets = {name: which[pictures] for name, which in parts.pop("meets").items()}
        return Augmentation(**{name: part[pictures] for name, part in parts.items()}, meets=meets)


def draw_augmentation(count: int, seed: int, step: int, tone: float = 1.0) -> Augmentation:
    """Return the random changes of `count` pictures of a step; the same on every device.

    `tone` is how often the lightness is changed, 0 for never, 1 for as often as pays for old, soft
    and noisy photographs.
    """
    state = np.random.SeedSequence([seed, step]).generate_state(1)
    generator = torch.Generator().manual_seed(int(state[0]))

    def drawn(channels: int = 1) -> Tensor:
        return torch.rand(count, channels, 1, 1, generator=generator)

    shares = -torch.log(drawn(3).clamp_min(1e-6))
    return Augmentation(
        flip=drawn() < 0.5,
        gamma=torch.exp((2 * drawn() - 1) * GAMMA),
        contrast=1 + (2 * drawn() - 1) * CONTRAST,
        brightness=(2 * drawn() - 1) * BRIGHTNESS,
        amount=drawn(),
        mix=torch.lerp(torch.tensor(EYE).view(3, 1, 1), shares / shares.sum(1, True), MIX),
        seed=torch.randint(2**62, (count,), generator=generator),
        meets={name: drawn() < share * tone for name, share in SHARES.items()},
    )


def to_lab(crops: Tensor) -> Tensor:
    """Return CIELAB, (B, 3, H, W) float32, of crops (B, H, W, 3) uint8."""
    return rgb_to_lab(to_rgb(crops))


def to_rgb(crops: Tensor) -> Tensor:
    """Return sRGB 0..1, (B, 3, H, W) float32, of crops (B, H, W, 3) uint8."""
    return crops.permute(0, 3, 1, 2).float() / 255


def augment(crops: Tensor, changes: Augmentation) -> tuple[Tensor, Tensor]:
    """Return lightness as the network sees it, (B, 1, H, W), and true CIELAB, (B, 3, H, W).

    Both are flipped; only what the network sees is toned: old, dull, soft and grainy prints have
    the colours of their subjects.

    Parameters
    ----------
    crops : Tensor of shape (B, H, W, 3), uint8
        On the device that is to compute.
    changes : Augmentation
    """
    rgb = to_rgb(crops)
    rgb = torch.where(changes.flip.to(rgb.device), rgb.flip(-1), rgb)
    lab = rgb_to_lab(rgb)
    seen = lab[:, :1].clone()

    def change(name: str, changed: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Replace the lightness of the pictures that a change meets; they come by their index."""
        which = changes.meets[name].flatten().nonzero().flatten()
        if len(which):
            there = which.to(seen.device)
            seen[there] = changed(seen[there], which)

    change("mix", lambda _, i: _mixed(rgb[i.to(rgb.device)], changes.mix[i].to(rgb)))
    change("tone", lambda x, i: _toned(x, changes, i))
    change("blur", lambda x, i: _blurred(x, BLUR * changes.amount[i].to(x)))
    change("noise", lambda x, i: _noisy(x, changes, i))
    change("jpeg", lambda x, i: _compressed(x, changes.amount[i].to(x)))
    return seen.clamp(0, 100), lab


def _mixed(rgb: Tensor, shares: Tensor) -> Tensor:
    """Return the lightness of a grey mixed from the channels."""
    return lightness_of_grey((rgb * shares).sum(dim=1, keepdim=True))


def _toned(lightness: Tensor, changes: Augmentation, which: Tensor) -> Tensor:
    gamma, contrast, brightness = (
        part[which].to(lightness) for part in (changes.gamma, changes.contrast, changes.brightness)
    )
    tone = (lightness / 100).clamp(1e-4, 1) ** gamma
    return ((tone - 0.5) * contrast + 0.5 + brightness).clamp(0, 1) * 100


def _blurred(lightness: Tensor, sigma: Tensor) -> Tensor:
    """Return the pictures under Gaussians of their own standard deviation, in pixels."""
    offsets = torch.arange(-5, 6, device=lightness.device, dtype=lightness.dtype)
    kernel = torch.exp(-(offsets**2) / (2 * sigma.clamp_min(0.05) ** 2))  # (B, 1, 1, 11)
    kernel = kernel / kernel.sum(dim=-1, keepdim=True)
    padded = functional.pad(lightness, (5, 5, 5, 5), mode="reflect")[None, :, 0]
    across = functional.conv2d(padded, kernel, groups=len(lightness))
    return functional.conv2d(across, kernel.mT, groups=len(lightness))[0, :, None]


def _noisy(lightness: Tensor, changes: Augmentation, which: Tensor) -> Tensor:
    """Return the pictures with noise, the odd ones with grain, which is coarser."""
    noise = torch.empty_like(lightness, device="cpu")
    for row, seed in zip(noise, changes.seed[which].tolist(), strict=True):
        row.normal_(generator=torch.Generator().manual_seed(seed))
    noise = noise.to(lightness.device)
    grain = functional.avg_pool2d(noise, 3, 1, 1) * 3
    odd = (changes.seed[which] % 2 == 1).view(-1, 1, 1, 1).to(lightness.device)
    strength = NOISE * (1 - changes.amount[which].to(lightness))
    return lightness + torch.where(odd, grain, noise) * strength


def _compressed(lightness: Tensor, amount: Tensor) -> Tensor:
    """Return the pictures after JPEG's loss: quantised cosine transforms of 8 x 8 blocks."""
    count, _, height, width = lightness.shape
    padded = functional.pad(lightness, (0, -width % 8, 0, -height % 8), mode="replicate")
    rows, columns = padded.shape[-2] // 8, padded.shape[-1] // 8
    blocks = padded.view(count, rows, 8, columns, 8).transpose(2, 3) * 2.55 - 128
    cosines, table = (part.to(lightness) for part in _jpeg())
    quality = QUALITY[0] + (QUALITY[1] - QUALITY[0]) * amount
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    steps = (table * scale.view(-1, 1, 1, 1, 1)).clamp_min(1)
    kept = (cosines @ blocks @ cosines.mT / steps).round() * steps
    back = (cosines.mT @ kept @ cosines + 128) / 2.55
    whole = back.transpose(2, 3).reshape(count, 1, rows * 8, columns * 8)
    return whole[..., :height, :width]


@cache
def _jpeg() -> tuple[Tensor, Tensor]:
    """Return the cosine transform of 8 values and the table of luminance (ITU-T T.81, K.1)."""
    n = torch.arange(8.0)
    cosines = torch.cos((2 * n + 1) * n[:, None] * math.pi / 16) / 2
    cosines[0] /= math.sqrt(2)
    table = torch.tensor([
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ])  # fmt: skip
    return cosines, table.float()
