"""Colours that a lightness can have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.color.picking import LARGEST_AB, at_lightness, gamut_slice

CHANNEL = st.floats(0, 255)


def lab_of(color: tuple[float, float, float]) -> torch.Tensor:
    """Return L, a and b of an sRGB colour."""
    return rgb_to_lab(torch.tensor(color).view(3, 1, 1) / 255).flatten()


class TestGamutSlice:
    """The square of a and b."""

    @pytest.mark.parametrize("lightness", [10.0, 62.0, 95.0])
    def test_colours_lie_where_they_belong(self, lightness: float) -> None:
        """What is shown has this L, and the a and b of its place; the rest is clear."""
        side = 45
        pixels = gamut_slice(lightness, side)
        rows, columns = np.nonzero(pixels[..., 3])
        assert 20 < len(rows) < side * side
        for row, column in list(zip(rows, columns, strict=True))[::20]:
            found = lab_of(tuple(float(channel) for channel in pixels[row, column, :3]))
            a = ((column + 0.5) / side * 2 - 1) * LARGEST_AB
            b = -((row + 0.5) / side * 2 - 1) * LARGEST_AB
            assert (found - torch.tensor([lightness, a, b])).norm() < 4  # of 8 bits in the dark

    def test_black_and_white_have_hardly_any(self) -> None:
        """Most colours are in the middle."""
        black, middle, white = (
            (gamut_slice(level, 45)[..., 3] > 0).sum() for level in (0, 60, 100)
        )
        assert black < 10
        assert white < 10
        assert middle > 300


class TestAtLightness:
    """A colour where it is darker or lighter."""

    @given(CHANNEL, CHANNEL, CHANNEL)
    def test_its_own_lightness_is_itself(self, red: float, green: float, blue: float) -> None:
        """Nothing changes."""
        color = (red, green, blue)
        assert at_lightness(color, float(lab_of(color)[0])) == pytest.approx(color, abs=0.6)

    @given(CHANNEL, CHANNEL, CHANNEL, st.floats(5, 95))
    def test_lightness_is_taken_and_hue_kept(
        self, red: float, green: float, blue: float, level: float
    ) -> None:
        """The chroma may have to be less, never more."""
        before, after = lab_of((red, green, blue)), lab_of(at_lightness((red, green, blue), level))
        assert float(after[0]) == pytest.approx(level, abs=0.3)
        chroma, kept = before[1:].norm(), after[1:].norm()
        assert kept <= chroma + 0.5
        if kept > 5:
            assert float(before[1:] @ after[1:] / (chroma * kept)) > 0.999
