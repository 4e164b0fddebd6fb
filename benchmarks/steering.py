"""How long it takes from the change of a hint to its colours on screen, stage by stage.

::

    python benchmarks/steering.py [--side 2048] [--rounds 30]

A hint of a real points layer is moved in a real window; the bundled network follows. A timer of
10 ms ticks meanwhile: how much later than that a tick comes is what a user would wait. Then the
hint is dragged. On a machine without a screen put this before it::

    xvfb-run -a -s "-screen 0 1400x900x24 +extension GLX"
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from skimage import data
from skimage.transform import resize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Settings and kept hints of whoever measures are left alone. Before napari is imported.
_HOME = tempfile.TemporaryDirectory(prefix="napari-colorize-benchmark-", ignore_cleanup_errors=True)
os.environ["NAPARI_COLORIZE_DATA"] = str(Path(_HOME.name) / "data")
os.environ["NAPARI_CONFIG"] = str(Path(_HOME.name) / "settings.yaml")

import napari  # noqa: E402
from qtpy.QtCore import QEventLoop, Qt, QTimer  # noqa: E402
from qtpy.QtOpenGLWidgets import QOpenGLWidget  # noqa: E402
from qtpy.QtWidgets import QApplication  # noqa: E402

from napari_colorize.docks.steering.hints.hint_layers import HintLayers  # noqa: E402
from napari_colorize.docks.steering.session.live import Line  # noqa: E402
from napari_colorize.docks.steering.session.session import Session  # noqa: E402

CANVAS_LIMIT, WHOLE_LIMIT = 150.0, 600.0  # milliseconds, medians
SIZE = (1366, 768)  # of the window, pixels
TICK = 10  # milliseconds
DRAG_EVERY = 16  # milliseconds, as a mouse moves
DRAG_FOR = 3.0  # seconds
PATIENCE = 120.0  # seconds

Times = dict[str, float]


@dataclass
class Stamps:
    """When something happened, in seconds; only the first time since it was cleared."""

    at: Times = field(default_factory=dict)

    def note(self, name: str) -> None:
        """Note that it happens now."""
        self.at.setdefault(name, time.perf_counter())

    def wrap(self, owner: Any, method: str, name: Callable[..., str]) -> None:
        """Have the begin and the end of a method noted; `name` gets its arguments."""
        work = getattr(owner, method)

        def noted(*arguments: Any, **named: Any) -> Any:
            told = name(*arguments, **named)
            self.note(f"{told} begins")
            try:
                return work(*arguments, **named)
            finally:
                self.note(f"{told} ends")

        setattr(owner, method, noted)

    def between(self, one: str, other: str) -> float:
        """Return the milliseconds from one to the other."""
        return 1000 * (self.at[other] - self.at[one])


class Bench:
    """A window with a picture that is steered by one hint."""

    def __init__(self, side: int) -> None:
        self.viewer = napari.Viewer(show_welcome_screen=False)
        self.viewer.window.resize(*SIZE)
        grey = resize(data.camera(), (side, side), order=1)
        picture = self.viewer.add_image((grey * 255).round().astype(np.uint8), name="camera")
        self.session = Session(self.viewer, picture)
        self.hints = HintLayers(self.viewer, self.session)
        self.session.failed.connect(_give_up)
        self.settle()
        self.points = self.hints.add_points()
        self.points.add([side * 0.4, side * 0.45])
        self.side, self.number = side, 0
        self.settle()
        self.stamps = Stamps()
        self._watch()

    def settle(self) -> None:
        """Let the window live until all is on screen."""
        run_until(lambda: not self.session.is_busy and self.session.result is not None)
        run_until(after(0.3))

    def change(self) -> None:
        """Move the hint a little, so that it tells something else."""
        self.number += 1
        shift = 0.05 * self.side * np.sin(self.number)
        self.points.data = [[self.side * 0.4 + shift, self.side * 0.45]]

    def measure(self) -> Times:
        """Return the milliseconds of the stages of one change."""
        self.stamps.at.clear()
        self.stamps.note("change")
        self.change()
        self.stamps.note("points are moved")
        run_until(lambda: "trusted" in self.stamps.at)
        run_until(after(0.2))
        return self._stages()

    def drag(self) -> tuple[float, float]:
        """Drag the hint; return pictures a second, and ms from the last move to the whole."""
        frames: list[float] = []
        seen = self.session.result.events.data
        note = lambda _: frames.append(time.perf_counter())  # noqa: E731
        seen.connect(note)
        timer = QTimer()
        timer.timeout.connect(self.change)
        timer.start(DRAG_EVERY)
        run_until(after(DRAG_FOR))
        timer.stop()
        shown = len(frames) / DRAG_FOR
        self.stamps.at.clear()
        self.stamps.note("change")
        self.change()
        run_until(lambda: "rendered" in self.stamps.at)
        self.settle()
        seen.disconnect(note)
        return shown, self.stamps.between("change", "rendered")

    def _watch(self) -> None:
        from napari_colorize.prediction.colorizer import Colorizer
        from napari_colorize.prediction.look import Look

        def what(*_: Any, window: Any = None, **__: Any) -> str:
            return "whole" if window is None else "canvas"

        self.stamps.wrap(Look, "telling", lambda *_: "hints")
        self.stamps.wrap(Colorizer, "render", what)
        self.stamps.wrap(Line, "show", lambda *_: "order")
        self.session.result.events.data.connect(self._swapped)
        self.session.rendered.connect(lambda _: self.stamps.note("rendered"))
        self.session.trusted.connect(lambda *_: self.stamps.note("trusted"))
        for window in QApplication.topLevelWidgets():
            for canvas in window.findChildren(QOpenGLWidget):
                canvas.frameSwapped.connect(self._drawn)

    def _swapped(self, _: Any) -> None:
        self.stamps.note(
            "whole is swapped" if "whole ends" in self.stamps.at else "canvas is swapped"
        )

    def _drawn(self) -> None:
        for name in ("canvas", "whole"):
            if f"{name} is swapped" in self.stamps.at:
                self.stamps.note(f"{name} is drawn")

    def _stages(self) -> Times:
        between = self.stamps.between
        told = between("hints begins", "hints ends")
        return {
            "napari moves the point": between("change", "points are moved"),
            "reading the hints": between("points are moved", "order begins"),
            "to the worker": between("order begins", "canvas begins"),
            "what hints tell": told,
            "colour to canvas": between("canvas begins", "canvas ends") - told,
            "into the layer": between("canvas ends", "canvas is swapped"),
            "on screen": between("canvas is swapped", "canvas is drawn"),
            "change to canvas": between("change", "canvas is drawn"),
            "the whole picture": between("whole begins", "whole ends"),
            "whole on screen": between("whole ends", "whole is drawn"),
            "change to whole picture": between("change", "whole is drawn"),
        }


class Ticker:
    """A timer that writes down how late it is."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self._timer.start(TICK)

    def read(self) -> str:
        """Return the delays since the last reading, in words."""
        late, self.late = sorted(self.late), []
        p95 = late[int(0.95 * (len(late) - 1))]
        return f"event loop: p95 {p95:.0f} ms late, largest gap {late[-1]:.0f} ms"

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, 1000 * (now - self._last) - TICK))
        self._last = now


def main() -> int:
    """Print the tables; 1 when a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=2048, help="of the picture, pixels")
    parser.add_argument("--rounds", type=int, default=30, help="changes that are measured")
    chosen = parser.parse_args()
    bench = Bench(chosen.side)
    print(f"{chosen.side} x {chosen.side} px, {_cores()} cores, load {os.getloadavg()[0]:.1f}")
    bench.measure()  # the first time everything is slower
    ticker = Ticker()
    rounds = [bench.measure() for _ in range(chosen.rounds)]
    print_stages(rounds)
    print(ticker.read())
    frames, latency = bench.drag()
    print(
        f"dragging: {frames:.1f} pictures a second, the whole of the last after {latency:.0f} ms\n",
        end="",
    )
    print(ticker.read())
    bench.hints.close()
    bench.session.close()
    run_until(lambda: not bench.session.is_busy)
    bench.viewer.close()
    canvas, whole = (
        statistics.median(times[f"change to {name}"] for times in rounds)
        for name in ("canvas", "whole picture")
    )
    print(f"limits of the medians: {CANVAS_LIMIT:.0f} ms to canvas, {WHOLE_LIMIT:.0f} ms to whole")
    return int(canvas > CANVAS_LIMIT or whole > WHOLE_LIMIT)


def print_stages(rounds: Sequence[Times]) -> None:
    """Print median and p90 of every stage."""
    print(f"{'ms':26} {'median':>8} {'p90':>8}")
    for stage in rounds[0]:
        times = [one[stage] for one in rounds]
        line = f"{stage:26} {statistics.median(times):8.1f} {np.percentile(times, 90):8.1f}"
        print(f"{line}\n" if stage.startswith("change to") else line)


def run_until(condition: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    loop, check = QEventLoop(), QTimer()
    late = after(PATIENCE)

    def look() -> None:
        if late():
            _give_up("nothing came")
        if condition():
            loop.quit()

    check.timeout.connect(look)
    check.start(5)
    loop.exec()
    check.stop()


def after(seconds: float) -> Callable[[], bool]:
    """Return a condition that holds after a time."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _cores() -> int:
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


def _give_up(reason: str) -> None:
    print(f"cannot be measured: {reason}", file=sys.stderr)
    os._exit(2)  # a worker may be at work: napari would wait for it


if __name__ == "__main__":
    sys.exit(main())
