"""What a stack will cost: a guess that learns, told as people read it."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_colorize.docks.colorizing import pace as paces
from napari_colorize.docks.colorizing.orders import Order
from napari_colorize.docks.colorizing.pace import Clock, Pace, in_words, rate_in_words
from napari_colorize.docks.layers import StackView, take_source


@pytest.fixture
def order():
    """Return the order of a whole stack of 20 planes of 512 px."""
    viewer = ViewerModel()
    layer = viewer.add_layer(Image(np.zeros((20, 512, 512), np.uint8)))
    return Order((take_source(viewer, layer, whole=True),))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s"),
        (7.4, "about 7 s"),
        (43, "about 45 s"),
        (89, "about 90 s"),
        (150, "about 2 min"),
        (5400, "about 1.5 h"),
    ],
)
def test_times_are_rounded(seconds, words):
    """Nobody is told more than is known."""
    assert in_words(seconds) == words


def test_rates_are_told_the_way_round_that_is_read():
    """Slow ones as seconds a plane."""
    rates = [rate_in_words(rate) for rate in (24.4, 2.04, 0.5, 0.04)]
    assert rates == ["24 planes/s", "2.0 planes/s", "2.0 s a plane", "25 s a plane"]


def test_guess_learns_from_what_was_seen(order):
    """Twice as slow a computer is told so the next time, also of a part."""
    pace = Pace()
    first = pace.seconds(order, 20)
    pace.learn(order, 10, 2 * (pace.seconds(order, 10) - paces._OPENING))
    assert pace.seconds(order, 20) - paces._OPENING == pytest.approx(2 * (first - paces._OPENING))
    pace.learn(order, 0, 5.0)
    assert np.isfinite(pace.seconds(order, 20))


def test_clock_tells_what_is_left(monkeypatch):
    """From the planes of late."""
    now = [0.0]
    monkeypatch.setattr(paces, "monotonic", lambda: now[0])
    clock = Clock()
    assert clock.told(10) == ""
    for _ in range(40):
        now[0] += 0.5
        clock.tick()
    assert clock.told(10) == "2.0 planes/s, about 5 s left"
    assert (clock.planes, clock.seconds) == (40, 20)


@pytest.mark.parametrize("order_of_axes", [(0, 1, 2, 3), (2, 0, 1, 3), (3, 2, 1, 0)])
def test_planes_of_a_stack_are_those_of_its_result(order_of_axes):
    """Whichever axes are shown, a plane is read and put back at one place."""
    data = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    viewer = ViewerModel()
    layer = viewer.add_layer(Image(data))
    viewer.dims.order = order_of_axes
    source = take_source(viewer, layer, whole=True)
    axes, view = source.stack_axes, StackView(source)
    found = np.zeros_like(data)
    for place, _ in axes.places():
        assert view[place].shape == axes.plane
        found[source.key_of(place)] = view[place]
    np.testing.assert_array_equal(found, data)
    assert axes.names == "tzyx"
