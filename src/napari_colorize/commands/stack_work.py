"""Colouring one stack from file to file: what is opened, what it is steered by, what goes on."""

from __future__ import annotations

import math
import warnings
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.commands.batch import steering_of
from napari_colorize.commands.sharing import steering_for_others
from napari_colorize.commands.stack_hints import hints_by_plane, times_of
from napari_colorize.errors import PictureError, StorageError
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import find_model
from napari_colorize.files.record import make_record
from napari_colorize.files.stacks.movie_store import check_axes
from napari_colorize.files.stacks.movies import Movie
from napari_colorize.files.stacks.plane_store import KINDS, RATE, is_kind, open_store
from napari_colorize.files.stacks.stack_files import open_stack
from napari_colorize.files.steering_file import read_placed_hints
from napari_colorize.files.steering_parts import hints_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_colorize.color.steering import Steering
    from napari_colorize.commands.stack_hints import Hints
    from napari_colorize.commands.wishes import Wishes
    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.files.stacks.opened import OpenStack
    from napari_colorize.stacks.saving import Saved

SLOWEST = 1.0
"""Planes a second below which a time-lapse is shown faster than it was taken."""
FEW = 8
"""Pictures are nearly of one grey whose values are fewer than those of their type by this."""

_OPTIONS = {
    "give contrast_limits=(black, white)": "give --contrast LOW HIGH",
    "let it be overwritten": "give --force",
}


def checked_places(source: Path, out: Path, *, force: bool) -> None:
    """Raise PictureError if a result cannot have its name, or would take that of the source."""
    if not is_kind(out):
        raise PictureError(f"--out {out} has to end in {KINDS}.")
    there, target = source.resolve(), out.resolve()
    if target == there or target in there.parents:
        raise PictureError(f"--out {out} would replace {source}: choose another name.")
    if out.exists() and not force and not (out.is_dir() and not any(out.iterdir())):
        raise PictureError(f"{out} is there already: choose another name, or --force replaces it.")


@dataclass
class StackWork:
    """A stack that is to be coloured, and how.

    Attributes
    ----------
    source, out : Path
    stack : OpenStack
    wishes : Wishes
        Of all planes.
    hints : dict
        From planes to their hints.
    told : str
        How far it came, in words.
    notes, warnings : list of str
        What to say before and after the work.
    """

    source: Path
    out: Path
    stack: OpenStack
    wishes: Wishes
    hints: Hints
    model: str | None
    device: str
    coherent: bool
    contrast: tuple[float, float] | None
    rate: Fraction
    scheduler: str | None
    told: str = "nothing is done yet"
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def opened(
        cls,
        source: Path,
        out: Path,
        wishes: Wishes,
        *,
        axes: str | None,
        hints_file: Path | None,
        model: str | None,
        device: str,
        coherent: bool,
        contrast: tuple[float, float] | None,
        rate: float | None,
        scheduler: str | None,
    ) -> StackWork:
        """Return the work that the options of the shell tell; no plane has been read.

        Raises
        ------
        PictureError
            If the stack, the hints or an option cannot be used.
        ModelError
            If there is no such model.
        """
        if rate is not None and not 0.01 <= rate <= 1000:
            raise PictureError(f"--rate has to be from 0.01 to 1000, got {rate:g}.")
        stack = open_stack(source)
        if axes is not None:
            stack = stack.called(axes)
        _check_contrast(contrast, stack.axes)
        if out.suffix.lower() == ".mp4":
            check_axes(stack.axes)
        placed = read_placed_hints(hints_file) if hints_file is not None else ()
        hints = hints_by_plane(placed, stack.axes, times_of(stack, rate) if placed else None)
        every = tuple(hint for listed in hints.values() for hint in listed)
        replace(wishes, hints=every).check_model(model)
        told = stack.frames_per_second or 0.0
        known = rate or (told if told >= SLOWEST else float(RATE))
        return cls(
            source,
            out,
            stack,
            wishes,
            hints,
            model,
            device,
            coherent,
            contrast,
            Fraction(known).limit_denominator(1001),
            scheduler,
        )

    @property
    def movie(self) -> Movie | None:
        """What is coloured, if it is a movie."""
        return self.stack.data if isinstance(self.stack.data, Movie) else None

    @property
    def is_movie(self) -> bool:
        """Whether the result is a movie."""
        return self.out.suffix.lower() == ".mp4"

    @property
    def notes(self) -> list[str]:
        """What to say before the work."""
        axes = self.stack.axes
        height, width = axes.plane
        planes = "1 plane" if axes.planes == 1 else f"{axes.planes:,} planes"
        said = [f"{planes} of {width} x {height} pixels, axes {axes.names}"]
        said += self._contrast_note()
        if self.movie is not None and self.movie.note:
            said.append(self.movie.note)
        if (
            self.is_movie
            and self.movie is None
            and 0 < (self.stack.frames_per_second or 0) < SLOWEST
        ):
            said.append(
                f"The movie shows {float(self.rate):g} planes a second; --rate changes that."
            )
        if self.is_movie and (height % 2 or width % 2):
            said.append(
                f"A movie has even sides: it becomes {width + width % 2} x {height + height % 2}, "
                "the last pixels twice."
            )
        return said

    def _contrast_note(self) -> list[str]:
        """Return that a plane in the middle has few of the values that its type has, if so."""
        kind = self.stack.data.dtype
        if self.contrast is not None or kind.kind not in "ui" or kind.itemsize < 2:
            return []
        place = tuple(length // 2 for length in self.stack.axes.outer)
        try:
            plane = self.stack.data[place]
        except PictureError:  # told when it is to be coloured
            return []
        low, high, info = int(plane.min()), int(plane.max()), np.iinfo(kind)
        if (high - low) * FEW > int(info.max) - int(info.min):
            return []
        return [
            f"The values of {self.called(place)} go from {low:,} to {high:,}, those of {kind} from "
            f"{info.min:,} to {info.max:,}: --contrast LOW HIGH tells what is black and white."
        ]

    @property
    def instead(self) -> str:
        """What stands where a plane is missing."""
        return "the plane before stands in its place" if self.is_movie else "it is black"

    def called(self, place: Place) -> str:
        """Return what a plane is called."""
        letters = self.stack.axes.names
        return "plane " + ", ".join(
            f"{letters[axis]}={number}" for axis, number in enumerate(place)
        )

    def missing(self, place: Place, reason: str) -> str:
        """Return why a plane is not there, and what stands in its place."""
        return f"{self.called(place)}: {for_the_shell(reason)}; {self.instead}."

    def run(self, *, force: bool, progress: Callable[[int, int], None]) -> Saved:
        """Colour what is not done yet, and return what became of it.

        Raises
        ------
        StorageError
            If the result cannot be written; what is done stays.
        ModelError, ColorizeError, ClusterError
            As `stack_planes`.
        """
        from napari_colorize.api import open_colorizer
        from napari_colorize.stacks.api import stack_planes
        from napari_colorize.stacks.saving import save_planes

        axes = self.stack.axes
        with ExitStack() as until_done:
            colorizer = None
            if self.scheduler:
                steering = steering_for_others(self.model, self.wishes)
            else:
                colorizer = until_done.enter_context(
                    closing(open_colorizer(self.model, self.device))
                )
                steering = steering_of(colorizer, self.wishes)
            store = until_done.enter_context(
                closing(self._store(self._record(steering), force=force))
            )

            def told(done: int, total: int) -> None:
                self.told = f"{done:,} of {total:,} planes are done"
                progress(done, total)

            told(len(store.done), axes.planes)
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always", UserWarning)
                planes: Any = stack_planes(
                    self.stack.data,
                    axes,
                    steering=steering,
                    hints=dict(self.hints.items()),
                    coherent=self.coherent,
                    contrast_limits=self.contrast,
                    colorizer=colorizer,
                    model=self.model,
                    device=self.device,
                    scheduler=self.scheduler,
                    done=store.done,
                )
                with closing(planes), _told_for_the_shell():
                    saved = save_planes(planes, store, progress=told)
        self.warnings = [str(one.message) for one in heard if one.category is UserWarning]
        return saved

    def _store(self, record: dict[str, Any], *, force: bool) -> Any:
        with _told_for_the_shell():
            return open_store(
                self.out,
                self.stack.axes,
                record,
                overwrite=force,
                scale=self.stack.scale,
                movie=self.movie,
                rate=self.rate,
            )

    def _record(self, steering: Steering) -> dict[str, Any]:
        card = read_card(find_model(self.model))
        source = self.source.resolve()
        by_plane = [
            {"place": list(place), "hints": hints_to_json(hints)}
            for place, hints in sorted(self.hints.items())
        ]
        return make_record(
            model=str(card["name"]),
            model_hash=str(card["hash"]),
            steering=steering,
            source=source.name,
            source_bytes=source.stat().st_size if source.is_file() else None,
            coherent=self.coherent,
            contrast=list(self.contrast) if self.contrast else None,
            hints_by_plane=by_plane,
        )


def for_the_shell(said: str) -> str:
    """Return a sentence with options where it speaks of arguments."""
    for argument, option in _OPTIONS.items():
        said = said.replace(argument, option)
    return said


@contextmanager
def _told_for_the_shell() -> Iterator[None]:
    try:
        yield
    except (PictureError, StorageError) as error:
        raise type(error)(for_the_shell(str(error))) from error


def _check_contrast(contrast: tuple[float, float] | None, axes: Axes) -> None:
    if contrast is None:
        return
    if axes.is_rgb:
        raise PictureError("--contrast is for grey planes, and these have colours: leave it out.")
    low, high = contrast
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise PictureError(
            f"--contrast has to be two numbers, the lower one first, got {low:g} {high:g}."
        )
