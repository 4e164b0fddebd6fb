"""By what a picture is known again: its shape, its type and its pixels, not its name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_colorize.docks.layers import Source

WHOLE = 64_000_000
"""Bytes up to which every pixel counts; of more, and of lazy data, an evenly spread sample."""
_ROWS, _PLANES = 256, 5


def picture_key(source: Source) -> str:
    """Return what names the picture of a source, 32 hexadecimal digits; it reads pixels.

    All planes of a stack have one key, as long as the same axes are in view.
    """
    data = source.data
    told = f"{tuple(data.shape)} {np.dtype(data.dtype).str} {source.rgb} {source.axes}"
    digest = hashlib.sha256(told.encode())
    if isinstance(data, np.ndarray) and data.nbytes <= WHOLE:
        digest.update(_bytes(data))
    else:
        _sample(digest, data, source)
    return digest.hexdigest()[:32]


def _sample(digest: Any, data: Any, source: Source) -> None:
    """Take evenly spread rows of evenly spread planes; whole planes of lazy data are computed."""
    shape = source.shape
    key: list[Any] = [slice(None)] * len(shape)
    others = [axis for axis in range(len(shape)) if axis not in source.axes]
    for number in range(_PLANES if others else 1):
        for axis in others:
            key[axis] = round(number * (shape[axis] - 1) / (_PLANES - 1))
        plane = data[tuple(key)]
        step = max(1, plane.shape[0] // _ROWS)
        digest.update(_bytes(np.asarray(plane[::step])))


def _bytes(values: Any) -> bytes:
    return np.ascontiguousarray(values).tobytes()
