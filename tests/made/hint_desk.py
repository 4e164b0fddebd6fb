"""A desk to put hints on pictures at, with a stand-in for the session: it colours nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_colorize.color.steering import Steering
from napari_colorize.docks.layers import Source, take_source
from napari_colorize.docks.steering.hints.hint_layers import HintLayers

if TYPE_CHECKING:
    from napari.layers import Image, Points
    from pytestqt.qtbot import QtBot

GINGER, BLUE = (200.0, 110.0, 40.0), (40.0, 80.0, 210.0)


GEOMETRIES = [
    {"scale": (2, 3), "translate": (10, -5)},
    {"rotate": 30, "scale": (0.5, 0.5)},
    {"affine": [[0.9, 0.2, 4], [-0.3, 1.1, 7], [0, 0, 1]], "scale": (2, 2), "shear": [0.3]},
]


class StandInSession(QObject):
    """Remembers what is wanted, as a session does, and colours nothing."""

    changed = Signal(object)
    looked_anew = Signal()
    moved = Signal()
    ended = Signal()

    def __init__(self, viewer: Any, layer: Image) -> None:
        super().__init__()
        self.viewer = viewer
        self.layer = layer
        self.source: Source = take_source(viewer, layer, whole=False)
        self.steering = Steering()
        self.has_ended = False
        self.model_name = "a model"
        self.card = {"hash": "ab" * 32}
        self.before: list[Steering] = []
        self.planes: dict[tuple[int, ...] | None, Steering] = {}
        self.changes = 0

    @property
    def place(self) -> tuple[int, ...] | None:
        """The plane in view."""
        return self.source.place

    def change(self, steering: Steering, undoable: bool = True) -> None:
        """Take what is wanted."""
        if undoable:
            self.before.append(self.steering)
        self.changes += 1
        self.steering = steering
        self.changed.emit(steering)

    def undo(self) -> None:
        """Go back one step."""
        self.steering = self.before.pop()
        self.changed.emit(self.steering)

    def move(self, *step: int) -> None:
        """Look at another plane."""
        self.planes[self.place] = self.steering
        self.viewer.dims.current_step = step
        self.source = take_source(self.viewer, self.layer, whole=False)
        self.steering = self.planes.get(self.place, Steering())
        self.moved.emit()

    def look_anew(self) -> None:
        """Take the values that the picture has now."""
        self.source = take_source(self.viewer, self.layer, whole=False)
        self.looked_anew.emit()

    def end(self) -> None:
        """Be over."""
        self.has_ended = True
        self.ended.emit()

    @property
    def hints(self) -> list[Any]:
        """The hints, as a list."""
        return list(self.steering.hints)


class Desk:
    """A viewer with a picture that is steered."""

    def __init__(self, viewer: Any, qtbot: QtBot) -> None:
        self.viewer = viewer
        self.qtbot = qtbot
        self.opened: list[HintLayers] = []

    def steer(self, pixels: Any, **geometry: Any) -> tuple[StandInSession, HintLayers]:
        """Show a picture and steer it."""
        return self.steer_layer(self.viewer.add_image(pixels, name="cat", **geometry))

    def steer_layer(self, layer: Image) -> tuple[StandInSession, HintLayers]:
        """Steer a picture that is in the viewer."""
        session = StandInSession(self.viewer, layer)
        layers = HintLayers(self.viewer, session)
        self.opened.append(layers)
        return session, layers

    def settle(self) -> None:
        """Let everything that waits happen."""
        self.qtbot.wait(90)


def flat(height: int = 60, width: int = 80) -> Any:
    """Return a grey picture."""
    return np.full((height, width), 120, np.uint8)


def click(desk: Desk, points: Points, y: float, x: float) -> None:
    """Add a point as a click does."""
    points.add([y, x])
    desk.settle()
