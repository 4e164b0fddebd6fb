"""Whole stacks from Python, and hints that follow things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.stacks.api import colorize_stack
from napari_colorize.stacks.coloring import colored_planes
from napari_colorize.stacks.job import StackJob
from napari_colorize.stacks.steering import StackSteering
from napari_colorize.stacks.tracking import tracked_hints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

    Pan = Callable[..., NDArray[np.uint8]]

RED = (220, 20, 20)


class TestColorizeStack:
    """The public function."""

    def test_what_comes_out(self, pan: Pan, painter: Colorizer, model: Path) -> None:
        """The planes of the stack in their places, in any kind of array."""
        movie = pan(3)
        told: list[tuple[int, int]] = []
        pixels = colorize_stack(
            da.from_array(movie, chunks=(1, 96, 96)),
            model=model,
            device="cpu",
            progress=lambda *counts: told.append(counts),
        )
        planes = colored_planes(StackJob(movie, Axes.guessed(movie.shape)), painter)
        assert np.array_equal(pixels, np.stack([plane.pixels for plane in planes]))  # type: ignore[arg-type]
        assert told == [(1, 3), (2, 3), (3, 3)]

    def test_more_axes(self, pan: Pan, model: Path) -> None:
        """Every plane is in its place, with its own lightness."""
        stack = np.stack([pan(2), 255 - pan(2, seed=3)])
        pixels = colorize_stack(stack, "tzyx", model=model, device="cpu")
        assert pixels.shape == (2, 2, 96, 96, 3)
        grey = rgb2lab(np.repeat(stack[..., None], 3, axis=-1))[..., 0]
        assert np.abs(rgb2lab(pixels)[..., 0] - grey).max() < 1.5

    def test_a_gap_is_warned_of(self, model: Path) -> None:
        """A plane that cannot be coloured stays black."""
        stack = np.full((3, 40, 40), 0.5)
        stack[1] = 7
        with pytest.warns(UserWarning, match=r"Plane \(1,\) stays black: A float picture"):
            pixels = colorize_stack(stack, model=model, device="cpu")
        assert not pixels[1].any()
        assert pixels[2].any()

    def test_not_a_single_plane(self, model: Path) -> None:
        """One sentence instead of a black stack and a warning for each plane."""
        stack = np.full((3, 40, 40), 7.0)
        with pytest.raises(
            PictureError,
            match=r"^No plane can be coloured: A float .* 7: give contrast_limits=.*\w\.$",
        ):
            colorize_stack(stack, model=model, device="cpu")
        assert colorize_stack(stack, contrast_limits=(0, 9), model=model, device="cpu").any()

    @pytest.mark.parametrize(
        ("stack", "axes", "limits", "message"),
        [
            (np.zeros((2, 8, 8)), "tyx", (9, 1), "contrast_limits has to be two finite"),
            (np.zeros((2, 8, 8)), "tyx", 5, "contrast_limits has to be two numbers"),
            (np.zeros((2, 8, 8)), 5, None, "axes has to be a text"),
            (np.zeros((2, 8, 8), complex), "tyx", None, "real numbers, got .* complex128"),
            ("film.mp4", "tyx", None, "has to be an array, such as layer.data, got str"),
            ([[1], [1, 2]], None, None, "cannot be read as an array"),
        ],
    )
    def test_bad_input(self, model: Path, stack: Any, axes: Any, limits: Any, message: str) -> None:
        """It is told at once, not plane by plane."""
        with pytest.raises(PictureError, match=message):
            colorize_stack(stack, axes, contrast_limits=limits, model=model, device="cpu")

    def test_nested_lists_and_a_plane_of_another_size(self, model: Path) -> None:
        """Lists are an array; a plane that does not fit is a gap."""
        movie = np.full((3, 20, 24), 90, np.uint8)
        wanted = colorize_stack(movie, "tyx", model=model, device="cpu")
        found = colorize_stack(
            movie.tolist(), "tyx", contrast_limits=(0, 255), model=model, device="cpu"
        )
        assert np.abs(found.astype(int) - wanted).max() <= 1

        class Uneven:
            shape = movie.shape

            def __getitem__(self, place: tuple[int, ...]) -> NDArray[np.uint8]:
                return movie[place][:7] if place == (1,) else movie[place]

        with pytest.warns(UserWarning, match=r"Plane \(1,\) .*: it is 24 x 7 pixels, others are"):
            found = colorize_stack(Uneven(), "tyx", model=model, device="cpu")
        assert found[2].any()

    @pytest.mark.parametrize(
        ("hints", "message"),
        [({9: []}, "no plane 9"), ({(0, 0): []}, "no plane"), ({"a": []}, "no plane"), ([], None)],
    )
    def test_hints_of_no_plane(self, pan: Pan, model: Path, hints: Any, message: Any) -> None:
        """The plane is named; a list is no mapping."""
        if message is None:
            hints, message = [Hint(1, 1, RED)], "have to be a mapping"
        with pytest.raises(PictureError, match=message):
            colorize_stack(pan(2), model=model, device="cpu", hints=hints)

    def test_a_hint_reaches_the_planes_around(self, pan: Pan) -> None:
        """It is on the third plane of five; the network that obeys hints paints all of them."""
        movie = pan(5, step=2)
        plain = colorize_stack(movie, device="cpu")
        hinted = colorize_stack(movie, device="cpu", hints={2: [Hint(48, 48, RED, 24)]})
        for plane, x in zip(range(5), (52, 50, 48, 46, 44), strict=True):
            window = (plane, slice(42, 54), slice(x - 6, x + 6))
            before, after = (rgb2lab(pixels[window])[..., 1].mean() for pixels in (plain, hinted))
            assert after > before + 5


class TestTracking:
    """Hints and the things that they stand on."""

    def follow(self, movie: NDArray[np.uint8], hints: Any) -> dict[Any, Any]:
        """Return the hints of all planes."""
        axes = Axes.guessed(movie.shape)
        steering = StackSteering.of_planes(Steering(), hints, axes)
        return dict(steering.followed(movie, axes).hints)

    def test_along_the_motion_both_ways(self, pan: Pan) -> None:
        """The scene moves two pixels to the left with each plane."""
        found = self.follow(pan(5, step=2), {(2,): (Hint(48, 50, RED, 8),)})
        assert [len(found[(t,)]) for t in range(5)] == [1] * 5
        for t in range(5):
            (hint,) = found[(t,)]
            assert abs(hint.x - (54 - 2 * t)) < 1
            assert abs(hint.y - 48) < 1
            assert hint.color == RED

    def test_not_over_a_cut(self, pan: Pan) -> None:
        """The next scene knows nothing of it."""
        scenes = np.concatenate((pan(2), 255 - pan(2, seed=7)))
        found = self.follow(scenes, {(0,): (Hint(48, 50, RED, 8),)})
        assert [len(found[(t,)]) for t in range(4)] == [1, 1, 0, 0]

    def test_another_hint_says_otherwise(self, pan: Pan) -> None:
        """From there on, and back from there, the other one holds."""
        blue = (20, 20, 220)
        hints = {(0,): (Hint(48, 50, RED, 8),), (3,): (Hint(48, 44, blue, 8),)}
        found = self.follow(pan(5, step=2), hints)
        assert [hint.color for hint in found[(0,)]] == [RED]
        assert [hint.color for hint in found[(3,)]] == [blue]
        assert [hint.color for hint in found[(4,)]] == [blue]

    def test_out_of_the_picture(self, pan: Pan) -> None:
        """It is gone with its thing."""
        found = self.follow(pan(6, step=4), {(0,): (Hint(48, 9, RED, 4),)})
        assert found[(1,)]
        assert not found[(5,)]

    def test_nothing_is_read_without_hints(self) -> None:
        """A row without hints costs nothing."""
        places = [(0,), (1,)]
        found = tracked_hints(places, {}, lambda place: 1 / 0, (5, 5))  # type: ignore[arg-type, return-value]
        assert found == {(0,): (), (1,): ()}
