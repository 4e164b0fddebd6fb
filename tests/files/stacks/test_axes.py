"""What the axes of a stack mean, and in which order its planes come."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.axes import Axes


class TestAxes:
    """Letters and lengths."""

    @pytest.mark.parametrize(
        ("shape", "names"),
        [
            ((9, 20, 30), "tyx"),
            ((2, 9, 20, 30), "tzyx"),
            ((9, 20, 30, 3), "tyxs"),
            ((2, 9, 20, 30, 4), "tzyxs"),
        ],
    )
    def test_guess(self, shape: tuple[int, ...], names: str) -> None:
        """Time comes first, then depth; a short last axis is colour."""
        axes = Axes.guessed(shape)
        assert axes.names == names
        assert axes.plane == (20, 30)

    @pytest.mark.parametrize("shape", [(20, 30), (20,), (2, 3, 4, 20, 30)])
    def test_what_cannot_be_guessed(self, shape: tuple[int, ...]) -> None:
        """The error says what to give."""
        with pytest.raises(PictureError, match="give axes, such as 'tyx'"):
            Axes.guessed(shape)

    @pytest.mark.parametrize(
        ("names", "shape", "message"),
        [
            ("tyx", (5, 6), "has 2 axes"),
            ("tyxs", (2, 5, 6, 2), "3 or 4 colours, got 2"),
            ("yxt", (5, 6, 7), "end with 'yx'"),
            ("ttyx", (2, 2, 5, 6), "each letter once"),
            ("tyx", (0, 5, 6), "empty"),
        ],
    )
    def test_what_does_not_fit(self, names: str, shape: Any, message: str) -> None:
        """Too few letters, odd ends, letters twice, nothing inside."""
        with pytest.raises(PictureError, match=message):
            Axes(names, shape)


class TestPlaces:
    """The order of the planes."""

    def test_a_movie_of_volumes(self) -> None:
        """Along time first; the first of each time follows the one above it."""
        assert list(Axes("tzyx", (2, 2, 5, 5)).places()) == [
            ((0, 0), None),
            ((1, 0), (0, 0)),
            ((0, 1), (0, 0)),
            ((1, 1), (0, 1)),
        ]

    def test_channels_stand_alone(self) -> None:
        """Nothing goes over from one to the next."""
        places = list(Axes("ctyx", (2, 2, 5, 5)).places())
        assert [before for _, before in places] == [None, (0, 0), None, (1, 0)]

    @given(st.lists(st.integers(1, 4), min_size=0, max_size=3), st.permutations("tzc"))
    def test_each_once_and_after_its_neighbour(self, lengths: list[int], names: list[str]) -> None:
        """Whatever the axes are."""
        axes = Axes("".join(names[: len(lengths)]) + "yx", (*lengths, 5, 5))
        places = list(axes.places())
        assert len({place for place, _ in places}) == len(places) == prod(lengths) == axes.planes
        seen: set[Any] = set()
        for place, before in places:
            assert before is None or before in seen
            if before is not None:
                assert np.abs(np.subtract(place, before)).sum() == 1
            seen.add(place)
