"""Plane after plane in colour, each knowing the one before."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.prediction.guards import leave_if
from napari_colorize.prediction.window import Window
from napari_colorize.stacks.ahead import Sight, looking_ahead
from napari_colorize.stacks.carrying import Memory, Steadying
from napari_colorize.stacks.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.prediction.colorizer import Colorizer
    from napari_colorize.prediction.guards import Cancel
    from napari_colorize.stacks.job import StackJob
    from napari_colorize.stacks.parts import Part

# What is drawn of planes that are only looked at.
ONE_PIXEL = Window(0, 0, 1, 1)


@dataclass(frozen=True)
class Plane:
    """A plane that was coloured, or why it was not.

    Attributes
    ----------
    place : tuple of int
        Its index along the axes before those of a plane.
    pixels : ndarray of shape (H, W, 3), uint8, or None
    reason : str
        Why there are none.
    confidence : ndarray of shape (H, W), float32, or None
        How sure the model was, 0..1, if that was asked for.
    """

    place: Place
    pixels: NDArray[np.uint8] | None
    reason: str = ""
    confidence: NDArray[np.float32] | None = None


def colored_planes(
    job: StackJob,
    colorizer: Colorizer,
    *,
    done: Container[Place] = (),
    cancel: Cancel | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Plane]:
    """Yield the planes of a stack in colour, in the order of `Axes.places`.

    A plane that cannot be read or coloured is a gap: it is told, and the next one begins anew.

    Parameters
    ----------
    job : StackJob
    colorizer : Colorizer
    done : container of places
        Planes that are not wanted any more. What comes behind them goes on from them: some of
        them are looked at again, none is coloured again.
    cancel : callable, optional
    progress : callable, optional
        Is told how much of one plane is done, and all of it.

    Raises
    ------
    Cancelled
        When `cancel` returns True.
    """
    row = Row(job, colorizer, cancel, progress)
    for part in parts_of(job.axes, done=done, coherent=job.coherent):
        yield from row.color(part)


class Row:
    """Colours parts of a stack one after the other; what one leaves the next goes on from."""

    def __init__(
        self,
        job: StackJob,
        colorizer: Colorizer,
        cancel: Cancel | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._job = job
        self._colorizer = colorizer
        self._cancel = cancel
        self._progress = progress
        self._carried = Carried()

    def color(self, part: Part) -> Iterator[Plane]:
        """Yield the planes of a part in colour."""
        first = part.planes[0][1]
        led_in = first is None or self._carried.knows(first)
        warm_up = [] if led_in else part.warm_up
        planes = [*warm_up, *part.planes]
        with looking_ahead(self._job, self._colorizer, planes, self._cancel) as sights:
            for number, sight in enumerate(sights):
                leave_if(self._cancel)
                plane = self._attempt(sight, paint=number >= len(warm_up))
                if plane is not None:
                    yield plane

    def _attempt(self, sight: Sight, *, paint: bool) -> Plane | None:
        """Colour one plane, or only ask the network for it, and keep what the next one needs."""
        try:
            with self._steadied(sight):
                if paint:
                    return self._painted(sight.place)
                self._colorizer.render(self._job.steering.at(sight.place), window=ONE_PIXEL)
        except Cancelled:
            raise
        except Exception as error:  # lazy data can fail in as many ways as there are libraries
            self._carried.forget(sight.place)
            return Plane(sight.place, None, reason_of(error)) if paint else None
        return None

    @contextmanager
    def _steadied(self, sight: Sight) -> Iterator[None]:
        """Have the plane set, and what it leaves kept at the end."""
        look = sight.result()
        self._colorizer.take(look)
        if not self._job.coherent:
            yield
            return
        motion = None if sight.motion is None else sight.motion.result()
        before = self._carried.of(sight.before)
        steadying = Steadying(look.small_lightness(), before, motion)
        look.steady(steadying)
        yield
        self._carried.keep(sight.place, sight.before, steadying.memory)

    def _painted(self, place: Place) -> Plane:
        steering = self._job.steering.at(place)
        rendered = self._colorizer.render(steering, cancel=self._cancel, progress=self._progress)
        sure = self._colorizer.confidence(steering.hints) if self._job.confidence else None
        return Plane(place, rendered.pixels, confidence=sure)


class Carried:
    """What is known of planes that others follow on: the last one, and the first of each row."""

    def __init__(self) -> None:
        self._last: tuple[Place, Memory] | None = None
        self._first: tuple[Place, Memory] | None = None

    def knows(self, place: Place) -> bool:
        """Return whether anything is known of a plane."""
        return self.of(place) is not None

    def of(self, place: Place | None) -> Memory | None:
        """Return what is known of a plane."""
        for known in (self._last, self._first):
            if known is not None and known[0] == place:
                return known[1]
        return None

    def keep(self, place: Place, before: Place | None, memory: Memory) -> None:
        """Keep a plane that was looked at, and which one it came after."""
        if self._last is None or self._last[0] != before:
            self._first = (place, memory)
        self._last = (place, memory)

    def forget(self, place: Place) -> None:
        """Know nothing of a plane: it is a gap."""
        self._last = None
        if self._first is not None and self._first[0] == place:
            self._first = None


def reason_of(error: Exception) -> str:
    """Return why there is no plane, in words that others may follow."""
    if isinstance(error, ColorizeError):
        return str(error).removesuffix(".")
    said = str(error).strip().splitlines()
    return f"it cannot be read ({type(error).__name__}{': ' + said[0] if said else ''})"
