"""Model files whose colours are strong and depend on all that they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from made_networks import small_palette

from napari_colorize.networks.plain import Plain
from napari_colorize.networks.weights import save_network

if TYPE_CHECKING:
    from pathlib import Path


def save_loud_palette(path: Path) -> Path:
    """Write the smallest palette there is, under the name "paint"; its prior is uneven."""
    torch.manual_seed(3)
    network = small_palette()
    torch.nn.init.normal_(network.to_logits.weight, std=0.4)
    torch.nn.init.normal_(network.to_ab.weight, std=0.15)
    network.log_prior.copy_(torch.linspace(-8, -4, len(network.bins)).log_softmax(dim=0))
    settings = {"widths": [16, 32, 64], "encoder": [0.25, 0.3]}
    card = {"name": "paint", "network": "palette", "settings": settings, "working_size": 32}
    save_network(path, network, card)
    return path


def save_loud_plain(path: Path) -> Path:
    """Write a plain network under the name "loud"."""
    torch.manual_seed(3)
    network = Plain()
    last = [layer for layer in network.layers if isinstance(layer, torch.nn.Conv2d)][-1]
    torch.nn.init.normal_(last.weight, std=0.2)
    card = {"name": "loud", "network": "plain", "settings": {}, "working_size": 32}
    save_network(path, network, card)
    return path
