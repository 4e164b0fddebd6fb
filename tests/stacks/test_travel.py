"""Travelling through lazy planes faster than they are coloured: some are there when seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_colorize.prediction.window import Window
from napari_colorize.stacks import lazy_planes
from napari_colorize.stacks.lazy_planes import LazyPlanes, Part, Pyramid
from napari_colorize.stacks.travel import Travel

WINDOW = Window(0, 0, 4, 5)


def part(*place: int, axes: tuple[int, int] = (1, 2)) -> Part:
    """Return a plane."""
    return Part(0, axes, (*place, 0, 0), WINDOW)


def travelled(places: list[int], every: float) -> Travel:
    """Return visits at a steady pace."""
    travel = Travel()
    for number, place in enumerate(places):
        travel.visit(part(place), number * every)
    return travel


@pytest.mark.parametrize(
    ("places", "seconds", "now", "planes"),
    [
        ([1, 2, 3, 4], 1.0, 1.5, 2),  # half a second each: at 2.5 s plane 6 comes
        ([1, 2, 3, 4], 1.1, 1.6, 3),
        ([4, 3, 2, 1], 1.0, 1.5, 2),
        ([1, 4, 7, 10], 1.0, 1.5, 6),  # three planes at a time
        ([1, 2, 3, 4], 0.3, 1.5, 0),  # it will be there in time
        ([1, 2, 3, 4], 1.0, 3.0, 0),  # one has stopped
        ([1, 2, 3, 2], 1.0, 1.5, 0),  # back and forth
        ([2, 3, 4], 1.0, 1.0, 0),  # a few clicks
    ],
)
def test_planes_that_are_passed_meanwhile(
    places: list[int], seconds: float, now: float, planes: int
) -> None:
    """Those that are left behind while one is coloured, as long as one keeps going."""
    assert travelled(places, 0.5).passed(seconds, now) == planes


def test_other_axes_are_another_way() -> None:
    """Nothing is ahead where the sliders were changed for others."""
    travel = travelled([1, 2, 3], 0.5)
    travel.visit(part(4, axes=(0, 2)), 1.5)
    assert travel.passed(1.0, 1.5) == 0
    assert not list(travel.ahead((9, 4, 5)))


def test_the_thread_skips_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it begins with is in view when it is done; where one stops, what is in view then."""
    planes = LazyPlanes(Pyramid([np.zeros((40, 4, 5), np.uint8)], "tyx"))
    clock = [0.0]
    monkeypatch.setattr(lazy_planes, "monotonic", lambda: clock[0])
    planes._seconds = 1.0

    def begun() -> int:
        wish: Any = planes._next()
        return int(wish.part.place[0])

    for place in range(4):
        clock[0] = 0.4 * place
        planes.answer([part(place)])
    assert begun() == 6
    planes.kept.put(part(6), np.zeros((4, 5, 3), np.uint8), 60)
    assert begun() == 7
    clock[0] += 5
    assert begun() == 3
