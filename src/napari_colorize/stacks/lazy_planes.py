"""Planes of a stack that are coloured in a thread as they are looked at.

What is asked for is answered at once: in colour if it is known, in grey if not, and then it is a
wish. The thread fulfils the newest wish first, forgets those that something newer replaced, and
while there is none it goes on in the direction in which the planes are travelled through. Where
they are passed faster than they are coloured it skips ahead, so that some are there when seen.
"""

from __future__ import annotations

import atexit
import logging
import threading
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.stacks.greys import grey_pixels
from napari_colorize.stacks.kept import Kept
from napari_colorize.stacks.slabs import Slabs
from napari_colorize.stacks.travel import Travel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.prediction.window import Window

log = logging.getLogger(__name__)
# Bytes of coloured pixels that are kept.
ROOM = 128_000_000
# Planes that are coloured ahead, if they do not take more than this share of the room.
AHEAD, AHEAD_SHARE = 16, 0.25
# Planes of more pixels are coloured by the parts that are asked for, if there is a coarser level.
WHOLE = 1 << 22
# What was asked for is remembered of so many levels: the one in view, and that of the thumbnail.
LEVELS = 2
_PATIENCE = 5.0  # seconds that the thread gets to end when Python does


@dataclass(frozen=True)
class Pyramid:
    """A stack in one or more resolutions, and how it is to be coloured.

    Attributes
    ----------
    levels : sequence of array_like
        The finest first; lazy ones stay lazy.
    names : str
        What each axis is, in the order of the data, as `files.axes.Axes` has it; without colours.
    rgb : bool
        Whether a last axis holds colours.
    contrast_limits : (low, high) or None
    model, device, vividness, coherent
        As for `colorize_stack`.
    """

    levels: Sequence[Any]
    names: str
    rgb: bool = False
    contrast_limits: tuple[float, float] | None = None
    model: str | Path | None = None
    device: str = "auto"
    vividness: float | None = None
    coherent: bool = True
    _slabs: list[Slabs] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slabs", [Slabs(level) for level in self.levels])

    def shape(self, level: int) -> tuple[int, ...]:
        """Return the shape of a level without the axis of colours."""
        shape = self.levels[level].shape
        return tuple(int(side) for side in (shape[:-1] if self.rgb else shape))

    def read(self, part: Part) -> NDArray[Any]:
        """Return the pixels of a part, (h, w) or (h, w, 3 or 4); nothing else is read."""
        key: list[int | slice] = list(part.place)
        rows, columns = part.window.slices
        key[part.axes[0]], key[part.axes[1]] = rows, columns
        return self._slabs[part.level].read(tuple(key))


@dataclass(frozen=True)
class Part:
    """A plane of a level, or a part of one.

    Attributes
    ----------
    level : int
    axes : (int, int)
        The axes of the plane, in the order of the data.
    place : tuple of int
        Index in the data of the level, 0 along `axes`.
    window : Window
        Which of its pixels.
    """

    level: int
    axes: tuple[int, int]
    place: tuple[int, ...]
    window: Window


@dataclass(frozen=True)
class Wish:
    """A part that was asked for, and its grey values if they were read."""

    part: Part
    values: NDArray[Any] | None = field(default=None, compare=False)


class LazyPlanes:
    """Colours of a pyramid, made as they are asked for by one thread.

    Parameters
    ----------
    pyramid : Pyramid
    arrived : callable
        Called in the thread when something that was asked for last has come.
    told : callable
        Called with a sentence for people when something cannot be coloured, in any thread; once
        for each plane.
    room : int
        Bytes of coloured pixels that are kept.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        *,
        arrived: Callable[[], None] = lambda: None,
        told: Callable[[str], None] = lambda _: None,
        room: int = ROOM,
    ) -> None:
        self.pyramid = pyramid
        self.kept: Kept[Part, NDArray[np.uint8]] = Kept(room)
        # A layer is sliced when it is made, at a place that nobody looks at: black is enough then.
        self.is_looked_at = True
        self._arrived, self._told = arrived, told
        self._changed = threading.Condition(threading.RLock())
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._working = False
        self._wishes: dict[int, list[Wish]] = {}
        self._in_view: dict[int, set[Part]] = {}
        self._travelled: dict[int, Travel] = {}
        self._seconds = 0.0  # that a plane takes
        self._failed: set[Part] = set()
        self._said: set[str] = set()

    def answer(self, parts: Sequence[Part]) -> list[NDArray[np.uint8]]:
        """Return parts of one level as they are known, in grey what is not; that is then wished.

        A part that cannot be read is black.
        """
        if not self.is_looked_at:
            return [np.zeros((*part.window.shape, 3), np.uint8) for part in parts]
        with self._changed:
            known = [self.kept.get(part) for part in parts]
            self._look_at(parts)
        answers, wishes = [], []
        for part, pixels in zip(parts, known, strict=True):
            if pixels is None:
                pixels, values = self._grey(part)
                if values is not None:  # of many parts they are read again: room is bounded
                    wishes.append(Wish(part, values if len(parts) == 1 else None))
            answers.append(pixels)
        self._wish(parts[0].level, wishes)
        return answers

    def start(self) -> None:
        """Start the thread that colours what is wished for; importing torch takes it seconds."""
        with self._changed:
            if self._thread is None and not self._over.is_set():
                # A daemon: a window that was forgotten must not keep Python from ending.
                self._thread = threading.Thread(target=self._work, name="lazy", daemon=True)
                atexit.register(self._end)
                self._working = True
                self._thread.start()

    @property
    def in_view(self) -> frozenset[Part]:
        """What was asked for last, of each level."""
        with self._changed:
            return frozenset().union(*self._in_view.values())

    @property
    def closed(self) -> bool:
        """Whether nothing is coloured any more."""
        return self._over.is_set()

    def close(self) -> None:
        """End the thread, without waiting for it; nothing is told from now on."""
        with self._changed:
            self._over.set()
            self._wishes.clear()
            self._changed.notify_all()

    def idle(self) -> bool:
        """Return whether there is nothing to do, neither wished for nor ahead."""
        with self._changed:
            busy = self._working or self._wishes or self._ahead() is not None
            return self._over.is_set() or not busy

    def _look_at(self, parts: Sequence[Part]) -> None:
        """Remember what is in view, and where it was come from."""
        level = parts[0].level
        self._in_view[level] = set(parts)
        travel = self._travelled.pop(level, Travel())
        if len(parts) == 1:
            travel.visit(parts[0], monotonic())
        self._travelled[level] = travel  # the newest last
        for old in list(self._travelled)[:-LEVELS]:
            for known in (self._travelled, self._in_view, self._wishes):
                known.pop(old, None)

    def _grey(self, part: Part) -> tuple[NDArray[np.uint8], NDArray[Any] | None]:
        """Return a part in grey and its values; in black, without any, if it cannot be read."""
        try:
            values = self.pyramid.read(part)
            return grey_pixels(values, self.pyramid.contrast_limits), values
        except Exception as error:  # lazy data can fail in as many ways as there are libraries
            self._say(part, error)
            return np.zeros((*part.window.shape, 3), np.uint8), None

    def _wish(self, level: int, wishes: list[Wish]) -> None:
        with self._changed:
            if self._over.is_set():
                return
            if not wishes:
                self._wishes.pop(level, None)
            else:
                self._wishes[level] = wishes
            self._changed.notify_all()

    def _end(self) -> None:
        """Have the thread end before Python takes torch away from it."""
        self.close()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _work(self) -> None:
        """Colour what is wished for until the end: the thread."""
        try:
            # The first import of torch takes seconds; till then there is grey.
            from napari_colorize.stacks.lazy_painter import Painter

            with closing(Painter(self.pyramid)) as painter:
                while (wish := self._next()) is not None:
                    begun = monotonic()
                    try:
                        self._keep(wish.part, painter.paint(wish, self._over.is_set))
                        self._seconds = monotonic() - begun
                    except Cancelled:
                        return
                    except Exception as error:
                        self._fail(wish.part, error)
        except Exception as error:
            if not isinstance(error, ColorizeError):
                log.exception("The colours of a lazy layer cannot be made")
            self._tell(f"The planes stay grey: {_gist(error)}")
        finally:
            self._working = False
            atexit.unregister(self._end)

    def _next(self) -> Wish | None:
        """Return what to do next, when there is something; None when it is over."""
        with self._changed:
            while not self._over.is_set():
                wish = self._overtaking() or self._newest() or self._ahead()
                if wish is not None:
                    self._working = True
                    return wish
                self._working = False
                self._changed.notify_all()  # whoever waits for `idle`
                self._changed.wait()
            return None

    def _newest(self) -> Wish | None:
        """Return the next wish: of the finest level, which fills the view."""
        for level in sorted(self._wishes):
            wishes = self._wishes[level]
            while wishes:
                wish = wishes.pop(0)
                if wish.part not in self.kept:
                    return wish
            del self._wishes[level]
        return None

    def _ahead(self) -> Wish | None:
        """Return the next plane in the direction of travel that is not known."""
        for level in sorted(self._travelled):
            wish = self._on_the_way(level, 1)
            if wish is not None:
                return wish
        return None

    def _overtaking(self) -> Wish | None:
        """Return a plane that will be in view when it has its colours, if none would be else.

        Where planes are passed faster than they are coloured the one in view is gone before it has
        its colours; all would be grey.
        """
        for level in sorted(self._travelled):
            passed = self._travelled[level].passed(self._seconds, monotonic())
            wish = self._on_the_way(level, passed) if passed else None
            if wish is not None:
                return wish
        return None

    def _on_the_way(self, level: int, first: int) -> Wish | None:
        """Return the next plane ahead that is not known, the first one or one behind it."""
        travel = self._travelled[level]
        ahead = islice(travel.ahead(self.pyramid.shape(level)), first - 1, None)
        for part in islice(ahead, AHEAD):
            rows, columns = part.window.shape
            if 3 * rows * columns * first > AHEAD_SHARE * self.kept.limit:
                break
            first += 1
            if part not in self.kept and part not in self._failed:
                return Wish(part)
        return None

    def _keep(self, part: Part, pixels: NDArray[np.uint8]) -> None:
        with self._changed:
            self.kept.put(part, pixels, pixels.nbytes)
            self._failed.discard(part)
            if not self._over.is_set() and part in self._in_view.get(part.level, ()):
                self._arrived()

    def _fail(self, part: Part, error: Exception) -> None:
        with self._changed:
            self._failed.add(part)
            asked = part in self._in_view.get(part.level, ())
        if asked:
            self._say(part, error)

    def _say(self, part: Part, error: Exception) -> None:
        """Tell once why a plane has no colours."""
        place = tuple(i for axis, i in enumerate(part.place) if axis not in part.axes)
        name = f"Plane {', '.join(map(str, place))}" if place else "The picture"
        self._tell(f"{name} stays without colours: {_gist(error)}")

    def _tell(self, text: str) -> None:
        with self._changed:  # after `close` nobody may be there who hears it
            if self._over.is_set() or text in self._said:
                return
            self._said.add(text)
            self._told(text)


def _gist(error: Exception) -> str:
    """Return what went wrong, in words."""
    if isinstance(error, ColorizeError):
        return str(error)
    said = str(error).strip().splitlines()
    return f"it cannot be read ({type(error).__name__}{': ' + said[0] if said else ''})."
