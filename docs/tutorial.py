"""Make the pictures of docs/training.md: a real training in napari's real window.

::

    python docs/tutorial.py [PHOTOGRAPHS] [--out docs/images]

Without a folder of photographs, a hundred pieces of scikit-image's pictures are learned from, which
anybody may show. Takes some minutes on two cores. On a machine without a screen put this before
it::

    xvfb-run -a -s "-screen 0 1400x900x24 +extension GLX"
"""

from __future__ import annotations

import argparse
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from qtpy.QtCore import Qt
from skimage import data
from window import HOME, PLUGIN, open_viewer, take_widget, take_window, wait, wait_until

from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.runs.process import ChildProcess

SIZE = (1366, 768)  # of the window, pixels
DOCK_WIDTH = 420
# What is shown in the end is not among them: the cat.
SOURCES = {
    "coffee": 112,
    "astronaut": 112,
    "rocket": 112,
    "immunohistochemistry": 144,
    "stereo_motorcycle": 144,
}  # side of the pieces, pixels
STEP = 3 / 4  # from one piece to the next, sides
COUNT = 97  # of pieces; three more pictures are left out
LEAST_CONTRAST = 12  # levels: less is a black corner
EPOCHS_BEFORE_STOP = 3
LONG = 1200.0  # seconds for a training


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of docs/training.md.")
    parser.add_argument("photographs", type=Path, nargs="?", help="a folder of photographs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--epochs", type=int, help="instead of those of the quick try")
    settings = parser.parse_args()
    tour = Tour(settings.out)
    try:
        tour.choose(settings.photographs or made_photographs(HOME / "holiday"))
        tour.watch(settings.epochs)
        tour.stop_and_resume()
        tour.finish()
        tour.use()
        tour.show_models()
    finally:
        tour.end()


class Tour:
    """One window from the first look at the dock to a coloured layer.

    Parameters
    ----------
    out
        Folder for the pictures.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._viewer = open_viewer("dark", SIZE)
        self._frame, self._dock = self._viewer.window.add_plugin_dock_widget(PLUGIN, "Train")
        self._widen()

    def choose(self, photographs: Path) -> None:
        """Show the empty dock, what was found among the photographs, and the presets."""
        field, task = self._dock.setup.photographs, self._dock.setup.task
        self._take_window("train-empty")
        field.folder_edit.take(photographs)
        wait_until(lambda: field.usable is not None)
        task.presets.buttons["quick"].click()
        wait_until(lambda: "Measured" in task.presets.where.text())
        self._take_dock("train-found")
        self._scroll_to(task.place)
        self._take_dock("train-presets")

    def watch(self, epochs: int | None) -> None:
        """Start, and show how it goes after some epochs."""
        if epochs is not None:
            self._dock.setup.task.advanced.show_changes({"epochs": epochs})
        self._dock.setup.start.click()
        wait_until(lambda: self._dock.tabs.currentWidget() is self._dock.watch)
        wait_until(lambda: self._epoch() >= EPOCHS_BEFORE_STOP, LONG)
        wait_until(self._has_previews)
        self._viewer.reset_view()
        self._take_window("train-watch")

    def stop_and_resume(self) -> None:
        """Stop, show what is offered then, and go on."""
        watch = self._dock.watch
        watch.stop.click()
        wait_until(lambda: watch.resume.isVisible(), LONG)
        self._take_dock("train-stopped")
        watch.resume.click()

    def finish(self) -> None:
        """Wait for the end and show an early epoch and the best one."""
        view = self._dock.watch.view
        wait_until(lambda: view.state is not None and view.state.name == "finished", LONG)
        view.epochs.best.click()
        wait(1500)
        self._scroll_to(view.epochs)
        self._take_window("train-finished")
        self._viewer.theme = "light"
        self._scroll_to(view.status)
        self._take_dock("train-light")
        self._viewer.theme = "dark"

    def use(self) -> None:
        """Put an epoch into the Colorize dock and colour a layer with it."""
        viewer = self._viewer
        viewer.layers.clear()
        wait(300)
        self._dock.watch.view.epochs.use.click()
        wait_until(lambda: "is chosen" in self._dock.watch.view.said.text())
        [cat] = viewer.open_sample(PLUGIN, "cat")
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Colorize")
        self._widen()
        wait(1000)
        dock.run.native.click()
        wait_until(lambda: len(viewer.layers) > 1 and Run.living_in(viewer) is None)
        viewer.layers[-1].translate = np.add(cat.translate, (0, cat.data.shape[1] + 10))
        viewer.reset_view()
        self._take_window("train-used")

    def show_models(self) -> None:
        """Show the list of models and the card of the new one."""
        models = self._dock.models
        self._dock.tabs.setCurrentIndex(2)
        self._frame.raise_()
        wait(1000)
        own = [entry.name for entry in models.list.entries() if not entry.bundled]
        models.show_model(own[0])
        self._take_dock("train-models")

    def end(self) -> None:
        """End the training, if one is under way, and close the window."""
        run = self._dock.watch.run
        worker = None if run is None else run.worker()
        if worker is not None and worker.is_alive():
            ChildProcess(worker.pid, worker.started).kill()
        self._viewer.close()
        wait(200)

    def _has_previews(self) -> bool:
        columns = self._dock.watch.view.epochs.columns
        return len(self._viewer.layers) > 0 and bool(columns.isVisible())

    def _epoch(self) -> int:
        return int(self._dock.watch.view.epochs.slider.maximum()) + 1

    def _scroll_to(self, part: Any) -> None:
        """Bring the lower end of a part of the dock into view."""
        area = part.parentWidget()
        while not hasattr(area, "ensureWidgetVisible"):
            area = area.parentWidget()
        area.ensureWidgetVisible(part)
        wait(200)

    def _widen(self) -> None:
        window = self._frame.window()
        window.resizeDocks([self._frame], [DOCK_WIDTH], Qt.Orientation.Horizontal)
        wait(300)

    def _take_window(self, name: str) -> None:
        take_window(self._viewer, self._out / f"{name}.png")

    def _take_dock(self, name: str) -> None:
        take_widget(self._frame, self._out / f"{name}.png")


def made_photographs(folder: Path) -> Path:
    """Write pieces of scikit-image's pictures into a folder, and three that are of no use."""
    folder.mkdir(parents=True)
    pieces = [piece for source, side in SOURCES.items() for piece in cut(source, side)][:COUNT]
    for number, place in enumerate(np.random.default_rng(0).permutation(len(pieces))):
        Image.fromarray(pieces[place]).save(folder / f"{number + 1:03d}.jpg", quality=95)
    Image.fromarray(data.camera()).save(folder / "camera.jpg")
    shutil.copy(folder / "001.jpg", folder / "001 again.jpg")
    (folder / "broken.jpg").write_bytes((folder / "002.jpg").read_bytes()[:900])
    return folder


def cut(source: str, side: int) -> list[np.ndarray[Any, Any]]:
    """Return the square pieces of a picture that have something on them."""
    picture = getattr(data, source)()
    picture = picture[0] if isinstance(picture, tuple) else picture
    rows, columns = (
        range(0, length - side + 1, round(STEP * side)) for length in picture.shape[:2]
    )
    pieces = [picture[y : y + side, x : x + side] for y, x in product(rows, columns)]
    return [piece for piece in pieces if piece.std(axis=(0, 1)).mean() > LEAST_CONTRAST]


if __name__ == "__main__":
    main()
