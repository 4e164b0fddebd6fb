"""Planes of a dask array, read quickly however many there are.

Dask looks at every chunk of an array when it reads one: 0.1 s for 100,000 of them, in which Python
does nothing else, so that the window stands still. Of a slab of neighbours it keeps but these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Key: TypeAlias = tuple[int | slice, ...]

# Chunks of a slab; arrays of no more are read as they are.
CHUNKS = 512
SLABS = 4  # that are kept


class Slabs:
    """An array, (...), of which parts are read; those of dask by way of slabs.

    Parameters
    ----------
    array : array_like
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self._slabs: dict[int, Any] = {}
        self._axis, self._length = _division(array)

    def read(self, key: Key) -> NDArray[Any]:
        """Return a part of the array; nothing else of it is read."""
        index = key[self._axis] if self._axis >= 0 else None
        if not isinstance(index, int):
            return np.asarray(self._array[key])
        number, inside = divmod(index, self._length)
        within = list(key)
        within[self._axis] = inside
        return np.asarray(self._slab(number)[tuple(within)])

    def _slab(self, number: int) -> Any:
        # Two threads may make the same one, which costs a moment; they never wait for each other.
        slab = self._slabs.get(number)
        if slab is None:
            import dask

            start = number * self._length
            whole = [slice(None)] * self._axis
            part = self._array[(*whole, slice(start, start + self._length))]
            (slab,) = dask.optimize(part)  # type: ignore[attr-defined,no-untyped-call]
            self._slabs = dict([*self._slabs.items(), (number, slab)][-SLABS:])
        return slab


def _division(array: Any) -> tuple[int, int]:
    """Return the axis that an array is cut along, and the indices of a slab; -1 if it need not."""
    blocks = getattr(array, "numblocks", ())
    if not type(array).__module__.startswith("dask.") or array.npartitions <= CHUNKS:
        return -1, 0
    axis = int(np.argmax(blocks))
    return axis, max(1, CHUNKS * array.shape[axis] // array.npartitions)
