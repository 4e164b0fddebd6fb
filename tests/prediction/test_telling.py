"""What hints tell of possible colours."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_colorize.color.gamut import entropy, gamut_bins
from napari_colorize.networks.interface import Prediction
from napari_colorize.prediction.telling import STRETCH, SURPRISE, Telling, told_logits

BINS = gamut_bins()
RED = torch.tensor([60.0, 40.0])


def moved(wanted: float, distance: float) -> Tensor:
    """Return by how much two cells so far apart move in a; the first is hinted so, b is 0."""
    keys = torch.zeros(1, 2, 1, 2)
    keys[0, 1, 0, 1] = distance
    planes = torch.zeros(1, 3, 1, 2)
    planes[0, :, 0, 0] = torch.tensor([wanted, 0.0, 1.0])
    return Telling(keys, planes).carry(torch.zeros(1, 2, 1, 2))[0, 0, 0]


def shares_where(distance: float) -> Tensor:
    """Return the shares of the bins of two cells so far apart, (Q, 2); the first is hinted red."""
    keys = torch.zeros(1, 2, 1, 2)
    keys[0, 1, 0, 1] = distance
    planes = torch.zeros(1, 3, 1, 2)
    planes[0, :, 0, 0] = torch.tensor([*RED.tolist(), 1])
    even = Prediction(torch.zeros(1, 2, 1, 2), torch.zeros(1, len(BINS), 1, 2))
    return told_logits(even, Telling(keys, planes), BINS).softmax(dim=1)[0, :, 0]


def test_at_a_hint_its_colour_is_likeliest() -> None:
    """And hardly any other is possible."""
    there = shares_where(100)[:, 0]
    assert torch.equal(BINS[there.argmax()], RED)
    assert there[(BINS - RED).norm(dim=1) < 15].sum() > 0.9


def test_where_nothing_is_alike_the_network_decides() -> None:
    """All bins stay as likely as they were."""
    assert torch.allclose(shares_where(100)[:, 1], torch.tensor(1 / len(BINS)), rtol=1e-3)


def test_doubt_grows_with_the_distance() -> None:
    """From the hint to where it tells nothing."""
    doubt = torch.stack(
        [
            entropy(shares_where(distance)[None, :, :, None])[0, 1, 0]
            for distance in (0.0, 0.3, 1.0, 3.0)
        ]
    )
    assert (doubt.diff() > 0).all()


def test_surprise_stays_nearer() -> None:
    """What goes beyond it falls with the stretched distance, all else with the distance itself."""
    distance = torch.tensor(0.8)
    there, here = moved(SURPRISE / 2, 0.8).flip(0) / (SURPRISE / 2)
    assert there == pytest.approx((-distance).exp().item(), rel=0.03)
    assert here == pytest.approx(1, rel=0.03)
    there, here = moved(3 * SURPRISE, 0.8).flip(0) / SURPRISE
    expected = (-distance).exp() + 2 * (-STRETCH * distance).exp()
    assert there == pytest.approx(expected.item(), rel=0.03)
    assert here == pytest.approx(3, rel=0.03)
