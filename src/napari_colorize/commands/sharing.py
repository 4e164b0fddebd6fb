"""Colouring many files on a Dask cluster whose machines see the same disk."""

from __future__ import annotations

import secrets
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_colorize.color.steering import Steering
from napari_colorize.commands.batch import Batch, Outcome, steering_of
from napari_colorize.errors import ClusterError
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_colorize.commands.batch import Job
    from napari_colorize.commands.wishes import Wishes
    from napari_colorize.prediction.colorizer import Colorizer
    from napari_colorize.stacks.cluster import SentModel


def colour_all_on(
    scheduler: str,
    jobs: Sequence[Job],
    out: Path,
    *,
    model: str | None,
    device: str,
    force: bool,
    wishes: Wishes,
) -> Iterator[Outcome]:
    """Colour pictures on the workers of a cluster and yield what became of each, as it comes.

    A worker that is lost loses nothing: its pictures are given to another.

    Parameters
    ----------
    scheduler : str
        Address of the Dask scheduler.
    jobs : sequence of Job
        From `plan`.
    out : Path
        The folder of the results; all workers have to see it.
    model, device, force, wishes
        As for `colour_all`.

    Raises
    ------
    ClusterError
        If the cluster does not answer, is lost, or a worker does not see the disk.
    ModelError, PictureError, ColorizeError
        As `colour_all`.
    """
    from napari_colorize.stacks.cluster import cluster
    from napari_colorize.stacks.workers import worked_off

    batch = Batch.of([_absolute(job) for job in jobs], force)
    left: list[tuple[int, Job]] = []
    for number, job in enumerate(jobs):
        if batch.is_done_unread(job):
            yield Outcome(job.source, skipped=True)
        else:
            left.append((number, _absolute(job)))
    if not left:
        return
    steering = steering_for_others(model, wishes)
    with cluster(scheduler, model) as workers, _mark(out.absolute()) as mark:
        tasks = (
            (number, job, batch.about(job), steering, workers.model, device, mark)
            for number, job in left
        )
        for number, outcome in worked_off(color_file, tasks, workers):
            job = jobs[number]
            written = tuple(job.target.parent / path.name for path in outcome.written)
            yield replace(outcome, source=job.source, written=written)


def color_file(
    number: int,
    job: Job,
    batch: Batch,
    steering: Steering,
    model: SentModel,
    device: str,
    mark: Path,
) -> tuple[int, Outcome]:
    """Colour one picture: what a worker does.

    Raises
    ------
    ClusterError
        If this machine does not see the disk with the pictures and their results.
    """
    from napari_colorize.stacks.workers import open_on_worker

    for folder, seen in ((mark.parent, mark.exists()), (job.source.parent, _sees(job.source))):
        if not seen:
            raise ClusterError(
                f"A worker does not see {folder}: pictures and results have to lie on a disk that "
                "all machines see, under the same path."
            )

    def opener() -> tuple[Colorizer, Steering]:
        return open_on_worker(model, device), steering

    return number, batch.outcome(job, opener, steering.hints)


def _sees(source: Path) -> bool:
    return source.parent.is_dir()


def _absolute(job: Job) -> Job:
    return replace(job, source=job.source.absolute(), target=job.target.absolute())


def steering_for_others(model: str | None, wishes: Wishes) -> Steering:
    """Return the wishes for other machines; only a reference has to be looked at by the model."""
    if wishes.reference is None:
        return Steering(wishes.hints, wishes.vividness, None, wishes.adjustments)
    from napari_colorize.api import open_colorizer

    with closing(open_colorizer(model, "cpu")) as colorizer:
        return steering_of(colorizer, wishes)


@contextmanager
def _mark(out: Path) -> Iterator[Path]:
    """Make a file in a folder for a while: who sees it sees this very folder."""
    mark = out / f".seen-{secrets.token_hex(4)}"
    with written_whole(mark):
        pass
    try:
        yield mark
    finally:
        with suppress(OSError):
            mark.unlink()
