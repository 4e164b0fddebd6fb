"""Make the pictures of docs/steering.md, and the short film, from napari's real window.

::

    python docs/steering.py [--out docs/images] [--only PART ...]

Everything is done as a person does it: buttons are pressed, the canvas is clicked. Takes about a
minute. On a machine without a screen put this before it::

    xvfb-run -a -s "-screen 0 1400x900x24 +extension GLX"
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from film import Film
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QCursor
from qtpy.QtTest import QTest
from skimage import data
from window import HOME, PLUGIN, make_parts, open_viewer, take_widget, take_window, wait, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtWidgets import QWidget

SIZE = (1366, 768)  # of the window, pixels
FILM_SIZE = (900, 768)
DOCK_WIDTH = 400
FAR = (1390, 890)  # on the screen, outside every window
COAT = ((60, 150), (30, 60), (140, 75), (160, 262), (20, 330))  # row, column
WALL = ((40, 12), (40, 430), (150, 430), (105, 390), (215, 410))
EYES = ((118, 171, 26), (136, 320, 21))  # row, column and radius of the irises
GINGER, SKY, GRASS = "Ginger", "Sky blue", "Grass"


def main() -> None:
    """Make all pictures, or some."""
    make_parts(
        "steering.md",
        {
            "film": make_film,
            "hints": show_hints,
            "strokes": show_strokes,
            "adjust": show_adjust,
            "reference": show_reference,
            "versions": show_versions,
            "doubt": show_doubt,
            "region": show_region,
        },
    )


class Tour:
    """One window with a sample picture and the Steer dock.

    Parameters
    ----------
    sample
        Key of a sample picture.
    size
        Of the window, pixels.
    theme
        Of napari.
    """

    def __init__(
        self, sample: str = "cat", size: tuple[int, int] = SIZE, theme: str = "dark"
    ) -> None:
        shutil.rmtree(HOME / "data" / "hints", ignore_errors=True)  # nothing comes back
        self.viewer = open_viewer(theme, size)
        QCursor.setPos(*FAR)  # nothing is pointed at
        [self.picture] = self.viewer.open_sample(PLUGIN, sample)
        self.frame, self.dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, "Steer")
        window = self.frame.window()
        window.resizeDocks([self.frame], [DOCK_WIDTH], Qt.Orientation.Horizontal)
        wait(300)
        self.viewer.reset_view()

    def start(self) -> None:
        """Press Start, and wait for the first colours."""
        self.press(self.dock.start)
        wait_until(lambda: self.dock.steered is not None and self.session.is_ready)
        self.settle()

    @property
    def session(self) -> Any:
        """What is steered."""
        return self.dock.steered.session

    def settle(self) -> None:
        """Wait until everything that was wanted is on screen."""
        wait(400)
        wait_until(lambda: self.session.result is not None and not self.session.is_busy)
        wait(400)

    def press(self, button: QWidget) -> None:
        """Press a button with the mouse."""
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-arg]

    def choose(self, name: str) -> QWidget:
        """Choose one of the common colours by its name; return what was pressed."""
        swatches = self.dock.hints.form.common.swatches
        [swatch] = [one for one in swatches if one.text() == name]
        self.press(swatch)
        found: QWidget = swatch
        return found

    def click(self, *places: tuple[float, float]) -> None:
        """Click at places of the picture, row and column in pixels."""
        for place in places:
            QTest.mouseClick(  # type: ignore[call-arg]
                self.canvas, Qt.MouseButton.LeftButton, pos=self.point(*place)
            )
            wait(100)
        self.settle()

    def drag(self, *places: tuple[float, float]) -> None:
        """Draw with the button held from place to place."""
        first, *others = (self.point(*place) for place in places)
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(self.canvas, left, pos=first)  # type: ignore[call-arg]
        for point in others:
            QTest.mouseMove(self.canvas, pos=point)  # type: ignore[call-arg]
            wait(30)
        QTest.mouseRelease(self.canvas, left, pos=others[-1])  # type: ignore[call-arg]
        self.settle()

    @property
    def canvas(self) -> Any:
        """The widget that napari draws in."""
        return self.viewer.window._qt_viewer.canvas.native

    def point(self, row: float, column: float) -> QPoint:
        """Return where a place of the picture is on the canvas."""
        camera = self.viewer.scene.camera
        y, x = self.picture.data_to_world((row, column))
        middle_y, middle_x = camera.center[-2:]
        width, height = self.canvas.width(), self.canvas.height()
        return QPoint(
            round(width / 2 + (x - middle_x) * camera.zoom),
            round(height / 2 + (y - middle_y) * camera.zoom),
        )

    def ginger_and_blue(self) -> None:
        """Do what the film shows."""
        self.press(self.dock.hints.form.add)
        self.choose(GINGER)
        self.click(*COAT)
        self.choose(SKY)
        self.click(*WALL)

    def turn_to(self, panel: QWidget) -> None:
        """Bring a tab of the dock to the front."""
        area = panel
        while self.dock.tabs.indexOf(area) < 0:
            area = area.parentWidget()
        self.dock.tabs.setCurrentWidget(area)
        wait(200)

    def end(self) -> None:
        """Close the window."""
        self.dock.stop()
        self.viewer.close()
        wait(200)


def make_film(out: Path) -> None:
    """Turn the coat ginger and the wall blue."""
    tour = Tour(size=FILM_SIZE)
    window = tour.viewer.window._qt_viewer
    for part in (window.dockLayerList, window.dockLayerControls):
        part.hide()
    wait(300)
    tour.viewer.reset_view()
    film, form = Film(tour.viewer), tour.dock.hints.form
    beside = QPoint(tour.dock.start.width() * 2 // 3, tour.dock.start.height() // 2)
    film.take("Plugins > Colorize > Steer, then Start", 2, (tour.dock.start, beside))
    tour.start()
    film.take("The network's own colours: careful ones", 1.6)
    tour.press(form.add)
    film.take("Add hints", 1.4, (form.add, None))
    film.take("Choose Ginger", 1.4, (tour.choose(GINGER), None))
    for place in COAT:
        tour.click(place)
        film.take("Click on the coat", 0.9, (tour.canvas, tour.point(*place)))
    film.take("Choose Sky blue", 1.4, (tour.choose(SKY), None))
    for place in WALL:
        tour.click(place)
        film.take("Click on the wall", 0.9, (tour.canvas, tour.point(*place)))
    tour.press(form.add)
    film.take("Done. The structure of the picture is untouched.", 4)
    film.write(out / "steering.webp")
    tour.end()


def show_hints(out: Path) -> None:
    """Show the whole window with hints and suggestions."""
    tour = Tour()
    tour.start()
    tour.ginger_and_blue()
    take_window(tour.viewer, out / "steer-hints.webp")
    tour.end()


def show_strokes(out: Path) -> None:
    """Paint instead of clicking."""
    tour = Tour()
    tour.start()
    tour.press(tour.dock.hints.form.paint)
    tour.choose(GINGER)
    tour.drag((30, 60), (70, 140), (110, 230), (190, 260))
    tour.drag((120, 60), (190, 120))
    tour.drag((20, 330), (60, 310))
    tour.choose(SKY)
    tour.drag((20, 8), (90, 12))
    tour.drag((30, 400), (100, 390), (150, 430), (220, 410))
    take_window(tour.viewer, out / "steer-strokes.webp")
    tour.end()


def show_adjust(out: Path) -> None:
    """Move the sliders."""
    tour = Tour()
    tour.start()
    tour.ginger_and_blue()
    tour.turn_to(tour.dock.adjust)
    tour.dock.adjust.rows["chroma"].number.setValue(70)
    tour.dock.adjust.rows["warmth"].number.setValue(20)
    tour.settle()
    take_widget(tour.frame, out / "steer-adjust.webp")
    tour.end()


def show_reference(out: Path) -> None:
    """Let a cup of coffee set the mood."""
    tour = Tour("astronaut")
    tour.viewer.add_image(data.coffee(), name="coffee in colour").visible = False
    tour.viewer.layers.selection.active = tour.picture
    tour.start()
    panel = tour.dock.reference
    tour.turn_to(panel)
    panel.layer.setCurrentText("coffee in colour")
    panel.layer.activated.emit(panel.layer.currentIndex())
    wait_until(lambda: tour.session.steering.reference is not None)
    panel.strength.number.setValue(60)
    tour.settle()
    take_window(tour.viewer, out / "steer-reference.webp")
    tour.end()


def show_versions(out: Path) -> None:
    """Show versions, and take one."""
    tour = Tour("coffee", theme="light")
    tour.start()
    panel = tour.dock.versions
    tour.turn_to(panel)
    tour.press(panel.show_button)
    wait_until(lambda: panel.cancel_button.isHidden())
    tour.press(panel.thumbnails[1])
    tour.settle()
    take_window(tour.viewer, out / "steer-versions.webp")
    tour.end()


def show_doubt(out: Path) -> None:
    """Show where the model guesses."""
    tour = Tour()
    tour.start()
    tour.ginger_and_blue()
    panel = tour.dock.doubt
    tour.turn_to(panel)
    tour.press(panel.show_button)
    wait_until(lambda: panel.layer is not None)
    tour.settle()
    take_window(tour.viewer, out / "steer-doubt.webp")
    tour.end()


def show_region(out: Path) -> None:
    """Make the eyes green, and nothing else."""
    tour = Tour()
    tour.start()
    tour.ginger_and_blue()
    tour.press(tour.dock.foot.region.new)
    wait(300)
    region = tour.viewer.layers.selection.active
    region.data = np.logical_or.reduce([_disc(region.data.shape, *eye) for eye in EYES]).astype(
        region.data.dtype
    )
    tour.settle()
    tour.press(tour.dock.hints.form.add)
    tour.choose(GRASS)
    tour.click(*((row, column - 14) for row, column, _ in EYES))
    take_window(tour.viewer, out / "steer-region.webp")
    tour.end()


def _disc(shape: tuple[int, ...], row: float, column: float, radius: float) -> Any:
    rows, columns = np.indices(shape)
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


if __name__ == "__main__":
    main()
