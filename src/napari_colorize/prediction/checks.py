"""What people may wish for, checked before anything is worked out."""

from __future__ import annotations

import contextlib
import operator
from typing import Any

import numpy as np

from napari_colorize.errors import PictureError

# Colourings of one picture at once: the memory of the decoder grows with them.
MOST_ALTERNATIVES = 16


def output_type(dtype: Any) -> np.dtype[np.generic]:
    """Return the type of a result, by its name or as numpy's; PictureError for any other."""
    with contextlib.suppress(TypeError):
        kind: np.dtype[np.generic] = np.dtype(dtype)
        if kind in (np.uint8, np.uint16):
            return kind
    raise PictureError(f"dtype has to be 'uint8' or 'uint16', got {dtype!r}.")


def whole_number(what: str, value: Any, lowest: int, highest: int) -> int:
    """Return a whole number between two others, or raise PictureError; `what` names it."""
    with contextlib.suppress(TypeError):
        number = operator.index(value)
        if lowest <= number <= highest:
            return number
    raise PictureError(
        f"{what} has to be a whole number from {lowest} to {highest}, got {value!r}."
    )
