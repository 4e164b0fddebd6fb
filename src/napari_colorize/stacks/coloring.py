"""Plane after plane in colour, each knowing the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.color.steering import Steering
from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.prediction.guards import leave_if
from napari_colorize.stacks.carrying import Memory, Steadying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer
    from napari_colorize.prediction.guards import Cancel
    from napari_colorize.stacks.axes import Axes, Place


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
    """

    place: Place
    pixels: NDArray[np.uint8] | None
    reason: str = ""


def colored_planes(
    stack: Any,
    axes: Axes,
    colorizer: Colorizer,
    *,
    steering: Callable[[Place], Steering] = lambda _: Steering(),
    coherent: bool = True,
    contrast_limits: Sequence[float] | None = None,
    cancel: Cancel | None = None,
) -> Iterator[Plane]:
    """Yield the planes of a stack in colour, in the order of `Axes.places`.

    One plane is read at a time. A plane that cannot be read or coloured is a gap: it is told, and
    the next one begins anew.

    Parameters
    ----------
    stack : array_like of shape `axes.shape`
        Also lazy: dask, zarr.
    axes : Axes
    colorizer : Colorizer
    steering : callable
        Gets the place of a plane and returns how it is steered.
    coherent : bool
        Whether colour is carried from plane to plane, or each plane stands alone.
    contrast_limits : (low, high), optional
        The values of black and white, of all planes alike.
    cancel : callable, optional

    Raises
    ------
    Cancelled
        When `cancel` returns True.
    """
    carried = _Carried()
    for place, before in axes.places():
        leave_if(cancel)
        memory = carried.of(before) if coherent else None
        try:
            colorizer.set_picture(
                np.asarray(stack[place]), contrast_limits=contrast_limits, cancel=cancel
            )
            steadying = Steadying(colorizer.small_lightness(), memory) if coherent else None
            colorizer.steady(steadying)
            rendered = colorizer.render(steering(place), cancel=cancel)
        except Cancelled:
            raise
        except Exception as error:  # lazy data can fail in as many ways as there are libraries
            carried.forget(place)
            reason = str(error) if isinstance(error, ColorizeError) else _gist(error)
            yield Plane(place, None, reason)
            continue
        if steadying is not None:
            carried.keep(place, before, steadying.memory)
        yield Plane(place, rendered.pixels)


class _Carried:
    """What is known of planes that others follow on: the last one, and the first of each row."""

    def __init__(self) -> None:
        self._last: tuple[Place, Memory] | None = None
        self._first: tuple[Place, Memory] | None = None

    def of(self, place: Place | None) -> Memory | None:
        """Return what is known of a plane."""
        for known in (self._last, self._first):
            if known is not None and known[0] == place:
                return known[1]
        return None

    def keep(self, place: Place, before: Place | None, memory: Memory) -> None:
        """Keep a plane that was coloured, and which one it came after."""
        if self._last is None or self._last[0] != before:
            self._first = (place, memory)
        self._last = (place, memory)

    def forget(self, place: Place) -> None:
        """Know nothing of a plane: it is a gap."""
        self._last = None
        if self._first is not None and self._first[0] == place:
            self._first = None


def _gist(error: Exception) -> str:
    return f"it cannot be read ({type(error).__name__}: {error})"
