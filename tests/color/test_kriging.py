"""Hints carried to what is alike."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from napari_colorize.color.kriging import NEAREST, NOISE, Kriging

ROWS, COLUMNS = 4, 6
RED, BLUE = torch.tensor([60.0, 40.0]), torch.tensor([10.0, -60.0])


def keys_of(*places: Tensor, amplitude: float = 1.0) -> Tensor:
    """Return keys of one picture with these coordinates, (h, w) each."""
    return torch.stack((torch.full_like(places[0], math.log(amplitude)), *places))[None]


def far_apart() -> Tensor:
    """Return keys of cells that have nothing to do with one another."""
    return keys_of(torch.arange(float(ROWS * COLUMNS)).view(ROWS, COLUMNS) * 100)


def hinted(*hints: tuple[int, int, Tensor], share: float = 1.0) -> Tensor:
    """Return planes with hints at cells."""
    planes = torch.zeros(1, 3, ROWS, COLUMNS)
    for row, column, color in hints:
        planes[0, :, row, column] = torch.cat((color, torch.tensor([share])))
    return planes


def colors(seed: int = 0) -> Tensor:
    """Return ab of a network, (1, 2, ROWS, COLUMNS)."""
    return torch.randn(1, 2, ROWS, COLUMNS, generator=torch.Generator().manual_seed(seed)) * 20


def test_a_hint_alone_is_obeyed_where_it_is() -> None:
    """All but its noise; what is not alike keeps its colour."""
    ab = colors()
    after = Kriging(far_apart(), hinted((1, 2, RED))).carry(ab)
    assert (after[0, :, 1, 2] - RED).norm() < 0.05 * (ab[0, :, 1, 2] - RED).norm()
    after[0, :, 1, 2] = ab[0, :, 1, 2]
    assert torch.allclose(after, ab, atol=1e-4)


@pytest.mark.parametrize("stretch", [1.0, 1.5])
def test_two_cells_by_hand(stretch: float) -> None:
    """What is off at one cell is off at another by exp(-distance) of it, if so stretched."""
    distance = 0.7
    place = torch.full((ROWS, COLUMNS), 1e3)
    place[0, 0], place[3, 5] = 0, distance
    ab = torch.zeros(1, 2, ROWS, COLUMNS)
    unstretched = Kriging(keys_of(place), hinted((0, 0, RED)))
    assert unstretched.told[0, 0, 3, 5] < 1
    kriging = unstretched.stretched(stretch)
    near, same = (math.exp(-math.sqrt(d * d + NEAREST)) for d in (distance * stretch, 0))
    wanted = RED * near / (same + NOISE)
    assert torch.allclose(kriging.carry(ab)[0, :, 3, 5], wanted, rtol=1e-3)
    assert kriging.told[0, 0, 3, 5].item() == pytest.approx(near**2 / (same + NOISE), rel=1e-3)


def test_what_is_certain_moves_less() -> None:
    """Half the amplitude, half the way; the hinted cell itself goes as far as before."""
    place = torch.zeros(ROWS, COLUMNS)
    keys = keys_of(place)
    keys[0, 0, 2, 2] = math.log(0.5)
    after = Kriging(keys, hinted((0, 0, RED))).carry(torch.zeros(1, 2, ROWS, COLUMNS))
    assert torch.allclose(after[0, :, 2, 2], after[0, :, 1, 1] / 2, rtol=1e-3)


def test_hints_that_disagree_part_between_them() -> None:
    """On a line from red to blue each cell takes after the nearer one."""
    place = torch.linspace(0, 2, COLUMNS).expand(ROWS, -1)
    planes = hinted((1, 0, RED), (1, COLUMNS - 1, BLUE))
    line = Kriging(keys_of(place), planes).carry(torch.zeros(1, 2, ROWS, COLUMNS))[0, :, 1]
    assert (line[1].diff() < 0).all()
    assert (line[:, 0] - RED).norm() < 3
    assert (line[:, -1] - BLUE).norm() < 3


def test_no_hints_change_nothing() -> None:
    """Nor tell anything; nor does an empty picture of a batch."""
    ab = colors()
    kriging = Kriging(far_apart(), torch.zeros(1, 3, ROWS, COLUMNS))
    assert torch.allclose(kriging.carry(ab), ab)
    assert kriging.told.max() < 1e-4
    batch = torch.cat((torch.zeros(1, 3, ROWS, COLUMNS), hinted((0, 1, RED), (3, 3, BLUE))))
    keys = far_apart().expand(2, -1, -1, -1)
    both = Kriging(keys, batch).carry(ab.expand(2, -1, -1, -1))
    alone = Kriging(keys[1:], batch[1:]).carry(ab)
    assert torch.allclose(both[:1], ab)
    assert torch.allclose(both[1:], alone, atol=1e-4)


def test_of_too_many_some_are_gone_by() -> None:
    """They lie all over the picture, and say the same."""
    height, width = 40, 50
    planes = torch.ones(1, 3, height, width)
    planes[0, :2] = RED.view(2, 1, 1)
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(50.0), indexing="ij")
    kriging = Kriging(keys_of(rows / 30, columns / 30), planes, most=100)
    after = kriging.carry(torch.zeros(1, 2, height, width))
    assert (after[0] - RED.view(2, 1, 1)).norm(dim=0).max() < 10
    assert kriging._chosen.unique().numel() == 100
    for half in (kriging._chosen % width < width / 2, kriging._chosen < height * width / 2):
        assert 40 <= int(half.sum()) <= 60


def test_a_small_hint_says_less_than_a_large_one() -> None:
    """One that covers a hundredth of its cell is obeyed still, for the most part."""
    ab = torch.zeros(1, 2, ROWS, COLUMNS)
    large, small = (
        Kriging(far_apart(), hinted((1, 1, RED), share=share)).carry(ab)[0, :, 1, 1].norm()
        for share in (1, 0.01)
    )
    assert 0.75 * large < small < large


@given(st.integers(0, 1000), st.integers(1, 24))
def test_it_is_finite_and_told_is_a_share(seed: int, count: int) -> None:
    """Whatever the keys are, equal ones among them."""
    generator = torch.Generator().manual_seed(seed)
    keys = torch.randn(1, 4, ROWS, COLUMNS, generator=generator) * 3
    keys[..., :2] = keys[..., 2:4]
    planes = torch.zeros(1, 3, ROWS * COLUMNS)
    chosen = torch.randperm(ROWS * COLUMNS, generator=generator)[:count]
    planes[0, :2, chosen] = torch.randn(2, count, generator=generator) * 60
    planes[0, 2, chosen] = torch.rand(count, generator=generator)
    kriging = Kriging(keys, planes.view(1, 3, ROWS, COLUMNS))
    assert kriging.carry(colors(seed)).isfinite().all()
    assert kriging.told.isfinite().all()
    assert 0 <= kriging.told.min() <= kriging.told.max() <= 1


def test_gradients_reach_keys() -> None:
    """Also where cells are the same."""
    keys = keys_of(torch.zeros(ROWS, COLUMNS)).requires_grad_()
    Kriging(keys, hinted((0, 0, RED), (0, 1, BLUE))).carry(colors()).square().sum().backward()
    assert keys.grad is not None
    assert keys.grad.isfinite().all()
