"""Models and pictures that every test of predictions may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from made_networks import small_palette

from napari_colorize.networks.plain import Plain
from napari_colorize.networks.weights import save_network
from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def plain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plain model that gives strong colours which depend on the picture."""
    torch.manual_seed(3)
    network = Plain()
    last = [layer for layer in network.layers if isinstance(layer, torch.nn.Conv2d)][-1]
    torch.nn.init.normal_(last.weight, std=0.2)
    path = tmp_path_factory.mktemp("model") / "loud.safetensors"
    card = {"name": "loud", "network": "plain", "settings": {}, "working_size": 32}
    save_network(path, network, card)
    return path


@pytest.fixture(scope="session")
def palette_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small palette model whose answers depend on picture, hints and reference."""
    torch.manual_seed(3)
    network = small_palette()
    torch.nn.init.normal_(network.to_logits.weight, std=0.4)
    torch.nn.init.normal_(network.to_ab.weight, std=0.15)
    network.log_prior.copy_(torch.linspace(-8, -4, len(network.bins)).log_softmax(dim=0))
    settings = {"widths": [16, 32, 64], "encoder": [1, 1, 1], "decoder": [1, 1, 1]}
    card = {"name": "paint", "network": "palette", "settings": settings, "working_size": 32}
    path = tmp_path_factory.mktemp("model") / "paint.safetensors"
    save_network(path, network, card)
    return path


@pytest.fixture(params=["plain", "palette"])
def colorizer(request: pytest.FixtureRequest) -> Colorizer:
    """Return a colorizer on the CPU, once with each network."""
    return Colorizer(request.getfixturevalue(f"{request.param}_model"), "cpu")


@pytest.fixture
def painter(palette_model: Path) -> Colorizer:
    """Return a colorizer that takes hints, with a picture of 60 x 80 pixels set."""
    colorizer = Colorizer(palette_model, "cpu")
    colorizer.set_picture(soft_and_hard(60, 80))
    return colorizer


@pytest.fixture(scope="session")
def scene() -> Callable[[int, int], NDArray[np.uint8]]:
    """Return the function that makes a picture of a height and a width."""
    return soft_and_hard


def soft_and_hard(height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture with soft and hard edges, uint8."""
    y, x = np.mgrid[0:height, 0:width]
    soft = 90 + 60 * np.sin(6 * x / width) * np.cos(4 * y / height)
    soft[(y - height / 2) ** 2 + (x - width / 3) ** 2 < (min(height, width) / 4) ** 2] = 220
    return soft.astype(np.uint8)
