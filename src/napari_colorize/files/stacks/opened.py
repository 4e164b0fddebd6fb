"""A stack that was opened: where its planes are read, one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.axes import Axes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.files.stacks.scale import Step


class LazyPlanes:
    """Planes by their places, each read when it is asked for.

    Parameters
    ----------
    axes : Axes
    dtype : dtype
        Of the pixels.
    read : callable
        Returns a plane, (H, W) or (H, W, 3 or 4), or raises.

    Attributes
    ----------
    shape, ndim, dtype
        Of all planes together.
    """

    def __init__(self, axes: Axes, dtype: Any, read: Callable[[Place], NDArray[Any]]) -> None:
        self.shape, self.ndim, self.dtype = axes.shape, len(axes.shape), np.dtype(dtype)
        self._outer, self._read = axes.outer, read

    def __getitem__(self, place: int | Place) -> NDArray[Any]:
        """Return a plane."""
        whole = (place,) if isinstance(place, int) else tuple(place)
        if len(whole) != len(self._outer):
            raise IndexError(f"{place} is no plane: give an index for each of {self._outer}")
        return self._read(
            tuple(range(length)[number] for number, length in zip(whole, self._outer, strict=True))
        )

    def __len__(self) -> int:
        return self.shape[0]


@dataclass(frozen=True)
class OpenStack:
    """A stack in a file or folder.

    Attributes
    ----------
    data : LazyPlanes
        ``data[place]`` is one plane; one that cannot be read raises only here.
    axes : Axes
        What the file says that its axes mean.
    frames_per_second : float or None
    scale : mapping
        From an axis to its step, for those that the file tells of.
    name : str
        Of the file, without its suffix.
    """

    data: Any
    axes: Axes
    frames_per_second: float | None = None
    scale: Mapping[str, Step] = field(default_factory=dict)
    name: str = ""

    def called(self, names: str) -> OpenStack:
        """Return the stack with other names of its axes.

        Raises
        ------
        PictureError
            If they do not suit its shape.
        """
        return replace(self, axes=Axes(names, self.axes.shape), scale={})


def letters_of(wanted: list[str]) -> str:
    """Return a letter for each outer axis; one that is not known (``""``) gets what is usual.

    The first of those is time and the next depth, if there are none, then come letters that stand
    for nothing.
    """
    spare = [letter for letter in "tzpqruvwabdefg" if letter not in wanted]
    names: list[str] = []
    for letter in wanted:
        names.append(letter if letter and letter not in names else spare.pop(0))
    return "".join(names)


def checked(plane: NDArray[Any], axes: Axes) -> NDArray[Any]:
    """Return a plane that was read, if it has the size that was promised."""
    if plane.shape[:2] != axes.plane:
        raise PictureError(f"it is {plane.shape[1]} x {plane.shape[0]} pixels, others are not")
    return plane
