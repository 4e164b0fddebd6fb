"""Figures of the score card against hand-worked values, published pairs and properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from napari_colorize.color import metrics
from napari_colorize.color.metrics import AuC

Pixels = NDArray[np.uint8]
PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)))

# Rows of table 1 of Sharma, Wu and Dalal (2005): the hard cases of hue and chroma.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, -1, 2), (50, 0, 0), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
    ((50, -0.0010, 2.4900), (50, 0.0011, -2.4900), 4.7461),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def picture(*colours: tuple[int, int, int]) -> Pixels:
    """Return a picture one pixel high."""
    return np.array([colours], np.uint8)


def test_psnr_of_two_pixels() -> None:
    """One channel of six is off by 6: the mean square is 6, so 10 log10(255^2 / 6)."""
    truth = picture((10, 20, 30), (40, 50, 60))
    result = picture((10, 20, 30), (40, 56, 60))
    assert metrics.psnr(result, truth) == pytest.approx(10 * math.log10(65025 / 6))
    assert metrics.psnr(result, truth) == pytest.approx(40.349, abs=1e-3)
    assert metrics.psnr(picture((0, 0, 0)), picture((255, 255, 255))) == 0


def test_psnr_is_capped() -> None:
    """Equal pictures have the cap, and no picture more."""
    truth = picture((1, 2, 3))
    assert metrics.psnr(truth, truth) == metrics.PSNR_CAP == 100
    large = np.zeros((300, 300, 3), np.uint8)
    nearly = large.copy()
    nearly[0, 0, 0] = 1
    assert metrics.psnr(nearly, large) == metrics.PSNR_CAP


def test_shapes_must_agree() -> None:
    """Pictures of two shapes are not broadcast."""
    with pytest.raises(ValueError, match=r"shape \(1, 1, 3\), the truth \(1, 2, 3\)"):
        metrics.psnr(picture((0, 0, 0)), picture((0, 0, 0), (1, 1, 1)))


def test_colorfulness_of_two_pixels() -> None:
    """Red and blue: rg is 255, 0; yb is 127.5, -255."""
    rg = 127.5
    spread = math.sqrt(127.5**2 + 191.25**2)
    away = math.sqrt(rg**2 + (-63.75) ** 2)
    got = metrics.colorfulness(picture((255, 0, 0), (0, 0, 255)))
    assert got == pytest.approx(spread + 0.3 * away)
    # Signed: orange and its opposite do not cancel into the figure of absolute values.
    signed = metrics.colorfulness(picture((200, 100, 100), (100, 200, 100)))
    assert signed == pytest.approx(100 + 0.3 * 50)


@given(grey=st.integers(0, 255))
def test_greys_have_no_colorfulness(grey: int) -> None:
    """A grey of any lightness is not colourful at all."""
    assert metrics.colorfulness(picture((grey, grey, grey))) == 0


@pytest.mark.parametrize(("one", "other", "difference"), SHARMA)
def test_ciede2000_of_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    """The pairs published to test implementations, to the four digits they give."""
    assert metrics.ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=5e-5)


def test_ciede2000_is_that_of_scikit_image() -> None:
    """A hundred thousand random pairs agree, greys among them."""
    random = np.random.default_rng(0)
    low, high = (0, -100, -100), (100, 100, 100)
    one, other = random.uniform(low, high, (2, 100_000, 3))
    one[:100, 1:] = 0
    other[50:150, 1:] = 0
    want = deltaE_ciede2000(one, other)
    np.testing.assert_allclose(metrics.ciede2000(one, other), want, atol=1e-9)
    np.testing.assert_allclose(metrics.ciede2000(other, one), want, atol=1e-9)


def test_auc_of_two_pixels() -> None:
    """One pixel exact, one off by 30.5: the first is within all 151 t, the second from 31 on."""
    auc = AuC()
    auc.add(np.array([[0.0, 0], [50.5, 0]]), np.array([[0.0, 0], [20, 0]]))
    want = 100 * (151 + 120) / 2 / 151
    assert auc.raw() == pytest.approx(want)
    # Two bins with one pixel each: all weights are alike.
    assert auc.half() == pytest.approx(want)
    assert auc.balanced() == pytest.approx(want)


def test_auc_counts_a_distance_on_the_threshold() -> None:
    """A distance of exactly t is within t; one beyond 150 never is."""
    auc = AuC()
    auc.add(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]]))
    assert auc.raw() == pytest.approx(100 * (151 - 5) / 151)
    auc = AuC()
    auc.add(np.array([[100.0, 100.0]]), np.array([[-100.0, -100.0]]))
    assert auc.raw() == 0


def test_auc_weighs_rare_colours() -> None:
    """Three greys right and one red missed by far, worked by hand for each weighting."""
    auc = AuC()
    truth = np.array([[0.0, 0], [1, 1], [2, 2], [80, 60]])
    result = truth.copy()
    result[3] = -80, -60  # 200 away
    auc.add(result, truth)
    assert auc.raw() == pytest.approx(75)
    # p = 3/4 and 1/4, Q = 2. Balanced: both bins weigh 1.
    assert auc.balanced() == pytest.approx(50)
    # Half: weights 1 / (3/8 + 1/4) = 1.6 and 1 / (1/8 + 1/4) = 8/3.
    assert auc.half() == pytest.approx(100 * 3 * 1.6 / (3 * 1.6 + 8 / 3))
    assert auc.p[12, 12] == 0.75
    assert auc.p[20, 18] == 0.25


@pytest.mark.parametrize(
    ("ab", "place"),
    [
        ((-120, -120), (0, 0)),
        ((-0.01, 0), (11, 12)),
        ((9.99, 10), (12, 13)),
        ((200, -200), (23, 0)),
    ],
)
def test_bins_are_ten_wide(ab: tuple[float, float], place: tuple[int, int]) -> None:
    """floor((ab + 120) / 10) on 24 x 24, the outermost taking what lies beyond."""
    assert metrics.bin_of(np.array(ab)) == place[0] * 24 + place[1]


@given(first=PICTURES, second=PICTURES)
def test_pooling_does_not_depend_on_order(first: Pixels, second: Pixels) -> None:
    """AuC of two pictures is that of all their pixels together, in any order."""
    one, other, joint = AuC(), AuC(), AuC()
    labs = [metrics.lab_of(rgb)[..., 1:].reshape(-1, 2) for rgb in (first, second)]
    for ab in labs:
        one.add(ab * 0, ab)
    for ab in reversed(labs):
        other.add(ab * 0, ab)
    both = np.concatenate(labs)
    joint.add(both * 0, both)
    assert one.raw() == other.raw() == joint.raw()
    assert one.balanced() == other.balanced() == joint.balanced()
    assert 0 <= one.raw() <= 100
    assert one.p.sum() == pytest.approx(1)


def test_no_pixels_have_no_area() -> None:
    """Nothing counted is no number, never a warning."""
    assert math.isnan(AuC().raw())
