"""Whether a model that is sure is right: its error against its confidence."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Bins of equal numbers of pixels that are told.
BINS = 10
# Steps of confidence in which pixels are counted, so that memory does not grow with them.
STEPS = 1000


@dataclass(frozen=True)
class ReliabilityBin:
    """Pixels of like confidence: its mean, 0..1, their mean ab distance, their share of all."""

    confidence: float
    error: float
    share: float


class Reliability:
    """Error against confidence, over the pixels of many pictures.

    Pixels are counted in `STEPS` equal steps of confidence and told in `BINS` bins of equal
    numbers. A step in which two bins meet is split in proportion: its pixels count as alike.
    """

    def __init__(self) -> None:
        # Pixels, summed confidence and summed error of each step.
        self._sums = np.zeros((3, STEPS))

    def add(self, confidence: NDArray[np.floating[Any]], error: NDArray[np.floating[Any]]) -> None:
        """Count the pixels of a picture.

        Parameters
        ----------
        confidence : ndarray of shape (H, W)
            0..1.
        error : ndarray of shape (H, W)
            Distance in ab from the truth.
        """
        sure = np.asarray(confidence, np.float64).ravel()
        away = np.asarray(error, np.float64).ravel()
        step = np.clip((sure * STEPS).astype(np.int64), 0, STEPS - 1)
        for sums, weights in zip(self._sums, (None, sure, away), strict=True):
            sums += np.bincount(step, weights, minlength=STEPS)

    def bins(self) -> tuple[ReliabilityBin, ...]:
        """Return the bins, the least sure first; none when no pixel was counted."""
        pixels, sure, away = np.pad(self._sums.cumsum(axis=1), ((0, 0), (1, 0)))
        if pixels[-1] == 0:
            return ()
        borders = np.linspace(0, pixels[-1], BINS + 1)
        sure, away = (np.diff(np.interp(borders, pixels, sums)) for sums in (sure, away))
        each = pixels[-1] / BINS
        return tuple(
            ReliabilityBin(float(confidence / each), float(error / each), 1 / BINS)
            for confidence, error in zip(sure, away, strict=True)
        )


def falling_steps(bins: Sequence[ReliabilityBin]) -> int:
    """Return from how many bins to the next the error falls; all but one where it is steady."""
    return sum(after.error < before.error for before, after in pairwise(bins))
