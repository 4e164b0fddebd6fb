"""How steep pictures are, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_colorize.color.bleeding import EDGE, FLAT, Relief, gradient_length


def test_gradient_by_hand() -> None:
    """3 to the right and 4 below are 5; two channels add like directions."""
    one = np.array([[0.0, 3], [4, 9]])[..., None]
    assert gradient_length(one).tolist() == [[5]]
    assert gradient_length(np.concatenate((one, one), axis=-1)) == pytest.approx(50**0.5)


def test_places_by_their_steepness() -> None:
    """Exactly at the thresholds counts, between them neither, the last row and column never."""
    lightness = np.cumsum([0, EDGE, 5, FLAT, 0])
    relief = Relief(np.stack([lightness] * 3))
    assert relief.counts.tolist() == [2, 4]
    assert relief.places == 8
    ab = np.stack([np.stack([np.cumsum([0, 7, 100, 1, 2])] * 3)] * 2, axis=-1)
    assert relief.sums(ab) == pytest.approx([2 * 7 * 2**0.5, 2 * 3 * 2**0.5])


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_lines_of_pixels_have_no_places(shape: tuple[int, int]) -> None:
    """A pixel without neighbours on both sides has no gradient."""
    relief = Relief(np.zeros(shape))
    assert relief.places == 0
    assert relief.sums(np.zeros((*shape, 2))).tolist() == [0, 0]
