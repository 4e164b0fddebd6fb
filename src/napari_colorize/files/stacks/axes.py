"""The axes of a stack: which are a plane, which its colour is carried along, which stand alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIME, DEPTH, SAMPLES = "t", "z", "s"
Place = tuple[int, ...]


@dataclass(frozen=True)
class Axes:
    """What the axes of an array mean.

    Attributes
    ----------
    names : str
        A letter for each axis: ``t`` time, ``z`` depth, ``y`` and ``x`` rows and columns, which
        come last, ``s`` behind them for RGB or RGBA. Along any other letter planes have nothing
        to do with one another.
    shape : tuple of int
        Of the array.

    Raises
    ------
    PictureError
        If the letters do not suit the shape.
    """

    names: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check that there is a name for each axis and a plane at the end."""
        if not isinstance(self.names, str):
            raise PictureError(
                f"axes has to be a text with a letter for each axis, such as 'tyx', got "
                f"{self.names!r}."
            )
        plain = self.names.removesuffix(SAMPLES)
        if len(self.names) != len(self.shape):
            raise PictureError(
                f"The array has {len(self.shape)} axes, {self.shape}, and axes={self.names!r} "
                f"names {len(self.names)}: give a letter for each, such as 'tyx'."
            )
        if not plain.endswith("yx") or len(set(self.names)) != len(self.names):
            raise PictureError(
                f"axes has to end with 'yx', or 'yxs' for colours, each letter once; got "
                f"{self.names!r}."
            )
        if self.is_rgb and self.shape[-1] not in {3, 4}:
            raise PictureError(
                f"The last axis of axes={self.names!r} has to hold 3 or 4 colours, got "
                f"{self.shape[-1]}."
            )
        if 0 in self.shape:
            raise PictureError(f"The stack is empty: its shape is {self.shape}.")

    @classmethod
    def guessed(cls, shape: Sequence[int]) -> Axes:
        """Return the usual meaning: time first, then depth; a last axis of 3 or 4 is colour."""
        lengths = tuple(int(side) for side in shape)
        colored = len(lengths) > 3 and lengths[-1] in {3, 4}
        plane = "yx" + SAMPLES * colored
        before = len(lengths) - len(plane)
        if not 1 <= before <= 2:
            raise PictureError(
                f"What the axes of shape {lengths} mean cannot be guessed: give axes, such as "
                "'tyx', 'zyx', 'tzyx' or 'tyxs'."
            )
        return cls((TIME + DEPTH)[:before] + plane, lengths)

    @property
    def is_rgb(self) -> bool:
        """Whether the last axis holds colours."""
        return self.names.endswith(SAMPLES)

    @property
    def outer(self) -> tuple[int, ...]:
        """Lengths of the axes before those of a plane."""
        return self.shape[: len(self.names.removesuffix(SAMPLES)) - 2]

    @property
    def plane(self) -> tuple[int, int]:
        """Height and width of a plane."""
        height, width = self.shape[len(self.outer) : len(self.outer) + 2]
        return height, width

    @property
    def planes(self) -> int:
        """How many planes there are."""
        return prod(self.outer)

    def places(self) -> Iterator[tuple[Place, Place | None]]:
        """Yield each plane's index, and that of the plane before it, which has been yielded.

        A plane comes after its neighbour in time, the first of its time after its neighbour in
        depth; None is the first of all. Independent planes have none before them.
        """
        inner = self._carried_along
        order = [axis for axis in range(len(self.outer)) if axis not in inner] + inner[::-1]
        for place in product(*(range(self.outer[axis]) for axis in order)):
            index = [0] * len(order)
            for axis, number in zip(order, place, strict=True):
                index[axis] = number
            yield tuple(index), self.before(tuple(index))

    def before(self, place: Place) -> Place | None:
        """Return the plane that the colour of a plane is carried from, None if there is none."""
        for axis in self._carried_along:
            if place[axis]:
                return tuple(number - (a == axis) for a, number in enumerate(place))
        return None

    @property
    def _carried_along(self) -> list[int]:
        names = self.names[: len(self.outer)]
        return [axis for axis in (names.find(TIME), names.find(DEPTH)) if axis >= 0]
