"""How late napari's event loop is while the Train dock watches a training, beside the bare viewer.

::

    python benchmarks/train_dock.py PHOTOGRAPHS [--seconds 60] [--profile]

A timer of 10 ms ticks in a real window; how much later than that a tick comes is what a user would
wait. The training is a real one, on as many threads as it takes by itself, in a run that is made
for this and thrown away. On a machine without a screen put this before it::

    xvfb-run -a -s "-screen 0 1400x900x24 +extension GLX"
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

# Runs and settings of whoever measures are left alone. Before napari is imported.
_HOME = tempfile.TemporaryDirectory(prefix="napari-colorize-benchmark-", ignore_cleanup_errors=True)
os.environ["NAPARI_COLORIZE_DATA"] = str(Path(_HOME.name) / "data")
os.environ["NAPARI_CONFIG"] = str(Path(_HOME.name) / "settings.yaml")

import napari  # noqa: E402
from qtpy.QtCore import QEventLoop, Qt, QTimer  # noqa: E402

from napari_colorize.docks.training import TrainDock  # noqa: E402
from napari_colorize.files.cards import read_card  # noqa: E402
from napari_colorize.files.models import DEFAULT_MODEL, find_model  # noqa: E402
from napari_colorize.runs.config import TrainingConfig  # noqa: E402
from napari_colorize.runs.folder import RunFolder  # noqa: E402
from napari_colorize.runs.presets import fine_tuning  # noqa: E402
from napari_colorize.runs.process import ChildProcess, start_training  # noqa: E402

TICK = 10  # milliseconds
P95_LIMIT, GAP_LIMIT = 30.0, 150.0  # milliseconds; the latter but for the adding of a layer
SIZE = (1366, 768)  # of the window, pixels
USED = 200  # photographs in an epoch: with more of them, few epochs would end in a minute
PATIENCE = 600.0  # seconds until a training has coloured its first previews
DRAWN = 0.3  # seconds in which a layer that was added is drawn for the first time
SETTLED = 3.0  # seconds of peace before it is measured


@dataclass
class Delays:
    """How late the ticks came, in ms, and apart from them those at which a layer was added."""

    name: str
    late: list[float] = field(default_factory=list)
    adding: list[float] = field(default_factory=list)

    def share(self, percent: float) -> float:
        """Return a percentile."""
        return float(np.percentile(self.late, percent)) if self.late else float("nan")


class Listener:
    """A timer that writes down how late it is, and when layers are added."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._delays = Delays("")
        self._added, self._last = -np.inf, 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        viewer.layers.events.inserted.connect(self._note_layer)

    def listen(self, name: str, until: Callable[[], bool]) -> Delays:
        """Let the window live until a condition holds, and return the delays meanwhile."""
        delays = self._delays = Delays(name)
        loop, check = QEventLoop(), QTimer()
        check.timeout.connect(lambda: loop.quit() if until() else None)
        self._last = time.perf_counter()
        self._timer.start(TICK)
        check.start(250)
        loop.exec()
        self._timer.stop()
        return delays

    def _tick(self) -> None:
        now = time.perf_counter()
        late = 1000 * (now - self._last) - TICK
        near = self._added > self._last - DRAWN
        (self._delays.adding if near else self._delays.late).append(max(0.0, late))
        self._last = now

    def _note_layer(self) -> None:
        self._added = time.perf_counter()


def main() -> int:
    """Print the table; 1 when a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path, help="a folder of colour photographs")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each measurement")
    parser.add_argument("--profile", action="store_true", help="tell where the time goes")
    chosen = parser.parse_args()
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    viewer.open_sample("napari-colorize", "camera")
    listener = Listener(viewer)
    listener.listen("", lasting(SETTLED))
    rows = [listener.listen("bare viewer", lasting(chosen.seconds))]
    run, child = start(chosen.photographs)
    try:
        rows += watched(viewer, listener, run, chosen.seconds, chosen.profile)
        if not child.is_alive():
            raise SystemExit(f"The training ended early: {run.state().detail or run.log_tail()}")
    finally:
        child.kill()
        child.wait(10)
        viewer.close()
    print_table(rows)
    return int(rows[-1].share(95) > P95_LIMIT or rows[-1].share(100) > GAP_LIMIT)


def start(photographs: Path) -> tuple[RunFolder, ChildProcess]:
    """Start a fine-tuning that outlasts the measurement, as the dock does."""
    settings = fine_tuning("normal", DEFAULT_MODEL, read_card(find_model(DEFAULT_MODEL)), USED)
    wanted = {"epochs": 1000, "photographs": USED, "cache": str(Path(_HOME.name) / "cache")}
    run = RunFolder(Path(_HOME.name) / "run")
    run.create(TrainingConfig.from_dict({"folder": str(photographs), **settings, **wanted}))
    return run, start_training(run)


def watched(
    viewer: napari.Viewer, listener: Listener, run: RunFolder, seconds: float, profile: bool
) -> list[Delays]:
    """Return the delays while the training goes on, without a dock and with one."""
    listener.listen("", in_time(lambda: any(run.previews.glob("*/*.png")), run))
    rows = [listener.listen("training, no dock", lasting(seconds))]
    docks: list[TrainDock] = []

    def open_dock() -> None:
        docks.append(TrainDock(viewer))
        viewer.window.add_dock_widget(docks[0], name="Train")
        docks[0].look_at(run)

    layers = len(viewer.layers)
    QTimer.singleShot(100, open_dock)
    has_layer = in_time(lambda: len(viewer.layers) > layers, run)
    rows.append(listener.listen("the dock opens", has_layer))
    rows[-1].adding += listener.listen("", lasting(SETTLED)).adding
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    rows.append(listener.listen("training, Train dock", lasting(seconds)))
    if profile:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("cumulative").print_stats("napari_colorize", 30)
    print(f"{docks[0].watch.view.epochs.slider.maximum() + 1} epochs were told")
    return rows


def lasting(seconds: float) -> Callable[[], bool]:
    """Return a condition that holds after a time."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def in_time(condition: Callable[[], bool], run: RunFolder) -> Callable[[], bool]:
    """Return a condition that ends the program when it takes too long."""
    late = lasting(PATIENCE)

    def holds() -> bool:
        if late():
            raise SystemExit(f"The training took too long: {run.log_tail()}")
        return condition()

    return holds


def print_table(rows: list[Delays]) -> None:
    """Print the delays of all rows, and how many times those of the first they are."""
    print(f"{'delay of a tick, ms':22} {'p50':>6} {'p95':>12} {'largest':>15}   adding a layer")
    for row in rows:
        p95, most = (
            f"{row.share(p):.1f} ({row.share(p) / rows[0].share(p):.1f}x)" for p in (95, 100)
        )
        adding = f"{max(row.adding):.0f}" if row.adding else "-"
        print(f"{row.name:22} {row.share(50):6.1f} {p95:>12} {most:>15}   {adding:>14}")
    print(f"limits {'':22} {P95_LIMIT:>13.0f} {GAP_LIMIT:>15.0f}")


if __name__ == "__main__":
    sys.exit(main())
