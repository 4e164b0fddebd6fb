"""Colouring many files: which becomes which, and one bad file never stops the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_colorize.errors import Cancelled, ColorizeError, PictureError
from napari_colorize.files.pictures import (
    PICTURE_SUFFIXES,
    find_pictures,
    read_picture,
    write_picture,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_colorize.files.pictures import Picture
    from napari_colorize.prediction.colorizer import Colorizer

TIFF_SUFFIXES = frozenset({".tif", ".tiff"})


@dataclass(frozen=True)
class Job:
    """A picture and the file that it becomes."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a picture: the file that was written, or None and why there is none."""

    source: Path
    written: Path | None = None
    skipped: bool = False
    reason: str = ""


def plan(inputs: Sequence[Path], out: Path) -> list[Job]:
    """Return what is to be coloured and where to, in order.

    A file becomes ``out/<name>``, a picture in a folder ``out/<path in the folder>``. What lies
    in `out` itself is no input, so a second run does not colour the results of the first.

    Raises
    ------
    PictureError
        When an input does not exist or holds no pictures, two inputs would become the same file,
        or an input would be overwritten.
    """
    if out.exists() and not out.is_dir():
        raise PictureError(f"{out} is a file; name a folder for the results.")
    if out.suffix.lower() in PICTURE_SUFFIXES and not out.exists():
        raise PictureError(f"{out} looks like a picture; name a folder for the results.")
    jobs: dict[Path, Path] = {}  # target -> source
    inside = out.resolve()
    for given in inputs:
        for source, place in _pictures_of(given, inside):
            target = out / place
            if jobs.setdefault(target, source) != source:
                raise PictureError(
                    f"{jobs[target]} and {source} would both become {target}; "
                    "colour them into different folders."
                )
    sources = {source.resolve() for source in jobs.values()}
    for target, source in jobs.items():
        if target.resolve() in sources:
            raise PictureError(f"{source} would overwrite {target}, a picture that was given.")
    return [Job(source, target) for target, source in jobs.items()]


def colour_all(
    jobs: Sequence[Job], *, model: str | None, device: str, force: bool
) -> Iterator[Outcome]:
    """Colour one picture after the other and yield what became of each.

    Parameters
    ----------
    jobs : sequence of Job
        From `plan`.
    model : str or None
        Name or file of the model; it is opened when the first picture needs it.
    device : str
        "auto", "cpu", "cuda" or "mps".
    force : bool
        Whether results that exist are written anew; else they are skipped.

    Raises
    ------
    ModelError
        When there is no such model or it is broken.
    ColorizeError
        When the device cannot be used.
    """
    batch = _Batch(jobs, force)
    colorizer: Colorizer | None = None
    try:
        for job in jobs:
            try:
                if batch.is_done_unread(job):
                    yield Outcome(job.source, skipped=True)
                    continue
                picture = read_picture(job.source)
                target = batch.target(job, picture)
            except (ColorizeError, OSError, MemoryError) as error:
                yield Outcome(job.source, reason=_in_words(error))
                continue
            if target.exists() and not force:
                yield Outcome(job.source, skipped=True)
                continue
            if colorizer is None:
                from napari_colorize.api import open_colorizer

                colorizer = open_colorizer(model, device)
            try:
                _colour(colorizer, picture, target)
            except Cancelled:
                raise
            except (ColorizeError, OSError, MemoryError) as error:
                yield Outcome(job.source, reason=_in_words(error))
            else:
                yield Outcome(job.source, written=target)
    finally:
        if colorizer is not None:
            colorizer.close()


class _Batch:
    """Which files results become, known in part only when a picture has been read."""

    def __init__(self, jobs: Sequence[Job], force: bool) -> None:
        self._sources = {job.source.resolve() for job in jobs}
        self._taken = {job.target: job.source for job in jobs}
        self._force = force

    def is_done_unread(self, job: Job) -> bool:
        """Return whether a result exists, as far as the name tells: a PNG may become a TIFF."""
        return job.target.suffix.lower() != ".png" and job.target.exists() and not self._force

    def target(self, job: Job, picture: Picture) -> Path:
        """Return the file of the result: 16 bits become a TIFF."""
        target = job.target
        if picture.pixels.dtype != np.uint16 or target.suffix.lower() in TIFF_SUFFIXES:
            return target
        target = target.with_suffix(".tif")
        if self._taken.setdefault(target, job.source) != job.source:
            raise PictureError(f"has 16 bits and would become {target}, as another picture does")
        if target.resolve() in self._sources:
            raise PictureError(f"has 16 bits and would overwrite {target}, a picture given")
        return target


def _pictures_of(given: Path, inside: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the pictures of an input, each with its place below the folder of the results."""
    if given.is_dir():
        found = False
        nested = inside != given.resolve()
        for source in find_pictures(given):
            if nested and inside in source.resolve().parents:
                continue
            found = True
            yield source, source.relative_to(given)
        if not found:
            raise PictureError(f"No pictures are in {given}; choose another folder.")
    elif given.is_file():
        yield given, Path(given.name)
    elif given.exists():  # a pipe would be waited for, perhaps for ever
        raise PictureError(f"{given} is neither a file nor a folder.")
    else:
        raise PictureError(f"{given} does not exist.")


def _colour(colorizer: Colorizer, picture: Picture, target: Path) -> None:
    """Colour a picture and write it with what its file said beside the pixels."""
    colorizer.set_picture(picture.pixels)
    deep = picture.pixels.dtype == np.uint16
    rgb = colorizer.colorize(dtype="uint16" if deep else "uint8")
    write_picture(target, rgb, like=picture)


def _in_words(error: BaseException) -> str:
    """Return the reason of a failure on one line."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    text = (error.strerror or "") if isinstance(error, OSError) else str(error)
    return " ".join(text.replace(os.linesep, " ").split()) or type(error).__name__
