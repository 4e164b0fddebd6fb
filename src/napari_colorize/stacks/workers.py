"""The planes of a stack, coloured by several workers: threads here, or a Dask cluster.

Each worker gets parts that mean something by themselves, with the planes in them, so it needs no
disk that all see. A part whose worker is lost is given to another.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import ClusterError, ColorizeError
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.prediction.guards import leave_if
from napari_colorize.stacks.coloring import Plane, Row, StackJob, gist_of
from napari_colorize.stacks.parts import WARM_UP, Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    from napari_colorize.files.axes import Place
    from napari_colorize.prediction.guards import Cancel

# Bytes of colour that one part gives, if it can be: what goes over the network at a time.
PART = 64_000_000
LONGEST = 4 * WARM_UP
# Parts that wait, so that no worker does, for each that is being worked on.
WAITING = 2
_PATIENCE = 0.1  # seconds between two looks at cancel
_LOST = 3  # times that a part is given to another worker
_CONNECT = 10.0  # seconds


class ReadPlanes:
    """Planes that were read, by their places; a place that could not be raises its reason."""

    def __init__(self, stack: Any, part: Part) -> None:
        self._planes: dict[Place, Any] = {}
        for place, _ in (*part.warm_up, *part.planes):
            try:
                self._planes[place] = np.asarray(stack[place])
            except Exception as error:  # as in `coloring.Row`
                self._planes[place] = gist_of(error)

    def __getitem__(self, place: Place) -> Any:
        """Return a plane."""
        plane = self._planes[place]
        if isinstance(plane, str):
            raise ColorizeError(plane)
        return plane


def planes_by_workers(
    job: StackJob,
    workers: Executor,
    count: int,
    *,
    done: Container[Place] = (),
    cancel: Cancel | None = None,
) -> Iterator[Plane]:
    """Yield the planes of a stack in colour as they come, in no order.

    Parameters
    ----------
    job : StackJob
    workers : concurrent.futures.Executor
        Threads, or what `cluster` gives.
    count : int
        How many workers there are.
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
    pending: set[Future[list[Plane]]] = set()
    try:
        for part in parts:
            leave_if(cancel)
            small = _of_part(job, part)
            pending.add(workers.submit(color_part, small, part))
            while len(pending) >= WAITING * count:
                yield from _some(pending, cancel)
        while pending:
            yield from _some(pending, cancel)
    finally:
        for future in pending:
            future.cancel()


def color_part(job: StackJob, part: Part) -> list[Plane]:
    """Return the planes of a part in colour: what a worker does."""
    return list(Row(job, _colorizer(job.model, job.device)).color(part))


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """Lend the workers of a Dask cluster, and how many there are.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``"tcp://10.0.0.1:8786"``.

    Raises
    ------
    ClusterError
        If Dask is not installed, the scheduler does not answer or it has no workers.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ClusterError(
            "A cluster needs the package distributed: pip install 'napari-colorize[cluster]'."
        ) from error
    try:
        client = Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address}: start one with 'dask scheduler' and give the "
            "address that it prints, such as tcp://10.0.0.1:8786."
        ) from error
    try:
        count = len(client.scheduler_info(n_workers=-1)["workers"])
        if not count:
            raise ClusterError(
                f"The Dask scheduler at {address} has no workers: start them with 'dask worker "
                f"{address}' where napari-colorize is installed."
            )
        yield client.get_executor(pure=False, retries=_LOST), count
    finally:
        client.close()


_local = threading.local()


def _colorizer(model: str | Path | None, device: str) -> Colorizer:
    """Return the open model of this thread; it stays open for the next part."""
    known = getattr(_local, "known", None)
    if known is None or known[0] != (model, device):
        known = _local.known = ((model, device), Colorizer(model, device))
    return known[1]


def _of_part(job: StackJob, part: Part) -> StackJob:
    """Return the job with the planes of a part alone, and what steers them."""
    places = [place for place, _ in (*part.warm_up, *part.planes)]
    hints = {place: job.steering.hints[place] for place in places if place in job.steering.hints}
    return replace(
        job, stack=ReadPlanes(job.stack, part), steering=replace(job.steering, hints=hints)
    )


def _some(pending: set[Future[list[Plane]]], cancel: Cancel | None) -> Iterator[Plane]:
    """Wait for a part or more, and yield their planes."""
    ready: set[Future[list[Plane]]] = set()
    while not ready:
        leave_if(cancel)
        ready, _ = wait(pending, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
    pending -= ready
    for future in ready:
        try:
            planes = future.result()
        except ColorizeError:
            raise
        except (CancelledError, Exception) as error:
            gist = str(error).strip().splitlines() or [type(error).__name__]
            raise ClusterError(
                f"The workers could not do it ({gist[0]}); is napari-colorize installed there, "
                "and of the same version?"
            ) from error
        yield from planes
