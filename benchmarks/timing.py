"""What the benchmarks of prediction share: a picture, a stopwatch, rows of medians and ranges."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from skimage import data
from skimage.transform import resize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

WHOLE = "whole call"


def picture(side: int) -> NDArray[np.uint8]:
    """Return a grey photograph, side x side, uint8."""
    grey = data.astronaut()[..., 1]
    return (resize(grey, (side, side), order=1) * 255).round().astype(np.uint8)


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Stopwatch:
    """Tells where the time of some work goes."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and has its time counted to a stage."""

        def timed(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            result = work(*arguments, **named)
            self._spent[stage] = self._spent.get(stage, 0.0) + time.perf_counter() - start
            return result

        return timed

    def read(self, work: Callable[[], object], rest: str = "rest") -> dict[str, float]:
        """Return the seconds of a call by stages, of what no stage took, and of the whole."""
        self._spent.clear()
        whole = seconds(work)
        taken = sum(self._spent.values())
        return {**self._spent, rest: whole - taken, WHOLE: whole}


def print_ratio(name: str, times: Sequence[float], others: Sequence[float]) -> None:
    """Print how many times longer the others took, round by round: the median and the range."""
    ratios = [other / own for own, other in zip(times, others, strict=True)]
    middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
    print(f"  {name:28} {middle:7.1f}      ({low:.1f} to {high:.1f})")


def print_times(name: str, times: Sequence[float]) -> None:
    """Print the median and the range of times in ms."""
    middle, low, high = (1000 * t for t in (statistics.median(times), min(times), max(times)))
    print(f"  {name:28} {middle:7.1f} ms   ({low:.1f} to {high:.1f})")


def print_stages(name: str, rounds: Sequence[dict[str, float]]) -> None:
    """Print the median and the range of each stage in ms, if there are any."""
    if not rounds:
        return
    print(name)
    for stage in rounds[0]:
        print_times(stage, [times[stage] for times in rounds])
