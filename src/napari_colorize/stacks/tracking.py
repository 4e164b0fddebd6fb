"""Hints in time and depth: they follow the thing they stand on to the planes around."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from napari_colorize.color.hints import Hint
from napari_colorize.stacks.motion import Motion, motion_between

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.files.stacks.axes import Place

# Match below which a hint has lost the thing it stands on.
LOST = 0.4
# Another hint nearer than so many sides of a patch speaks for the same thing.
SAME = 2.0


def tracked_hints(
    row: Sequence[Place],
    hints: Mapping[Place, Sequence[AnyHint]],
    small_lightness: Callable[[Place], Tensor | None],
    shape: tuple[int, int],
) -> dict[Place, tuple[AnyHint, ...]]:
    """Return the hints of every plane of a row: its own, and those that came from others.

    A hint goes along the motion, both ways, until its thing is lost, leaves the picture or the
    scene is cut, or until a plane has a hint of its own near it. Strokes stay on their plane.

    Parameters
    ----------
    row : sequence of places
        Planes in their order.
    hints : mapping of places to hints
        What a person gave.
    small_lightness : callable
        Gets a place and returns L, (h, w) float32, of the plane made small; None if it cannot be
        read: there the way of a hint ends.
    shape : (H, W)
        Of the planes, in pixels.
    """
    found = {place: list(hints.get(place, ())) for place in row}
    for way in (list(row), list(reversed(row))):
        _track(way, hints, found, small_lightness, shape)
    return {place: tuple(listed) for place, listed in found.items()}


def _track(
    way: Sequence[Place],
    hints: Mapping[Place, Sequence[AnyHint]],
    found: dict[Place, list[AnyHint]],
    small_lightness: Callable[[Place], Tensor | None],
    shape: tuple[int, int],
) -> None:
    """Carry hints along the planes in one direction."""
    carried: list[Hint] = []
    here: Tensor | None = None
    for place, following in pairwise(way):
        given = [hint for hint in hints.get(place, ()) if isinstance(hint, Hint)]
        carried = [hint for hint in carried if not _is_said(hint, given)] + given
        if not carried:
            here = None
            continue
        here = small_lightness(place) if here is None else here
        there = small_lightness(following)
        if here is None or there is None:
            carried, here = [], None
            continue
        motion = motion_between(here, there)
        moved = [] if motion.is_cut else [_moved(hint, motion, shape) for hint in carried]
        own = [hint for hint in hints.get(following, ()) if isinstance(hint, Hint)]
        carried = [hint for hint in moved if hint is not None and not _is_said(hint, own)]
        found[following] += carried
        here = there


def _moved(hint: Hint, motion: Motion, shape: tuple[int, int]) -> Hint | None:
    """Return a hint where its thing is on the next plane, or None where it is lost."""
    height, width = motion.match.shape
    row = min(int((hint.y + 0.5) * height / shape[0]), height - 1)
    column = min(int((hint.x + 0.5) * width / shape[1]), width - 1)
    if float(motion.match[row, column]) < LOST:
        return None
    # How far the middle of the small pixel moves is how far the hint does.
    x, y = motion.places[row, column].tolist()
    down = (y + 1) / 2 - (row + 0.5) / height
    right = (x + 1) / 2 - (column + 0.5) / width
    moved_y, moved_x = hint.y + down * shape[0], hint.x + right * shape[1]
    if not (0 <= moved_y <= shape[0] - 1 and 0 <= moved_x <= shape[1] - 1):
        return None
    return replace(hint, y=moved_y, x=moved_x)


def _is_said(hint: Hint, others: Sequence[Hint]) -> bool:
    """Return whether another hint speaks for the same thing."""
    return any(
        max(abs(hint.y - other.y), abs(hint.x - other.x)) < SAME * max(hint.size, other.size)
        for other in others
    )
