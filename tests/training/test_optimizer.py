"""How long steps are, and which weights take them."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from made_networks import small_palette

from napari_colorize.networks.plain import Plain
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.training.optimizer import learning_rate, make_optimizer, set_rate


def config(**settings: float) -> TrainingConfig:
    """Return settings whose rate is 1."""
    return TrainingConfig(folder="photographs", learning_rate=1.0, **settings)


def test_the_rate_rises_and_falls() -> None:
    """In a line to 1, along half a cosine to a hundredth."""
    asked = config(warmup=10)
    rates = [learning_rate(asked, step, 110) for step in range(110)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert rates[60] == pytest.approx(0.01 + 0.99 / 2)
    assert all(after < before for before, after in pairwise(rates[10:]))
    assert rates[-1] == pytest.approx(0.01, abs=0.001)


def test_a_short_training_warms_up_for_a_fifth() -> None:
    """A warm-up that is longer than the training would never end."""
    rates = [learning_rate(config(warmup=200), step, 20) for step in range(20)]
    assert rates.index(max(rates)) == 3


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_encoder_has_a_rate_of_its_own(share: float) -> None:
    """AdamW's first step is as long as its rate; at 0 the encoder stays."""
    network = small_palette()
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    optimizer = make_optimizer(config(encoder_rate=share, weight_decay=0), network)
    set_rate(optimizer, 1e-3)
    prediction = network(torch.rand(2, 1, 32, 32) * 100)
    (prediction.ab.sum() + prediction.logits[:, 3].sum()).backward()
    optimizer.step()
    moved = {
        name: float((weight.detach() - before[name]).abs().max())
        for name, weight in network.named_parameters()
    }
    assert moved["to_ab.weight"] == pytest.approx(1e-3, rel=0.01)
    assert moved["encoder.stem.0.weight"] == pytest.approx(1e-3 * share, rel=0.01)


def test_a_network_without_an_encoder() -> None:
    """All of it learns at one rate."""
    network = Plain()
    optimizer = make_optimizer(config(encoder_rate=0), network)
    assert len(optimizer.param_groups) == 1
    assert all(parameter.requires_grad for parameter in network.parameters())
