"""The planes of a stack, coloured by several workers: threads here, or a Dask cluster.

Each worker gets parts that mean something by themselves, with the planes in them, so it needs no
disk that all see. A part whose worker is lost is given to another.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_colorize.errors import ClusterError, ColorizeError
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.prediction.guards import leave_if
from napari_colorize.stacks.cluster import SentModel, Workers, nobody_waits
from napari_colorize.stacks.coloring import Plane, Row, reason_of
from napari_colorize.stacks.parts import WARM_UP, Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from pathlib import Path

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.prediction.guards import Cancel
    from napari_colorize.stacks.job import StackJob

R = TypeVar("R")

# Bytes of colour that one part gives, if it can be: what goes over the network at a time.
PART = 64_000_000
LONGEST = 4 * WARM_UP
# Parts that wait, so that no worker does, for each that is being worked on.
WAITING = 2
_PATIENCE = 0.1  # seconds between two looks at cancel


class ReadPlanes:
    """Planes that were read, by their places; a place that could not be raises its reason."""

    def __init__(self, stack: Any, part: Part) -> None:
        self._planes: dict[Place, Any] = {}
        for place, _ in (*part.warm_up, *part.planes):
            try:
                self._planes[place] = np.asarray(stack[place])
            except Exception as error:  # as in `coloring.Row`
                self._planes[place] = reason_of(error)

    def __getitem__(self, place: Place) -> Any:
        """Return a plane."""
        plane = self._planes[place]
        if isinstance(plane, str):
            raise ColorizeError(plane)
        return plane


def planes_by_workers(
    job: StackJob,
    workers: Workers,
    *,
    done: Container[Place] = (),
    cancel: Cancel | None = None,
) -> Iterator[Plane]:
    """Yield the planes of a stack in colour as they come, in no order.

    Parameters
    ----------
    job : StackJob
    workers : Workers
        Threads, or what `cluster` gives.
    done : container of places
        Planes that are not wanted any more.
    cancel : callable, optional

    Raises
    ------
    Cancelled
        When `cancel` returns True; parts that were begun are let go.
    ClusterError
        If the cluster is lost, or its workers cannot do it.
    ModelError, ColorizeError
        As `colorize`.
    """
    height, width = job.axes.plane
    longest = min(LONGEST, max(WARM_UP, PART // (3 * height * width)))
    parts = parts_of(job.axes, done=done, coherent=job.coherent, longest=longest)
    tasks = ((_of_part(job, part), part, workers.model) for part in parts)
    for planes in worked_off(color_part, tasks, workers, cancel=cancel):
        yield from planes


def color_part(job: StackJob, part: Part, sent: SentModel | None = None) -> list[Plane]:
    """Return the planes of a part in colour: what a worker does."""
    colorizer = open_on_worker(job.model if sent is None else sent, job.device)
    return list(Row(job, colorizer, nobody_waits).color(part))


def worked_off(
    work: Callable[..., R],
    tasks: Iterable[tuple[Any, ...]],
    workers: Workers,
    *,
    cancel: Cancel | None = None,
) -> Iterator[R]:
    """Yield what becomes of tasks as it comes, in no order; few of them wait at a time.

    Parameters
    ----------
    work : callable
        What a worker does; its errors are raised here.
    tasks : iterable of tuple
        The arguments of each call.
    workers : Workers
    cancel : callable, optional

    Raises
    ------
    Cancelled
        When `cancel` returns True.
    ClusterError
        If the cluster is lost, or its workers cannot do it.
    """
    pending: set[Future[R]] = set()
    try:
        for task in tasks:
            leave_if(cancel)
            pending.add(_submit(work, task, workers))
            while len(pending) >= WAITING * workers.count:
                yield from _some(pending, workers, cancel)
        while pending:
            yield from _some(pending, workers, cancel)
    finally:
        for future in pending:
            future.cancel()


_local = threading.local()


def open_on_worker(model: SentModel | str | Path | None, device: str) -> Colorizer:
    """Return the open model of this thread; it stays open for the next task."""
    known = getattr(_local, "known", None)
    if known is None or known[0] != (model, device):
        path = model.on_worker() if isinstance(model, SentModel) else model
        known = _local.known = ((model, device), Colorizer(path, device))
    return known[1]


def _of_part(job: StackJob, part: Part) -> StackJob:
    """Return the job with the planes of a part alone, and what steers them."""
    places = [place for place, _ in (*part.warm_up, *part.planes)]
    hints = {place: job.steering.hints[place] for place in places if place in job.steering.hints}
    return replace(
        job, stack=ReadPlanes(job.stack, part), steering=replace(job.steering, hints=hints)
    )


def _submit(work: Callable[..., R], task: tuple[Any, ...], workers: Workers) -> Future[R]:
    workers.check()
    try:
        return workers.executor.submit(work, *task)
    except Exception as error:  # what cannot be sent, or nobody is there to take
        workers.check()
        raise _not_done(error) from error


def _some(pending: set[Future[R]], workers: Workers, cancel: Cancel | None) -> Iterator[R]:
    """Wait for one task or more, and yield what became of them."""
    ready: set[Future[R]] = set()
    while not ready:
        leave_if(cancel)
        workers.check()
        ready, _ = wait(pending, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
    pending -= ready
    for future in ready:
        try:
            result = future.result()
        except ColorizeError:
            raise
        except (CancelledError, Exception) as error:
            workers.check()
            raise _not_done(error) from error
        yield result


def _not_done(error: BaseException) -> ClusterError:
    gist = str(error).strip().splitlines() or [type(error).__name__]
    return ClusterError(
        f"The workers could not do it ({gist[0]}): see what they print, and whether they have the "
        "memory."
    )
