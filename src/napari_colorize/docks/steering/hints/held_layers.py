"""The layers of one picture's hints: Points and Labels, each once there is need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.layers import Labels, Points

from napari_colorize.color.hints import Color, Hint
from napari_colorize.color.steering import AnyHint
from napari_colorize.color.strokes import Strokes
from napari_colorize.docks.steering.hints.hint_marks import mark, marked, marked_place, unmark
from napari_colorize.docks.steering.hints.hint_points import (
    HintPoints,
    Place,
    PointsRead,
    new_points,
)
from napari_colorize.docks.steering.hints.hint_strokes import HintStrokes, new_strokes
from napari_colorize.docks.steering.session.places import Plane

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_colorize.docks.layers import Source

NO_POINTS = PointsRead((), (), {}, 0)


@dataclass(frozen=True)
class Heard:
    """What is called when something happens in the layers, often in vain.

    Attributes
    ----------
    points, strokes : callable
        Hints of that kind may be others.
    chosen : callable
        Gets the number of the point that was added, moved or selected.
    """

    points: Callable[[], None]
    strokes: Callable[[], None]
    chosen: Callable[[int], None]


class HeldLayers:
    """Reads and writes hints in layers; knows nothing of a session.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    source : Source
        The picture, or the plane of it that is in view.
    heard : Heard
    """

    def __init__(self, viewer: Viewer, source: Source, heard: Heard) -> None:
        self.viewer = viewer
        self.source = source
        self.plane = Plane.of(source)
        self.points: HintPoints | None = None
        self.strokes: HintStrokes | None = None
        self._heard = heard
        self._strokes_elsewhere: dict[Place, tuple[Strokes, ...]] = {}
        self._shelf: dict[Place, tuple[Hint, ...]] = {}

    def read(self, color: Color) -> tuple[PointsRead, tuple[Strokes, ...]]:
        """Return what the layers say; `color` is for areas that have none."""
        points = NO_POINTS if self.points is None else self.points.read()
        return points, () if self.strokes is None else self.strokes.strokes(color)

    def write(self, hints: tuple[AnyHint, ...], color: Color) -> None:
        """Bring the layers to these hints of the plane in view."""
        points = tuple(hint for hint in hints if isinstance(hint, Hint))
        strokes = tuple(hint for hint in hints if isinstance(hint, Strokes))
        if points and self.points is None:
            shelf, self._shelf = self._shelf, {}
            made = self.make_points(color)
            for place, shelved in shelf.items():
                made.add(shelved, place)
        if self.points is not None and self.points.read().hints != points:
            self.points.write(points)
        if strokes and self.strokes is None:
            self.make_strokes()
        if self.strokes is not None and self.strokes.strokes(color) != strokes:
            self.strokes.write(strokes)

    def problem(self, points: PointsRead) -> str:
        """Return what is wrong with the layers, in a sentence or two, or nothing."""
        strokes = "" if self.strokes is None else self.strokes.problem()
        return " ".join(filter(None, [points.problem, strokes]))

    def elsewhere(self, points: PointsRead) -> dict[Place, tuple[AnyHint, ...]]:
        """Return the hints of other planes, by the index of the plane."""
        found: dict[Place, tuple[AnyHint, ...]] = dict(points.elsewhere)
        for place, strokes in self._strokes_elsewhere.items():
            found[place] = (*found.get(place, ()), *strokes)
        return found

    def restore(self, elsewhere: Mapping[Place, tuple[AnyHint, ...]], color: Color) -> None:
        """Bring back hints of other planes; those that are there come no second time."""
        known = self.elsewhere(self.read(color)[0])
        for place, hints in elsewhere.items():
            missing = [hint for hint in hints if hint not in known.get(place, ())]
            strokes = tuple(hint for hint in missing if isinstance(hint, Strokes))
            points = tuple(hint for hint in missing if isinstance(hint, Hint))
            if strokes:
                before = self._strokes_elsewhere.get(place, ())
                self._strokes_elsewhere[place] = (*before, *strokes)
            if points:
                (self.points or self.make_points(color)).add(points, place)

    def turn_to(self, source: Source, otherwise: tuple[AnyHint, ...], color: Color) -> None:
        """Show the hints of another plane.

        Parameters
        ----------
        source
            The plane.
        otherwise
            Its hints, as far as the layers do not know them better.
        color
            Of areas that have none.
        """
        if self.strokes is not None and (left := self.strokes.strokes(color)):
            self._strokes_elsewhere[self.plane.place] = left
        self.source, self.plane = source, Plane.of(source)
        known = self._strokes_elsewhere.pop(self.plane.place, None)
        strokes = tuple(h for h in otherwise if isinstance(h, Strokes)) if known is None else known
        points = tuple(h for h in otherwise if isinstance(h, Hint))
        if self.strokes is not None:
            self.strokes.source = source
            if self.strokes.problem():  # the viewer shows other axes
                self.let_go_of_strokes()
        if self.points is not None and not self.points.fits:
            self.let_go_of_points()
        if self.points is not None:
            self.points.plane = self.plane
            points = self.points.read().hints
        self.write((*points, *strokes), color)
        if self.strokes is not None:
            mark(self.strokes.layer, source.layer, self.plane.place)

    def take_up(self, color: Color) -> None:
        """Take up the layers that an earlier session left for the same picture."""
        points = marked(self.viewer, self.source.layer, Points)
        strokes = marked(self.viewer, self.source.layer, Labels)
        if points is not None:
            self.hold_points(points)
        if strokes is None:
            return
        painted_on = marked_place(strokes, self.plane.place)
        held = self._hold_strokes(strokes)
        if painted_on != self.plane.place:  # the sliders moved while no session looked
            self._strokes_elsewhere[painted_on] = held.strokes(color)
            held.write(())

    def make_points(self, color: Color) -> HintPoints:
        """Add a Points layer to the viewer."""
        layer = new_points(self.source.layer, self.plane, color)
        self.viewer.add_layer(layer)
        return self.hold_points(layer)

    def make_strokes(self) -> HintStrokes:
        """Add a Labels layer to the viewer."""
        layer = new_strokes(self.source)
        self.viewer.add_layer(layer)
        return self._hold_strokes(layer)

    def hold_points(self, layer: Points) -> HintPoints:
        """Take a layer's points as hints, in the place of others."""
        self.let_go_of_points()
        picture, heard = self.source.layer, self._heard
        self.points = HintPoints(layer, picture, self.plane, heard.points, heard.chosen)
        mark(layer, picture, self.plane.place)
        return self.points

    def let_go_of_points(self) -> None:
        """Take the points as hints no more; their layer stays."""
        if self.points is not None:
            self.points.close()
            unmark(self.points.layer)
            self.points = None

    def let_go_of_strokes(self) -> None:
        """Take the strokes as hints no more; their layer stays."""
        if self.strokes is not None:
            self.strokes.close()
            unmark(self.strokes.layer)
            self.strokes = None

    def drop_removed(self) -> None:
        """Let go of layers that were deleted, unless the picture was deleted with them."""
        layers = self.viewer.layers
        if self.source.layer not in layers:
            return
        if self.points is not None and self.points.layer not in layers:
            self._shelf = self.points.read().elsewhere  # an undo brings these back as well
            self.let_go_of_points()
        if self.strokes is not None and self.strokes.layer not in layers:
            self.let_go_of_strokes()

    @property
    def has_any(self) -> bool:
        """Whether there is a layer of hints."""
        return any(held is not None for held in self._both)

    def holds(self, layer: object) -> bool:
        """Return whether a layer is one of these."""
        return any(held is not None and held.layer == layer for held in self._both)

    def close(self) -> None:
        """Listen to the layers no more."""
        for held in self._both:
            if held is not None:
                held.close()

    @property
    def _both(self) -> tuple[HintPoints | None, HintStrokes | None]:
        return self.points, self.strokes

    def _hold_strokes(self, layer: Labels) -> HintStrokes:
        self.strokes = HintStrokes(layer, self.source, self._heard.strokes, self._heard.points)
        mark(layer, self.source.layer, self.plane.place)
        return self.strokes
