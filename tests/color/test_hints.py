"""A place and the colour wanted there."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from napari_colorize.color.hints import SIZE, Hint, inside
from napari_colorize.color.steering import checked_hints
from napari_colorize.errors import PictureError

NUMBER = st.floats(-1e6, 1e6)
CHANNEL = st.floats(0, 255)


class TestHint:
    """Its values."""

    @given(NUMBER, NUMBER, st.tuples(CHANNEL, CHANNEL, CHANNEL), st.floats(0.1, 1e6))
    def test_it_keeps_what_it_was_given(
        self, y: float, x: float, color: tuple[float, float, float], size: float
    ) -> None:
        """Equal values make equal hints, which can be keys."""
        hint = Hint(y, x, color, size)
        assert (hint.y, hint.x, hint.color, hint.size) == (y, x, color, size)
        assert hint == Hint(y, x, color, size)
        assert {hint: 1}[Hint(y, x, color, size)] == 1

    def test_its_size_can_be_left_out(self) -> None:
        """Then it is the usual one."""
        assert Hint(1, 2, (3, 4, 5)).size == SIZE == 6

    def test_numpy_is_taken(self) -> None:
        """Scalars and arrays become plain floats."""
        hint = Hint(np.float32(1.5), np.int16(7), np.array([1, 2, 255], np.uint8), np.array(3))
        assert hint == Hint(1.5, 7.0, (1.0, 2.0, 255.0), 3.0)
        assert all(type(value) is float for value in (hint.y, hint.x, hint.size, *hint.color))

    def test_it_cannot_be_changed(self) -> None:
        """A hint is a value."""
        with pytest.raises(AttributeError):
            Hint(1, 2, (3, 4, 5)).y = 2  # type: ignore[misc]

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (("left", 2, (1, 2, 3)), "y of a hint has to be a number, got 'left'"),
            ((1, None, (1, 2, 3)), "x of a hint has to be a number, got None"),
            ((1, float("nan"), (1, 2, 3)), "x of a hint has to be finite, got nan"),
            ((float("inf"), 1, (1, 2, 3)), "y of a hint has to be finite, got inf"),
            ((10**400, 1, (1, 2, 3)), "y of a hint has to be a number"),
            ((1, 2, (1, 2, 3), 0), "size of a hint has to be more than 0 px, got 0"),
            ((1, 2, (1, 2, 3), -1.5), "size of a hint has to be more than 0 px, got -1.5"),
            ((1, 2, (1, 2, 3), "big"), "size of a hint has to be a number, got 'big'"),
            ((1, 2, (1, 2)), r"three numbers \(r, g, b\) from 0 to 255, got \(1, 2\)"),
            ((1, 2, (1, 2, 3, 4)), r"three numbers .*, got \(1, 2, 3, 4\)"),
            ((1, 2, (1, 2, 256)), r"from 0 to 255, got \(1, 2, 256\)"),
            ((1, 2, (1, -0.1, 3)), r"from 0 to 255, got \(1, -0.1, 3\)"),
            ((1, 2, (1, float("nan"), 3)), "from 0 to 255"),
            ((1, 2, (1, 10**400, 3)), "from 0 to 255"),
            ((1, 2, "red"), "three numbers .*, got 'red'"),
            ((1, 2, 7), "three numbers .*, got 7"),
            ((1, 2, None), "three numbers .*, got None"),
        ],
    )
    def test_what_it_refuses(self, values: tuple[Any, ...], message: str) -> None:
        """Each with what is wrong and what was got."""
        with pytest.raises(PictureError, match=message):
            Hint(*values)


class TestCheckedHints:
    """Hints of a picture."""

    def test_any_list_is_taken(self) -> None:
        """Lists, tuples, sets and generators."""
        hint = Hint(0, 0, (1, 2, 3))
        for hints in ([hint], (hint,), {hint}, (one for one in [hint])):
            assert checked_hints(hints, (1, 1)) == (hint,)
        assert checked_hints([], (1, 1)) == ()

    def test_the_rim_is_inside(self) -> None:
        """Half a pixel around the middles of the outermost ones, and no more."""
        for y in (-0.5, 1.5):
            for x in (-0.5, 2.5):
                assert inside(y, x, (2, 3))
        for y, x in ((-0.51, 1), (1.51, 1), (0, -0.51), (0, 2.51)):
            assert not inside(y, x, (2, 3))

    @pytest.mark.parametrize("place", [(2, 0), (-1, 0), (0, 3), (0, -0.6)])
    def test_outside(self, place: tuple[float, float]) -> None:
        """The error tells which hint, where, and how large the picture is."""
        hints = [Hint(0, 0, (1, 2, 3)), Hint(*place, (1, 2, 3))]
        with pytest.raises(PictureError, match=r"Hint 2 at row .* outside the picture of 2 x 3 px"):
            checked_hints(hints, (2, 3))

    @pytest.mark.parametrize("hints", [Hint(0, 0, (1, 2, 3)), None, 7])
    def test_no_list(self, hints: Any) -> None:
        """A single hint is the likely mistake."""
        with pytest.raises(PictureError, match=r"have to be a list, .* got (Hint|NoneType|int)"):
            checked_hints(hints, (2, 3))

    def test_other_things_in_the_list(self) -> None:
        """The error tells what is there and at which place."""
        with pytest.raises(PictureError, match="got tuple as number 2"):
            checked_hints([Hint(0, 0, (1, 2, 3)), (0, 0, (1, 2, 3))], (2, 3))  # type: ignore[list-item]
