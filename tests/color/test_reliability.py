"""Error against confidence, by hand and by its properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.color.reliability import Reliability, ReliabilityBin, falling_steps


def test_ten_pixels_are_ten_bins() -> None:
    """One pixel a bin, the least sure first."""
    reliability = Reliability()
    sure = np.arange(10)[::-1] / 10 + 0.05
    reliability.add(sure[None], np.arange(10)[None])
    bins = reliability.bins()
    assert [one.confidence for one in bins] == pytest.approx(sorted(sure))
    assert [one.error for one in bins] == pytest.approx(range(9, -1, -1))
    assert falling_steps(bins) == 9


def test_a_step_is_split_between_bins() -> None:
    """Fifteen pixels alike and five others: the eighth bin takes half of each kind."""
    reliability = Reliability()
    reliability.add(np.array([0.2] * 15 + [0.6] * 5), np.array([8.0] * 15 + [2.0] * 5))
    bins = reliability.bins()
    assert [one.error for one in bins] == pytest.approx([8] * 7 + [5] + [2] * 2)
    assert bins[7].confidence == pytest.approx(0.4)


def test_steps_that_do_not_fall() -> None:
    """Equal and rising errors are no falls."""
    errors = [5, 4, 4, 6, 1]
    assert falling_steps([ReliabilityBin(0, error, 0.2) for error in errors]) == 2
    assert falling_steps(()) == 0


def test_nothing_counted_has_no_bins() -> None:
    """No pixel, no bin."""
    assert Reliability().bins() == ()


PIXELS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 200)), min_size=1, max_size=30)


@given(first=PIXELS, second=PIXELS)
def test_bins_keep_the_means_and_do_not_depend_on_order(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    """The mean over bins is that over pixels; confidence rises; the order does not matter."""
    one, other = Reliability(), Reliability()
    for pixels in (first, second):
        one.add(*np.array(pixels).T)
    for pixels in (second, first):
        other.add(*np.array(pixels).T)
    bins = one.bins()
    sure, away = np.array(first + second).T
    assert np.mean([b.confidence for b in bins]) == pytest.approx(sure.mean(), abs=1e-9)
    assert np.mean([b.error for b in bins]) == pytest.approx(away.mean(), abs=1e-9)
    assert all(np.diff([b.confidence for b in bins]) >= -1e-9)
    assert [b.error for b in bins] == pytest.approx([b.error for b in other.bins()], abs=1e-9)
