"""Pictures steered in any way: windows, strokes, regions, references, adjustments, doubt, trust."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Reference, Steering
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.errors import PictureError
from napari_colorize.prediction.window import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

RED, BLUE = (220, 30, 30), (30, 60, 220)
SHAPE = (60, 80)  # of the painter's picture


def ab(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return a and b."""
    values: NDArray[np.float64] = rgb2lab(pixels)[..., 1:]
    return values


def area(rows: slice, columns: slice) -> LabelMap:
    """Return a rectangle of label 1."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[rows, columns] = 1
    return LabelMap.from_array(labels)


class TestWindow:
    """A part of the picture."""

    @pytest.mark.parametrize(
        "window", [Window(0, 0, 60, 80), Window(7, 11, 50, 33, 3), Window(59, 79, 60, 80, 9)]
    )
    def test_it_is_the_same_as_in_the_whole(self, painter: Colorizer, window: Window) -> None:
        """Up to rounding: the pixels do not depend on what else is drawn."""
        steering = Steering((Hint(20, 20, RED),), adjustments=Adjustments(warmth=0.3))
        whole = painter.render(steering).pixels[window.slices]
        part = painter.render(steering, window=window).pixels
        assert part.shape == (*window.shape, 3) == whole.shape
        assert np.abs(part.astype(int) - whole).max() <= 1

    def test_beyond_the_picture(self, painter: Colorizer) -> None:
        """The size of the picture is told."""
        with pytest.raises(PictureError, match="reaches beyond the picture of 60 x 80 px"):
            painter.render(Steering(), window=Window(0, 0, 61, 80))

    @pytest.mark.parametrize("edges", [(5, 5, 5, 9), (-1, 0, 5, 5), (0, 0, 5, 5, 0)])
    def test_nothing_inside(self, edges: tuple[int, ...]) -> None:
        """There is nothing to draw."""
        with pytest.raises(PictureError, match="no pixel"):
            Window(*edges)


def test_a_stroke_is_a_hint_of_its_form(painter: Colorizer) -> None:
    """A square painted is the square hint; strokes and points may be mixed."""
    painted = Strokes(area(slice(20, 28), slice(40, 48)), ((1, RED),))
    hinted = painter.render(Steering((Hint(23.5, 43.5, RED, size=8),))).pixels
    assert np.array_equal(painter.render(Steering((painted,))).pixels, hinted)
    both = painter.render(Steering((painted, Hint(5, 5, BLUE)))).pixels
    assert not np.array_equal(both, hinted)


def test_nothing_moves_outside_a_region(painter: Colorizer) -> None:
    """Not one pixel, whatever changes inside; what held before goes on to hold there."""
    before = Steering((Hint(10, 10, RED, size=20),), vividness=0.2)
    rows, columns = slice(30, 50), slice(5, 60)
    inside = np.zeros(SHAPE, bool)
    inside[rows, columns] = True
    after = Steering(
        (Hint(40, 30, BLUE, size=20),), 1.0, region=area(rows, columns), outside=before
    )
    old, new = painter.render(before).pixels, painter.render(after).pixels
    free = painter.render(replace(after, region=None, outside=None)).pixels
    assert np.array_equal(new[~inside], old[~inside])
    assert np.array_equal(new[inside], free[inside])
    assert not np.array_equal(new[inside], old[inside])
    window = Window(20, 0, 60, 70, 2)
    assert np.array_equal(painter.render(after, window=window).pixels, new[window.slices])


def test_a_region_of_another_picture(painter: Colorizer) -> None:
    """Both sizes are told."""
    region = LabelMap.from_array(np.ones((3, 4), np.uint8))
    with pytest.raises(PictureError, match="of 3 x 4 px, this one has 60 x 80 px"):
        painter.render(Steering(region=region))


class TestAdjustments:
    """What is done behind the network."""

    def test_the_lightness_stays(self, painter: Colorizer) -> None:
        """Whatever is done."""
        wild = Steering(adjustments=Adjustments(chroma=2, warmth=1, hue=120))
        mean, largest = painter.trust(painter.render(wild).pixels)
        assert mean < 0.3
        assert largest < 1.5

    def test_chroma_and_blend(self, painter: Colorizer) -> None:
        """No chroma is grey, and so is the original of a grey picture."""
        for adjustments in (Adjustments(chroma=0), Adjustments(blend=1)):
            pixels = painter.render(Steering(adjustments=adjustments)).pixels
            assert np.ptp(pixels.astype(int), axis=-1).max() <= 1
        fifth, half = (
            ab(painter.render(Steering(adjustments=Adjustments(chroma=chroma))).pixels)
            for chroma in (0.2, 0.4)  # inside the gamut
        )
        assert np.abs(fifth - half / 2).mean() < 0.7

    def test_hue_turns(self, painter: Colorizer) -> None:
        """A quarter turn takes a to b."""
        pale = Adjustments(chroma=0.4)  # inside the gamut in every hue
        before = ab(painter.render(Steering(adjustments=pale)).pixels)
        after = ab(painter.render(Steering(adjustments=replace(pale, hue=90))).pixels)
        assert np.abs(after[..., 1] - before[..., 0]).mean() < 0.8

    def test_warmth(self, painter: Colorizer) -> None:
        """Warmer is yellower, colder is bluer."""
        cold, as_is, warm = (
            ab(painter.render(Steering(adjustments=Adjustments(warmth=warmth))).pixels)[..., 1]
            for warmth in (-0.5, 0, 0.5)
        )
        assert (cold - as_is).mean() < -5
        assert (warm - as_is).mean() > 5

    def test_blend_of_a_colour_picture(self, painter: Colorizer) -> None:
        """The original comes back."""
        picture = np.random.default_rng(2).integers(0, 256, (40, 50, 3), np.uint8)
        painter.set_picture(picture)
        pixels = painter.render(Steering(adjustments=Adjustments(blend=1))).pixels
        assert np.abs(pixels.astype(int) - picture).max() <= 1


class TestReference:
    """A palette and its strength."""

    def test_strength(self, painter: Colorizer) -> None:
        """0 is as without, 1 as the array itself, between them it goes straight."""
        picture = np.full((9, 9, 3), (200, 60, 20), np.uint8)
        reference = painter.reference_of(picture, "brick")
        none, half, full = (
            painter.render(Steering(reference=replace(reference, strength=strength))).pixels
            for strength in (0, 0.5, 1)
        )
        assert np.array_equal(none, painter.render(Steering()).pixels)
        assert np.array_equal(full, painter.colorize(reference=picture))
        assert np.abs(ab(half) - (ab(none) + ab(full)) / 2).mean() < 1

    def test_a_palette_of_another_kind(self, painter: Colorizer) -> None:
        """A file may hold too few shares."""
        with pytest.raises(PictureError, match="'old' has 2 colours"):
            painter.render(Steering(reference=Reference("old", (0.5, 0.5))))


class TestDoubt:
    """Where the network guesses."""

    def test_it_is_what_the_card_measured(self, painter: Colorizer) -> None:
        """Two bins and a straight line between them."""
        bins = [{"confidence": 0.0, "error": 30.0}, {"confidence": 1.0, "error": 10.0}]
        painter.card["score_card"] = {"evaluation": {"reliability": {"bins": bins}}}
        assert np.abs(painter.doubt() - (30 - 20 * painter.confidence())).max() < 1e-3

    def test_without_a_measurement(self, painter: Colorizer) -> None:
        """The distribution itself tells what to expect."""
        painter.card.pop("score_card", None)
        doubt = painter.doubt()
        assert doubt.shape == SHAPE
        assert doubt.dtype == np.float32
        assert (doubt > 0).all()

    def test_the_best_place_is_not_where_hints_are(self, painter: Colorizer) -> None:
        """One follows the other, far away."""
        y, x = painter.best_place()
        assert 0 <= y < 60
        assert 0 <= x < 80
        again = painter.best_place([Hint(y, x, RED)])
        assert np.hypot(again[0] - y, again[1] - x) > 10


def test_trust_tells_of_a_changed_lightness(painter: Colorizer) -> None:
    """One pixel made white is the largest difference."""
    pixels = painter.render(Steering()).pixels.copy()
    assert painter.trust(pixels).largest < 1
    pixels[0, 0] = 255
    assert painter.trust(pixels).largest > 20
    with pytest.raises(PictureError, match="shape"):
        painter.trust(pixels[1:])


def test_the_network_is_asked_only_for_another_reference(painter: Colorizer) -> None:
    """Hints, sliders and regions act without it."""
    network = painter._open()
    asked = []
    decode = network.decode
    network.decode = lambda *given: asked.append(1) or decode(*given)  # type: ignore[func-returns-value, method-assign]
    steering = Steering((Hint(3, 3, RED),))
    for changed in (
        steering,
        replace(steering, vividness=0.1),
        replace(steering, adjustments=Adjustments(hue=20)),
        replace(steering, hints=()),
    ):
        painter.render(changed)
    assert len(asked) == 1
    mood = painter.reference_of(np.full((9, 9, 3), RED, np.uint8))
    painter.render(replace(steering, reference=mood))
    painter.render(replace(steering, reference=mood, hints=()))
    assert len(asked) == 2


def test_sixteen_bits_are_the_same_picture(painter: Colorizer) -> None:
    """Finer, and to 8 bits rounded what 8 bits are."""
    steering = Steering((Hint(20, 20, RED),), vividness=0.5)
    deep = painter.render(steering, dtype="uint16").pixels
    assert deep.dtype == np.uint16
    assert len(np.unique(deep)) > 256
    coarse = painter.render(steering).pixels
    assert coarse.dtype == np.uint8
    assert np.abs(deep / 257 - coarse).max() <= 1
