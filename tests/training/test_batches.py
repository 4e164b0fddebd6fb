"""Batches: functions of seed and step alone, every photograph once an epoch, shared out whole."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.training.batches import Batches, centre_crop, random_crop

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def batches(make_photograph: Callable[..., Any]) -> Batches:
    """Return batches of 8 of the photographs 3, 4, ... 22."""
    source = [make_photograph(number, 40, 48) for number in range(24)]
    return Batches(source, range(3, 23), batch_size=8, crop=16, working_size=24, seed=1)


def crops_thread() -> bool:
    """Return whether a thread that cuts crops is alive."""
    return any(thread.name.startswith("crops") for thread in threading.enumerate())


def test_a_batch_is_a_function_of_seed_and_step(batches: Batches) -> None:
    """Cut anew, or reached from an earlier or a later start, it is the same; others differ."""
    from_first = [crops.result() for crops in batches.from_step(0, 6)]
    from_fourth = [crops.result() for crops in batches.from_step(4, 6)]
    assert torch.equal(from_first[4], batches.cut(4))
    assert torch.equal(from_first[4], from_fourth[0])
    assert torch.equal(from_first[5], from_fourth[1])
    assert from_first[4].shape == (8, 16, 16, 3)
    assert from_first[4].dtype == torch.uint8
    assert not torch.equal(from_first[4], from_first[1])
    assert not torch.equal(from_first[4], replace(batches, seed=2).cut(4))


def test_every_photograph_comes_once_an_epoch(batches: Batches) -> None:
    """Three batches of 8 hold all 20; the 4 places that are left are filled with others."""
    assert batches.steps_per_epoch == 3
    orders = []
    for epoch in (0, 1):
        seen = [i for step in range(3 * epoch, 3 * epoch + 3) for i in batches.photographs_of(step)]
        assert set(seen) == set(range(3, 23))
        assert len(set(seen[:20])) == 20
        assert Counter(Counter(seen).values()) == {1: 16, 2: 4}
        orders.append(seen)
    assert orders[0] != orders[1]


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_a_batch(batches: Batches, processes: int) -> None:
    """Their shares together are the batch of one process, pixel for pixel."""
    whole = batches.cut(4)
    together = torch.zeros_like(whole)
    for rank in range(processes):
        together[rank::processes] = replace(batches, rank=rank, processes=processes).cut(4)
    assert torch.equal(together, whole)


def test_the_threads_end(batches: Batches) -> None:
    """Whether all batches were taken, only some, or none."""
    list(batches.from_step(0, 3))
    assert not crops_thread()
    some = batches.from_step(0, 100)
    next(some)
    assert crops_thread()
    some.close()
    assert not crops_thread()
    batches.from_step(0, 100).close()
    assert not crops_thread()


def test_an_error_of_a_thread_arrives(batches: Batches) -> None:
    """Where the crops are asked for, each time."""
    broken = replace(batches, source=batches.source[:10])
    crops = next(broken.from_step(0, 3))
    for _ in range(2):
        with pytest.raises(IndexError):
            crops.result()


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(16, 40),
    st.integers(16, 80),
    st.tuples(*[st.floats(0, 1, exclude_max=True)] * 4),
)
def test_a_window_lies_in_the_picture(
    height: int, width: int, crop: int, working_size: int, chance: tuple[float, ...]
) -> None:
    """Whatever the sizes and the chance: no colour comes from outside."""
    photograph = np.full((height, width, 3), 200, np.uint8)
    window = random_crop(photograph, crop, working_size, np.array(chance))
    assert window.shape == (crop, crop, 3)
    assert (window == 200).all()


def test_the_scale_of_a_window() -> None:
    """Chance 0.5 is neither zoom nor squeeze: the crop at the working size, centred."""
    ramp = np.repeat(np.arange(128, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    window = random_crop(ramp, 16, 32, np.full(4, 0.5))  # 16 px at 32 are 32 px at 64
    assert window[0, 0, 0] == pytest.approx(48.5, abs=1)
    assert window[0, -1, 0] == pytest.approx(48.5 + 30, abs=1)


def test_the_centre_of_a_photograph() -> None:
    """The largest square, reduced: a ramp across is cut at both sides alike."""
    ramp = np.repeat(np.arange(128, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    square = centre_crop(ramp, 64)
    assert np.array_equal(square, ramp[:, 32:96])
    assert centre_crop(ramp, 16).shape == (16, 16, 3)
