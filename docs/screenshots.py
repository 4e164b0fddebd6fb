"""Make the pictures of the documentation from napari's real window.

::

    python docs/screenshots.py [--model FILE] [--run RUN] [--out docs/images]

On a machine without a screen put this before it::

    xvfb-run -a -s "-screen 0 1280x1024x24 +extension GLX"
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

# The pictures show a fresh installation, not whoever makes them.
_HOME = tempfile.TemporaryDirectory(prefix="napari-colorize-screenshots-")
os.environ["NAPARI_COLORIZE_DATA"] = str(Path(_HOME.name) / "data")
os.environ["NAPARI_CONFIG"] = str(Path(_HOME.name) / "settings.yaml")

import napari  # noqa: E402
from qtpy.QtTest import QTest  # noqa: E402

from napari_colorize.docks.colorize_form import WHOLE_STACK  # noqa: E402
from napari_colorize.docks.worker import Run  # noqa: E402
from napari_colorize.files.models import import_model  # noqa: E402

PLUGIN = "napari-colorize"
SIZE = (1200, 760)  # of the window, pixels
PATIENCE = 300.0  # seconds for one run


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of the documentation.")
    parser.add_argument("--model", type=Path, help="a model file to colour with")
    parser.add_argument("--run", type=Path, help="a run folder that the Train dock shows")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    settings = parser.parse_args()
    settings.out.mkdir(parents=True, exist_ok=True)
    if settings.model is not None:
        import_model(settings.model)
    for theme in ("dark", "light"):
        colorize_dock(settings.out / f"colorize-{theme}.png", theme)
        train_dock(settings.out / f"train-{theme}.png", theme, settings.run)
    stack_under_way(settings.out / "colorize-stack.png")


def colorize_dock(path: Path, theme: str) -> None:
    """Show the cat before and after, side by side, and the dock."""
    viewer = open_viewer(theme)
    [cat] = viewer.open_sample(PLUGIN, "cat")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Colorize")
    dock.run.native.click()
    wait_until(lambda: Run.living_in(viewer) is None)
    viewer.layers[-1].translate = np.add(cat.translate, (0, cat.data.shape[1] + 10))
    viewer.reset_view()
    take(viewer, path)


def stack_under_way(path: Path) -> None:
    """Show a run over a stack, with its progress and Cancel."""
    viewer = open_viewer("dark")
    [camera] = viewer.open_sample(PLUGIN, "camera")
    stack = np.stack([np.roll(camera.data, step, axis=1) for step in range(60)])
    viewer.layers.remove(camera)
    wait(100)
    viewer.add_image(stack, name="walk", axis_labels=("t", "y", "x"))
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Colorize")
    dock.form.planes.value = WHOLE_STACK
    dock.run.native.click()
    viewer.dims.set_current_step(0, 5)
    wait_until(lambda: dock.bar.value > 300)
    take(viewer, path, close=False)
    dock.cancel.native.click()
    wait_until(lambda: Run.living_in(viewer) is None)
    take(viewer, path.with_name("colorize-cancelled.png"))


def train_dock(path: Path, theme: str, run: Path | None) -> None:
    """Show the Train dock: on a finished run, or as it is at first."""
    viewer = open_viewer(theme)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Train")
    if run is not None:
        dock.form.run_folder.value = copied_run(run)
        wait(2000)
    take(viewer, path)


def copied_run(run: Path) -> Path:
    """Return a copy of a finished run that tells nothing about where it was trained."""
    copy = Path(_HOME.name) / "runs" / run.name
    if not copy.exists():
        copy.mkdir(parents=True)
        for name in ("events.jsonl", "best.safetensors"):
            shutil.copy(run / name, copy)
        config = json.loads((run / "config.json").read_text())
        photographs = str(Path(_HOME.name) / "photographs")
        config |= {"folder": photographs, "validation": None, "cache": None, "init": None}
        (copy / "config.json").write_text(json.dumps(config))
    return copy


def open_viewer(theme: str) -> napari.Viewer:
    """Return a viewer of the size of the pictures."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.theme = theme
    viewer.window.resize(*SIZE)
    wait(300)
    return viewer


def wait(milliseconds: int) -> None:
    """Let the window live for a while."""
    QTest.qWait(milliseconds)  # type: ignore[call-arg, arg-type]


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the window live until a condition holds."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise SystemExit("a run took too long")
        wait(50)


def take(viewer: napari.Viewer, path: Path, *, close: bool = True) -> None:
    """Write a picture of the window, and close it."""
    wait(500)
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    print(path)
    if close:
        viewer.close()
        wait(200)


if __name__ == "__main__":
    main()
