"""Hints drawn from a true picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.color.metrics import lab_of
from napari_colorize.color.random_hints import PATCH, random_hints


@given(height=st.integers(1, 20), width=st.integers(1, 20), seed=st.integers(0, 99))
def test_patches_lie_inside_and_tell_their_mean(height: int, width: int, seed: int) -> None:
    """Every patch is whole pixels inside the picture; its colour is the mean of its ab."""
    rgb = np.random.default_rng(seed).integers(100, 156, (height, width, 3)).astype(np.uint8)
    lab = lab_of(rgb)
    for hint in random_hints(lab, 5, seed):
        assert hint.size == min(PATCH, height, width)
        top, left = hint.y + 0.5 - hint.size / 2, hint.x + 0.5 - hint.size / 2
        assert (top, left) == (int(top), int(left))
        rows, columns = (
            slice(int(top), int(top + hint.size)),
            slice(int(left), int(left + hint.size)),
        )
        assert 0 <= top <= height - hint.size
        assert 0 <= left <= width - hint.size
        told = lab_of(np.round([[hint.color]]).astype(np.uint8))[0, 0]
        assert told == pytest.approx(lab[rows, columns].mean(axis=(0, 1)), abs=0.7)


def test_the_same_seed_gives_the_same_hints() -> None:
    """And another gives others; they spread over the picture."""
    lab = lab_of(np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8))
    hints = random_hints(lab, 100, (1, 2))
    assert hints == random_hints(lab, 100, (1, 2))
    assert hints != random_hints(lab, 100, (1, 3))
    assert {hint.y for hint in hints} > {2.5, 36.5}
    assert np.mean([hint.x for hint in hints]) == pytest.approx(29.5, abs=5)
