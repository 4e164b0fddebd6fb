"""The encoder: its sizes are those of the published networks, and it starts as little."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_colorize.networks.efficientnet import STAGES, EfficientNet, InvertedBottleneck

HEAD, CLASSES = 1280, 1000


@pytest.mark.parametrize(
    ("width", "depth", "channels", "millions"),
    [(1.0, 1.0, (24, 40, 112, 320), 4.65), (1.1, 1.2, (24, 48, 120, 352), 6.09)],
    ids=["Lite0", "Lite2"],
)
def test_it_is_the_published_network(
    width: float, depth: float, channels: tuple[int, ...], millions: float
) -> None:
    """With its head it has the parameters that Google's table of EfficientNet-Lite names."""
    with torch.device("meta"):
        network = EfficientNet(width, depth)
    assert network.channels == channels
    head = channels[-1] * HEAD + 2 * HEAD + HEAD * CLASSES + CLASSES
    folded = sum(len(one.bias) for one in network.modules() if isinstance(one, nn.Conv2d))
    parameters = sum(one.numel() for one in network.parameters()) + head + folded
    assert parameters / 1e6 == pytest.approx(millions, abs=0.06)


def test_features_halve() -> None:
    """Four kinds of features, at 1/4 to 1/32."""
    features = EfficientNet(0.25, 0.3)(torch.zeros(2, 1, 64, 96))
    assert [tuple(part.shape[-2:]) for part in features] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_a_block_starts_as_its_input() -> None:
    """Where shapes allow it; a block that narrows or strides is none that can."""
    x = torch.rand(1, 24, 8, 8)
    same = InvertedBottleneck(24, 24, STAGES[1], 1)
    same.start_small()
    assert torch.equal(same(x), x)
    other = InvertedBottleneck(24, 40, STAGES[1], 2)
    before = other(x)
    other.start_small()
    assert torch.equal(other(x), before)
    assert before.shape == (1, 40, 4, 4)
