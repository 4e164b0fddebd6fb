"""Make the pictures of docs/stacks.md, and the short films, from napari's real window.

::

    python docs/stacks.py [--out docs/images] [--only PART ...]

Everything is done as a person does it: a file is opened, buttons are pressed, the slider is moved.
Takes some minutes. On a machine without a screen put this before it::

    xvfb-run -a -s "-screen 0 1400x900x24 +extension GLX"

`movies.py` makes the animations of the same page.
"""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from film import Film
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QCursor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QStyle, QStyleOptionSlider
from scipy.ndimage import affine_transform
from skimage import data
from window import HOME, PLUGIN, make_parts, open_viewer, take_widget, wait, wait_until

from napari_colorize.docks.colorize_form import AS_YOU_LOOK, WHOLE_STACK
from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.docks.lazy.opening import lazy_planes_of
from napari_colorize.docks.lazy.saving import save_all
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.plane_store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from qtpy.QtWidgets import QWidget

SIZE = (900, 700)  # of the window, pixels
DOCK_WIDTH = 330
FAR = (1390, 890)  # on the screen, outside every window
PLANES = 300
SIDE = 160  # of a plane, pixels
FRAMES, RATE = 72, 24  # of the movie
SHOWN = 0.7  # seconds that a picture of the growing result is shown
PLAYED, STEP = 0.1, 15  # the same, of the finished one, of which every 15th plane is shown


def main() -> None:
    """Make all pictures, or some."""
    make_parts(
        "stacks.md",
        {
            "film": make_film,
            "movie": make_movie_film,
            "axes": show_axes,
        },
    )


class Tour:
    """One window with the Colorize dock.

    Parameters
    ----------
    path
        A file to open.
    reader
        The plugin that opens it.
    """

    def __init__(self, path: Path, reader: str = "napari") -> None:
        self.viewer = open_viewer("dark", SIZE)
        QCursor.setPos(*FAR)  # nothing is pointed at
        for part in (self._window.dockLayerList, self._window.dockLayerControls):
            part.hide()
        [self.layer] = self.viewer.open(path, plugin=reader)
        self.frame, self.dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, "Colorize")
        self.frame.window().resizeDocks([self.frame], [DOCK_WIDTH], Qt.Orientation.Horizontal)
        wait(300)
        self.viewer.reset_view()
        self.film = Film(self.viewer)

    @property
    def _window(self) -> Any:
        return self.viewer.window._qt_viewer

    @property
    def slider(self) -> Any:
        """The slider of the first axis."""
        return self._window.dims.slider_widgets[0].slider

    @property
    def result(self) -> Any:
        """The layer that grows."""
        return self.viewer.layers[-1]

    @property
    def is_running(self) -> bool:
        """Whether planes are being coloured."""
        return Run.living_in(self.viewer) is not None

    @property
    def done(self) -> int:
        """How many planes are there."""
        grown = (self.result.data[:, 0, 0, 3] > 0) if self.result is not self.layer else ()
        return int(np.sum(grown))

    def press(self, button: Any) -> tuple[QWidget, QPoint | None]:
        """Press a button with the mouse; return where that was."""
        native: QWidget = button.native
        QTest.mouseClick(native, Qt.MouseButton.LeftButton)  # type: ignore[call-arg]
        return native, None

    def move(self, plane: int) -> tuple[QWidget, QPoint | None]:
        """Move the slider to a plane; return where its handle is."""
        self.slider.setValue(plane)
        option = QStyleOptionSlider()
        self.slider.initStyleOption(option)
        handle = self.slider.style().subControlRect(
            QStyle.ComplexControl.CC_ScrollBar,
            option,
            QStyle.SubControl.SC_ScrollBarSlider,
            self.slider,
        )
        return self.slider, handle.center()

    def wait_for(self, planes: int) -> None:
        """Wait until so many planes are done."""
        wait_until(lambda: self.result is not self.layer and self.done >= planes)

    def wait_for_end(self) -> None:
        """Wait until nothing is coloured any more."""
        wait_until(lambda: not self.is_running)
        wait(300)

    def end(self) -> None:
        """Close the window."""
        self.viewer.close()
        wait(200)


def make_film(out: Path) -> None:
    """Colour a time-lapse, look at it meanwhile, stop, and go on."""
    tour = Tour(time_lapse())
    film, dock = tour.film, tour.dock
    film.take(f"A grey time-lapse of {PLANES} planes, and the Colorize dock", 2)
    dock.form.planes.value = WHOLE_STACK
    film.take("Colour: whole stack", 2, (dock.form.planes.native, None))
    film.take("Run", 1.4, (dock.run.native, None))
    tour.press(dock.run)
    for planes in (2, 20, 40, 60):
        tour.wait_for(planes)
        film.take("The colours grow, and can be looked at meanwhile", SHOWN, tour.move(planes - 1))
    film.take("What is still to come is grey", 1.6, tour.move(220))
    for planes in (90, 110):
        tour.wait_for(planes)
        film.take("Back to what is done", SHOWN, tour.move(planes - 5))
    film.take("Cancel", 1.4, tour.press(dock.cancel))
    tour.wait_for_end()
    film.take("What is done is kept", 2.4)
    film.take("Run goes on from there", 1.6, tour.press(dock.run))
    for planes in (150, 200, 250):
        tour.wait_for(planes)
        film.take("Run goes on from there", SHOWN, tour.move(planes - 5))
    tour.wait_for_end()
    for plane in range(0, PLANES, STEP):
        film.take("Face, hair and suit keep their colours", PLAYED, tour.move(plane))
    film.take("Face, hair and suit keep their colours", 2)
    film.write(out / "stack-window.webp")
    tour.end()


def make_movie_film(out: Path) -> None:
    """Open a grey movie, look at it in colour, and save it."""
    tour = Tour(movie(), PLUGIN)
    film, dock = tour.film, tour.dock
    film.take("A grey movie, dropped on the window", 2)
    dock.form.planes.value = AS_YOU_LOOK
    film.take("Colour: as you look", 2, (dock.form.planes.native, None))
    where = tour.press(dock.run)
    wait(300)
    film.take("Run: a layer is there at once, in grey", 1.6, where)
    planes = lazy_planes_of(tour.result)
    assert planes is not None
    for frame in (0, 12, 24, 60):
        where = tour.move(frame)
        wait_until(planes.idle)
        film.take("Each frame gets its colours when you look at it", SHOWN, where)
    path = HOME / "rocket-coloured.mp4"
    saving = save_all(tour.viewer, tour.result, path)
    ended: list[str] = []
    saving.ended.connect(ended.append)
    wait(3000)
    tour.viewer.window._qt_window._activity_dialog.show()
    film.take("Layers > Data > Save all planes in colour…", 2)
    wait_until(lambda: bool(ended))
    film.take("Saved: all frames, with the sound if there is one", 3)
    tour.viewer.window._qt_window._activity_dialog.hide()
    tour.viewer.layers.clear()
    tour.viewer.open(path, plugin=PLUGIN)
    for frame in range(0, FRAMES, 3):
        film.take("The movie in colour", PLAYED, tour.move(frame))
    film.write(out / "stack-movie.webp")
    tour.end()


def show_axes(out: Path) -> None:
    """Show what the dock asks of a stack with many axes."""
    path = HOME / "embryo.ome.tif"
    stack = np.zeros((24, 2, 15, 96, 96), np.uint8)
    stack[..., 24:72, 24:72] = 160
    tifffile.imwrite(path, stack, metadata={"axes": "TCZYX"})
    tour = Tour(path)
    tour.layer.axis_labels = ("time", "channel", "z", "y", "x")
    tour.dock.reset_choices()
    tour.dock.form.planes.value = WHOLE_STACK
    take_widget(tour.frame, out / "stack-axes.png")
    tour.end()


def time_lapse() -> Path:
    """Return a TIFF: a grey astronaut, seen by a camera that moves, with a little grain."""
    path = HOME / "time-lapse.tif"
    scene = data.astronaut()
    planes = np.stack([_seen(scene, (0.39, 0.47), t / PLANES) for t in range(PLANES)])
    tifffile.imwrite(path, planes, metadata={"axes": "TYX"}, photometric="minisblack")
    return path


def movie() -> Path:
    """Return an .mp4: a grey rocket, seen by a camera that moves."""
    path = HOME / "rocket.mp4"
    axes = Axes("tyx", (FRAMES, SIDE, SIDE))
    with closing(open_store(path, axes, {}, rate=Fraction(RATE))) as store:
        for t in range(FRAMES):
            plane = _seen(data.rocket(), (0.5, 0.5), t / FRAMES)
            store.write((t,), np.repeat(plane[..., None], 3, axis=-1))
        return store.finish()


def _seen(scene: NDArray[np.uint8], center: tuple[float, float], share: float) -> NDArray[np.uint8]:
    """Return a grey, square part of a picture, at a share of the way of the camera.

    Parameters
    ----------
    scene
        The picture, in colour.
    center
        Where the camera looks at, in parts of the picture.
    share
        0..1.
    """
    grey = (scene @ np.array([0.2126, 0.7152, 0.0722])).astype(np.float32)
    scale = grey.shape[0] / SIDE * (0.75 - 0.12 * share)
    middle = np.array(center) * grey.shape + np.array(
        [9 * np.sin(9 * share), 24 * np.sin(6 * share)]
    )
    plane = affine_transform(grey, np.eye(2) * scale, middle - scale * SIDE / 2, (SIDE, SIDE))
    grain = np.random.default_rng(round(share * PLANES)).normal(0, 2, plane.shape)
    found: NDArray[np.float32] = plane + grain
    return found.clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
