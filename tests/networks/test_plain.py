"""The founding network: its size, its shapes and where it starts."""

from __future__ import annotations

import pytest
import torch

from napari_colorize.networks.plain import AB_RANGE, Plain


def test_its_size() -> None:
    """Twelve convolutions and the parameters that the docstring tells."""
    network = Plain()
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_892_194
    assert "3,892,194" in (Plain.__doc__ or "")
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in network.layers) == 12


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 16), (9, 7), (33, 50)])
def test_any_size(height: int, width: int) -> None:
    """ab is as large as the lightness, float32 and within its range."""
    lightness = torch.full((2, 1, height, width), 50.0)
    ab = Plain()(lightness).ab
    assert ab.shape == (2, 2, height, width)
    assert ab.dtype == torch.float32
    assert ab.abs().max() <= AB_RANGE


def test_it_starts_at_grey() -> None:
    """Untrained, it answers hardly any colour."""
    torch.manual_seed(0)
    lightness = torch.rand(1, 1, 32, 32) * 100
    assert Plain()(lightness).ab.abs().mean() < 2


def test_pictures_of_a_batch_do_not_meet() -> None:
    """Each is coloured as it would be alone."""
    torch.manual_seed(0)
    network = Plain().eval()
    lightness = torch.rand(3, 1, 16, 24) * 100
    together = network(lightness).ab
    for number in range(3):
        assert torch.allclose(
            together[number : number + 1], network(lightness[[number]]).ab, atol=1e-4
        )
