"""The photographs that are looked at: squares in batches, previews side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from made_networks import Regression
from PIL import Image
from torch import Tensor

from napari_colorize.training.validation import ValidationSet, write_previews

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Truth(Regression):
    """Answers one colour."""

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return ab."""
        return (torch.full_like(lightness, 20).expand(-1, 2, -1, -1),)


@pytest.fixture
def looked_at(make_photograph: Callable[..., Any]) -> ValidationSet:
    """Return 13 of 20 photographs."""
    return ValidationSet([make_photograph(n) for n in range(20)], range(3, 16), 24)


def test_all_come_once(looked_at: ValidationSet) -> None:
    """In batches of at most the size that was asked for, the same whatever it is."""
    batches = [looked_at.batch(start, 5) for start in (0, 5, 10)]
    assert [tuple(batch.shape) for batch in batches] == [
        (5, 24, 24, 3), (5, 24, 24, 3), (3, 24, 24, 3),
    ]  # fmt: skip
    assert torch.equal(torch.cat(batches), looked_at.batch(0, 100))
    assert len(looked_at) == 13


def test_previews(looked_at: ValidationSet, tmp_path: Path) -> None:
    """Six of them: grey, predicted and true side by side, of one lightness."""
    write_previews(tmp_path / "a" / "b", Truth(), looked_at, torch.device("cpu"))
    paths = sorted((tmp_path / "a" / "b").iterdir())
    assert [path.name for path in paths] == [f"{number:02d}.png" for number in range(1, 7)]
    shown = looked_at.previewed()
    assert len(shown) == 6
    for path, true in zip(paths, shown.numpy(), strict=True):
        with Image.open(path) as picture:
            pixels = np.asarray(picture).astype(int)
        assert pixels.shape == (24, 72, 3)
        grey, predicted, last = np.split(pixels, 3, axis=1)
        assert np.ptp(grey, axis=-1).max() <= 1
        assert (predicted[..., 0] >= predicted[..., 2]).mean() > 0.9  # a and b of 20 are warm
        assert np.abs(last - true).max() <= 1


def test_few_photographs_are_all_shown(make_photograph: Callable[..., Any]) -> None:
    """Two looked at are two shown."""
    assert len(ValidationSet([make_photograph(n) for n in range(2)], [0, 1], 16).previewed()) == 2
