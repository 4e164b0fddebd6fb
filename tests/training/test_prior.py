"""How common colours are, by hand and whatever the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from made_networks import small_palette

from napari_colorize.color.gamut import encode_softly, smoothed_prior
from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.errors import Cancelled
from napari_colorize.training import prior
from napari_colorize.training.prior import measure_prior

if TYPE_CHECKING:
    from napari_colorize.networks.palette import Palette

RED, BLUE = (200, 40, 50), (30, 60, 190)
FLAT = [np.full((30, 40, 3), color, np.uint8) for color in (RED, BLUE, RED, RED)]


def measured(indices: list[int], seed: int = 0) -> Palette:
    """Return a network that knows the colours of some of the photographs."""
    network = small_palette()
    measure_prior(network, FLAT, indices, seed)
    return network


def test_two_flat_photographs_by_hand() -> None:
    """Half of all is around red, half around blue; nothing is impossible."""
    network = measured([0, 1])
    shares = network.log_prior.exp()
    assert shares.sum().item() == pytest.approx(1, abs=1e-5)
    assert shares.min() > 0
    rgb = torch.tensor([RED, BLUE]).T.float()[None, :, :, None] / 255
    ab = rgb_to_lab(rgb)[0, 1:, :, 0].T
    for color in ab:
        near = (network.bins - color).norm(dim=1) < 25
        assert shares[near].sum().item() == pytest.approx(0.5, abs=0.01)
    wanted = smoothed_prior(encode_softly(ab, network.bins).mean(dim=0), network.bins)
    assert torch.allclose(shares, wanted, atol=1e-5)


def test_each_photograph_counts() -> None:
    """Three red ones and a blue one: a quarter is blue."""
    network = measured([0, 1, 2, 3])
    blue = network.bins[:, 1] < -20
    assert network.log_prior.exp()[blue].sum().item() == pytest.approx(0.25, abs=0.01)


def test_it_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in other pieces; only some photographs are looked at, and the seed says which."""
    one = measured([0, 1, 2, 3], seed=5).log_prior
    assert torch.equal(one, measured([0, 1, 2, 3], seed=5).log_prior)
    monkeypatch.setattr(prior, "BATCH", 1)
    assert torch.allclose(one, measured([0, 1, 2, 3], seed=5).log_prior, atol=1e-4)
    monkeypatch.setattr(prior, "PHOTOGRAPHS", 1)
    seen = {round(measured([0, 1], seed).log_prior.min().item(), 4) for seed in range(8)}
    alone = {round(measured([i]).log_prior.min().item(), 4) for i in (0, 1)}
    assert seen == alone


def test_it_is_left_between_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is then as it was."""
    monkeypatch.setattr(prior, "BATCH", 1)
    network = small_palette()
    before = network.log_prior.clone()
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        measure_prior(network, FLAT, [0, 1, 2, 3], 0, cancel=lambda: next(asked))
    assert torch.equal(network.log_prior, before)


def test_what_was_known_may_stay() -> None:
    """Then the shares are the mean of the network's own and those of the photographs."""
    network = small_palette()
    own = torch.zeros(len(network.bins))
    own[7] = 1
    network.log_prior.copy_((own * 0.9 + 0.1 / len(own)).log())
    before = network.log_prior.exp()
    measure_prior(network, FLAT, [0, 1], 0, remember=True)
    fresh = measured([0, 1]).log_prior.exp()
    assert torch.allclose(network.log_prior.exp(), (before + fresh) / 2, atol=1e-6)
