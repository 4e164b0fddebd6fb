"""Stacks in colour: it holds still, ends at cuts, and gaps are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.errors import Cancelled
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.stacks.coloring import colored_planes
from napari_colorize.stacks.job import StackJob
from napari_colorize.stacks.steering import StackSteering

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

    Pan = Callable[..., NDArray[np.uint8]]


def color(stack: Any, painter: Colorizer, **how: Any) -> NDArray[np.uint8]:
    """Return the whole stack in colour."""
    planes = list(colored_planes(StackJob(stack, Axes.guessed(stack.shape), **how), painter))
    return np.stack([plane.pixels for plane in planes if plane.pixels is not None])


def flicker(pixels: NDArray[np.uint8], step: int) -> float:
    """Return how far ab of one thing differs from plane to plane in a pan."""
    ab = rgb2lab(pixels)[..., 1:]
    inner = slice(8, -8)
    now, before = ab[1:, inner, 8 : -8 - step], ab[:-1, inner, 8 + step : -8]
    return float(np.linalg.norm(now - before, axis=-1).mean())


def test_colour_holds_still(pan: Pan, painter: Colorizer) -> None:
    """A network that sees grain anew in each plane flickers; carried colour does so far less."""
    movie = pan(8, step=1, noise=6)
    alone = flicker(color(movie, painter, coherent=False), 1)
    assert flicker(color(movie, painter), 1) < alone / 2


def test_alone_is_as_one_picture(pan: Pan, painter: Colorizer) -> None:
    """Without carrying each plane is what `colorize` gives."""
    movie = pan(2)
    planes = color(movie, painter, coherent=False)
    painter.set_picture(movie[1])
    assert np.array_equal(planes[1], painter.colorize())


def test_nothing_goes_over_a_cut(pan: Pan, painter: Colorizer) -> None:
    """The first plane of the next scene is as if it were the first of all."""
    scenes = np.concatenate((pan(3), 255 - pan(3, seed=7)))
    assert np.array_equal(color(scenes, painter)[3], color(scenes[3:], painter)[0])


def test_the_lightness_is_that_of_each_plane(pan: Pan, painter: Colorizer) -> None:
    """Only the colour is carried."""
    movie = pan(4, noise=3)
    wanted = rgb2lab(np.repeat(movie[..., None], 3, axis=-1))[..., 0]
    assert np.abs(rgb2lab(color(movie, painter))[..., 0] - wanted).max() < 1.5


def test_contrast_limits_hold_for_all(pan: Pan, painter: Colorizer) -> None:
    """A dark plane stays dark."""
    movie = pan(3).astype(np.float32)
    movie[1] /= 2
    pixels = color(movie, painter, contrast_limits=(0, 255), coherent=False)
    assert pixels[1].mean() < 0.7 * pixels[0].mean()


def test_steering_of_each_plane(pan: Pan, painter: Colorizer) -> None:
    """A hint on one plane is a hint there."""
    red = Steering((Hint(48, 48, (220, 20, 20), 30),))
    movie = pan(2)
    steering = StackSteering(hints={(1,): red.hints})
    hinted = color(movie, painter, steering=steering, coherent=False)
    assert np.array_equal(hinted[0], color(movie, painter, coherent=False)[0])
    painter.set_picture(movie[1])
    assert np.array_equal(hinted[1], painter.render(red).pixels)


def test_a_gap_is_told_and_the_rest_is_done(pan: Pan, painter: Colorizer) -> None:
    """One plane cannot be read, one is of another world; those behind begin anew."""

    class Broken:
        """A stack that fails at one plane."""

        shape = (4, 96, 96)
        data = pan(4)

        def __getitem__(self, place: tuple[int, ...]) -> NDArray[np.uint8]:
            """Return a plane, or fail."""
            if place == (1,):
                raise OSError("bad sector")
            return self.data[place]

    planes = list(colored_planes(StackJob(Broken(), Axes.guessed((4, 96, 96))), painter))
    assert [plane.pixels is None for plane in planes] == [False, True, False, False]
    assert planes[1].reason == "it cannot be read (OSError: bad sector)"
    anew = color(Broken.data[2:], painter)
    assert planes[2].pixels is not None
    assert np.array_equal(planes[2].pixels, anew[0])


def test_cancel(pan: Pan, painter: Colorizer) -> None:
    """What was yielded is done; then it ends."""
    done: list[Any] = []
    axes = Axes.guessed((4, 96, 96))
    planes = colored_planes(StackJob(pan(4), axes), painter, cancel=lambda: len(done) == 2)
    done += [next(planes), next(planes)]
    with pytest.raises(Cancelled):
        next(planes)


def test_planes_of_nan_are_black(pan: Pan, painter: Colorizer) -> None:
    """They are a plane like any other."""
    movie = pan(3).astype(np.float32) / 255
    movie[1] = np.nan
    pixels = color(movie, painter)
    assert len(pixels) == 3
    assert pixels[1].max() < 3
