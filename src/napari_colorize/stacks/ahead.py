"""The next planes are looked at while one is coloured: reading, the encoder, the motion."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.files.stacks.opened import checked
from napari_colorize.prediction.guards import leave_if
from napari_colorize.prediction.strips import threads
from napari_colorize.stacks.motion import Motion, motion_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor, Future

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.prediction.colorizer import Colorizer
    from napari_colorize.prediction.guards import Cancel
    from napari_colorize.prediction.look import Look
    from napari_colorize.stacks.job import StackJob

# Bytes of planes, as float32, that are held ahead, and planes at most.
AHEAD, MOST = 256_000_000, 8


@dataclass(frozen=True)
class Sight:
    """A plane that is being looked at.

    Attributes
    ----------
    place : tuple of int
    before : tuple of int or None
        The plane that its colour is carried from.
    look : Future of Look
    motion : Future of Motion, optional
        From the plane before, where that was looked at just before.
    """

    place: Place
    before: Place | None
    look: Future[Look]
    motion: Future[Motion | None] | None

    def result(self) -> Look:
        """Return the look, or raise what came in its way."""
        return self.look.result()


@contextmanager
def looking_ahead(
    job: StackJob,
    colorizer: Colorizer,
    planes: Iterable[tuple[Place, Place | None]],
    cancel: Cancel | None = None,
) -> Iterator[Iterator[Sight]]:
    """Lend planes in their order, a few of which are being looked at already.

    One thread reads, in order, as movies want it. Each look is in a thread in which torch uses no
    other: as many at a time as torch may use.
    """
    with ThreadPoolExecutor(1, "read") as reader, threads.pool() as pool:
        try:
            yield _sights(job, colorizer, planes, reader, pool, cancel)
        finally:
            for executor in (reader, pool):
                executor.shutdown(wait=False, cancel_futures=True)


def _sights(
    job: StackJob,
    colorizer: Colorizer,
    planes: Iterable[tuple[Place, Place | None]],
    reader: Executor,
    pool: Executor,
    cancel: Cancel | None,
) -> Iterator[Sight]:
    waiting: deque[Sight] = deque()
    depth = _depth(job.axes)
    last: Sight | None = None
    for place, before in planes:
        pixels = reader.submit(_read, job, place, cancel)
        look = pool.submit(_look, job, colorizer, pixels)
        motion = None
        if job.coherent and last is not None and last.place == before:
            motion = pool.submit(_motion, look, last.look)
        last = Sight(place, before, look, motion)
        waiting.append(last)
        if len(waiting) > depth:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def _read(job: StackJob, place: Place, cancel: Cancel | None) -> NDArray[Any]:
    leave_if(cancel)
    return checked(np.asarray(job.stack[place]), job.axes)


def _look(job: StackJob, colorizer: Colorizer, pixels: Future[NDArray[Any]]) -> Look:
    return colorizer.look_at(pixels.result(), contrast_limits=job.contrast_limits)


def _motion(look: Future[Look], before: Future[Look]) -> Motion | None:
    """Return the motion between two looks; None where one of them failed, which tells it."""
    if look.exception() is not None or before.exception() is not None:
        return None
    small, old = look.result().small_lightness(), before.result().small_lightness()
    return motion_between(small, old) if small.shape == old.shape else None


def _depth(axes: Axes) -> int:
    height, width = axes.plane
    return int(np.clip(AHEAD // (4 * height * width), 1, MOST))
