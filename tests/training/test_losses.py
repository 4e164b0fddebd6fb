"""Losses by hand."""

from __future__ import annotations

import pytest
import torch

from napari_colorize.training.losses import LOSSES


@pytest.mark.parametrize(
    ("name", "distance", "loss"),
    [
        ("squared", 11.0, 0.01),
        ("squared", 55.0, 0.25),
        ("huber", 5.5, 0.0125),  # (0.05 ** 2 / 2) / 0.1
        ("huber", 55.0, 0.45),  # 0.5 - 0.1 / 2
    ],
)
def test_a_distance(name: str, distance: float, loss: float) -> None:
    """Of ab that is off everywhere by one distance."""
    true = torch.zeros(2, 2, 3, 4)
    assert LOSSES[name](true + distance, true).item() == pytest.approx(loss)
    assert LOSSES[name](true, true).item() == 0
