"""Pictures that look alike, found among many by their perceptual hashes of 64 bits."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 4
"""Two pictures are near duplicates when at most so many of the 64 bits differ.

Copies of other sizes and JPEG qualities stay within it, different photographs practically never.
"""


def nearly_the_same(likeness: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Find pictures that look like an earlier one that stays.

    Parameters
    ----------
    likeness
        ``(N,)`` perceptual hashes; the earlier of two that look alike stays.

    Returns
    -------
    ndarray
        Indices of those that go, ascending.
    """
    values, first, group = np.unique(likeness, return_index=True, return_inverse=True)
    gone = first[group] != np.arange(len(likeness))
    early, late = _pairs(values)
    early, late = np.minimum(first[early], first[late]), np.maximum(first[early], first[late])
    for i in np.lexsort((late, early)):
        if not gone[early[i]]:
            gone[late[i]] = True
    return np.flatnonzero(gone)


def like_any(these: NDArray[np.uint64], those: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell for each of these hashes whether one of those looks alike; ``(len(these),)`` bool."""
    values, group = np.unique(np.concatenate([these, those]), return_inverse=True)
    is_that = np.zeros(len(values), dtype=bool)
    is_that[group[len(these) :]] = True
    found = is_that.copy()
    one, two = _pairs(values)
    found[one[is_that[two]]] = True
    found[two[is_that[one]]] = True
    return found[group[: len(these)]]


def _pairs(values: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs of indices of hashes that differ in at most `NEAR` bits, each once.

    Two hashes that differ in NEAR bits agree in one of NEAR + 1 bands of bits, so only those that
    share a band are compared: in order of the band, each with the next, the one after, ...
    """
    codes = [np.empty(0, dtype=np.int64)]
    for low, high in pairwise(64 * i // (NEAR + 1) for i in range(NEAR + 2)):
        band = (values >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(band, kind="stable")
        starts = np.arange(len(order))
        for step in range(1, len(order)):
            starts = starts[starts + step < len(order)]
            starts = starts[band[order[starts]] == band[order[starts + step]]]
            if not len(starts):
                break
            one, two = order[starts], order[starts + step]
            close = np.bitwise_count(values[one] ^ values[two]) <= NEAR
            one, two = one[close], two[close]
            codes.append(np.minimum(one, two) * len(values) + np.maximum(one, two))
    pairs = np.unique(np.concatenate(codes))
    early, late = np.divmod(pairs, max(1, len(values)))
    return early.astype(np.intp), late.astype(np.intp)
