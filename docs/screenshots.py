"""Make the pictures of the Colorize dock from napari's real window.

::

    python docs/screenshots.py [--model FILE] [--out docs/images]

Those of the Train dock are made by `tutorial.py`. On a machine without a screen put this before
it::

    xvfb-run -a -s "-screen 0 1400x900x24 +extension GLX"
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from window import PLUGIN, open_viewer, take_window, wait, wait_until

from napari_colorize.docks.colorize_form import WHOLE_STACK
from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.files.models import import_model

SIZE = (1200, 760)  # of the window, pixels


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of the Colorize dock.")
    parser.add_argument("--model", type=Path, help="a model file to colour with")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    settings = parser.parse_args()
    if settings.model is not None:
        import_model(settings.model)
    colorize_dock(settings.out / "colorize-dark.png", "dark")
    stack_under_way(settings.out / "colorize-stack.png")


def colorize_dock(path: Path, theme: str) -> None:
    """Show the cat before and after, side by side, and the dock."""
    viewer = open_viewer(theme, SIZE)
    [cat] = viewer.open_sample(PLUGIN, "cat")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Colorize")
    dock.run.native.click()
    wait_until(lambda: Run.living_in(viewer) is None)
    viewer.layers[-1].translate = np.add(cat.translate, (0, cat.data.shape[1] + 10))
    viewer.reset_view()
    take_window(viewer, path)
    viewer.close()
    wait(200)


def stack_under_way(path: Path) -> None:
    """Show a run over a stack, with its progress and Cancel."""
    viewer = open_viewer("dark", SIZE)
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
    take_window(viewer, path)
    dock.cancel.native.click()
    wait_until(lambda: Run.living_in(viewer) is None)
    viewer.close()
    wait(200)


if __name__ == "__main__":
    main()
