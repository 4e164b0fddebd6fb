"""Hints: places whose colour a person knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from napari_colorize.errors import PictureError

# sRGB, 0..255.
Color: TypeAlias = tuple[float, float, float]
# Side of a hint's patch in pixels when nothing else is said.
SIZE = 6.0


@dataclass(frozen=True)
class Hint:
    """A place in a picture and the colour wanted there.

    Parameters
    ----------
    y, x : float
        Row and column in pixels; (0, 0) is the middle of the first pixel, as in napari.
    color : (r, g, b)
        sRGB, 0..255. Only its hue and chroma count: the lightness stays the picture's.
    size : float
        Side of the patch in pixels.

    Raises
    ------
    PictureError
        If a value is no finite number, the colour is outside 0..255 or the size is not positive.

    Examples
    --------
    >>> Hint(120, 80, (30, 90, 200)).size
    6.0
    """

    y: float
    x: float
    color: Color
    size: float = SIZE

    def __post_init__(self) -> None:
        """Bring the values to plain floats and check them."""
        for name in ("y", "x", "size"):
            number = finite_number(f"{name} of a hint", getattr(self, name))
            object.__setattr__(self, name, number)
        object.__setattr__(self, "color", checked_color(self.color))
        if self.size <= 0:
            raise PictureError(f"The size of a hint has to be more than 0 px, got {self.size:g}.")


def checked_color(value: object) -> Color:
    """Return the three numbers of a colour, or raise PictureError if it is none."""
    wanted = "The colour of a hint has to be three numbers (r, g, b) from 0 to 255"
    try:
        channels = tuple(float(channel) for channel in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError) as error:
        raise PictureError(f"{wanted}, got {value!r}.") from error
    if len(channels) != 3 or not all(0 <= channel <= 255 for channel in channels):
        raise PictureError(f"{wanted}, got {value!r}.")
    red, green, blue = channels
    return red, green, blue


def finite_number(what: str, value: object) -> float:
    """Return the number, or raise PictureError if it is none or not finite; `what` names it."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise PictureError(f"{what} has to be a number, got {value!r}.") from error
    if not math.isfinite(number):
        raise PictureError(f"{what} has to be finite, got {number}.")
    return number


def inside(y: float, x: float, shape: tuple[int, int]) -> bool:
    """Say whether a place lies on a pixel of a picture of shape (H, W)."""
    return -0.5 <= y <= shape[0] - 0.5 and -0.5 <= x <= shape[1] - 0.5
