"""Hints: where a person says which colour a place has."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, QTimer

from napari_colorize.color.hints import Color, Hint
from napari_colorize.color.steering import AnyHint, Steering
from napari_colorize.color.strokes import Strokes
from napari_colorize.docks.steering.panels.hints_form import HintsForm
from napari_colorize.docks.steering.panels.panel import Answer, SteeringPanel
from napari_colorize.docks.steering.panels.shades import look_at, slice_at
from napari_colorize.docks.steering.session.places import Plane
from napari_colorize.errors import ColorizeError

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

    from napari_colorize.docks.steering.hints.hint_layers import HintLayers
    from napari_colorize.docks.steering.session.session import Session
    from napari_colorize.prediction.colorizer import Colorizer

_SAME = 0.01  # pixels within which two places are one
_USUAL = 60.0  # lightness at which colours are shown where no place is in question
_CALM = 250  # milliseconds without a change before the model is asked anew
_WAITING = "The network is looking at the picture. Hints that you add meanwhile are kept."
_FIRST = "Press Add hints to begin."
_ADDING = "Choose a colour, then click in the picture."
_PAINTING = "Choose a colour, then paint over the thing that has it."
_SELECTING = "Click on a hint to choose it; recolour, drag or delete it."
_GOING_ON = "Press Add hints to add more."
_NO_PLACE = "Add a hint to see which colours the model holds likely there."
_LOOKING = "Looking…"
_OUTSIDE = "This hint lies outside Only here: what is like it inside follows, its place does not."


class HintsPanel(SteeringPanel):
    """Adds hints, chooses their colours, and asks the model which ones are likely."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._layers: HintLayers | None = None
        self._active: Layer | None = None
        self._asked: tuple[Any, ...] | None = None
        self._ticket = 0
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM)
        self._calm.timeout.connect(self._settle)
        self.form = HintsForm(viewer, self)
        self._listen()
        self.setEnabled(False)
        self._show(Steering())

    def attach(self, session: Session, layers: HintLayers) -> None:  # type: ignore[override]
        """Follow a session, and the layers that its hints are in."""
        self.detach()
        self._layers = layers
        super().attach(session)
        self._link(layers.place_chosen, self._hear_place)
        self._link(layers.color_changed, self._hear_color)
        self._link(layers.problem_changed, self._hear_problem)
        self._hear_color(layers.color)
        self._hear_problem(layers.problem)

    def detach(self) -> None:
        """Follow nothing any more."""
        if self._session is not None:
            super().detach()
            self._layers = None

    def _listen(self) -> None:
        form = self.form
        form.add.clicked.connect(self._press_add)
        form.paint.clicked.connect(self._press_paint)
        form.picker.chosen.connect(self._choose)
        form.last.taken.connect(self._choose)
        form.common.taken.connect(self._choose)
        form.dropper.taken.connect(self._choose)
        form.dropper.told.connect(self._hear_dropper)
        form.suggestions.taken.connect(self._take_suggestion)
        form.size.valueChanged.connect(self._choose_size)
        form.delete.clicked.connect(self._delete)
        self._viewer.layers.selection.events.active.connect(self._follow_active)
        self._follow_active()

    def _begin(self, session: Session) -> None:
        """Offer colours once the network has looked."""
        self._asked = None
        self._ask_about_place()

    def _end(self) -> None:
        """Forget the place; the colours that were used stay."""
        self._calm.stop()
        self._ticket += 1
        self._asked = None
        self.form.dropper.turn_off()
        self.form.picker.end()
        self.form.suggestions.tell("")
        self.form.problem.tell("")

    def _show(self, steering: Steering) -> None:
        """Count the hints, and look whether the place in question still is."""
        form = self.form
        form.count.setText(_counted(steering.hints))
        form.delete.setEnabled(self._place() is not None)
        self._show_tool()
        if self._session is not None:
            self._calm.start()

    # What a person does

    def _press_add(self, on: bool) -> None:
        self._take_up(on, "select", lambda layers: layers.add_points(), lambda la: la.points)

    def _press_paint(self, on: bool) -> None:
        self._take_up(on, "pan_zoom", lambda layers: layers.add_strokes(), lambda la: la.strokes)

    def _take_up(
        self,
        on: bool,
        rest: str,
        start: Callable[[HintLayers], Layer],
        layer_of: Callable[[HintLayers], Layer | None],
    ) -> None:
        """Take up the tool of a button, or lay it down."""
        if self._layers is None:
            return
        self.form.dropper.turn_off()
        self.form.problem.tell("")
        try:
            if on:
                start(self._layers)
            elif (layer := layer_of(self._layers)) is not None:
                layer.mode = rest
        except ColorizeError as error:
            self.form.problem.tell(str(error))
        self._follow_active()

    def _choose(self, color: Color) -> None:
        """Use a colour for what comes next, and for what is selected."""
        self.form.picker.set_color(color)
        if self._layers is not None:
            self._layers.set_color(color)
            self._calm.start()

    def _take_suggestion(self, color: Color) -> None:
        """Give the hint in question a colour that the model holds likely there."""
        self.form.picker.set_color(color)
        if self._layers is not None:
            self._layers.recolor(color)

    def _choose_size(self, size: int) -> None:
        if self._layers is not None:
            self._layers.set_size(float(size))

    def _delete(self) -> None:
        """Delete the points that are selected, or the hint that was added last."""
        session, layers = self._session, self._layers
        if session is None or layers is None:
            return
        points = layers.points
        if points is not None and points.selected_data and self._active == points:
            points.remove_selected()
        elif (place := self._place()) is not None:
            hints = layers.hints_but(*place)
            session.change(replace(session.steering, hints=hints))

    # What comes back

    def _hear_place(self, y: float, x: float) -> None:
        if self._session is not None and not self._life.over:
            self._show(self._session.steering)
            self._ask_about_place()
            region = self._session.steering.region
            if region is not None and not region.at(round(y), round(x)):
                self._session.noted.emit(_OUTSIDE)

    def _hear_color(self, color: Color) -> None:
        if not self._life.over:
            self.form.picker.set_color(color)

    def _hear_problem(self, text: str) -> None:
        if not self._life.over:
            self.form.problem.tell(text)

    def _hear_dropper(self, text: str) -> None:
        if self._life.over:
            return
        if text:
            self.form.instruction.tell(text)
        else:
            self._show_tool()

    def _settle(self) -> None:
        """Ask anew and remember the colours in use, when nothing has changed for a moment."""
        session = self._session
        if session is None or self._life.over:
            return
        for hint in session.steering.hints:
            colors = [hint.color] if isinstance(hint, Hint) else [c for _, c in hint.colors]
            for color in colors:
                if color not in self.form.last.colors:
                    self.form.last.use(color, self._look)
        self.form.show_last()
        self._ask_about_place()

    def _ask_about_place(self) -> None:
        """Ask for the lightness of the place in question, and for its likely colours."""
        session, layers = self._session, self._layers
        if session is None or layers is None or not session.is_ready:
            return
        paints = self._tool() == "paint"
        place = None if paints else self._place()
        spot = _under_cursor(self._viewer, session) if paints else place
        others = () if place is None else layers.hints_but(*place)
        if self._asked == (spot, place, others):
            return
        elsewhere = self._asked is None or self._asked[0] != spot
        self._asked = (spot, place, others)
        self._ticket += 1
        if elsewhere:
            self._ask_now(lambda model: _lightness_at(model, spot), self._show_lightness)
            self.form.suggestions.tell(_NO_PLACE if place is None else _LOOKING)
        if place is not None:
            y, x = place
            self._ask_now(
                lambda model: model.suggest(y, x, hints=others), self.form.suggestions.offer
            )

    def _ask_now(self, work: Callable[[Colorizer], Answer], done: Callable[[Answer], None]) -> None:
        """Ask, and hear the answer only if it is still about the place in question."""
        ticket = self._ticket

        def heard(answer: Answer) -> None:
            if ticket == self._ticket:
                done(answer)

        def failed(reason: str) -> None:
            if ticket == self._ticket:
                self.form.suggestions.tell_problem(reason)

        self._ask(work, heard, failed)

    # What is shown

    def _show_lightness(self, lightness: float) -> None:
        self.form.picker.set_lightness(lightness)
        self._show_looks()

    def _show_looks(self) -> None:
        self.form.common.show_looks(self._look)
        self.form.last.show_looks(self._look)

    def _look(self, color: Color) -> Color:
        picker = self.form.picker
        return look_at(color, picker.lightness) if picker.is_ready else color

    def _place(self) -> tuple[float, float] | None:
        """Return row and column of the hint that was added or selected last, if it still is."""
        session, layers = self._session, self._layers
        chosen = None if layers is None else layers.chosen
        if session is None or chosen is None:
            return None
        return chosen if _hint_at(session.steering.hints, chosen) is not None else None

    def _show_size(self, tool: str) -> None:
        """Show the size of what comes next, or of the hint that is selected."""
        session, layers = self._session, self._layers
        if session is None or layers is None:
            return
        size, place = layers.size, self._place()
        if tool not in {"add", "paint"} and place is not None:
            hint = _hint_at(session.steering.hints, place)
            size = size if hint is None else hint.size
        if size:
            with QSignalBlocker(self.form.size):
                self.form.size.setValue(round(size))

    def _follow_active(self, _: Any = None) -> None:
        """Follow the tool of the layer that is active now."""
        if self._life.over:
            return
        if self._active is not None:
            self._active.events.mode.disconnect(self._show_tool)
        self._active = self._viewer.layers.selection.active
        if self._active is not None:
            self._active.events.mode.connect(self._show_tool)
        self._show_tool()

    def _show_tool(self, _: Any = None) -> None:
        """Show which tool is taken up, and what to do with it."""
        if self._life.over:
            return
        form = self.form
        tool = self._tool()
        for button, name in ((form.add, "add"), (form.paint, "paint")):
            with QSignalBlocker(button):
                button.setChecked(tool == name)
        self._show_size(tool)
        if form.dropper.isChecked():
            return
        form.instruction.tell(self._instruction(tool))

    def _tool(self) -> str:
        """Return ``"add"``, ``"select"``, ``"paint"`` or nothing."""
        layers, active = self._layers, self._active
        if layers is None or active is None:
            return ""
        if layers.points is not None and active == layers.points:
            return {"add": "add", "select": "select"}.get(str(active.mode), "")
        if layers.strokes is not None and active == layers.strokes:
            return "" if str(active.mode) in {"pan_zoom", "transform"} else "paint"
        return ""

    def _instruction(self, tool: str) -> str:
        session = self._session
        if session is None:
            return ""
        if tool:
            return {"add": _ADDING, "paint": _PAINTING, "select": _SELECTING}[tool]
        if not session.is_ready:
            return _WAITING
        return _GOING_ON if session.steering.hints else _FIRST


def _under_cursor(viewer: napari.viewer.Viewer, session: Session) -> tuple[float, float] | None:
    """Return row and column of the pixel where the mouse was last; None outside the picture."""
    layer, plane = session.layer, Plane.of(session.source)
    here = np.asarray(layer.world_to_data(viewer.cursor.position), float)
    if len(here) != len(plane.whole) or not plane.inside(here[None])[0]:
        return None
    y, x = here[list(plane.axes)]
    return float(round(y)), float(round(x))


def _lightness_at(model: Colorizer, spot: tuple[float, float] | None) -> float:
    """Return the lightness of a place, in a thread; its colours are at hand then."""
    lightness = _USUAL if spot is None else model.lightness_at(*spot)
    slice_at(round(min(100.0, max(0.0, lightness))))
    return lightness


def _hint_at(hints: tuple[AnyHint, ...], place: tuple[float, float]) -> Hint | None:
    near = (h for h in hints if isinstance(h, Hint) and math.dist((h.y, h.x), place) < _SAME)
    return next(near, None)


def _counted(hints: tuple[AnyHint, ...]) -> str:
    """Return how many hints there are, in words."""
    points = sum(isinstance(hint, Hint) for hint in hints)
    areas = sum(len(hint.areas.labels) for hint in hints if isinstance(hint, Strokes))
    words = [
        f"{count} {one if count == 1 else many}"
        for count, one, many in (
            (points, "hint", "hints"),
            (areas, "painted colour", "painted colours"),
        )
        if count
    ]
    return " and ".join(words) or "No hints yet"
