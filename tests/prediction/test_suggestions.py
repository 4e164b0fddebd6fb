"""A few distinct colours for a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from napari_colorize.color.gamut import gamut_bins
from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.errors import PictureError
from napari_colorize.prediction.suggestions import APART, distinct_colors, suggestions_at

if TYPE_CHECKING:
    from napari_colorize.prediction.colorizer import Colorizer

# Three bins far from one another, and a neighbour of the first.
BINS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [60.0, 0.0], [0.0, 70.0]])
SEEDS = st.integers(0, 2**31)


def random_shares(seed: int) -> Tensor:
    """Return a lumpy distribution over all bins."""
    generator = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(261, generator=generator)).softmax(dim=0)


class TestDistinctColors:
    """Colours of a distribution."""

    def test_by_hand(self) -> None:
        """Neighbours become one colour, their mean; then come the others by their shares."""
        found = distinct_colors(torch.tensor([0.3, 0.1, 0.25, 0.35]), BINS, 5)
        assert [share for _, share in found] == pytest.approx([0.4, 0.35, 0.25])
        assert torch.allclose(
            torch.stack([ab for ab, _ in found]),
            torch.tensor([[2.5, 0.0], [0.0, 70.0], [60.0, 0.0]]),
        )

    def test_at_most_so_many(self) -> None:
        """The likeliest are kept."""
        found = distinct_colors(torch.tensor([0.3, 0.1, 0.25, 0.35]), BINS, 2)
        assert [share for _, share in found] == pytest.approx([0.4, 0.35])

    def test_what_is_hardly_possible_is_left_out(self) -> None:
        """A distribution of one colour has one."""
        (one,) = distinct_colors(torch.tensor([0.0, 0, 0.9999, 0.0001]), BINS, 5)
        assert one.ab.tolist() == [60, 0]

    @settings(max_examples=30)
    @given(SEEDS)
    def test_they_are_distinct_and_fall(self, seed: int) -> None:
        """Never nearer than the mean of what lies outside a circle can be."""
        shares = random_shares(seed)
        found = distinct_colors(shares, gamut_bins(), 6)
        parts = [share for _, share in found]
        assert parts == sorted(parts, reverse=True)
        assert 0 < sum(parts) <= 1 + 1e-5
        apart = torch.pdist(torch.stack([ab for ab, _ in found]))
        assert (apart > APART * 0.7).all()

    def test_the_distribution_is_not_changed(self) -> None:
        """It is the caller's."""
        shares = random_shares(1)
        before = shares.clone()
        distinct_colors(shares, gamut_bins(), 4)
        assert torch.equal(shares, before)


class TestSuggestionsAt:
    """Colours as they look at a lightness."""

    @settings(max_examples=30)
    @given(SEEDS, st.floats(5, 95))
    def test_they_have_the_lightness_of_the_place(self, seed: int, lightness: float) -> None:
        """Within what 8 bits can say, and no two look alike."""
        found = suggestions_at(lightness, random_shares(seed), gamut_bins(), 5)
        assert 1 <= len(found) <= 5
        assert len({one.color for one in found}) == len(found)
        for one in found:
            assert all(type(channel) is int and 0 <= channel <= 255 for channel in one.color)
            lab = rgb_to_lab(torch.tensor(one.color).view(3, 1, 1) / 255)
            assert float(lab[0]) == pytest.approx(lightness, abs=2)

    @pytest.mark.parametrize(("lightness", "color"), [(0.0, (0, 0, 0)), (100.0, (255, 255, 255))])
    def test_black_and_white_have_one_colour(
        self, lightness: float, color: tuple[int, int, int]
    ) -> None:
        """All that is possible there looks the same, so it is told once, with all of the share."""
        (one,) = suggestions_at(lightness, random_shares(0), gamut_bins(), 5)
        assert one.color == color
        assert one.share == pytest.approx(1, abs=1e-4)


class TestSuggest:
    """What a model suggests."""

    def test_at_a_place(self, painter: Colorizer) -> None:
        """At most five, the likeliest first, and the same again."""
        found = painter.suggest(20, 30)
        assert 1 <= len(found) <= 5
        assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
        assert found == painter.suggest(20, 30)
        assert painter.suggest(20, 30, 2) == found[:2]

    @pytest.mark.parametrize("place", [(-0.5, -0.5), (59.5, 79.5), (59, 79), (0, 79.5)])
    def test_on_the_rim(self, painter: Colorizer, place: tuple[float, float]) -> None:
        """The outermost pixels are places, too."""
        assert painter.suggest(*place)

    @pytest.mark.parametrize("place", [(-1, 0), (60, 3), (3, 80)])
    def test_outside(self, painter: Colorizer, place: tuple[float, float]) -> None:
        """The error tells where the picture ends, and speaks of no hint."""
        with pytest.raises(PictureError, match=r"^Row .* outside the picture of 60 x 80 px"):
            painter.suggest(*place)

    @pytest.mark.parametrize(
        ("place", "message"),
        [
            (("top", 0), r"^y has to be a number, got 'top'"),
            ((0, None), r"^x has to be a number, got None"),
            ((float("nan"), 0), r"^y has to be finite, got nan"),
        ],
    )
    def test_no_place(self, painter: Colorizer, place: Any, message: str) -> None:
        """What is no number is told by its name."""
        with pytest.raises(PictureError, match=message):
            painter.suggest(*place)

    @pytest.mark.parametrize("count", [0, -1, 262, "x", 2.0, None])
    def test_odd_counts(self, painter: Colorizer, count: Any) -> None:
        """Only whole numbers from 1."""
        with pytest.raises(PictureError, match=r"number of suggestions has to be a whole number"):
            painter.suggest(1, 1, count)
