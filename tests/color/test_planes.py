"""Hints as planes on a grid of cells."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from napari_colorize.color.planes import coverage, hint_planes

RED, BLUE = (60.0, 40.0), (20.0, -70.0)


def planes_of(
    hints: list[tuple[float, float, float, tuple[float, float]]], height: int, width: int
) -> Tensor:
    """Return the planes (3, height, width) of hints (y, x, side, ab), in cells."""
    y, x, sides = (torch.tensor([hint[i] for hint in hints]) for i in range(3))
    ab = torch.tensor([hint[3] for hint in hints])
    down, across = coverage(y, sides, height), coverage(x, sides, width)
    return hint_planes(down[None], across[None], ab[None])[0]


class TestCoverage:
    """How much of a cell an interval covers."""

    def test_by_hand(self) -> None:
        """From 0.5 to 2.5: half of the first cell, all of the second, half of the third."""
        got = coverage(torch.tensor(1.5), torch.tensor(2.0), 5)
        assert got.tolist() == [0.5, 1, 0.5, 0, 0]

    def test_less_than_a_cell(self) -> None:
        """A quarter of one cell, or shared by two."""
        got = coverage(torch.tensor([1.5, 2.0]), torch.tensor([0.25, 0.25]), 4)
        assert got.tolist() == [[0, 0.25, 0, 0], [0, 0.125, 0.125, 0]]

    def test_what_lies_outside_is_cut(self) -> None:
        """At both ends; an interval beyond them covers nothing."""
        got = coverage(torch.tensor([0.0, 3.0, 9.0]), torch.tensor([2.0, 1.0, 2.0]), 3)
        assert got.tolist() == [[1, 0, 0], [0, 0, 0.5], [0, 0, 0]]

    @given(st.floats(-5, 15), st.floats(0, 8))
    def test_its_sum_is_the_part_inside(self, centre: float, side: float) -> None:
        """Of 0..10, and no cell is covered more than once."""
        got = coverage(torch.tensor(centre), torch.tensor(side), 10)
        inside = max(0.0, min(centre + side / 2, 10) - max(centre - side / 2, 0))
        assert float(got.sum()) == pytest.approx(inside, abs=1e-4)
        assert ((got >= 0) & (got <= 1)).all()

    @given(st.floats(0, 10))
    def test_no_side_no_cover(self, centre: float) -> None:
        """A hint of size 0 leaves no trace."""
        assert not coverage(torch.tensor(centre), torch.tensor(0.0), 10).any()


class TestHintPlanes:
    """Colours and shares of cells."""

    def test_a_whole_cell(self) -> None:
        """It has the colour and the share 1; the others nothing."""
        planes = planes_of([(1.5, 2.5, 1, RED)], 3, 4)
        assert planes[:, 1, 2].tolist() == [*RED, 1]
        planes[:, 1, 2] = 0
        assert not planes.any()

    def test_part_of_cells(self) -> None:
        """On a corner of four, each has the whole colour and a quarter of the share."""
        planes = planes_of([(1, 1, 1, BLUE)], 2, 2)
        assert torch.allclose(planes[2], torch.full((2, 2), 0.25))
        assert torch.allclose(planes[:2], torch.tensor(BLUE).view(2, 1, 1).expand(2, 2, 2))

    def test_overlapping_hints_are_averaged(self) -> None:
        """By the areas that they cover; the share of a cell is never more than 1."""
        planes = planes_of([(0.5, 0.5, 1, RED), (0.5, 0.5, 1, BLUE)], 1, 1)
        assert planes.flatten().tolist() == [40, -15, 1]
        planes = planes_of([(0.5, 0.5, 1, (0, 0)), (0.5, 0.5, 0.5, (50, -50))], 1, 1)
        assert torch.allclose(planes.flatten(), torch.tensor([10.0, -10, 1]))

    def test_no_hints(self) -> None:
        """Empty planes."""
        none = torch.zeros(2, 0, 3)
        planes = hint_planes(none, none, torch.zeros(2, 0, 2))
        assert planes.shape == (2, 3, 3, 3)
        assert not planes.any()

    def test_pictures_of_a_batch_do_not_meet(self) -> None:
        """Each has its own hints; zeros leave one out."""
        down = torch.tensor([[[1.0, 0]], [[0, 0]]])
        planes = hint_planes(down, torch.ones(2, 1, 2), torch.tensor([[RED], [BLUE]]))
        assert planes[0, 2].tolist() == [[1, 1], [0, 0]]
        assert not planes[1].any()

    @given(st.floats(1, 7), st.floats(1, 7), st.floats(0.05, 2))
    def test_the_area_is_that_of_the_patch(self, y: float, x: float, side: float) -> None:
        """The shares of all cells sum to it, and each hinted cell has the colour."""
        planes = planes_of([(y, x, side, RED)], 8, 8)
        assert float(planes[2].sum()) == pytest.approx(side**2, rel=1e-3, abs=1e-4)
        clear = planes[:, planes[2] > 1e-4]
        assert torch.allclose(clear[:2], torch.tensor(RED)[:, None].expand_as(clear[:2]), rtol=0.02)

    def test_many(self) -> None:
        """A thousand contradicting hints give means, and finite ones."""
        generator = torch.Generator().manual_seed(0)
        y, x, sides, a, b = torch.rand(5, 1000, generator=generator).unbind()
        planes = hint_planes(
            coverage(y * 10, sides, 10)[None],
            coverage(x * 12, sides, 12)[None],
            torch.stack((a, b), dim=-1)[None] * 100,
        )
        assert planes.isfinite().all()
        assert planes[:, :2].max() <= 100
        assert planes[:, 2].max() <= 1
