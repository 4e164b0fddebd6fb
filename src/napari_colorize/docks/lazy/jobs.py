"""What is written of a stack in colour, and where to: planes yet to be coloured, or held."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_colorize.docks.layers import RECORD
from napari_colorize.docks.lazy.opening import lazy_planes_of
from napari_colorize.docks.movie_reader import MOVIE
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.stacks.axes import SAMPLES, Axes
from napari_colorize.files.stacks.plane_store import RATE, PlaneStore, open_store
from napari_colorize.files.stacks.scale import Scale, step_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.files.stacks.movies import Movie
    from napari_colorize.stacks.coloring import Plane
    from napari_colorize.stacks.lazy_planes import Pyramid
    from napari_colorize.stacks.saving import Saved

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]


class Job(Protocol):
    """A stack in colour that is to be written."""

    def save(self, progress: Progress, cancel: Cancelled) -> Saved:
        """Write its planes, those that are not there yet."""


@dataclass(frozen=True)
class Target:
    """Where a stack is written to, and what stands beside its planes.

    Attributes
    ----------
    path : Path
    record : dict
        What made the result.
    scale : mapping
    overwrite : bool
    movie : Path or None
        What was coloured: an .mp4 gets its times and its sound.
    rate : Fraction
        Frames a second of an .mp4 of anything else.
    """

    path: Path
    record: dict[str, Any]
    scale: Scale
    overwrite: bool = False
    movie: Path | None = None
    rate: Fraction = RATE

    @property
    def is_movie(self) -> bool:
        """Whether the result is a movie."""
        return self.path.suffix.lower() == ".mp4"

    @contextmanager
    def opened(self, axes: Axes, **content: str) -> Iterator[PlaneStore]:
        """Lend the place to write to; `content` tells stacks apart that were made alike."""
        with ExitStack() as stack:
            movie = self._movie(axes) if self.is_movie else None
            if movie is not None:
                stack.enter_context(movie)
            record = {**self.record, **content}
            yield stack.enter_context(
                closing(
                    open_store(
                        self.path,
                        axes,
                        record,
                        overwrite=self.overwrite,
                        scale=self.scale,
                        movie=movie,
                        rate=self.rate,
                    )
                )
            )

    def _movie(self, axes: Axes) -> Movie | None:
        from napari_colorize.files.stacks.movies import open_movie

        return None if self.movie is None else open_movie(self.movie)


class PlanesLast:
    """An array, its planes along the last two axes, read one at a time.

    Parameters
    ----------
    data : array-like
        (...) or (..., 3 or 4).
    names : str
        A letter for each axis, that of colours left out.
    rgb : bool
        Whether the last axis holds colours.
    """

    def __init__(self, data: Any, names: str, *, rgb: bool) -> None:
        self._data, self._names = data, names
        self._outer = [letter for letter in names if letter not in "yx"]
        lengths = dict(zip(names, data.shape, strict=False))
        last = "".join(self._outer) + "yx"
        samples = tuple(data.shape[-1:]) if rgb else ()
        self.axes = Axes(last + SAMPLES * rgb, (*(lengths[letter] for letter in last), *samples))

    def __getitem__(self, place: Place) -> NDArray[Any]:
        """Return one plane, (H, W) or (H, W, 3 or 4)."""
        index = dict(zip(self._outer, place, strict=True))
        return np.asarray(self._data[tuple(index.get(name, slice(None)) for name in self._names)])


@dataclass(frozen=True)
class LazyJob:
    """A lazy layer: its planes are coloured in the order of their row."""

    pyramid: Pyramid
    target: Target

    def save(self, progress: Progress, cancel: Cancelled) -> Saved:
        """Colour and write the planes that are not there."""
        from napari_colorize.color.steering import Steering
        from napari_colorize.stacks.api import stack_planes
        from napari_colorize.stacks.saving import save_planes

        pyramid = self.pyramid
        stack = PlanesLast(pyramid.levels[0], pyramid.names, rgb=pyramid.rgb)
        with self.target.opened(stack.axes, first_plane=_hash_of_first(stack)) as store:
            progress(len(store.done), stack.axes.planes)
            planes = stack_planes(
                stack,
                stack.axes,
                steering=Steering((), pyramid.vividness),
                coherent=pyramid.coherent,
                contrast_limits=pyramid.contrast_limits,
                model=pyramid.model,
                device=pyramid.device,
                done=store.done,
                cancel=cancel,
            )
            return save_planes(planes, store, progress=progress)


@dataclass(frozen=True)
class HeldJob:
    """A layer that holds its colours, all of them or those that have come: nothing is coloured.

    Attributes
    ----------
    data : ndarray of shape (..., 3 or 4), uint8
        Alpha is 0 where no plane is.
    names : str
        A letter for each axis of it, that of colours left out.
    target : Target
    """

    data: NDArray[np.uint8]
    names: str
    target: Target

    def save(self, progress: Progress, cancel: Cancelled) -> Saved:
        """Write the planes that are there."""
        from napari_colorize.stacks.saving import save_planes

        stack = PlanesLast(self.data, self.names, rgb=True)
        axes = Axes(stack.axes.names.removesuffix(SAMPLES), stack.axes.shape[:-1])
        with self.target.opened(axes, pixels=_hash(self.data)) as store:
            return save_planes(_held(stack, store, cancel), store, progress=progress)


def job_of(
    layer: Layer, path: Path, *, overwrite: bool = False, rate: Fraction | None = None
) -> Job:
    """Return what writes the planes of a layer in colour.

    Raises
    ------
    ColorizeError
        If the layer is no stack of ours.
    """
    reason = refusal(layer)
    if reason:
        raise ColorizeError(reason)
    planes, record = lazy_planes_of(layer), dict(layer.metadata[RECORD])
    names = names_of(layer)
    movie = movie_there(layer)
    if movie is not None and path.exists() and path.samefile(movie):
        raise PictureError(f"{path} is the movie that was coloured: choose another name.")
    steps = {
        letter: step_of(length, unit)
        for letter, length, unit in zip(names, layer.scale, layer.units, strict=True)
    }
    record.pop(MOVIE, None)
    # They change while a stack grows.
    record["settings"] = {k: v for k, v in record.get("settings", {}).items() if k not in _GROWING}
    target = Target(
        path,
        record,
        {letter: step for letter, step in steps.items() if step is not None},
        overwrite,
        movie if rate is None else None,
        RATE if rate is None else rate,
    )
    if planes is not None:
        return LazyJob(planes.pyramid, target)
    return HeldJob(layer.data, names, target)


def refusal(layer: Layer | None) -> str:
    """Return why a layer cannot be written, empty if it can."""
    if layer is None:
        return "No layer is active: click a coloured stack in the list of layers."
    if names_of(layer):
        return ""
    return (
        f"{layer.name!r} is no stack in colour: click one that the Colorize dock has made, or save "
        "it with File > Save Selected Layers."
    )


def names_of(layer: Layer) -> str:
    """Return a letter for each axis of a stack of ours, in the order of its data; else nothing."""
    lazy = lazy_planes_of(layer)
    if lazy is not None:
        return lazy.pyramid.names
    record = layer.metadata.get(RECORD)
    if not isinstance(record, dict) or not getattr(layer, "rgb", False) or layer.multiscale:
        return ""
    names = str(record.get("settings", {}).get("axes", ""))
    return names if layer.ndim > 2 and len(names) == layer.ndim else ""


def movie_there(layer: Layer) -> Path | None:
    """Return the movie that a stack in colour was made of, if its file is still there."""
    movie = layer.metadata.get(RECORD, {}).get(MOVIE)
    return Path(movie) if movie is not None and Path(movie).is_file() else None


_GROWING = {"done", "planes"}


def _held(stack: PlanesLast, store: PlaneStore, cancel: Cancelled) -> Iterator[Plane]:
    """Yield the planes that are not in a store yet."""
    from napari_colorize.prediction.guards import leave_if
    from napari_colorize.stacks.coloring import Plane

    for place, _ in store.axes.places():
        leave_if(cancel)
        if place in store.done:
            continue
        pixels = stack[place]
        if pixels.shape[-1] == 4 and not pixels[..., 3].all():
            yield Plane(place, None, "it is not coloured yet")
        else:
            yield Plane(place, np.ascontiguousarray(pixels[..., :3]))


def _hash(data: NDArray[np.uint8]) -> str:
    made = hashlib.sha256()
    for part in data:
        made.update(np.ascontiguousarray(part).data)
    return made.hexdigest()


def _hash_of_first(stack: PlanesLast) -> str:
    """Return a hash of the first plane, empty if it cannot be read: layers may have one name."""
    try:
        plane = stack[(0,) * len(stack.axes.outer)]
    except Exception:  # told when the plane is to be coloured
        return ""
    return hashlib.sha256(np.ascontiguousarray(plane).tobytes()).hexdigest()
