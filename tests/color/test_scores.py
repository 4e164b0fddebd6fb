"""Rows of a score card against hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from napari_colorize.color.metrics import PSNR_CAP, ciede2000, colorfulness, lab_of, mean_chroma
from napari_colorize.color.scores import Scores, Truth

Pixels = NDArray[np.uint8]
PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)))


def picture(*colours: tuple[int, int, int]) -> Pixels:
    """Return a picture one pixel high."""
    return np.array([colours], np.uint8)


@pytest.mark.parametrize("value", [0, 1, 77, 254, 255])
def test_the_grey_has_the_lightness_of_the_truth(value: int) -> None:
    """A grey gives itself; a colour gives the grey of its own L."""
    grey = np.full((1, 1, 3), value, np.uint8)
    assert Truth(grey).grey.item() == value
    truth = Truth(np.array([[[value, 255 - value, 100]]], np.uint8))
    assert lab_of(truth.colorless)[..., 0] == pytest.approx(truth.lab[..., 0], abs=0.4)


@given(truth=PICTURES)
def test_a_picture_against_itself_is_perfect(truth: Pixels) -> None:
    """Every figure of a truth against itself is the best it can be."""
    scores = Scores()
    value = scores.add(truth, Truth(truth))
    figures = scores.figures()
    assert value in (None, PSNR_CAP)
    assert (value is None) == (mean_chroma(lab_of(truth)) < 3)
    assert figures.psnr == value
    for share in (figures.auc_raw, figures.auc_half, figures.auc_balanced):
        assert share == pytest.approx(100)
    assert figures.ciede2000 == 0
    assert figures.colorfulness in (None, pytest.approx(1))


def test_scores_of_two_pictures() -> None:
    """PSNR is averaged over pictures and leaves a grey truth out; the rest takes all."""
    red, grey = picture((200, 60, 60), (200, 60, 60)), picture((90, 90, 90), (90, 90, 90))
    result = picture((200, 60, 60), (200, 60, 66))
    scores = Scores()
    first = scores.add(result, Truth(red))
    assert first == pytest.approx(10 * math.log10(65025 / 6))
    assert scores.add(grey + 1, Truth(grey)) is None
    figures = scores.figures()
    assert figures.psnr == first
    want = ciede2000(lab_of(result), lab_of(red)).mean()
    step = ciede2000(lab_of(grey + 1), lab_of(grey)).mean()
    assert figures.ciede2000 == pytest.approx((want + step) / 2)
    ratio = colorfulness(result) / colorfulness(red)
    assert figures.colorfulness == pytest.approx(ratio)
    assert figures.to_dict()["psnr"] == first


def test_nothing_measured_is_none() -> None:
    """No picture at all, or no colourful one, gives None, never a warning."""
    assert set(Scores().figures().to_dict().values()) == {None}
    grey = picture((90, 90, 90))
    scores = Scores()
    scores.add(grey, Truth(grey))
    assert scores.figures().psnr is None
    assert scores.figures().colorfulness is None


def test_steepness_over_the_truth() -> None:
    """Colour on three of five rows of an edge has three fifths of its steepness; grey has none."""
    rgb = np.full((6, 6, 3), 40, np.uint8)
    rgb[:, 3:] = 220, 120, 120
    truth = Truth(rgb)
    result = truth.colorless.copy()
    result[:3] = rgb[:3]
    partly, grey, own = Scores(), Scores(), Scores()
    partly.add(result, truth)
    grey.add(truth.colorless, truth)
    own.add(rgb, truth)
    assert partly.figures().edges == pytest.approx(3 / 5, abs=1e-4)
    assert grey.figures().edges == pytest.approx(0, abs=1e-4)
    assert own.figures().edges == pytest.approx(1)
    slopes = own.true_slopes()
    assert slopes.edge == pytest.approx(np.hypot(*truth.lab[0, 5, 1:]), abs=1e-3)
    assert slopes.flat == pytest.approx(0, abs=1e-4)
    assert (slopes.edge_share, slopes.flat_share) == (5 / 25, 20 / 25)
