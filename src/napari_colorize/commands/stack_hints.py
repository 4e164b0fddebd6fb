"""Hints of a stack in the shell: which plane each stands on, by its number or its time."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.movies import Movie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.files.hints_table import PlacedHint
    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.files.stacks.opened import OpenStack

Hints = dict["Place", tuple["AnyHint", ...]]

_MOMENT = 1e-6  # seconds; what was written as 0.1 is meant, though it is a little less or more


def hints_by_plane(
    placed: Sequence[PlacedHint], axes: Axes, times: Sequence[float] | None
) -> Hints:
    """Return hints by the planes that they stand on.

    Parameters
    ----------
    placed : sequence of PlacedHint
    axes : Axes
    times : sequence of float, optional
        When each plane along the axis of time is shown, in seconds.

    Raises
    ------
    PictureError
        If a hint names no plane of the stack.
    """
    found: Hints = {}
    for one in placed:
        place = _place(one, axes, times)
        found[place] = (*found.get(place, ()), one.hint)
    return found


def _place(placed: PlacedHint, axes: Axes, times: Sequence[float] | None) -> Place:
    where = placed.where
    letters = axes.names[: len(axes.outer)]
    if isinstance(where, float):
        if len(letters) != 1 or times is None:
            raise PictureError(
                "--hints has a column time, and this stack tells none: name the plane instead, in "
                f"{'a column plane' if len(letters) == 1 else 'columns ' + ','.join(letters)}."
            )
        return (_number_at(where, times),)
    if isinstance(where, tuple):
        place = where
    else:
        if set(where) != set(letters):
            raise PictureError(
                f"--hints has columns {','.join(where)}, and the axes of the planes are "
                f"{','.join(letters)}."
            )
        place = tuple(where[letter] for letter in letters)
    if len(place) != len(letters):
        raise PictureError(
            f"--hints tells {len(place)} numbers of a plane, and the axes of the planes are "
            f"{','.join(letters)}: use a column for each."
        )
    for letter, number, length in zip(letters, place, axes.outer, strict=True):
        if number >= length:
            raise PictureError(
                f"--hints names plane {number} along {letter}, and there are {length}, counted "
                "from 0."
            )
    return place


def _number_at(seconds: float, times: Sequence[float]) -> int:
    """Return the plane that is shown at a time; the last entry is the end of all."""
    end = times[-1]
    if seconds > end + _MOMENT:
        raise PictureError(
            f"--hints names the time {seconds:g} s, and the movie ends after {end:.2f} s."
        )
    number = bisect_right(times, seconds + _MOMENT) - 1
    return min(max(number, 0), len(times) - 2)


def times_of(stack: OpenStack, rate: float | None) -> list[float] | None:
    """Return when planes are shown and when the last ends, in seconds; None if nothing tells."""
    if isinstance(stack.data, Movie):
        return [float(time) for time in stack.data.times]
    known = rate or stack.frames_per_second
    if not known or len(stack.axes.outer) != 1:
        return None
    return [number / known for number in range(stack.axes.planes + 1)]
