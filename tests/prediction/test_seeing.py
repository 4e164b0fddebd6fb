"""What a network sees of a picture, of hints and of a reference."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from napari_colorize.color.gamut import gamut_bins
from napari_colorize.color.guided import Guide
from napari_colorize.color.hints import Hint
from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.color.lightness import Lightness
from napari_colorize.errors import PictureError
from napari_colorize.prediction.seeing import (
    SMALLEST_HINT,
    Seen,
    reference_histogram,
    working_shape,
)

RED = (255.0, 0.0, 0.0)


def seen(full: tuple[int, int], small: tuple[int, int]) -> Seen:
    """Return a grey picture that is seen at a size."""
    return Seen(Lightness(np.full(full, 99, np.uint8)), Guide(torch.zeros(small)), (), small)


class TestWorkingShape:
    """The size at which a network looks."""

    @pytest.mark.parametrize(
        ("shape", "wanted"),
        [((100, 100), (32, 32)), ((64, 128), (32, 64)), ((300, 200), (48, 32)),
         ((1, 1), (32, 32)), ((10, 10000), (32, 128)), ((5000, 5), (128, 32))],
    )  # fmt: skip
    def test_short_side_is_fixed(self, shape: tuple[int, int], wanted: tuple[int, int]) -> None:
        """The aspect is kept up to four to one."""
        assert working_shape(shape, 32) == wanted


class TestHintPlanes:
    """Hints on the cells of an answer."""

    def test_by_hand(self) -> None:
        """Eight pixels around the corner of four pixels, in a picture twice as large as seen."""
        planes = seen((32, 64), (16, 32)).hint_planes([Hint(7.5, 23.5, RED, size=8)], 4)
        assert planes.shape == (1, 3, 4, 8)
        # 8 px are 4 at the working size: a cell of share, a quarter for each of those around.
        assert torch.allclose(planes[0, 2, :2, 2:4], torch.full((2, 2), 0.25))
        assert float(planes[0, 2].sum()) == pytest.approx(1)
        ab = rgb_to_lab(torch.tensor([1.0, 0, 0]).view(3, 1, 1))[1:, 0, 0]
        assert torch.allclose(planes[0, :2, 0, 2], ab)
        assert not planes[0, :, 2:].any()

    def test_the_lightness_of_a_hint_does_not_matter(self) -> None:
        """All greys are the same wish."""
        picture = seen((8, 8), (8, 8))
        dark, light = (
            picture.hint_planes([Hint(3, 3, (grey, grey, grey))], 4) for grey in (20, 230)
        )
        assert torch.allclose(dark, light, atol=1e-4)
        assert dark[0, 2].any()

    def test_a_tiny_hint_is_seen(self) -> None:
        """A pixel of a huge picture is as large as the smallest hint that networks know."""
        planes = seen((3200, 3200), (32, 32)).hint_planes([Hint(1600, 1600, RED, size=1)], 4)
        assert float(planes[0, 2].sum()) == pytest.approx((SMALLEST_HINT / 4) ** 2, rel=1e-3)

    def test_a_hint_larger_than_the_picture(self) -> None:
        """Fills it."""
        planes = seen((10, 10), (32, 32)).hint_planes([Hint(4, 4, RED, size=99)], 4)
        assert torch.equal(planes[0, 2], torch.ones(8, 8))

    def test_none(self) -> None:
        """No hints give empty planes."""
        assert not seen((9, 9), (32, 32)).hint_planes([], 4).any()


class TestCells:
    """Places and cells."""

    @given(st.integers(1, 90), st.integers(1, 90), st.floats(0, 1), st.floats(0, 1))
    def test_each_place_has_one(self, height: int, width: int, down: float, across: float) -> None:
        """From the upper rim to the lower one, also where a picture is no whole number of cells."""
        picture = seen((height, width), working_shape((height, width), 32))
        y, x = down * height - 0.5, across * width - 0.5
        row, column = picture.cell_at(y, x, 4)
        rows, columns = picture.cells(4)
        assert 0 <= row < rows
        assert 0 <= column < columns
        assert row * 4 - 1e-6 <= down * picture.shape[0] <= (row + 1) * 4 + 1e-6
        assert column * 4 - 1e-6 <= across * picture.shape[1] <= (column + 1) * 4 + 1e-6

    def test_the_corners(self) -> None:
        """Of a picture that is seen as it is."""
        picture = seen((32, 40), (32, 40))
        assert picture.cells(4) == (8, 10)
        assert picture.cell_at(-0.5, -0.5, 4) == (0, 0)
        assert picture.cell_at(3.4, 3.6, 4) == (0, 1)
        assert picture.cell_at(31.5, 39.5, 4) == (7, 9)

    @pytest.mark.parametrize("place", [(-0.6, 3), (3, 9.5), (99, 99)])
    def test_outside(self, place: tuple[float, float]) -> None:
        """The error tells the size of the picture."""
        with pytest.raises(PictureError, match=r"Row .* outside the picture of 9 x 9 px"):
            seen((9, 9), (32, 32)).cell_at(*place, 4)


class TestReference:
    """The colours of another picture."""

    def test_one_colour(self) -> None:
        """All of the share lies around it."""
        bins = gamut_bins()
        shares = reference_histogram(np.full((20, 30, 3), (200, 30, 40), np.uint8), bins)
        assert shares.shape == (1, len(bins))
        assert float(shares.sum()) == pytest.approx(1, abs=1e-4)
        ab = rgb_to_lab(torch.tensor([200, 30, 40]).view(3, 1, 1) / 255)[1:, 0, 0]
        assert (shares[0] @ bins - ab).norm() < 3

    def test_values_and_alpha(self) -> None:
        """Floats say what 8 bits say, and an alpha nothing; a list is a picture, too."""
        bins = gamut_bins()
        pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 3), np.uint8)
        wanted = reference_histogram(pixels, bins)
        alpha = np.dstack((pixels, np.full((12, 9), 7, np.uint8)))
        for same in (pixels / 255, alpha, pixels.astype(np.uint16) * 257):
            assert torch.allclose(reference_histogram(same, bins), wanted, atol=1e-4)
        assert torch.allclose(reference_histogram((pixels / 255).tolist(), bins), wanted, atol=1e-4)

    @pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (500, 2, 3)])
    def test_any_size(self, shape: tuple[int, ...]) -> None:
        """One pixel is a palette of one colour."""
        pixels = np.broadcast_to(np.array((128, 20, 90), np.uint8), shape)
        shares = reference_histogram(pixels, gamut_bins())
        assert float(shares.sum()) == pytest.approx(1, abs=1e-4)

    @pytest.mark.parametrize(
        ("reference", "message"),
        [
            (np.zeros((5, 5)), r"colour picture \(H, W, 3\), got the shape \(5, 5\)"),
            (np.zeros((5, 5, 2)), r"got the shape \(5, 5, 2\)"),
            (np.zeros((0, 5, 3)), r"got the shape \(0, 5, 3\)"),
            (np.zeros((2, 5, 5, 3)), r"got the shape \(2, 5, 5, 3\)"),
            ("picture.png", r"got the shape \(\)"),
            ([[1, 2], [3]], "reference cannot be read as an array"),
            (np.full((5, 5, 3), 255.0), "values from 0 to 1, got 0 to 255"),
            (np.full((5, 5, 3), "x"), "real numbers"),
            (np.full((5, 5, 3), 90, np.uint8), "reference is grey: choose a colour picture"),
        ],
    )
    def test_what_is_no_colour_picture(self, reference: Any, message: str) -> None:
        """Grey pictures, names of files, floats of other ranges."""
        with pytest.raises(PictureError, match=message):
            reference_histogram(reference, gamut_bins())
