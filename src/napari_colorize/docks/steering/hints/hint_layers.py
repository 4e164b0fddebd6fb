"""The hints of a session and layers of napari, kept in step both ways.

Points are hints of one place, labels are strokes. The layers are plain ones, of which public
events tell; what a person does in them with napari's own tools counts as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Points
from qtpy.QtCore import QMetaObject, QObject, Qt, QTimer, Signal, Slot

from napari_colorize.color.hints import Color, Hint
from napari_colorize.color.steering import AnyHint, Steering
from napari_colorize.docks.life import Life
from napari_colorize.docks.steering.hints.held_layers import Heard, HeldLayers
from napari_colorize.docks.steering.hints.hint_points import Place, PointsRead
from napari_colorize.docks.steering.session.places import Plane

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_colorize.docks.steering.session.session import Session

FIRST_COLOR: Color = (214.0, 120.0, 50.0)
_PAINTING = 50  # milliseconds between two looks at what is being painted


class HintLayers(QObject):
    """Keeps hints and layers in step, as long as a session lasts.

    Layers that an earlier session left for the same picture are taken up again.

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
        self._hints = session.steering.hints  # as session and layers have agreed
        self._read: tuple[AnyHint, ...] = ()  # the same, as the layers say it
        self._elsewhere: dict[Place, tuple[AnyHint, ...]] = {}
        self._color = FIRST_COLOR
        self._color_is_chosen = False
        self._problem = ""
        self._news_of: int | None = None  # the point that was added, moved or selected last
        self._chosen: tuple[float, float] | None = None
        self._is_writing = False
        self._is_closed = False
        # Many events of one turn, or of a brush under way, are answered by one look. A timer of
        # no time would fire only after the window is painted anew.
        self._is_stirred = False
        self._painting = QTimer(self)
        self._painting.setSingleShot(True)
        self._painting.setInterval(_PAINTING)
        self._painting.timeout.connect(self.look)
        heard = Heard(self._stir, self._stir_painting, self._hear_point)
        self._held = HeldLayers(viewer, session.source, heard)
        session.changed.connect(self._hear_session)
        session.moved.connect(self._hear_move)
        session.ended.connect(self.close)
        viewer.layers.events.removing.connect(self._hear_removing)
        viewer.layers.events.removed.connect(self._hear_removed)
        viewer.layers.selection.events.active.connect(self._hear_active)
        with self._writing():
            self._held.take_up(self._color)
        # Layers that are there know best: they may have been changed while no session looked.
        if self._hints and not self._held.has_any:
            self._bring(self._hints)
        self._take(undoable=False)

    @property
    def points(self) -> Points | None:
        """The layer of points, if there is one."""
        return None if self._held.points is None else self._held.points.layer

    @property
    def strokes(self) -> Labels | None:
        """The layer of strokes, if there is one."""
        return None if self._held.strokes is None else self._held.strokes.layer

    @property
    def color(self) -> Color:
        """The colour (r, g, b), 0..255, of what comes next."""
        return self._color

    @property
    def size(self) -> float:
        """The size of what comes next, in pixels of the picture; 0 where there is no layer."""
        if self.strokes is not None and self._paints:
            return float(self.strokes.brush_size)
        return 0.0 if self._held.points is None else self._held.points.next_size

    @property
    def chosen(self) -> tuple[float, float] | None:
        """Row and column of the hint that was added or selected last."""
        return self._chosen

    @property
    def problem(self) -> str:
        """What is wrong with the hints, in a sentence; empty when nothing is."""
        return self._problem

    @property
    def hints(self) -> tuple[AnyHint, ...]:
        """The hints of the plane in view, as the layers were when they were last looked at."""
        return self._hints

    @property
    def elsewhere(self) -> dict[Place, tuple[AnyHint, ...]]:
        """Hints of the other planes of a stack, by the index of the plane."""
        return dict(self._elsewhere)

    def add_points(self) -> Points:
        """Return the layer of points, made if need be, active and ready to be clicked into."""
        points = self._held.points or self._held.make_points(self._color)
        self._viewer.layers.selection.active = points.layer
        points.layer.visible = True  # or napari changes no mode
        points.layer.mode = "add"
        return points.layer

    def add_strokes(self) -> Labels:
        """Return the layer of strokes, made if need be, active and ready to be painted into."""
        if self._held.strokes is not None and self._held.strokes.problem():
            self._held.let_go_of_strokes()
        strokes = self._held.strokes or self._held.make_strokes()
        self._viewer.layers.selection.active = strokes.layer
        strokes.use_color(self._color)
        strokes.layer.visible = True
        strokes.layer.mode = "paint"
        return strokes.layer

    def set_color(self, color: Color) -> None:
        """Use a colour (r, g, b), 0..255, for what comes next, and for what is selected.

        While points are being added, the one that was added last counts as selected only if
        nobody has chosen its colour: who chooses ginger, clicks, chooses blue and clicks wants
        one of each. :meth:`recolor` changes it all the same.
        """
        was_chosen, self._color_is_chosen = self._color_is_chosen, True
        self._color = color
        if self._held.strokes is not None and self._paints:
            self._held.strokes.use_color(color)
        elif self._held.points is not None:
            self._held.points.use_color(color, selected=not (was_chosen and self._adds))
        self.color_changed.emit(color)

    def recolor(self, color: Color) -> None:
        """Give what was added or selected last this colour; what comes next has it too."""
        self._color, self._color_is_chosen = color, True
        if self._held.strokes is not None and self._paints:
            self._held.strokes.recolor(color)
        elif self._held.points is not None:
            self._held.points.use_color(color, selected=True)
        self.color_changed.emit(color)

    def set_size(self, size: float) -> None:
        """Use a size in pixels of the picture for what comes next, and for what is selected.

        A point that was just added keeps its size, as it keeps its colour.
        """
        if self.strokes is not None and self._paints:
            self.strokes.brush_size = max(1, round(size))
        elif self._held.points is not None:
            self._held.points.use_size(size, selected=not self._adds)

    def hints_but(self, y: float, x: float) -> tuple[AnyHint, ...]:
        """Return the session's hints without those at a place: what the rest would suggest."""
        return tuple(
            hint
            for hint in self._session.steering.hints
            if not (isinstance(hint, Hint) and max(abs(hint.y - y), abs(hint.x - x)) < 0.01)
        )

    def restore(self, elsewhere: Mapping[Place, tuple[AnyHint, ...]]) -> None:
        """Bring back hints of other planes; those that are there already come no second time."""
        with self._writing():
            self._held.restore(elsewhere, self._color)
        self.look()

    def look(self) -> None:
        """Take what is in the layers now, without waiting for the next turn."""
        self._is_stirred = False
        self._painting.stop()
        if self._is_closed or self._is_writing or self._life.over:
            return
        if not self._move():
            self._held.drop_removed()
            self._take()

    def close(self) -> None:
        """Take what is in the layers, let go of session and layers; the layers stay."""
        if self._is_closed:
            return
        if self._is_behind:
            self.look()
        self._is_closed = True
        self._is_stirred = False
        self._painting.stop()
        self._session.changed.disconnect(self._hear_session)
        self._session.moved.disconnect(self._hear_move)
        self._session.ended.disconnect(self.close)
        layers = self._viewer.layers
        layers.events.removing.disconnect(self._hear_removing)
        layers.events.removed.disconnect(self._hear_removed)
        layers.selection.events.active.disconnect(self._hear_active)
        self._held.close()

    # From the layers to the session.

    def _take(self, undoable: bool = True) -> None:
        points, strokes = self._held.read(self._color)
        self._tell(self._held.problem(points))
        read: tuple[AnyHint, ...] = (*points.hints, *strokes)
        goes_on = self._held.strokes is not None and self._held.strokes.goes_on(read != self._read)
        if read != self._read:
            self._read = self._hints = read
            if not self._session.has_ended:
                steering = replace(self._session.steering, hints=read)
                self._session.change(steering, undoable and not goes_on)
        elsewhere = self._held.elsewhere(points)
        if elsewhere != self._elsewhere:
            self._elsewhere = elsewhere
            self.elsewhere_changed.emit()
        self._tell_color()
        self._tell_place(points)

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self.problem_changed.emit(problem)

    def _tell_color(self) -> None:
        """Follow the colour that was chosen with napari's own tools."""
        held = self._held.strokes if self._paints else self._held.points
        now = None if held is None else held.color
        if now is not None and max(abs(a - b) for a, b in zip(now, self._color, strict=True)) > 1:
            self._color, self._color_is_chosen = now, True
            self.color_changed.emit(now)

    def _tell_place(self, points: PointsRead) -> None:
        row, self._news_of = self._news_of, None
        for number, hint in zip(points.rows, points.hints, strict=True):
            if number == row:
                self._chosen = (hint.y, hint.x)
                self.place_chosen.emit(hint.y, hint.x)

    def _stir(self) -> None:
        if not (self._is_writing or self._is_closed or self._is_stirred):
            self._is_stirred = True
            QMetaObject.invokeMethod(self, "_look_if_stirred", Qt.ConnectionType.QueuedConnection)

    @Slot()
    def _look_if_stirred(self) -> None:
        if self._is_stirred:
            self.look()

    def _stir_painting(self) -> None:
        # Not started anew by every event: the picture is to follow a long stroke.
        if not (self._is_writing or self._is_closed or self._painting.isActive()):
            self._painting.start()

    def _hear_point(self, row: int) -> None:
        if not self._is_writing:
            self._news_of = row
            self._stir()

    def _hear_removing(self, event: Any) -> None:
        """Take what was not looked at yet before a layer of hints goes."""
        if self._is_behind and self._held.holds(self._viewer.layers[event.index]):
            self.look()

    def _hear_removed(self, event: Any) -> None:
        # Not at once: when the viewer is closed, or all is deleted, the picture goes as well,
        # and then nobody wants to be rid of its hints.
        if self._held.holds(event.value):
            self._stir()

    def _hear_active(self, event: Any) -> None:
        """Keep the colour when a person goes from points to strokes and back."""
        if self._is_closed or self._is_writing or self._life.over:
            return
        if self._held.strokes is not None and self._paints:
            self._held.strokes.use_color(self._color)
        elif self._held.points is not None and event.value == self.points:
            self._held.points.use_color(self._color, selected=False)

    # From the session to the layers.

    def _hear_session(self, steering: Steering) -> None:
        if self._is_closed or self._life.over or self._move() or steering.hints == self._hints:
            return
        self._bring(steering.hints)

    def _bring(self, hints: tuple[AnyHint, ...]) -> None:
        """Bring the layers to hints that came from elsewhere."""
        with self._writing():
            self._held.write(hints, self._color)
        self._agree(hints)

    def _hear_move(self) -> None:
        if not (self._is_closed or self._life.over):
            self._move()

    def _move(self) -> bool:
        """Show the hints of the plane in view, if that is another; the layers know them best."""
        session = self._session
        if session.has_ended or Plane.of(session.source) == self._held.plane:
            return False
        hints, points = session.steering.hints, self.points
        with self._writing():
            self._held.turn_to(session.source, hints, self._color)
        if points is not None and self.points != points:
            session.noted.emit(
                f"'{points.name}' has other axes than the picture has now: its points are no hints "
                "any more. They stay as they are."
            )
        self._read = self._hints = hints
        self._take(undoable=False)
        return True

    def _agree(self, hints: tuple[AnyHint, ...]) -> None:
        points, strokes = self._held.read(self._color)
        self._hints, self._read = hints, (*points.hints, *strokes)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Write into layers without hearing of it at once; they are looked at in the next turn."""
        before, self._is_writing = self._is_writing, True
        try:
            yield
        finally:
            self._is_writing = before
        self._stir()

    @property
    def _is_behind(self) -> bool:
        return self._is_stirred or self._painting.isActive()

    @property
    def _paints(self) -> bool:
        """Whether strokes are at hand: their layer is the active one."""
        return self.strokes is not None and self._viewer.layers.selection.active == self.strokes

    @property
    def _adds(self) -> bool:
        return self.points is not None and str(self.points.mode) == "add"
