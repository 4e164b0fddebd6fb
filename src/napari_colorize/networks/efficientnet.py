"""The encoder of EfficientNet-Lite: a small network that knows what is in a picture."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor, nn


class Stage(NamedTuple):
    """Blocks of one kind, before the network is widened and deepened."""

    expansion: int
    channels: int
    blocks: int
    stride: int
    kernel: int


# Tan & Le 2019, table 1. EfficientNet-Lite (Google, 2020) leaves out the gates of the channels, has
# ReLU6 for Swish, and does not scale the stem and the number of blocks of the first and last stage.
STAGES = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)
STEM = 32
# The last stages at 1/4, 1/8, 1/16 and 1/32.
TAPS = (1, 2, 4, 6)


class EfficientNet(nn.Module):
    """Lightness in, features at 1/4, 1/8, 1/16 and 1/32 out.

    Its batch normalisations are folded into the convolutions: the weights are those of a trained
    network, whose statistics stay as they are, and less is computed.

    Parameters
    ----------
    width, depth : float
        By how much channels and blocks are multiplied; EfficientNet-Lite0 has 1 and 1, Lite2 1.1
        and 1.2.
    """

    def __init__(self, width: float = 1.1, depth: float = 1.2) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(1, STEM, 3, 2), nn.ReLU6())
        self.stages = nn.ModuleList()
        inputs, last = STEM, len(STAGES) - 1
        for number, stage in enumerate(STAGES):
            blocks = stage.blocks if number in (0, last) else math.ceil(stage.blocks * depth)
            outputs = _rounded(stage.channels * width)
            self.stages.append(_stage(inputs, outputs, blocks, stage))
            inputs = outputs
        self.channels = tuple(_rounded(STAGES[tap].channels * width) for tap in TAPS)

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return features (B, C, H/4, W/4) ... (B, C, H/32, W/32) of L (B, 1, H, W), -1..1."""
        x, features = self.stem(lightness), []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in TAPS:
                features.append(x)
        return tuple(features)


class InvertedBottleneck(nn.Module):
    """Widen, look around channel by channel, narrow; added to the input where shapes allow it."""

    def __init__(self, inputs: int, outputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        middle = inputs * stage.expansion
        widen = [_conv(inputs, middle, 1), nn.ReLU6()] if stage.expansion > 1 else []
        self.layers = nn.Sequential(
            *widen,
            _conv(middle, middle, stage.kernel, stride, groups=middle),
            nn.ReLU6(),
            _conv(middle, outputs, 1),
        )
        self.added = stride == 1 and inputs == outputs

    def start_small(self) -> None:
        """Let the block start as its input, where that is added."""
        if self.added:
            for parameter in self.layers[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, outputs, H / stride, W / stride)."""
        out: Tensor = self.layers(x)
        return x + out if self.added else out


def _stage(inputs: int, outputs: int, blocks: int, stage: Stage) -> nn.Sequential:
    first = InvertedBottleneck(inputs, outputs, stage, stage.stride)
    others = (InvertedBottleneck(outputs, outputs, stage, 1) for _ in range(blocks - 1))
    return nn.Sequential(first, *others)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups)


def _rounded(channels: float, multiple: int = 8) -> int:
    """Return a number of channels as a multiple, never a tenth less than asked."""
    rounded = max(multiple, int(channels + multiple / 2) // multiple * multiple)
    return rounded + multiple if rounded < 0.9 * channels else rounded
