"""The founding network: twelve convolutions, three upsamplings, ab by regression."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_colorize.networks.interface import ColorNetwork, Prediction

# Largest |a| and |b| the network can say: sRGB reaches -108..98, and a bound keeps colour sane.
AB_RANGE = 110.0
# The picture is padded to a multiple of the product of the three strides.
STRIDE = 8

# (channels, stride) of each 3 x 3 convolution, or "up" for a doubling by nearest neighbours.
LAYERS: tuple[tuple[int, int] | str, ...] = (
    (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (256, 1), (128, 1),
    "up", (64, 1), "up", (32, 1), (2, 1), "up",
)  # fmt: skip


class Plain(ColorNetwork):
    """Lightness in, ab out: the founding system of this project.

    ::

        L (B, 1, H, W)
          3x3   64          H
          3x3   64 /2       H/2
          3x3  128
          3x3  128 /2       H/4
          3x3  256
          3x3  256 /2       H/8
          3x3  512
          3x3  256
          3x3  128
          up x2             H/4
          3x3   64
          up x2             H/2
          3x3   32
          3x3    2  tanh
          up x2             H
        ab (B, 2, H, W)

    Every convolution but the last is followed by a ReLU; /2 is a stride, there is no pooling. The
    network has 3,892,194 parameters. The design follows the usual small regression colouriser;
    it answers the mean of all colours that a grey might have, hence its browns.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for layer in LAYERS:
            if isinstance(layer, str):
                layers.append(nn.Upsample(scale_factor=2))
                continue
            width, stride = layer
            layers.append(nn.Conv2d(channels, width, 3, stride, padding=1))
            layers.append(nn.Tanh() if width == 2 else nn.ReLU(inplace=True))
            channels = width
        self.layers = nn.Sequential(*layers)
        self._initialise()

    def _initialise(self) -> None:
        """He's initialisation; the last layer starts small, so that colour starts at grey."""
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(cast("Tensor", layer.bias))
                if layer.out_channels == 2:
                    nn.init.normal_(layer.weight, std=1e-3)

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return a and b, (B, 2, H, W) float32 within +-110, of L (B, 1, H, W), any H and W."""
        height, width = lightness.shape[-2:]
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        padded = functional.pad(lightness / 50 - 1, padding, mode="replicate")
        ab = self.layers(padded.contiguous(memory_format=torch.channels_last))
        return (ab.float()[..., :height, :width] * AB_RANGE,)

    def decode(self, features: tuple[Tensor, ...], reference: Tensor | None = None) -> Prediction:
        """Return ab as it is: this network takes neither hints nor references."""
        return Prediction(features[0])
