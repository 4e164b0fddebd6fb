"""Plane after plane in colour, each knowing the one before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.prediction.guards import leave_if
from napari_colorize.prediction.window import Window
from napari_colorize.stacks.carrying import Memory, Steadying
from napari_colorize.stacks.parts import parts_of
from napari_colorize.stacks.steering import StackSteering

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.axes import Axes, Place
    from napari_colorize.prediction.colorizer import Colorizer
    from napari_colorize.prediction.guards import Cancel
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


@dataclass(frozen=True)
class StackJob:
    """A stack, and how it is to be coloured.

    Attributes
    ----------
    stack : array_like of shape `axes.shape`
        Also lazy: dask, zarr; ``stack[place]`` is one plane. Only planes that are coloured are
        read, one at a time.
    axes : Axes
    steering : StackSteering
        Hints have been followed, if they are to be.
    coherent : bool
        Whether colour is carried from plane to plane, or each plane stands alone.
    contrast_limits : (low, high), optional
        The values of black and white, of all planes alike.
    confidence : bool
        Whether planes come with how sure the model was.
    model, device
        As for `colorize`.
    """

    stack: Any
    axes: Axes
    steering: StackSteering = field(default_factory=StackSteering)
    coherent: bool = True
    contrast_limits: Sequence[float] | None = None
    confidence: bool = False
    model: str | Path | None = None
    device: str = "auto"

    def followed(self, cancel: Cancel | None = None) -> StackJob:
        """Return the job with its hints on all planes that their things are on."""
        if not (self.coherent and self.steering.hints):
            return self
        steering = self.steering.followed(self.stack, self.axes, self.contrast_limits, cancel)
        return replace(self, steering=steering)


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
        if first is not None and not self._carried.knows(first):
            for place, before in part.warm_up:
                self._attempt(place, before, paint=False)
        for place, before in part.planes:
            yield self._attempt(place, before, paint=True)

    def _attempt(self, place: Place, before: Place | None, *, paint: bool) -> Plane:
        """Colour one plane, or only look at it, and keep what the next one needs."""
        leave_if(self._cancel)
        try:
            return self._look(place, before, paint=paint)
        except Cancelled:
            raise
        except Exception as error:  # lazy data can fail in as many ways as there are libraries
            self._carried.forget(place)
            reason = str(error) if isinstance(error, ColorizeError) else gist_of(error)
            return Plane(place, None, reason)

    def _look(self, place: Place, before: Place | None, *, paint: bool) -> Plane:
        job, colorizer = self._job, self._colorizer
        colorizer.set_picture(
            np.asarray(job.stack[place]), contrast_limits=job.contrast_limits, cancel=self._cancel
        )
        steering = job.steering.at(place)
        steadying = None
        if job.coherent:
            steadying = Steadying(colorizer.small_lightness(), self._carried.of(before))
            colorizer.steady(steadying)
        pixels = sure = None
        if paint:
            rendered = colorizer.render(steering, cancel=self._cancel, progress=self._progress)
            pixels = rendered.pixels
            sure = colorizer.confidence(steering.hints) if job.confidence else None
        else:
            colorizer.render(steering, window=ONE_PIXEL)
        if steadying is not None:
            self._carried.keep(place, before, steadying.memory)
        return Plane(place, pixels, confidence=sure)


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


def gist_of(error: Exception) -> str:
    """Return why a plane cannot be read, in words."""
    said = str(error).strip().splitlines()
    return f"it cannot be read ({type(error).__name__}{': ' + said[0] if said else ''})"
