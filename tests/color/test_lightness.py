"""What the values of a picture mean, and how they are read in strips."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_colorize.color import lightness as module
from napari_colorize.color.lab import lightness_of_grey, rgb_to_lab
from napari_colorize.color.lightness import Lightness, grey_picture
from napari_colorize.errors import Cancelled, PictureError


def lightness_of(image: Any, limits: Any = None) -> np.ndarray:
    """Return L of a whole picture."""
    lightness = Lightness(image, limits)
    return lightness.rows(0, lightness.shape[0]).numpy()


def of_grey(*values: float) -> np.ndarray:
    """Return L of grey values 0..1 as one row."""
    return lightness_of_grey(torch.tensor(values, dtype=torch.float64))[None].numpy()


def test_the_grey_picture_has_the_same_lightness() -> None:
    """To a hundredth of L, whatever its colours were."""
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    grey = grey_picture(picture)
    assert grey.dtype == np.uint16
    np.testing.assert_allclose(lightness_of(grey), lightness_of(picture), atol=0.01)


class TestMeaning:
    """From values to L."""

    @pytest.mark.parametrize(
        "dtype", ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
    )
    def test_integers_by_the_range_of_their_type(self, dtype: str) -> None:
        """The smallest is black, the largest white, the middle grey."""
        info = np.iinfo(dtype)
        middle = info.min + (info.max - info.min) // 2
        got = lightness_of(np.array([[info.min, middle, info.max]], dtype=dtype))
        assert np.allclose(got, of_grey(0, 0.5, 1), atol=0.3)

    def test_bool(self) -> None:
        """False is black, True white."""
        assert np.allclose(lightness_of(np.array([[False, True]])), [[0, 100]], atol=1e-3)

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_floats_from_0_to_1(self, dtype: str) -> None:
        """Without limits a float picture runs from 0 to 1."""
        got = lightness_of(np.array([[0, 0.25, 1]], dtype=dtype))
        assert np.allclose(got, of_grey(0, 0.25, 1), atol=0.01)

    def test_values_that_are_no_numbers(self) -> None:
        """NaN and -inf are black, +inf is white."""
        picture = np.array([[np.nan, -np.inf, np.inf, 0.5]])
        assert np.allclose(lightness_of(picture), of_grey(0, 0, 1, 0.5), atol=1e-3)
        assert np.allclose(lightness_of(picture * 8, (0, 8)), of_grey(0, 0, 1, 0.5), atol=1e-3)

    def test_all_nan_is_black(self) -> None:
        """Nothing is known, so nothing shines."""
        assert np.allclose(lightness_of(np.full((2, 2), np.nan)), 0, atol=1e-4)

    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
    def test_contrast_limits(self, dtype: str) -> None:
        """What lies outside of the limits is black or white."""
        picture = np.array([[0, 20, 60, 100, 120]], dtype=dtype)
        assert np.allclose(lightness_of(picture, (20, 100)), of_grey(0, 0, 0.5, 1, 1), atol=1e-3)

    def test_narrow_limits_far_from_zero(self) -> None:
        """Large values with little between them keep their steps."""
        picture = np.array([[2**40, 2**40 + 1, 2**40 + 2]], dtype=np.int64)
        got = lightness_of(picture, (2**40, 2**40 + 2))
        assert np.allclose(got, of_grey(0, 0.5, 1), atol=1e-3)

    def test_large_integers_keep_their_steps(self) -> None:
        """32-bit values that float32 cannot tell apart are told apart by their limits."""
        picture = np.array([[16777216, 16777217, 16777218]], dtype=np.int32)
        got = lightness_of(picture, (16777216, 16777218))
        assert np.allclose(got, of_grey(0, 0.5, 1), atol=1e-3)

    @pytest.mark.parametrize("channels", [3, 4])
    def test_colours_give_their_own_lightness(self, channels: int) -> None:
        """L of RGB(A) is that of its Lab; alpha is not looked at."""
        picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
        rgb = torch.from_numpy(picture[..., :3]).permute(2, 0, 1).float() / 255
        assert np.allclose(lightness_of(picture), rgb_to_lab(rgb)[0].numpy(), atol=1e-3)

    def test_lists_are_pictures_too(self) -> None:
        """Whatever numpy takes for an array of numbers."""
        assert np.allclose(lightness_of([[0.0, 1.0]]), [[0, 100]], atol=1e-3)


class TestRefused:
    """What cannot be coloured, and what the error says."""

    @pytest.mark.parametrize(
        ("image", "words"),
        [
            (np.zeros(5), "rows and columns"),
            (np.zeros((0, 5)), "empty"),
            (np.zeros((5, 0, 3)), "empty"),
            (np.zeros((7, 5, 6)), r"image\[0\]"),
            (np.zeros((3, 5, 6)), "last axis"),
            (np.zeros((2, 7, 5, 6)), r"image\[0, 0\]"),
            (np.zeros((2, 7, 5, 3)), r"image\[0\]"),
            (np.zeros((7, 5, 1)), r"image\[\.\.\., 0\]"),
            (np.full((5, 5, 3), 7.5), "7.5: scale it"),
            (np.zeros((5, 5), complex), "real numbers"),
            (np.array([["a", "b"]]), "real numbers"),
            (None, "real numbers"),
            ([[1], [2, 3]], "read as an array"),
            (np.array([[0.0, 7.5]]), "0 to 7.5: give contrast_limits"),
            (np.array([[-1.0, 0.5]]), "contrast_limits"),
        ],
    )
    def test_pictures(self, image: Any, words: str) -> None:
        """The shape, the type or the values, and what to do."""
        with pytest.raises(PictureError, match=words):
            Lightness(image)

    @pytest.mark.parametrize(
        "limits", [(1, 1), (2, 1), (0, np.nan), (0,), "ab", (0, 1, 2), 5, (-1.7e308, 1.7e308)]
    )
    def test_limits(self, limits: Any) -> None:
        """Two finite numbers that rise, nothing else."""
        with pytest.raises(PictureError, match="contrast_limits has to be two"):
            Lightness(np.zeros((2, 2)), limits)


class TestReading:
    """Strips and smaller versions."""

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 200))
    def test_strips_cover_the_picture_once(self, height: int, width: int, pixels: int) -> None:
        """From top to bottom without gap or overlap."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "STRIP_PIXELS", pixels)
            strips = Lightness(np.zeros((height, width))).strips()
        assert strips[0][0] == 0
        assert strips[-1][1] == height
        assert all(end == start for (_, end), (start, _) in itertools.pairwise(strips))

    def test_the_strip_height_does_not_change_the_smaller_version(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Means of blocks are the same however the picture is read."""
        picture = np.random.default_rng(0).integers(0, 256, (301, 203), dtype=np.uint8)
        whole = Lightness(picture).reduced(24, 16)
        monkeypatch.setattr(module, "STRIP_PIXELS", 203 * 13)
        assert torch.allclose(Lightness(picture).reduced(24, 16), whole, atol=1e-4)

    def test_a_flat_picture_stays_flat(self) -> None:
        """Its smaller and its larger versions have its L everywhere."""
        lightness = Lightness(np.full((50, 30), 100, np.uint8))
        for shape in ((7, 5), (90, 60), (1, 1)):
            small = lightness.reduced(*shape)
            assert small.shape == shape
            assert torch.allclose(small, lightness.rows(0, 1)[0, 0].expand(shape), atol=1e-3)

    def test_cancel(self) -> None:
        """The reading ends when it is asked to."""
        with pytest.raises(Cancelled):
            Lightness(np.zeros((9, 9))).reduced(3, 3, lambda: True)
        with pytest.raises(Cancelled):
            Lightness(np.zeros((9, 9)), None, lambda: True)


class TestAt:
    """L of one place."""

    @pytest.mark.parametrize("kind", ["uint8", "float32", "rgb"])
    def test_it_is_that_of_the_nearest_pixel(self, kind: str) -> None:
        """(0, 0) is the middle of the first pixel; on the rim the outermost pixel counts."""
        grey = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
        image = {"uint8": grey, "float32": grey / np.float32(255), "rgb": np.dstack([grey] * 3)}
        lightness, wanted = Lightness(image[kind]), lightness_of(grey)
        places = {(0, 0): (0, 0), (1.4, 2.6): (1, 3), (-0.5, -0.5): (0, 0), (3.5, 5.5): (3, 5)}
        for place, pixel in places.items():
            assert lightness.at(*place) == pytest.approx(wanted[pixel], abs=0.01)


class TestReducedValues:
    """Smaller versions, in sRGB."""

    def test_by_hand(self) -> None:
        """Blocks of a grey picture and of a colour one are averaged as they are."""
        grey = np.kron(np.array([[0, 200], [100, 40]], np.uint8), np.ones((8, 8), np.uint8))
        got = Lightness(grey).reduced_values(2, 2)
        assert got.shape == (1, 2, 2)
        mean = float(Lightness(grey).reduced_values(1, 1))
        assert mean == pytest.approx(85 / 255, abs=1e-5)
        colors = Lightness(np.dstack((grey, grey // 2, 255 - grey))).reduced_values(1, 1)
        assert colors.flatten().tolist() == pytest.approx(
            [85 / 255, 42.5 / 255, 170 / 255], abs=1e-5
        )
