"""sRGB and CIELAB against scikit-image, there and back, at the edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import lab2lch, rgb2lab

from napari_colorize.color.lab import (
    grey_of_lightness,
    lab_to_rgb,
    lightness_of_grey,
    rgb_to_lab,
)


def as_tensor(rgb: np.ndarray) -> torch.Tensor:
    """Return a picture (H, W, 3) as a tensor (3, H, W)."""
    return torch.from_numpy(rgb).movedim(-1, 0)


class TestRgbToLab:
    """From sRGB."""

    def test_agrees_with_scikit_image(self) -> None:
        """Random colours lie within 0.02 of scikit-image's."""
        rgb = np.random.default_rng(0).random((200, 200, 3))
        lab = rgb_to_lab(as_tensor(rgb)).movedim(0, -1).numpy()
        assert np.abs(lab - rgb2lab(rgb)).max() < 0.02

    def test_greys_have_no_colour(self) -> None:
        """A and b of every grey are 0 to 1e-4."""
        grey = torch.linspace(0, 1, 4096).expand(3, 1, -1)
        assert rgb_to_lab(grey)[1:].abs().max() < 1e-4

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_keeps_the_type_and_the_batch(self, dtype: torch.dtype) -> None:
        """Any float type and any leading axes come back."""
        lab = rgb_to_lab(torch.rand(2, 5, 3, 4, 6).to(dtype))
        assert lab.dtype == dtype
        assert lab.shape == (2, 5, 3, 4, 6)

    def test_half_precision_is_computed_in_float32(self) -> None:
        """A bfloat16 picture gets the Lab of its values, rounded once."""
        rgb = torch.rand(3, 8, 8).bfloat16()
        assert torch.equal(rgb_to_lab(rgb), rgb_to_lab(rgb.float()).bfloat16())

    @pytest.mark.parametrize("shape", [(3,), (4, 4), (4, 4, 3), (1, 4, 4)])
    def test_other_shapes_are_refused(self, shape: tuple[int, ...]) -> None:
        """The error names the shape."""
        with pytest.raises(ValueError, match=r"\(\.\.\., 3, H, W\)"):
            rgb_to_lab(torch.zeros(shape))

    def test_integers_are_refused(self) -> None:
        """8-bit values have to be scaled first."""
        with pytest.raises(ValueError, match="uint8"):
            rgb_to_lab(torch.zeros((3, 2, 2), dtype=torch.uint8))


class TestThereAndBack:
    """From sRGB to Lab to sRGB."""

    def test_every_8_bit_colour_comes_back(self) -> None:
        """All 16,777,216 of them, exactly."""
        ramp = torch.arange(256, dtype=torch.uint8)
        green, blue = ramp[:, None].expand(256, 256), ramp[None].expand(256, 256)
        for red in range(256):
            rgb = torch.stack((torch.full_like(green, red), green, blue))
            back = lab_to_rgb(rgb_to_lab(rgb.float() / 255))
            assert torch.equal((back * 255).round().to(torch.uint8), rgb)

    @pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
    def test_gradients_are_finite(self, value: float) -> None:
        """At black, where the curves have their corners, and elsewhere."""
        rgb = torch.full((1, 3, 2, 2), value, requires_grad=True)
        lab_to_rgb(rgb_to_lab(rgb)).sum().backward()
        assert rgb.grad is not None
        assert rgb.grad.isfinite().all()

    def test_gradient_outside_of_the_gamut_is_finite(self) -> None:
        """A loss on the picture can still pull colours back."""
        lab = torch.tensor([50.0, 150.0, -150.0]).view(3, 1, 1).requires_grad_()
        lab_to_rgb(lab).sum().backward()
        assert lab.grad is not None
        assert lab.grad.isfinite().all()


class TestGamut:
    """Colours that sRGB cannot show."""

    @settings(max_examples=200, deadline=None)
    @given(st.floats(1, 99), st.floats(-180, 180), st.floats(-180, 180))
    def test_chroma_falls_at_fixed_lightness_and_hue(
        self, light: float, a: float, b: float
    ) -> None:
        """L stays within 0.02; hue stays, chroma never grows."""
        lab = torch.tensor([light, a, b], dtype=torch.float64).view(3, 1, 1)
        rgb = lab_to_rgb(lab)
        assert (rgb >= 0).all()
        assert (rgb <= 1).all()
        got = rgb2lab(rgb.movedim(0, -1).numpy())
        assert abs(got[0, 0, 0] - light) < 0.02
        chroma, hue = lab2lch(got)[0, 0, 1:]
        wanted_chroma, wanted_hue = lab2lch(lab.movedim(0, -1).numpy())[0, 0, 1:]
        assert chroma <= wanted_chroma + 0.02
        if chroma > 2:
            turned = abs(hue - wanted_hue) % (2 * np.pi)
            assert min(turned, 2 * np.pi - turned) < 0.02

    def test_the_border_is_reached(self) -> None:
        """Chroma is lowered no further than needed: one channel ends at 0 or 1."""
        lab = torch.tensor([50.0, 120.0, 0.0]).view(3, 1, 1)
        rgb = lab_to_rgb(lab)
        assert min(float(rgb.min()), 1 - float(rgb.max())) < 0.01

    def test_lightness_outside_its_range_is_clipped(self) -> None:
        """L of 130 is white, of -20 black, whatever ab."""
        lab = torch.tensor([[130.0, -20.0], [40.0, 40.0], [0.0, 9.0]]).view(3, 1, 2)
        rgb = lab_to_rgb(lab)
        assert torch.allclose(rgb[:, 0, 0], torch.ones(3), atol=1e-3)
        assert torch.allclose(rgb[:, 0, 1], torch.zeros(3), atol=1e-3)


class TestGrey:
    """Grey values and L."""

    def test_mid_grey_is_not_fifty(self) -> None:
        """A grey of 0.5 goes through the sRGB curve: L 53.39."""
        assert abs(float(lightness_of_grey(torch.tensor(0.5))) - 53.389) < 0.001

    def test_agrees_with_colours(self) -> None:
        """L of a grey is L of the colour with three equal channels."""
        grey = torch.linspace(0, 1, 256)
        lab = rgb_to_lab(grey.expand(3, 1, -1))
        assert torch.allclose(lightness_of_grey(grey), lab[0, 0], atol=1e-3)

    def test_there_and_back(self) -> None:
        """Each of 65,536 greys comes back to within a hundredth of a 16-bit step."""
        grey = torch.arange(65536).double() / 65535
        back = grey_of_lightness(lightness_of_grey(grey))
        assert (back - grey).abs().max() < 1e-6
