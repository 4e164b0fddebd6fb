"""What a training makes small: ab alone, or distributions and a little of ab."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from made_networks import Tiny, small_palette
from torch import Tensor
from torch.nn import functional

from napari_colorize.color.gamut import encode_softly, entropy, rebalancing_weights
from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.networks.interface import Prediction
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.training import objectives, pasting
from napari_colorize.training.hints import Guidance, draw_guidance
from napari_colorize.training.losses import LOSSES
from napari_colorize.training.objectives import (
    REGRESSION_WEIGHT,
    DistributionObjective,
    RegressionObjective,
    carried,
    objective_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_colorize.networks.palette import Palette


@pytest.fixture
def lab(make_photograph: Callable[..., Any]) -> Tensor:
    """Return four photographs of 32 pixels, (4, 3, 32, 32)."""
    pictures = [torch.from_numpy(make_photograph(number, 32, 32)) for number in range(4)]
    return rgb_to_lab(torch.stack(pictures).permute(0, 3, 1, 2).float() / 255)


@pytest.fixture
def network() -> Palette:
    """Return a small network with the same weights each time."""
    torch.manual_seed(0)
    return small_palette()


def asked_of(network: Any, **settings: Any) -> Any:
    """Return the objective of a network."""
    return objective_of(TrainingConfig(folder="photographs", **settings), network)


def perfect(lab: Tensor, bins: Tensor) -> tuple[Prediction, Tensor]:
    """Return the best answer to pictures, and the distributions that it gives."""
    ab = functional.avg_pool2d(lab[:, 1:], 4)
    target = encode_softly(ab.permute(0, 2, 3, 1).reshape(-1, 2), bins)
    logits = target.clamp_min(1e-20).log().view(len(ab), *ab.shape[-2:], -1).permute(0, 3, 1, 2)
    return Prediction(ab, logits), target


@pytest.mark.parametrize("loss", ["huber", "squared"])
def test_regression_asks_for_ab_alone(lab: Tensor, loss: str) -> None:
    """Learning and looking are the same distance of ab."""
    network = Tiny()
    asked = asked_of(network, loss=loss)
    assert isinstance(asked, RegressionObjective)
    prediction = network(lab[:, :1])
    wanted = LOSSES[loss](prediction.ab, lab[:, 1:])
    assert torch.equal(asked.learn(network, lab[:, :1], lab), wanted)
    assert torch.equal(asked.look(prediction, lab), wanted)


def test_a_perfect_answer_costs_the_entropy_of_what_is_wanted(
    lab: Tensor, network: Palette
) -> None:
    """Less cannot be: any other distribution and any other ab cost more."""
    asked = asked_of(network, rebalance=1)
    best, target = perfect(lab, network.bins)
    cost = asked.look(best, lab)
    assert cost.item() == pytest.approx(entropy(target).mean().item(), rel=1e-4)
    blurred = Prediction(best.ab, cast_logits(best) / 2)
    assert asked.look(blurred, lab) > cost
    off = asked.look(best._replace(ab=best.ab + 11), lab) - cost
    huber = 0.1 - 0.05
    assert off.item() == pytest.approx(REGRESSION_WEIGHT * huber, rel=1e-4)


def test_an_answer_without_a_clue_costs_the_number_of_bins(lab: Tensor, network: Palette) -> None:
    """The logarithm of it, whatever the picture."""
    ab = functional.avg_pool2d(lab[:, 1:], 4)
    even = Prediction(ab, torch.zeros(len(ab), len(network.bins), *ab.shape[-2:]))
    cost = asked_of(network, rebalance=1).look(even, lab)
    assert cost.item() == pytest.approx(math.log(len(network.bins)), rel=1e-5)


def one_colour(a: float, b: float) -> Tensor:
    """Return a picture of one colour, (1, 3, 8, 8)."""
    return torch.tensor([50.0, a, b]).view(1, 3, 1, 1).expand(1, 3, 8, 8)


def test_rare_colours_count_more(network: Palette) -> None:
    """As much as their weights say; with a largest weight of 1 all count alike."""
    commonness = torch.exp(-network.bins.norm(dim=1) / 10)
    network.log_prior.copy_((commonness / commonness.sum()).log())
    common, rare = one_colour(0.0, 0.0), one_colour(60.0, 50.0)
    for rebalance in (1, 3):
        asked = asked_of(network, rebalance=rebalance)
        costs = []
        for lab in (common, rare):
            even = Prediction(lab[:, 1:, ::4, ::4], torch.zeros(1, len(network.bins), 2, 2))
            costs.append(asked.look(even, lab).item())
        weights = rebalancing_weights(network.log_prior.exp(), rebalance)
        bins = [encode_softly(x[:1, 1:, 0, 0], network.bins)[0] for x in (common, rare)]
        wanted = [(b @ weights).item() for b in bins]
        assert costs[1] / costs[0] == pytest.approx(wanted[1] / wanted[0], rel=1e-4)
        if rebalance == 1:
            assert wanted == pytest.approx([1, 1])
        else:
            assert wanted[1] > 2 * wanted[0]


def test_looking_is_not_by_chance(lab: Tensor, network: Palette) -> None:
    """The same prediction costs the same, and torch's random numbers stay where they were."""
    asked = asked_of(network)
    before = torch.get_rng_state()
    with torch.no_grad():
        prediction = network(lab[:, :1])
    assert torch.equal(asked.look(prediction, lab), asked.look(prediction, lab))
    assert torch.equal(before, torch.get_rng_state())


def test_learning_is_by_the_seed(lab: Tensor, network: Palette) -> None:
    """The same seed costs the same; another seed draws other hints."""
    asked = asked_of(network)
    costs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        costs.append(asked.learn(network, lab[:, :1], lab).item())
    assert costs[0] == costs[1] != costs[2]


def test_keys_learn_from_hints_and_colours_do_not(network: Palette, lab: Tensor) -> None:
    """What hints cost has a gradient for the keys, and none for what makes ab of features."""
    guidance = draw_guidance(lab, torch.zeros(4, 32, 32, dtype=torch.bool), network.bins)
    carried(network(lab[:, :1]), guidance.hints, (8, 8)).square().mean().backward()
    assert network.to_keys[-1].weight.grad.abs().max() > 0
    assert network.to_ab.weight.grad is None


def test_hints_are_carried_in_full_precision(network: Palette, lab: Tensor) -> None:
    """Also where the network computes in bfloat16."""
    guidance = draw_guidance(lab, torch.zeros(4, 32, 32, dtype=torch.bool), network.bins)
    prediction = network(lab[:, :1])
    fine = carried(prediction, guidance.hints, (8, 8))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(carried(prediction, guidance.hints, (8, 8)), fine)


def test_a_reference_makes_its_colours_true(
    network: Palette, lab: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture with one is to be as it says, the others as they are, whatever is hinted."""
    monkeypatch.setattr(pasting, "PASTED", 0.0)
    turned = torch.stack((-lab[:, 2], lab[:, 1]), dim=1)
    reference = torch.zeros(4, len(network.bins))
    reference[1, 40] = 1
    guidance = Guidance(torch.zeros(4, 3, 8, 8), reference, turned)
    monkeypatch.setattr(objectives, "draw_guidance", lambda *_: guidance)
    asked, wanted = asked_of(network), []
    monkeypatch.setattr(asked, "_of", lambda _, ab, __: wanted.append(ab) or ab.new_zeros(()))
    asked.learn(network, lab[:, :1], lab)
    true, hinted = (functional.avg_pool2d(ab, 4) for ab in (lab[:, 1:], turned))
    assert torch.equal(wanted[0], torch.stack((true[0], hinted[1], true[2], true[3])))


@pytest.mark.parametrize("side", [16, 20, 30])
def test_all_weights_learn_whatever_the_crop(network: Palette, lab: Tensor, side: int) -> None:
    """Each has a gradient, as processes that train together need; cells beyond are left out."""
    lab = lab[..., :side, :side]
    cost = asked_of(network).learn(network, lab[:, :1], lab)
    cost.backward()
    assert all(weight.grad is not None for weight in network.parameters())
    assert torch.isfinite(asked_of(network).look(network(lab[:, :1]), lab))


def test_some_cells_stand_for_all(
    network: Palette, lab: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn anew often, their mean is that of all cells."""
    asked = asked_of(network, rebalance=1)
    assert isinstance(asked, DistributionObjective)
    with torch.no_grad():
        prediction = network(lab[:, :1])
        prediction = Prediction(prediction.ab, torch.randn_like(cast_logits(prediction)))
        ab = functional.avg_pool2d(lab[:, 1:], 4)
        torch.manual_seed(0)
        some = torch.stack([asked._of(prediction, ab, 64) for _ in range(200)])
        whole = asked.look(prediction, lab)
    assert some.std() > 0
    assert some.mean().item() == pytest.approx(whole.item(), rel=0.01)
    monkeypatch.setattr(objectives, "COMPARED_CELLS", 10**9)
    torch.manual_seed(0)
    assert torch.isfinite(asked.learn(network, lab[:, :1], lab))


def cast_logits(prediction: Prediction) -> Tensor:
    """Return the logits, which are there."""
    assert prediction.logits is not None
    return prediction.logits


def test_a_batch_is_learned_by_heart(lab: Tensor, network: Palette) -> None:
    """In 60 steps the loss falls well below the first, above all that without hints."""
    asked = asked_of(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    torch.manual_seed(0)
    costs = []
    with torch.no_grad():
        before = asked.look(network(lab[:, :1]), lab).item()
    for _ in range(60):
        optimizer.zero_grad()
        cost = asked.learn(network, lab[:, :1], lab)
        cost.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        costs.append(cost.item())
    with torch.no_grad():
        after = asked.look(network(lab[:, :1]), lab).item()
    assert sum(costs[-5:]) < 0.9 * sum(costs[:5])
    assert after < 0.75 * before
