"""How one travels through the planes of a stack: which way, how fast, and what comes next."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_colorize.stacks.lazy_planes import Part

# Visits that a pace is taken from: fewer are a click, and the next is not known.
STEADY = 4
# After so many times the usual stay at a plane one has stopped there.
STOPPED = 2.5


class Travel:
    """The last visits to planes of one level, the newest last; of several at once nothing is kept.

    Attributes
    ----------
    visits : deque of (float, Part)
        Seconds on a clock that runs evenly, and what was looked at.
    """

    def __init__(self) -> None:
        self.visits: deque[tuple[float, Part]] = deque(maxlen=STEADY)

    def visit(self, part: Part, now: float) -> None:
        """Take in that a plane is looked at; a part of the same plane is the same visit."""
        if self.visits:
            begun, old = self.visits[-1]
            if (old.axes, old.place) == (part.axes, part.place):
                self.visits[-1] = (begun, part)
                return
        self.visits.append((now, part))

    def ahead(self, shape: tuple[int, ...]) -> Iterator[Part]:
        """Yield the planes in the direction of travel, to the end of a stack of this shape."""
        if len(self.visits) < 2:
            return
        step = np.sign(_way(self.visits[-2][1], self.visits[-1][1]))
        here = self.visits[-1][1]
        place = np.array(here.place) + step
        while np.count_nonzero(step) == 1 and (place >= 0).all() and (place < shape).all():
            yield replace(here, place=tuple(int(index) for index in place))
            place = place + step

    def passed(self, seconds: float, now: float) -> int:
        """Return how many planes will have been left behind in some seconds, at the pace of late.

        It is 0 where one stays, where one does not keep going in one direction, and where the
        plane in view will still be there.
        """
        if len(self.visits) < STEADY:
            return 0
        times, parts = zip(*self.visits, strict=True)
        ways = [_way(*pair) for pair in pairwise(parts)]
        signs = [tuple(np.sign(way)) for way in ways]
        if len(set(signs)) > 1 or np.count_nonzero(signs[0]) != 1:
            return 0
        stay: float = (times[-1] - times[0]) / (STEADY - 1)
        since: float = now - times[-1]
        if stay <= 0 or since > STOPPED * stay or since + seconds <= stay:
            return 0
        planes = sum(int(np.abs(way).sum()) for way in ways) / (STEADY - 1)
        return ceil((since + seconds) / stay * planes)


def _way(before: Part, here: Part) -> np.ndarray[tuple[int, ...], np.dtype[np.int_]]:
    """Return the way from one plane to another; none between planes along other axes."""
    if before.axes != here.axes:
        return np.zeros(len(here.place), int)
    return np.subtract(here.place, before.place)
