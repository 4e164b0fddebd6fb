"""Motion between planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_colorize.stacks.motion import motion_between

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


def planes(movie: NDArray[np.uint8]) -> list[torch.Tensor]:
    """Return L of the planes, near enough."""
    return [torch.from_numpy(plane / 2.55).float() for plane in movie]


def test_a_pan_is_found(pan: Callable[..., NDArray[np.uint8]]) -> None:
    """What stands at column x now stood two columns to the right before."""
    before, now = planes(pan(2, step=2))
    motion = motion_between(now, before)
    columns = (motion.places[..., 0] + 1) / 2 * 96 - 0.5
    moved = columns - torch.arange(96)
    inner = slice(12, -12)
    assert (moved[inner, inner] - 2).abs().median() < 0.2
    assert motion.match[inner, inner].mean() > 0.9
    assert not motion.is_cut
    assert (motion.match[:, -1] == 0).float().mean() > 0.8  # it was outside before


def test_exposure_is_no_mismatch(pan: Callable[..., NDArray[np.uint8]]) -> None:
    """All of the plane is lighter, and matches."""
    before, now = planes(pan(2, step=1))
    assert motion_between(now + 5, before).match[8:-8, 8:-8].mean() > 0.8


def test_another_scene_is_a_cut(pan: Callable[..., NDArray[np.uint8]]) -> None:
    """Nothing matches, or too little."""
    (one,), (other,) = planes(pan(1)), planes(255 - pan(1, seed=7))
    assert motion_between(other, one).is_cut


def test_flat_planes_match() -> None:
    """There is nothing to see, and nothing that moved."""
    flat = torch.full((40, 50), 30.0)
    motion = motion_between(flat, flat)
    assert motion.match.min() > 0.99
    assert torch.isfinite(motion.places).all()
