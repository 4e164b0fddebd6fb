"""The hints of a session and layers of napari, kept in step both ways.

Points are hints of one place, labels are strokes. The layers are plain ones, of which public
events tell; what a person does in them with napari's own tools counts as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Points
from qtpy.QtCore import QObject, QTimer, Signal

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import AnyHint, Steering
from napari_colorize.color.strokes import Strokes
from napari_colorize.docks.life import Life
from napari_colorize.docks.steering.hint_points import HintPoints, new_points
from napari_colorize.docks.steering.hint_strokes import HintStrokes, new_strokes
from napari_colorize.docks.steering.places import Plane

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_colorize.docks.steering.session import Session

Place = tuple[int, ...]
_FIRST_COLOR = (214.0, 120.0, 50.0)
_PAINTING = 50  # milliseconds between two looks at what is being painted


class HintLayers(QObject):
    """Keeps hints and layers in step, as long as a session lasts.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    session : Session

    Attributes
    ----------
    place_chosen : Signal(float, float)
        Row and column, in pixels of the picture, of the hint that was added or selected last.
    color_changed : Signal(object)
        The colour (r, g, b) of what comes next is another.
    problem_changed : Signal(str)
        What is wrong with the hints, in a sentence; empty when nothing is.
    elsewhere_changed : Signal()
        Hints of other planes are others.
    """

    place_chosen = Signal(float, float)
    color_changed = Signal(object)
    problem_changed = Signal(str)
    elsewhere_changed = Signal()

    def __init__(self, viewer: Viewer, session: Session) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._life = Life(self)

    @property
    def points(self) -> Points | None:
        """The layer of points, if there is one."""

    @property
    def strokes(self) -> Labels | None:
        """The layer of strokes, if there is one."""

    @property
    def color(self) -> tuple[float, ...]:
        """The colour (r, g, b), 0..255, of what comes next."""
        return _FIRST_COLOR

    @property
    def chosen(self) -> tuple[float, float] | None:
        """Row and column of the hint that was added or selected last, if it still is."""

    @property
    def elsewhere(self) -> dict[Place, tuple[AnyHint, ...]]:
        """Hints of the other planes of a stack, by the index of the plane."""
        return {}

    def add_points(self) -> Points:
        """Return the layer of points, made if need be, active and ready to be clicked into."""
        raise NotImplementedError

    def add_strokes(self) -> Labels:
        """Return the layer of strokes, made if need be, active and ready to be painted into."""
        raise NotImplementedError

    def bind(self, layer: Points) -> None:
        """Take the points of a layer that a person made as hints."""

    def set_color(self, color: tuple[float, ...]) -> None:
        """Use a colour (r, g, b), 0..255, for what comes next, and for what is selected.

        While points are being added, the one that was added last counts as selected only if
        nobody has chosen its colour: who chooses ginger, clicks, chooses blue and clicks wants
        one of each. :meth:`recolor` changes it all the same.
        """

    def recolor(self, color: tuple[float, ...]) -> None:
        """Give the hint that was added or selected last this colour; also for what comes next."""

    def set_size(self, size: float) -> None:
        """Use a size in pixels of the picture for what comes next, and for what is selected."""

    def hints_but(self, y: float, x: float) -> tuple[AnyHint, ...]:
        """Return the session's hints without the one at a place: what the rest would suggest."""
        return self._session.steering.hints

    def restore(self, elsewhere: dict[Place, tuple[AnyHint, ...]]) -> None:
        """Bring back hints of other planes."""

    def look(self) -> None:
        """Take what is in the layers now, without waiting for the next turn."""

    def close(self) -> None:
        """Let go of session and layers; the layers stay."""
