"""How a whole stack is steered: what holds for all planes, and hints that follow their things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.color.lightness import Lightness
from napari_colorize.color.steering import Steering, checked_hints
from napari_colorize.errors import Cancelled, PictureError
from napari_colorize.prediction.guards import leave_if
from napari_colorize.prediction.seeing import working_shape
from napari_colorize.stacks.tracking import tracked_hints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.prediction.guards import Cancel

# Short side of the planes in which hints are followed.
TRACKING_SIDE = 160


@dataclass(frozen=True)
class StackSteering:
    """What is wanted of the colours of a stack.

    Attributes
    ----------
    common : Steering
        Holds for all planes; hints in it stand on every plane.
    hints : mapping of planes to hints
        Further ones, of single planes, by their whole index.
    """

    common: Steering = field(default_factory=Steering)
    hints: Mapping[Place, Sequence[AnyHint]] = field(default_factory=dict)

    def at(self, place: Place) -> Steering:
        """Return how a plane is steered."""
        own = self.hints.get(place)
        if not own:
            return self.common
        return replace(self.common, hints=(*self.common.hints, *own))

    @classmethod
    def of_planes(cls, common: Steering, hints: Any, axes: Axes) -> StackSteering:
        """Return what is wanted of a stack with hints by plane, a number or a tuple of them.

        Raises
        ------
        PictureError
            If the hints are no mapping, or one names no plane or lies outside.
        """
        if not isinstance(hints, Mapping):
            raise PictureError(
                "The hints of a stack have to be a mapping, {plane: [Hint(...), ...]}, got "
                f"{type(hints).__name__}."
            )
        found: dict[Place, Sequence[AnyHint]] = {}
        for key, listed in hints.items():
            place = tuple(key) if isinstance(key, tuple) else (key,)
            if not _is_place(place, axes.outer):
                raise PictureError(f"There is no plane {key!r} for hints in {axes.outer} planes.")
            place = tuple(int(index) for index in place)
            found[place] = checked_hints(listed, axes.plane)
        return cls(common, found)

    def followed(
        self,
        stack: Any,
        axes: Axes,
        contrast_limits: Sequence[float] | None = None,
        cancel: Cancel | None = None,
    ) -> StackSteering:
        """Return the same with hints on all planes that their things are on.

        Only rows that have hints are read; a plane that cannot be read ends the way of a hint.
        """

        def small_lightness(place: Place) -> Tensor | None:
            leave_if(cancel)
            try:
                plane = np.asarray(stack[place])
                lightness = Lightness(plane, contrast_limits, cancel)
            except Cancelled:
                raise
            except Exception:  # told when the plane is to be coloured
                return None
            return lightness.reduced(*working_shape(axes.plane, min(TRACKING_SIDE, *axes.plane)))

        found: dict[Place, Sequence[AnyHint]] = {}
        for row in _rows(axes):
            if any(place in self.hints for place in row):
                found |= tracked_hints(row, self.hints, small_lightness, axes.plane)
        return replace(self, hints=found)


def _is_place(place: tuple[Any, ...], outer: tuple[int, ...]) -> bool:
    if len(place) != len(outer):
        return False
    pairs = zip(place, outer, strict=True)
    return all(isinstance(i, int | np.integer) and 0 <= i < length for i, length in pairs)


def _rows(axes: Axes) -> Iterator[list[Place]]:
    """Yield the planes that follow one another, row by row."""
    row: list[Place] = []
    for place, before in axes.places():
        if row and before != row[-1]:
            yield row
            row = []
        row.append(place)
    if row:
        yield row
