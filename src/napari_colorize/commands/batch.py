"""Colouring many files: which becomes which, and one bad file never stops the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_colorize.color.steering import Steering, checked_hints
from napari_colorize.commands.wishes import Wishes
from napari_colorize.errors import Cancelled, ColorizeError, PictureError
from napari_colorize.files.pictures import (
    PICTURE_SUFFIXES,
    find_pictures,
    read_picture,
    write_picture,
)
from napari_colorize.files.record import make_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.files.pictures import Picture
    from napari_colorize.prediction.colorizer import Colorizer

TIFF_SUFFIXES = frozenset({".tif", ".tiff"})


@dataclass(frozen=True)
class Job:
    """A picture and the file that it becomes, or as many files as it has alternatives."""

    source: Path
    target: Path
    alternatives: int = 0

    @property
    def targets(self) -> list[Path]:
        """The files: ``name.png``, or ``name-1.png``, ``name-2.png`` and so on."""
        if not self.alternatives:
            return [self.target]
        numbers = range(1, self.alternatives + 1)
        return [self.target.with_stem(f"{self.target.stem}-{number}") for number in numbers]


@dataclass(frozen=True)
class Outcome:
    """What became of a picture: the files that were written, or why some or all were not."""

    source: Path
    written: tuple[Path, ...] = ()
    skipped: bool = False
    reason: str = ""


def plan(inputs: Sequence[Path], out: Path, alternatives: int = 0) -> list[Job]:
    """Return what is to be coloured and where to, in order.

    A file becomes ``out/<name>``, a picture in a folder ``out/<path in the folder>``. What lies
    in `out` itself is no input, so a second run does not colour the results of the first.
    Alternatives get their number behind the name.

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
    jobs: dict[Path, Job] = {}
    taken: dict[Path, Path] = {}  # target -> source
    inside = out.resolve()
    for given in inputs:
        for source, place in _pictures_of(given, inside):
            job = Job(source, out / place, alternatives)
            jobs.setdefault(job.target, job)
            for target in job.targets:
                if taken.setdefault(target, source) != source:
                    raise PictureError(
                        f"{taken[target]} and {source} would both become {target}; "
                        "colour them into different folders."
                    )
    sources = {source.resolve() for source in taken.values()}
    for target, source in taken.items():
        if target.resolve() in sources:
            raise PictureError(f"{source} would overwrite {target}, a picture that was given.")
    return list(jobs.values())


def colour_all(
    jobs: Sequence[Job],
    *,
    model: str | None,
    device: str,
    force: bool,
    wishes: Wishes | None = None,
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
    wishes : Wishes, optional
        What the colours shall be like. Hints are for a single picture.

    Raises
    ------
    PictureError
        When a hint lies outside the picture.
    ModelError
        When there is no such model or it is broken.
    ColorizeError
        When the device cannot be used.
    """
    wishes = wishes or Wishes()
    batch = Batch.of(jobs, force)
    opened: list[tuple[Colorizer, Steering]] = []

    def opener() -> tuple[Colorizer, Steering]:
        if not opened:
            from napari_colorize.api import open_colorizer

            colorizer = open_colorizer(model, device)
            opened.append((colorizer, Steering()))
            opened[0] = (colorizer, steering_of(colorizer, wishes))
        return opened[0]

    try:
        for job in jobs:
            yield batch.outcome(job, opener, wishes.hints)
    finally:
        for colorizer, _ in opened:
            colorizer.close()


class Batch:
    """Which files results become, known in part only when a picture has been read."""

    def __init__(self, sources: set[Path], taken: dict[Path, Path], force: bool) -> None:
        self._sources = sources
        self._taken = taken
        self._force = force

    @classmethod
    def of(cls, jobs: Sequence[Job], force: bool) -> Batch:
        """Return what is known of jobs before any is done."""
        taken = {target: job.source for job in jobs for target in job.targets}
        return cls({job.source.resolve() for job in jobs}, taken, force)

    def about(self, job: Job) -> Batch:
        """Return as much of it as concerns one job: what is sent to another machine."""
        targets = {*job.targets, *(target.with_suffix(".tif") for target in job.targets)}
        taken = {target: self._taken[target] for target in targets if target in self._taken}
        sources = {target.resolve() for target in targets} & self._sources
        return Batch(sources, taken, self._force)

    def outcome(
        self,
        job: Job,
        opener: Callable[[], tuple[Colorizer, Steering]],
        hints: tuple[AnyHint, ...] = (),
    ) -> Outcome:
        """Colour one picture, unless its result exists, and return what became of it.

        `opener` gives the model and what is wished of it, once they are needed.
        """
        try:
            if self.is_done_unread(job):
                return Outcome(job.source, skipped=True)
            picture = read_picture(job.source)
            targets = self.targets(job, picture)
        except (ColorizeError, OSError, MemoryError) as error:
            return Outcome(job.source, reason=_in_words(error))
        if not self.wanting(targets):
            return Outcome(job.source, skipped=True)
        checked_hints(hints, picture.pixels.shape[:2])
        colorizer, steering = opener()
        written, reason = self.colour(colorizer, job, picture, targets, steering)
        return Outcome(job.source, written, reason=reason)

    def wanting(self, targets: Iterable[Path]) -> list[Path]:
        """Return those that are to be written: all, or what does not exist."""
        return [target for target in targets if self._force or not target.exists()]

    def is_done_unread(self, job: Job) -> bool:
        """Return whether a result exists, as far as the name tells: a PNG may become a TIFF."""
        return job.target.suffix.lower() != ".png" and not self.wanting(job.targets)

    def targets(self, job: Job, picture: Picture) -> list[Path]:
        """Return the files of the results: 16 bits become a TIFF."""
        if picture.pixels.dtype != np.uint16 or job.target.suffix.lower() in TIFF_SUFFIXES:
            return job.targets
        return [self._deep(target, job.source) for target in job.targets]

    def colour(
        self,
        colorizer: Colorizer,
        job: Job,
        picture: Picture,
        targets: list[Path],
        steering: Steering,
    ) -> tuple[tuple[Path, ...], str]:
        """Colour a picture; return the files that were written, and why not all if so."""
        written: list[Path] = []
        reason = ""
        try:
            record = make_record(
                model=colorizer.model_name,
                model_hash=str(colorizer.card["hash"]),
                steering=steering,
                source=job.source.name,
                grey=picture.pixels.ndim == 2,
            )
            results = _coloured(colorizer, picture, steering, job.alternatives)
            for number, (target, rgb) in enumerate(zip(targets, results, strict=True), start=1):
                if self.wanting([target]):
                    told = record | ({"alternative": number} if job.alternatives else {})
                    write_picture(target, rgb, like=picture, record=told)
                    written.append(target)
        except Cancelled:
            raise
        except (ColorizeError, OSError, MemoryError) as error:
            reason = _in_words(error)
        return tuple(written), reason

    def _deep(self, target: Path, source: Path) -> Path:
        target = target.with_suffix(".tif")
        if self._taken.setdefault(target, source) != source:
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


def steering_of(colorizer: Colorizer, wishes: Wishes) -> Steering:
    """Return the wishes as a model knows them."""
    mood, palette = wishes.reference, None
    if mood is not None:
        palette = colorizer.reference_of(mood.pixels, mood.name, mood.strength)
    return Steering(wishes.hints, wishes.vividness, palette, wishes.adjustments)


def _coloured(
    colorizer: Colorizer, picture: Picture, steering: Steering, alternatives: int
) -> Sequence[NDArray[Any]]:
    """Return a picture in colour, once or in all its alternatives."""
    colorizer.set_picture(picture.pixels)
    depth: Literal["uint8", "uint16"] = "uint16" if picture.pixels.dtype == np.uint16 else "uint8"
    if alternatives:
        return list(
            colorizer.alternatives(
                alternatives, steering.hints, vividness=steering.vividness, dtype=depth
            )
        )
    rgb = colorizer.colorize(
        steering.hints,
        vividness=steering.vividness,
        reference=steering.reference,
        adjustments=steering.adjustments,
        dtype=depth,
    )
    return [rgb]


def _in_words(error: BaseException) -> str:
    """Return the reason of a failure on one line."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    text = (error.strerror or "") if isinstance(error, OSError) else str(error)
    return " ".join(text.replace(os.linesep, " ").split()) or type(error).__name__
