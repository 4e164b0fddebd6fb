"""Which part of a picture is on screen, and what is painted there first."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.layers import Image

from napari_colorize.docks.steering.session.view_window import is_whole, painted, part_on_screen
from napari_colorize.prediction.window import Window

FLAT, DEEP = (SimpleNamespace(dims=SimpleNamespace(ndisplay=n)) for n in (2, 3))


def shown(corners: list[list[int]], world_per_pixel: float, scale: float = 1.0) -> Image:
    """Return a picture as it is when it was drawn."""
    layer = Image(np.zeros((2000, 3000, 3), np.uint8), rgb=True, scale=(scale, scale))
    layer.corner_pixels = np.array(corners)
    layer.scale_factor = world_per_pixel
    return layer


@pytest.mark.parametrize(
    ("corners", "world_per_pixel", "scale", "window"),
    [
        ([[0, 0], [1999, 2999]], 3.0, 1.0, Window(0, 0, 2000, 3000, 3)),
        ([[0, 0], [1999, 2999]], 0.3, 0.1, Window(0, 0, 2000, 3000, 3)),
        ([[0, 0], [1999, 2999]], 1.7, 1.0, Window(0, 0, 2000, 3000, 2)),
        ([[0, 0], [1999, 2999]], 0.5, 1.0, Window(0, 0, 2000, 3000, 1)),
        ([[101, 205], [700, 900]], 2.0, 1.0, Window(100, 204, 701, 901, 2)),
        ([[101, 205], [700, 900]], 1e6, 1.0, Window(99, 204, 701, 901, 3)),
        ([[0, 0], [0, 0]], 1.0, 1.0, Window(0, 0, 2000, 3000, 1)),
    ],
)
def test_part_on_screen(corners, world_per_pixel, scale, window):
    """It is what the canvas shows, as finely as it shows it."""
    assert part_on_screen(FLAT, shown(corners, world_per_pixel, scale), (0, 1)) == window


def test_turned_in_space():
    """Then all of it may be seen."""
    layer = shown([[101, 205], [700, 900]], 2.0)
    assert part_on_screen(DEEP, layer, (0, 1)) == Window(0, 0, 2000, 3000, 2)


def test_whole():
    """Every pixel of all of it."""
    assert is_whole(Window(0, 0, 20, 30), (20, 30))
    assert not is_whole(Window(0, 0, 20, 30, 2), (20, 30))
    assert not is_whole(Window(0, 1, 20, 30), (20, 30))


@given(
    rows=st.tuples(st.integers(0, 22), st.integers(1, 23)),
    columns=st.tuples(st.integers(0, 16), st.integers(1, 17)),
    step=st.integers(1, 7),
    limited=st.booleans(),
)
def test_painted(rows, columns, step, limited):
    """Each pixel in the part is the one of its square, all else as before."""
    height, width = min(rows[0] + rows[1], 23), min(columns[0] + columns[1], 17)
    window = Window(rows[0], columns[0], height, width, step)
    random = np.random.default_rng(0)
    before = random.integers(0, 256, (23, 17, 3), dtype=np.uint8)
    pixels = random.integers(0, 256, (*window.shape, 3), dtype=np.uint8)
    inside = random.random((23, 17)) < 0.5 if limited else None
    kept = before.copy()
    after = painted(before, pixels, window, inside)
    np.testing.assert_array_equal(before, kept)
    for y in range(23):
        for x in range(17):
            is_in = window.top <= y < window.bottom and window.left <= x < window.right
            if is_in and (inside is None or inside[y, x]):
                expected = pixels[(y - window.top) // step, (x - window.left) // step]
            else:
                expected = before[y, x]
            assert tuple(after[y, x]) == tuple(expected)
