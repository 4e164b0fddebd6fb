"""Parts of a stack that can be coloured by themselves: after a break, or on another machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from napari_colorize.files.stacks.axes import Axes, Place

# Planes before a part that are looked at and not coloured. Of what was known before them 0.9 ** 16,
# less than a fifth, would be left, as `carrying.KEEP` has it.
WARM_UP = 16


@dataclass(frozen=True)
class Part:
    """Planes that follow one another.

    Attributes
    ----------
    planes : list of (place, place or None)
        Each plane to colour, and the one that its colour is carried from.
    warm_up : list of (place, place or None)
        The same for planes to look at before.
    """

    planes: list[tuple[Place, Place | None]] = field(default_factory=list)
    warm_up: list[tuple[Place, Place | None]] = field(default_factory=list)


def parts_of(
    axes: Axes, *, done: Container[Place] = (), coherent: bool = True, longest: int | None = None
) -> Iterator[Part]:
    """Yield the parts of a stack in the order of `Axes.places`.

    Parameters
    ----------
    axes : Axes
    done : container of places
        Planes that are not wanted any more.
    coherent : bool
        Whether colour is carried from plane to plane.
    longest : int, optional
        Planes in a part at most.
    """
    part = Part()
    last: Place | None = None
    for place, before in axes.places():
        if place in done:
            continue
        before = before if coherent else None
        full = longest is not None and len(part.planes) >= longest
        if part.planes and (full or before not in {None, last}):
            yield part
            part = Part()
        if not part.planes:
            part = Part([], _chain(axes, before) if before is not None else [])
        part.planes.append((place, before))
        last = place
    if part.planes:
        yield part


def _chain(axes: Axes, place: Place) -> list[tuple[Place, Place | None]]:
    """Return a plane and those before it, each with the one that it came from, the first first."""
    chain: list[tuple[Place, Place | None]] = []
    now: Place | None = place
    while now is not None and len(chain) < WARM_UP:
        before = axes.before(now)
        chain.append((now, before))
        now = before
    return chain[::-1]
