"""An array whose planes get their colours when they are looked at."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import PictureError
from napari_colorize.prediction.window import Window
from napari_colorize.stacks.lazy_planes import WHOLE, LazyPlanes, Part

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


class LazyColors:
    """A level of a pyramid in colour, (..., H, W, 3) uint8, indexed by whole numbers and slices.

    What an index leaves of it is either pixels, where all axes but the two of a plane were given,
    or another lazy array. Pixels come at once: in colour if they are known, in grey if not; when
    their colours are there, `LazyPlanes.arrived` says so, and they can be asked for again.

    The plane that is coloured is the one that is asked for, along whichever two axes. Its colours
    are carried from a neighbour that was coloured before, if there is one: which that is depends
    on the way that one takes through the planes. What *Save all* writes comes from the row in its
    order instead, so that it is the same each time.

    Parameters
    ----------
    planes : LazyPlanes
    level : int
        Of its pyramid.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, planes: LazyPlanes, level: int = 0) -> None:
        self.planes = planes
        self.level = level
        self._full = planes.pyramid.shape(level)
        self._keys: tuple[int | range, ...] = tuple(range(side) for side in self._full)
        self._is_all = True  # nothing was picked out yet

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, the three colours last."""
        return (*(len(key) for key in self._keys if isinstance(key, range)), 3)

    @property
    def ndim(self) -> int:
        """Number of axes, that of colours included."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that all pixels would have."""
        return self.size

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<LazyColors {self.shape} uint8, level {self.level}>"

    def __getitem__(self, key: Any) -> LazyColors | NDArray[np.uint8]:
        """Return a part: pixels if it is at most one plane, else lazy.

        Raises
        ------
        IndexError
            If the key is no whole number, slice or tuple of these, or lies outside.
        """
        keys = _expanded(key, self.ndim)
        channels = keys.pop()
        part = LazyColors(self.planes, self.level)
        part._is_all = False
        given = iter(keys)
        part._keys = tuple(
            _picked(old, next(given)) if isinstance(old, range) else old for old in self._keys
        )
        open_axes = sum(isinstance(k, range) for k in part._keys)
        if open_axes > 2 and channels == slice(None):
            return part
        return part._pixels()[..., channels]

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        """Return the pixels that are known, the others in grey.

        Raises
        ------
        PictureError
            If that is the whole stack, or more than may be kept.
        """
        if self._count() > 1 and (self._is_all or self.nbytes > self.planes.kept.limit):
            raise PictureError(
                f"This stack of {self.nbytes / 1e9:.3g} GB is coloured as it is looked at: take "
                "planes of it, such as layer.data[0], or write it with Layers > Data > Save all "
                "planes in colour."
            )
        pixels = self._pixels()
        return pixels if dtype is None else pixels.astype(dtype)

    def _count(self) -> int:
        """Return how many planes there are in it."""
        axes = self._plane_axes()
        return prod(len(span) for axis, span in enumerate(self._spans()) if axis not in axes)

    def _pixels(self) -> NDArray[np.uint8]:
        spans, axes = self._spans(), self._plane_axes()
        rows, columns = (spans[axis] for axis in axes)
        thin = [range(1) if axis in axes else span for axis, span in enumerate(spans)]
        shape = tuple(len(span) for span in spans)
        dropped = tuple(axis for axis, key in enumerate(self._keys) if isinstance(key, int))
        if 0 in shape:
            return np.zeros(self.shape, np.uint8)
        window, crop = self._window(rows, columns)
        parts = [Part(self.level, axes, place, window) for place in product(*thin)]
        planes = [answer[crop] for answer in self.planes.answer(parts)]
        if len(planes) == 1:
            result = planes[0].reshape((*shape, 3))
        else:
            stacked = np.stack(planes).reshape((*(len(span) for span in thin), *planes[0].shape))
            # (..., 1, ..., 1, ..., rows, columns, 3): the plane goes where its axes are
            outer = tuple(axis for axis in range(len(spans)) if axis not in axes)
            flat = stacked.squeeze(axis=axes)
            result = np.moveaxis(flat, (len(outer), len(outer) + 1), axes)
        return result.squeeze(axis=dropped)

    def _window(self, rows: range, columns: range) -> tuple[Window, tuple[slice, slice]]:
        """Return what is to be coloured of a plane, and what of it is wanted."""
        height, width = (self._full[axis] for axis in self._plane_axes())
        if height * width <= WHOLE or len(self.planes.pyramid.levels) == 1:
            return Window(0, 0, height, width), (_slice(rows, 0), _slice(columns, 0))
        top, left = min(rows), min(columns)
        window = Window(top, left, max(rows) + 1, max(columns) + 1)
        return window, (_slice(rows, top), _slice(columns, left))

    def _spans(self) -> list[range]:
        return [range(key, key + 1) if isinstance(key, int) else key for key in self._keys]

    def _plane_axes(self) -> tuple[int, int]:
        """Return the axes of the plane that is asked for, else of those that the stack has."""
        names = self.planes.pyramid.names
        usual = sorted((names.index("y"), names.index("x")))
        long = [axis for axis, span in enumerate(self._spans()) if len(span) > 1]
        if len(long) > 2 and set(usual) <= set(long):
            return usual[0], usual[1]
        chosen = long[-2:] + [axis for axis in reversed(usual) if axis not in long]
        first, second = sorted(chosen[:2])
        return first, second


def _expanded(key: Any, ndim: int) -> list[Any]:
    """Return a key for each axis.

    Raises
    ------
    IndexError
        If it has too many, or one that is no whole number or slice.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    dots = [place for place, k in enumerate(keys) if k is Ellipsis]
    if len(dots) > 1 or len(keys) - len(dots) > ndim:
        raise IndexError(f"Too many indices for an array of {ndim} axes: {key!r}.")
    place = dots[0] if dots else len(keys)
    keys[place : place + len(dots)] = [slice(None)] * (ndim - len(keys) + len(dots))
    for k in keys:
        if isinstance(k, bool | np.bool_) or not isinstance(k, int | np.integer | slice):
            raise IndexError(f"Coloured planes are picked by whole numbers and slices, got {k!r}.")
    return keys


def _picked(old: range, key: int | np.integer[Any] | slice) -> int | range:
    return old[key] if isinstance(key, slice) else old[int(key)]


def _slice(span: range, start: int) -> slice:
    """Return the slice that picks a span out of what begins at `start`."""
    stop = span.stop - start
    return slice(span.start - start, stop if stop >= 0 else None, span.step)
