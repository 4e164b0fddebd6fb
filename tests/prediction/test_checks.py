"""Types and whole numbers that people ask for."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from napari_colorize.errors import PictureError
from napari_colorize.prediction.checks import output_type, whole_number


@pytest.mark.parametrize("dtype", ["uint8", np.uint8, np.dtype("uint8"), "u1", "B"])
def test_types(dtype: Any) -> None:
    """By any of numpy's names."""
    assert output_type(dtype) == np.uint8


@pytest.mark.parametrize("dtype", ["int16", "float", float, None, 3, "rgb", [], {"a": 1}])
def test_other_types(dtype: Any) -> None:
    """The error tells what was got."""
    with pytest.raises(PictureError, match="dtype has to be 'uint8' or 'uint16', got"):
        output_type(dtype)


@given(st.integers(-5, 25))
def test_whole_numbers(value: int) -> None:
    """Those of a range, numpy's too."""
    if 1 <= value <= 16:
        assert whole_number("count", value, 1, 16) == value
        assert type(whole_number("count", np.int8(value), 1, 16)) is int
        return
    with pytest.raises(PictureError) as caught:
        whole_number("count", value, 1, 16)
    assert str(caught.value) == f"count has to be a whole number from 1 to 16, got {value}."


@pytest.mark.parametrize("value", [1.0, "1", None, [1], np.float32(1)])
def test_what_is_no_whole_number(value: Any) -> None:
    """Not even a float without a fraction."""
    with pytest.raises(PictureError, match="count has to be a whole number"):
        whole_number("count", value, 1, 16)
