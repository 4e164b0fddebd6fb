"""Planes written as they come, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.files.stacks.plane_store import PlaneStore
    from napari_colorize.stacks.coloring import Plane


@dataclass(frozen=True)
class Saved:
    """A result that has its final name.

    Attributes
    ----------
    path : Path
    written : int
        Planes written now; those that an earlier run left are not counted.
    gaps : tuple of (place, reason)
        Planes that are black, and why.
    """

    path: Path
    written: int
    gaps: tuple[tuple[Place, str], ...] = ()


def save_planes(
    planes: Iterable[Plane],
    store: PlaneStore,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Saved:
    """Write planes as they come, give the result its final name, and return what became of it.

    Parameters
    ----------
    planes : iterable of Plane
        In any order, such as `stack_planes` yields with ``done=store.done``.
    store : PlaneStore
        Stays open when this raises, with all planes that came before in it: close it.
    progress : callable, optional
        Is told planes done, those of an earlier run and gaps among them, and all.

    Raises
    ------
    StorageError
        If the disk is full or the result cannot be written.
    Cancelled, ColorizeError
        What `planes` raises; the result has no final name then.
    """
    written: set[Place] = set()
    gaps: dict[Place, str] = {}
    for plane in planes:
        if plane.pixels is None:
            gaps[plane.place] = plane.reason
        else:
            store.write(plane.place, plane.pixels)
            written.add(plane.place)
        if progress is not None:
            progress(len(store.done | written | gaps.keys()), store.axes.planes)
    known = store.done | written | gaps.keys()
    gaps |= {place: "it was not coloured" for place, _ in store.axes.places() if place not in known}
    return Saved(store.finish(), len(written), tuple(gaps.items()))
