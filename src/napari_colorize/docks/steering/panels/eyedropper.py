"""The eyedropper: a button; while it is on, a click into the canvas takes the colour there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.layers import Points
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QHideEvent, QKeyEvent
from qtpy.QtWidgets import QApplication, QPushButton

from napari_colorize.docks.life import Life
from napari_colorize.docks.steering.panels.layer_colors import color_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Layer
    from napari.viewer import Viewer

_STILL = "pan_zoom"  # the mode in which a click does nothing to a layer
_NOTHING = "There is no layer where you clicked: click on something that you can see."


@dataclass
class _Held:
    """A layer that is kept from taking clicks, and what it was like."""

    layer: Layer
    mode: str
    selected: set[int] | None
    color: Any

    def select_again(self) -> None:
        """Select what was selected; the colour of what comes next stays as it was chosen."""
        if self.selected is None:
            return
        self.layer.selected_data = self.selected
        if self.color is not None:
            with self.layer.block_update_properties():
                self.layer.current_face_color = self.color


class Eyedropper(QPushButton):
    """A button that stays down until a colour was taken; Escape lets it up.

    Meanwhile no layer takes clicks: the mode of the active one is put back afterwards.

    Attributes
    ----------
    taken : Signal(object)
        The colour (r, g, b), 0..255, of the topmost visible layer that was clicked on.
    told : Signal(str)
        What to do, or why nothing was taken; empty when there is nothing to say.
    """

    taken = Signal(object)
    told = Signal(str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__("Take from picture")
        self._viewer = viewer
        self._held: list[_Held] = []
        self._cursor = "standard"
        self._is_on = False
        self._life = Life(self)
        self.setCheckable(True)
        self.setAccessibleName("Eyedropper: take a colour from the picture")
        self.setToolTip(
            "Take a colour from any layer: press, then click on the colour in the canvas.\n"
            "Escape ends it."
        )
        self.toggled.connect(self._turn)

    def turn_off(self) -> None:
        """Take no clicks any more."""
        self.setChecked(False)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """End on Escape, wherever the focus is; it is installed only while the button is down."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.turn_off()
            event.accept()  # it is no shortcut of the window now
            return True
        return False

    def hideEvent(self, event: QHideEvent | None) -> None:
        """End when the button goes out of sight: nobody would know why clicks do nothing."""
        super().hideEvent(event)
        self.turn_off()

    def _turn(self, on: bool) -> None:
        if on == self._is_on or self._life.over:
            return
        self._is_on = on
        (self._begin if on else self._end)()

    def _begin(self) -> None:
        viewer = self._viewer
        self._cursor = viewer.cursor.style
        viewer.mouse_drag_callbacks.append(self._click)
        viewer.layers.selection.events.active.connect(self._hold)
        self._hold()
        self._filter(True)
        self.told.emit("Click on the colour that you want, in any layer. Escape ends it.")

    def _end(self) -> None:
        viewer = self._viewer
        if self._click in viewer.mouse_drag_callbacks:
            viewer.mouse_drag_callbacks.remove(self._click)
        viewer.layers.selection.events.active.disconnect(self._hold)
        self._filter(False)
        held, self._held = self._held, []
        viewer.cursor.style = self._cursor
        for one in held:
            one.layer.events.mode.disconnect(self._hear_mode)
            if one.layer in viewer.layers:
                one.layer.mode = one.mode
                one.select_again()
        self.told.emit("")

    def _hold(self, _: Any = None) -> None:
        """Keep the active layer from taking clicks."""
        if self._life.over:
            return
        layer = self._viewer.layers.selection.active
        if layer is not None and all(one.layer != layer for one in self._held):
            selected = getattr(layer, "selected_data", None)
            kept = None if selected is None else set(selected)
            color = layer.current_face_color if isinstance(layer, Points) else None
            self._held.append(_Held(layer, str(layer.mode), kept, color))
            layer.mode = _STILL
            layer.events.mode.connect(self._hear_mode)
        self._viewer.cursor.style = "crosshair"

    def _hear_mode(self, event: Any) -> None:
        """End when a person takes up another tool: that is what is wanted then."""
        if self._life.over:
            return
        for one in self._held:
            if one.layer == event.source:
                one.mode, one.selected = str(one.layer.mode), None
        self.turn_off()

    def _click(self, viewer: Viewer, event: Any) -> Iterator[None]:
        """Take the colour when the mouse goes down, end when it goes up.

        A layer whose mode came back in between would take the rest of the click for its own.
        """
        if event.button != 1:
            return
        event.handled = True  # the canvas is not dragged
        color = color_at(viewer, event.position, event.view_direction, event.dims_displayed)
        yield
        while event.type == "mouse_move":
            event.handled = True
            yield
        if self._life.over:
            return
        if color is None:
            self.told.emit(_NOTHING)
            return
        self.turn_off()
        self.taken.emit(color)

    def _filter(self, on: bool) -> None:
        application = QApplication.instance()
        if application is not None:
            (application.installEventFilter if on else application.removeEventFilter)(self)
