"""How long a stack takes here: a guess before, what was seen after, in words."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_colorize.docks.colorizing.orders import Order

# Seconds that a plane takes a processor of two cores: for the network, for a million pixels, and
# what holding the colours still comes to.
_NETWORK, _MEGAPIXEL, _HOLDING = 0.25, 0.25, 1.6
_OPENING = 3.0
_SEEN = 12  # planes that a rate is taken from


class Pace:
    """What this computer needs of what was guessed; it learns from every run of a session."""

    def __init__(self) -> None:
        self._factor = 1.0

    def seconds(self, order: Order, planes: int) -> float:
        """Return how long so many planes of an order take, about."""
        return _OPENING + self._factor * self._guess(order) * planes / order.planes

    def learn(self, order: Order, planes: int, seconds: float) -> None:
        """Take in how long a part of an order took."""
        guess = self._guess(order) * planes / order.planes
        if guess > 0 and seconds > 0 and not order.scheduler:
            self._factor = seconds / guess

    def _guess(self, order: Order) -> float:
        total = 0.0
        for source in order.sources:
            height, width = (source.shape[axis] for axis in source.axes)
            plane = _NETWORK + _MEGAPIXEL * height * width / 1e6
            total += plane * source.planes * (_HOLDING if order.coherent else 1)
        return total


pace = Pace()


class Clock:
    """Planes a second of late, and how long the rest takes at that.

    Parameters
    ----------
    steady : bool
        Whether planes come one by one, not many at a time as from a cluster.
    """

    def __init__(self, steady: bool = True) -> None:
        self._times: deque[float] = deque([monotonic()], _SEEN if steady else None)
        self.begun = self._times[0]
        self.planes = 0

    def tick(self) -> None:
        """Count a plane."""
        self._times.append(monotonic())
        self.planes += 1

    @property
    def seconds(self) -> float:
        """How long the planes took that were counted."""
        return self._times[-1] - self.begun

    def told(self, left: int) -> str:
        """Return the rate, and the time that so many planes take, in words."""
        passed = self._times[-1] - self._times[0]
        if len(self._times) < 3 or passed <= 0:
            return ""
        rate = (len(self._times) - 1) / passed
        return f"{rate_in_words(rate)}, {in_words(left / rate)} left"


def rate_in_words(rate: float) -> str:
    """Return a rate of planes, as it is read best."""
    if rate >= 0.95:
        return f"{rate:.0f} planes/s" if rate >= 9.5 else f"{rate:.1f} planes/s"
    return f"{1 / rate:.0f} s a plane" if rate < 0.1 else f"{1 / rate:.1f} s a plane"


def in_words(seconds: float) -> str:
    """Return a time in words: about 40 s, about 3 min, about 2.5 h."""
    if seconds < 10:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
