"""A desk to steer at, over a stand-in for the network that paints hints as plain squares."""

from __future__ import annotations

import gc
import sys
import threading
import time
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Reference, Steering
from napari_colorize.docks.steering.session.session import Session
from napari_colorize.errors import Cancelled, PictureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from napari_colorize.prediction.window import Window

PATIENCE = 20_000  # milliseconds


class Rendered(NamedTuple):
    """What was drawn, as the engine says it."""

    pixels: NDArray[np.uint8]
    fitted: float


class Trust(NamedTuple):
    """How far the lightness moved."""

    mean: float
    largest: float


class Suggestion(NamedTuple):
    """A likely colour."""

    color: tuple[float, float, float]
    share: float


@dataclass
class SteeringStand:
    """What the stand-in does and has seen.

    Attributes
    ----------
    open : threading.Event
        Drawing the whole picture waits until it is set, or it is cancelled; set from the start.
    looking : threading.Event
        The same for looking at a picture.
    error : Exception or None
        Raised instead of drawing.
    drawn : list of (Steering, Window or None)
        What was asked for, the last last; cancelled ones too.
    seen : list of (shape, contrast limits)
        The pictures that came.
    at_once : int
        The largest number of calls at the same time.
    """

    open: threading.Event = field(default_factory=threading.Event)
    looking: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    drawn: list[tuple[Steering, Window | None]] = field(default_factory=list)
    seen: list[tuple[tuple[int, ...], Any]] = field(default_factory=list)
    waiting: bool = False
    cancelled: int = 0
    opened: int = 0
    closed: int = 0
    at_once: int = 0


class SteeringStandIn:
    """Paints hints as squares in their colour; vividness adds to the red of all else."""

    model_name = "stand-in"
    device = "cpu"
    device_reason = "no GPU: a stand-in"
    has_distribution = True

    def __init__(self, stand: SteeringStand) -> None:
        self.stand = stand
        self.card = {"hash": "cd" * 32, "network": "palette", "vividness": 0.0, "name": "stand-in"}
        self._calls = 0

    def set_picture(
        self, image: Any, *, contrast_limits: Any = None, cancel: Callable[[], bool] | None = None
    ) -> None:
        """Keep the picture."""
        self._wait(self.stand.looking, cancel)
        self.stand.seen.append((image.shape, contrast_limits))
        self.image = np.array(image if image.ndim == 2 else image[..., 0], dtype=np.uint8)

    def render(
        self,
        steering: Steering,
        *,
        window: Window | None = None,
        dtype: str = "uint8",
        cancel: Callable[[], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Rendered:
        """Return the picture, or what a window shows of it."""
        self._calls += 1
        self.stand.at_once = max(self.stand.at_once, self._calls)
        try:
            self.stand.drawn.append((steering, window))
            if self.stand.error is not None:
                raise self.stand.error
            if window is None:
                self._wait(self.stand.open, cancel)
            pixels = self._paint(steering)
            shown = pixels if window is None else pixels[window.slices].copy()
            return Rendered(shown if dtype == "uint8" else shown.astype(dtype) * 257, 0.25)
        finally:
            self._calls -= 1

    def trust(self, pixels: Any, *, cancel: Callable[[], bool] | None = None) -> Trust:
        """Return two figures."""
        assert pixels.shape == (*self.image.shape, 3)
        return Trust(0.1, 0.4)

    def suggest(self, y: float, x: float, count: int = 5, hints: Any = ()) -> list[Suggestion]:
        """Return as many reds, each half as likely as the one before."""
        self._inside(y, x)
        return [Suggestion((250.0 - 40 * n, 30.0, 30.0), 0.5 ** (n + 1)) for n in range(count)]

    def versions(
        self, count: int = 4, hints: Any = (), *, seed: int = 0, cancel: Any = None
    ) -> list[tuple[Hint, ...]]:
        """Return one anchor for each version, in a blue of its own."""
        return [(Hint(2, 2, (10, 10 * n + seed, 200), 4),) for n in range(count)]

    def confidence(self, hints: Any = ()) -> NDArray[np.float32]:
        """Return the grey values in parts of white."""
        return (self.image / 255).astype(np.float32)

    def doubt(self, hints: Any = ()) -> NDArray[np.float32]:
        """Return the grey values in parts of ten."""
        return (self.image / 10).astype(np.float32)

    def best_place(self, hints: Any = ()) -> tuple[float, float]:
        """Return the brightest pixel."""
        y, x = np.unravel_index(int(self.image.argmax()), self.image.shape)
        return float(y), float(x)

    def reference_of(self, image: Any, name: str = "", strength: float = 1.0) -> Reference:
        """Return a palette of two colours."""
        if np.ptp(np.asarray(image), axis=-1).max() == 0:
            raise PictureError("The reference is grey: choose a colour picture.")
        return Reference(name, (0.5, 0.5), strength)

    def lightness_at(self, y: float, x: float) -> float:
        """Return the grey value in percent."""
        self._inside(y, x)
        return float(self.image[round(y), round(x)]) / 2.55

    def close(self) -> None:
        """Count that it was closed."""
        self.stand.closed += 1

    def _paint(self, steering: Steering) -> NDArray[np.uint8]:
        pixels = np.stack([self.image] * 3, axis=-1)
        red = (
            pixels[..., 0] + 100.0 * (steering.vividness or 0.0) + 20 * steering.adjustments.warmth
        )
        pixels[..., 0] = np.clip(red, 0, 255)
        for hint in steering.hints:
            if isinstance(hint, Hint):
                self._inside(hint.y, hint.x)
                top, left = (max(0, round(at - hint.size / 2)) for at in (hint.y, hint.x))
                side = round(hint.size)
                pixels[top : top + side, left : left + side] = hint.color
            else:
                areas = hint.areas.to_array()
                for label, color in hint.colors:
                    pixels[areas == label] = color
        if steering.region is not None:
            outside = self._paint(steering.outside or Steering())
            inside = steering.region.to_array() > 0
            pixels = np.where(inside[..., None], pixels, outside)
        return pixels

    def _inside(self, y: float, x: float) -> None:
        height, width = self.image.shape
        if not (-0.5 <= y <= height - 0.5 and -0.5 <= x <= width - 0.5):
            raise PictureError(f"Row {y:g}, column {x:g} lies outside the picture.")

    def _wait(self, event: threading.Event, cancel: Callable[[], bool] | None) -> None:
        try:
            while not event.is_set():
                self.stand.waiting = True
                if cancel is not None and cancel():
                    self.stand.cancelled += 1
                    raise Cancelled("cancelled")
                time.sleep(0.005)
        finally:
            self.stand.waiting = False


@pytest.fixture(autouse=True, scope="module")
def what_stays_is_not_searched() -> Iterator[None]:
    """Keep libraries out of the search for garbage, which every viewer's end makes several times.

    It took a third of the time of these tests.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def steering_stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[SteeringStand]:
    """Put a stand-in in the place of the network."""
    stand = SteeringStand()
    stand.open.set()
    stand.looking.set()

    def open_colorizer(model: str | None = None, device: str = "auto") -> SteeringStandIn:
        stand.opened += 1
        return SteeringStandIn(stand)

    api = types.ModuleType("napari_colorize.api")
    api.open_colorizer = open_colorizer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "napari_colorize.api", api)
    yield stand
    stand.open.set()
    stand.looking.set()


@dataclass
class SteeringDesk:
    """A viewer with a session that steers one picture."""

    viewer: Any
    qtbot: QtBot
    sessions: list[Session] = field(default_factory=list)

    def begin(self, layer: Any, *, settled: bool = True) -> Session:
        """Steer a layer; unless told otherwise, wait until its colours are on screen."""
        session = Session(self.viewer, layer)
        self.sessions.append(session)
        if settled:
            self.settle(session)
        return session

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window work until something is so."""
        self.qtbot.waitUntil(condition, timeout=PATIENCE)

    def settle(self, session: Session) -> None:
        """Wait until all is on screen that is wanted."""
        self.wait(lambda: not session.is_busy)
        self.qtbot.wait(20)  # what the worker has told is heard in a turn of the loop

    def heard(self, signal: Any) -> list[tuple[Any, ...]]:
        """Return a list that collects what a signal sends."""
        collected: list[tuple[Any, ...]] = []
        signal.connect(lambda *sent: collected.append(sent))
        return collected


@pytest.fixture
def steering_desk(
    steering_stand: SteeringStand, viewer: Any, qtbot: QtBot
) -> Iterator[SteeringDesk]:
    """Return a viewer to steer in, the stand-in in place; sessions left open are closed."""
    desk = SteeringDesk(viewer, qtbot)
    yield desk
    for session in desk.sessions:
        session.close()
