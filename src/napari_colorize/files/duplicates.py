"""Pictures that look alike, found among many by their perceptual hashes of 64 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 4
"""Two pictures are near duplicates when at most so many of the 64 bits differ."""


def nearly_the_same(likeness: NDArray[np.uint64]) -> list[int]:
    """Indices of pictures that look like an earlier one that stays."""
    pairs = _pairs(likeness)
    gone = np.zeros(len(likeness), dtype=bool)
    for early, late in sorted(pairs):
        if not gone[early]:
            gone[late] = True
    return [int(i) for i in np.flatnonzero(gone)]


def like_any(these: NDArray[np.uint64], those: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """For each of these, whether one of those looks alike; ``(len(these),)`` bool."""
    found = np.zeros(len(these), dtype=bool)
    split = len(those)
    for early, late in _pairs(np.concatenate([those, these])):
        if early < split <= late:
            found[late - split] = True
    return found


def _pairs(likeness: NDArray[np.uint64]) -> set[tuple[int, int]]:
    """All pairs (earlier, later) that differ in at most `NEAR` bits.

    Two hashes that differ in at most NEAR bits agree in at least one of NEAR + 1 bands of bits:
    only those that share a band are compared.
    """
    pairs: set[tuple[int, int]] = set()
    edges = np.linspace(0, 64, NEAR + 2).astype(int)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        band = (likeness >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        band, sorted_likeness = band[order], likeness[order]
        for step in range(1, len(order)):
            same = band[step:] == band[:-step]
            if not same.any():
                break
            close = np.bitwise_count(sorted_likeness[step:] ^ sorted_likeness[:-step]) <= NEAR
            for i in np.flatnonzero(same & close):
                one, two = int(order[i]), int(order[i + step])
                pairs.add((min(one, two), max(one, two)))
    return pairs
