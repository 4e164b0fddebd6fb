"""From L and ab to pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from napari_colorize.color.lab import lab_to_rgb, lightness_of_grey
from napari_colorize.color.recombination import recombine


def pixels_of(lightness: torch.Tensor, ab: torch.Tensor, dtype: str = "uint8") -> np.ndarray:
    """Return the pixels of L and ab."""
    out = np.empty((*lightness.shape, 3), dtype)
    recombine(lightness, ab, out)
    return out


class TestRecombine:
    """Pixels of 8 and 16 bits."""

    @pytest.mark.parametrize(("dtype", "largest"), [("uint8", 255), ("uint16", 65535)])
    def test_greys_come_back_exactly(self, dtype: str, largest: int) -> None:
        """Without colour every grey level returns to itself in all three channels."""
        grey = torch.arange(largest + 1)[None]
        pixels = pixels_of(lightness_of_grey(grey / largest), torch.zeros(2, 1, largest + 1), dtype)
        assert pixels.dtype == dtype
        assert np.array_equal(pixels, np.stack([grey.numpy()] * 3, axis=-1))

    def test_agrees_with_the_exact_way(self) -> None:
        """The table of 8-bit values is at most one level away, and rarely."""
        torch.manual_seed(0)
        lab = torch.rand(3, 300, 300) * torch.tensor([100.0, 200, 200]).view(3, 1, 1)
        lab[1:] -= 100
        exact = (lab_to_rgb(lab) * 255).round().permute(1, 2, 0).numpy()
        difference = np.abs(pixels_of(lab[0], lab[1:]) - exact)
        assert difference.max() <= 1
        assert difference.mean() < 0.01

    def test_lightness_is_kept_for_wild_colours(self) -> None:
        """Far outside of the gamut L still moves by no more than the rounding to 8 bits."""
        torch.manual_seed(0)
        lightness, ab = torch.rand(200, 200) * 100, torch.randn(2, 200, 200) * 100
        got = rgb2lab(pixels_of(lightness, ab))[..., 0]
        assert np.abs(got - lightness.numpy()).mean() < 0.35

    def test_black_and_white_count_as_no_lost_colour(self) -> None:
        """No colour can be shown there; a dark grey's that is too strong is brought back."""
        lightness = torch.tensor([[0.0, 100.0, 10.0]])
        outside = recombine(lightness, torch.full((2, 1, 3), 90.0), np.empty((1, 3, 3), np.uint8))
        assert outside.tolist() == [[False, False, True]]
