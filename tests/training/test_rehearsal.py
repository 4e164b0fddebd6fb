"""What was known is kept where nothing new is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from made_networks import Tiny, small_palette
from torch import Tensor

from napari_colorize.runs.config import TrainingConfig
from napari_colorize.training.losses import huber
from napari_colorize.training.objectives import RegressionObjective, objective_of
from napari_colorize.training.rehearsal import Rehearsed, made_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_colorize.networks.interface import ColorNetwork, Prediction


class Nothing:
    """An objective that asks for nothing."""

    def learn(self, network: Callable[..., Prediction], lightness: Tensor, lab: Tensor) -> Tensor:
        """Return nothing, to which the network yet belongs."""
        return network(lightness).ab.sum() * 0

    def look(self, prediction: Prediction, lab: Tensor) -> Tensor:
        """Return a number that can be known again."""
        return torch.tensor(7.0)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (64, 80), (33, 20)])
def test_made_up_pictures_are_lightness(height: int, width: int) -> None:
    """0 to 100, whatever the size, each another, with edges and flat places."""
    torch.manual_seed(0)
    pictures = made_up(24, height, width)
    assert pictures.shape == (24, 1, height, width)
    assert pictures.min() >= 0
    assert pictures.max() <= 100
    assert len({round(float(one.mean()), 3) for one in pictures}) == 24
    assert (pictures.flatten(1).std(dim=1) > 2).all()
    steps = (pictures[..., 1:] - pictures[..., :-1]).abs()
    assert steps.max() > 15
    assert steps.median() < 5


def test_the_seed_decides() -> None:
    """The same seed makes up the same, so that a resumed training rehearses the same."""
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(made_up(3, 24, 24))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


@pytest.mark.parametrize("network", [Tiny(), small_palette()])
def test_leaving_costs_and_staying_is_free(network: ColorNetwork) -> None:
    """0 as long as nothing changed; a changed network is drawn back, the copy stays."""
    asked = Rehearsed(Nothing(), network, huber, 2.0)
    lab = torch.zeros(4, 3, 32, 32)
    torch.manual_seed(0)
    assert asked.learn(network, lab[:, :1], lab).item() == pytest.approx(0, abs=1e-5)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    costs = []
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(40):
        cost = asked.learn(network, lab[:, :1], lab)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    assert costs[0] > 0.01
    assert sum(costs[-5:]) < sum(costs[:5]) / 2


def test_looking_asks_only_for_what_is_learned() -> None:
    """The validation's loss is that of the objective."""
    network = Tiny()
    lab = torch.zeros(2, 3, 32, 32)
    asked = Rehearsed(Nothing(), network, huber, 2.0)
    assert asked.look(network(lab[:, :1]), lab).item() == 7


def config(**settings: Any) -> TrainingConfig:
    """Return settings for some folder."""
    return TrainingConfig(folder="photographs", **settings)


def test_who_rehearses() -> None:
    """A network that starts from another, unless it may forget."""
    network = Tiny()
    assert isinstance(objective_of(config(init="plain"), network), Rehearsed)
    assert isinstance(objective_of(config(), network), RegressionObjective)
    forgets = objective_of(config(init="plain", rehearsal=0), network)
    assert isinstance(forgets, RegressionObjective)
