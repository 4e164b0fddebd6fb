"""What is done to look at photographs before a training, and what is said of them.

It fills the cache that the training will use, so nothing is done twice. Pictures of layers are
written into a folder of the cache first.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import psutil
from PIL import Image

from napari_colorize.docks.setup.layer_pictures import LayerPictures, write_pictures
from napari_colorize.errors import Cancelled, ColorizeError, DataError
from napari_colorize.files.cache import Photographs, cache_folder, open_photographs
from napari_colorize.files.division import FEWEST, Division, divide
from napari_colorize.files.reading import Readers

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
THUMBNAILS = 8
THUMBNAIL_SIDE = 96
_OFTEN = 0.1  # seconds between two words of progress
_NAMES = 200  # of a reason, for people to read
WRITTEN = "layers-"

Where: TypeAlias = Literal["photographs", "validation"]


@dataclass(frozen=True)
class Question:
    """What is to be looked at: a folder or layers, and perhaps a folder to check with."""

    folder: Path | None
    layers: tuple[LayerPictures, ...] = ()
    validation: Path | None = None


@dataclass(frozen=True)
class Progress:
    """How far the look has come."""

    doing: str
    done: int
    total: int


@dataclass(frozen=True)
class LeftOut:
    """Pictures that cannot be learned from, and why; of many only the first are named."""

    reason: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Thumbnail:
    """A small square picture, ``(THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3)`` uint8, and its name."""

    name: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    folder
        Where the pictures lie: the folder that was chosen, or that the layers were written to.
    total
        Pictures in all.
    train, validation
        How many will be learned from, and how many are only looked at.
    doubles
        How many are not learned from because the folder to check with has them too.
    left_out
        What cannot be used.
    near_sought
        Whether near duplicates were looked for.
    thumbnails
        Some of what is used, evenly chosen.
    problem
        Why it cannot be trained on, the empty text if it can.
    """

    folder: Path
    total: int
    train: int
    validation: int
    doubles: int
    left_out: tuple[LeftOut, ...]
    near_sought: bool
    thumbnails: tuple[Thumbnail, ...]
    problem: str


@dataclass(frozen=True)
class Failure:
    """Why nothing can be said, and at which field."""

    text: str
    where: Where = "photographs"


@dataclass(frozen=True)
class Ended:
    """The look was cancelled."""


Message: TypeAlias = Progress | Findings | Failure | Ended


class Examining:
    """The work of a look, called in its thread: every outcome is told, none is raised."""

    def __init__(
        self, question: Question, tell: Callable[[Message], None], cancelled: Callable[[], bool]
    ) -> None:
        self.question = question
        self.tell = tell
        self.cancelled = cancelled
        self._where: Where = "photographs"
        self._missed: dict[str, tuple[str, ...]] = {}

    def __repr__(self) -> str:
        """Return what napari says about it when it asks whether to close."""
        return "the look at the photographs to train on"

    def __call__(self) -> None:
        """Look at everything that was asked for."""
        try:
            self.tell(self._look())
        except Cancelled:
            self.tell(Ended())
        except ColorizeError as error:
            self.tell(Failure(self._better(str(error)), self._where))
        except MemoryError:
            text = "There is not enough memory to look at the photographs."
            self.tell(Failure(text, self._where))
        except Exception as error:
            # A thread must not die silently; what went wrong is for the log, the gist for people.
            log.exception("the look at the photographs failed")
            gist = str(error).strip().splitlines() or ["no reason was given"]
            self.tell(Failure(f"They cannot be looked at: {gist[0]}", self._where))

    def _look(self) -> Findings:
        question = self.question
        if question.folder is not None:
            return self._examine(question.folder)
        folder = _fresh_folder()
        try:
            self._missed = self._write(folder)
            if not folder.exists():
                said = _said(_shortened(self._missed))
                raise DataError(f"No picture of these layers can be used: {said}.")
            return self._examine(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _write(self, folder: Path) -> dict[str, tuple[str, ...]]:
        """Write the layers in a thread of its own: lazy data may take long, a cancel must not."""
        told = self._progress("Reading the layers")
        reached: deque[tuple[int, int]] = deque(maxlen=1)
        with Readers(1, self.cancelled, gentle=True) as readers:
            stopped = readers.stopped.is_set

            def write() -> dict[str, tuple[str, ...]]:
                try:
                    return write_pictures(
                        self.question.layers,
                        folder,
                        progress=lambda *step: reached.append(step),
                        cancel=stopped,
                    )
                finally:
                    if stopped():  # nobody waits any longer
                        shutil.rmtree(folder, ignore_errors=True)

            def say() -> None:
                # From here alone: whoever hears it may be gone before that thread ends.
                with contextlib.suppress(IndexError):
                    told(*reached.pop())

            missed = readers.run(write, meanwhile=say)
            say()
            return missed

    def _examine(self, folder: Path) -> Findings:
        validation = self.question.validation
        if validation is not None:  # at once: the photographs may take minutes
            self._where = "validation"
            self._refuse(folder, validation)
            self._where = "photographs"
        photographs = self._open(folder, "Looking at the photographs")
        source = None
        if validation is not None:
            self._where = "validation"
            source = self._open_validation(validation)
        self._where = "photographs"
        left_out = self._left_out(photographs)
        total = len(photographs) + sum(one.count for one in left_out)
        division = divide(photographs, source) if len(photographs) else Division([], [], 0, 0)
        return Findings(
            folder,
            total,
            len(division.train),
            len(division.validation),
            division.doubles,
            left_out,
            photographs.examination.near_duplicates_sought,
            _thumbnails(photographs, division.train),
            _problem(division, total, left_out),
        )

    def _open(self, folder: Path, doing: str) -> Photographs:
        trouble = self._trouble(folder)
        if trouble:
            raise DataError(trouble)
        photographs = open_photographs(
            folder,
            progress=self._progress(doing),
            cancel=self.cancelled,
            workers=_threads(),
            gentle=True,
            allow_empty=True,
        )
        trouble = "" if len(photographs) else self._trouble(folder)
        if trouble:  # it went meanwhile
            raise DataError(trouble)
        return photographs

    def _refuse(self, folder: Path, validation: Path) -> None:
        """Raise DataError where a folder cannot be used to check with whatever is in it."""
        trouble = self._trouble(validation)
        if trouble:
            raise DataError(trouble)
        with contextlib.suppress(OSError):
            if validation.samefile(folder):
                raise DataError("The photographs to check with have to be in another folder.")

    def _open_validation(self, validation: Path) -> Photographs:
        source = self._open(validation, "Looking at those to check with")
        if not len(source):
            left_out = self._left_out(source)
            raise DataError(f"None of these can be used to check with: {_said(left_out)}.")
        return source

    def _left_out(self, photographs: Photographs) -> tuple[LeftOut, ...]:
        missed = self._missed if self._where == "photographs" else {}
        found = dict(photographs.examination.left_out)
        for reason, names in missed.items():
            found[reason] = (*found.get(reason, ()), *names)
        return _shortened(found)

    def _trouble(self, folder: Path) -> str:
        """Return why a folder cannot be looked into; a disk that hangs holds up no cancel."""
        with Readers(1, self.cancelled) as readers:
            return readers.run(lambda: folder_trouble(folder))

    def _better(self, text: str) -> str:
        """Return the plainer reason when the whole folder went away meanwhile."""
        validation = self._where == "validation"
        folder = self.question.validation if validation else self.question.folder
        try:
            return (self._trouble(folder) if folder is not None else "") or text
        except Cancelled:
            return text

    def _progress(self, doing: str) -> Callable[[int, int], None]:
        # Now and then is enough: each word takes the window a moment.
        last = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal last
            if done in (0, total) or time.monotonic() - last > _OFTEN:
                last = time.monotonic()
                self.tell(Progress(doing, done, total))

        return tell


def folder_trouble(folder: Path) -> str:
    """Return why a folder cannot be looked into, in words; the empty text if it can."""
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except FileNotFoundError:
        return f"There is no folder {folder}."
    except NotADirectoryError:
        return f"{folder.name} is a file; choose the folder that it lies in."
    except PermissionError:
        return f"{folder} may not be read; ask its owner for the right to read it."
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        return f"{folder} cannot be read ({reason}); is its disk or network share still there?"
    return ""


def _problem(division: Division, total: int, left_out: tuple[LeftOut, ...]) -> str:
    if division.usable >= FEWEST:
        return ""
    if not division.usable and not division.doubles:
        return f"None of the {total} pictures can be used: {_said(left_out)}."
    few = "Only 1 picture" if division.usable == 1 else f"Only {division.usable} pictures"
    also = f"; {division.doubles} more are among those to check with" if division.doubles else ""
    return f"{few} can be learned from, and at least {FEWEST} are needed{also}."


def _shortened(left_out: Mapping[str, tuple[str, ...]]) -> tuple[LeftOut, ...]:
    by_count = sorted(left_out.items(), key=lambda item: -len(item[1]))
    return tuple(LeftOut(reason, len(names), names[:_NAMES]) for reason, names in by_count)


def _said(left_out: tuple[LeftOut, ...]) -> str:
    return ", ".join(f"{one.count} {one.reason}" for one in left_out)


def _thumbnails(photographs: Photographs, indices: list[int]) -> tuple[Thumbnail, ...]:
    """Return some of the photographs as small squares, evenly chosen."""
    count = min(THUMBNAILS, len(indices))
    chosen = [indices[i * len(indices) // count] for i in range(count)]
    return tuple(Thumbnail(photographs.names[i], _square(photographs[i])) for i in chosen)


def _square(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = Image.fromarray(pixels[top : top + side, left : left + side])
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return np.asarray(middle.resize(size, Image.Resampling.LANCZOS))


def _threads() -> int:
    """Return how many threads may decode without making the window slow."""
    return max(1, min(4, (os.cpu_count() or 2) // 2))


def _fresh_folder() -> Path:
    """Return the name of a new folder for layers; those that a dead napari left are deleted."""
    root = cache_folder()
    for place in root.glob(f"{WRITTEN}*"):
        owner = place.name.split("-")[1]
        if not owner.isdigit() or not psutil.pid_exists(int(owner)):
            shutil.rmtree(place, ignore_errors=True)
    return root / f"{WRITTEN}{os.getpid()}-{secrets.token_hex(4)}"
