"""What steers colours: ranges, areas, and what does not suit a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import (
    RANGES,
    Adjustments,
    Reference,
    Steering,
    checked_hints,
)
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.errors import PictureError

RED = (200, 30, 30)
SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)


class TestRanges:
    """Numbers that have a smallest and a largest value."""

    @pytest.mark.parametrize("value", [0, 1, 0.3, True, np.float32(0.25), np.array(0.5), "0.5"])
    def test_numbers_in_any_clothes(self, value: Any) -> None:
        """What is a number becomes a float."""
        assert Steering(vividness=value).vividness == pytest.approx(float(value))

    @pytest.mark.parametrize("value", [-1e-9, 1.001, float("nan"), float("inf"), "x", [], 10**999])
    def test_vividness(self, value: Any) -> None:
        """The error tells what was got."""
        with pytest.raises(PictureError, match="vividness has to be a number from 0 to 1, got"):
            Steering(vividness=value)

    @pytest.mark.parametrize("name", ["chroma", "warmth", "hue", "blend"])
    def test_adjustments(self, name: str) -> None:
        """Both ends are taken, what lies beyond is not."""
        low, high = RANGES[name]
        assert getattr(Adjustments(**{name: low}), name) == low
        assert getattr(Adjustments(**{name: high}), name) == high
        for wrong in (low - 0.01, high + 0.01, None):
            with pytest.raises(PictureError, match=f"{name} has to be a number from"):
                Adjustments(**{name: wrong})

    def test_a_reference(self) -> None:
        """Shares and strength are checked, also in a copy."""
        reference = Reference("cup", (0.25, 0.75))
        with pytest.raises(PictureError, match="strength has to be a number from 0 to 2, got 3"):
            replace(reference, strength=3)
        for shares in ((), (float("nan"),), (-0.1, 1.1)):
            with pytest.raises(PictureError, match="palette of the reference 'cup'"):
                Reference("cup", shares)


class TestLabelMap:
    """Areas as runs."""

    @given(arrays.arrays(np.uint8, SHAPES, elements=st.integers(0, 3)))
    def test_round_trip(self, labels: np.ndarray) -> None:
        """No pixel is lost, and neighbouring runs differ."""
        areas = LabelMap.from_array(labels)
        assert np.array_equal(areas.to_array(), labels)
        assert all(
            one[0] != next_[0] for one, next_ in zip(areas.runs, areas.runs[1:], strict=False)
        )
        assert areas.labels == tuple(np.unique(labels[labels > 0]).tolist())

    @given(arrays.arrays(np.uint8, SHAPES, elements=st.integers(0, 3)))
    def test_spans(self, labels: np.ndarray) -> None:
        """Painted row by row they give the areas again."""
        painted = np.zeros_like(labels)
        areas = LabelMap.from_array(labels)
        for (row, column), label in np.ndenumerate(labels):
            assert areas.at(row, column) == label
        assert areas.at(-1, labels.shape[1]) == labels[0, -1]
        for row, column, length, label in areas.spans().T:
            assert column + length <= labels.shape[1]
            painted[row, column : column + length] = label
        assert np.array_equal(painted, labels)

    @pytest.mark.parametrize(
        "labels", [np.zeros((2, 2, 2), int), np.zeros((2, 2)), np.zeros((0, 3), int), "x"]
    )
    def test_what_is_no_map(self, labels: Any) -> None:
        """Stacks, floats, nothing."""
        with pytest.raises(PictureError, match="Labels have to be an array"):
            LabelMap.from_array(labels)

    @pytest.mark.parametrize(
        ("shape", "runs"), [((2, 2), ((1, 3),)), ((0, 2), ()), ((1, 1), ((1, 2), (0, -1)))]
    )
    def test_runs_fill_the_picture(self, shape: Any, runs: Any) -> None:
        """A file may say anything."""
        with pytest.raises(PictureError):
            LabelMap(shape, runs)

    def test_a_stroke_without_colour(self) -> None:
        """The label is named."""
        areas = LabelMap.from_array(np.array([[0, 2], [5, 0]]))
        with pytest.raises(PictureError, match="Label 5 is painted and has no colour"):
            Strokes(areas, ((2, RED),))


class TestCheckedHints:
    """Hints and the picture."""

    def test_strokes_of_another_picture(self) -> None:
        """Both sizes are told."""
        strokes = Strokes(LabelMap.from_array(np.ones((4, 5), int)), ((1, RED),))
        assert checked_hints([strokes], (4, 5)) == (strokes,)
        with pytest.raises(PictureError, match="of 4 x 5 px, this one has 5 x 4 px"):
            checked_hints([strokes], (5, 4))

    def test_numbers_count_all_hints(self) -> None:
        """The one that lies outside is named by its place in the list."""
        with pytest.raises(PictureError, match="Hint 2 at row 9, column 1 lies outside"):
            checked_hints([Hint(1, 1, RED), Hint(9, 1, RED)], (5, 5))
