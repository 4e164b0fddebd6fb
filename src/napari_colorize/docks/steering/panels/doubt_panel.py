"""Where the model guesses: a layer of the expected error, and the way to where a hint helps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPushButton

from napari_colorize.color.steering import AnyHint, Steering
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.layers import RECORD, Source
from napari_colorize.docks.steering.panels.doubt_legend import DoubtLegend
from napari_colorize.docks.steering.panels.panel import SteeringPanel, column

if TYPE_CHECKING:
    import napari
    from numpy.typing import NDArray

    from napari_colorize.docks.steering.session.session import Session

_MEANING = "Expected error of the colour, units of ab."
_COLORMAP = "inferno"
_OPACITY = 0.75
_CALM = 300  # milliseconds without a change of hints before the layer is brought up to date
_ROUND = 5  # units of ab that the end of the scale is a multiple of; later doubt keeps the scale
_NEARER = 3.0  # how much nearer than the whole picture the best place is shown
_INTRODUCTION = (
    "The model says where it is sure and where it guesses. A hint where it guesses most settles "
    "most of the picture."
)


class DoubtPanel(SteeringPanel):
    """Shows doubt as a layer with a legend, and goes to where a hint would help most."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.layer: Image | None = None
        self._hints: tuple[AnyHint, ...] = ()
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM)
        self._calm.timeout.connect(self._refresh)
        self._make_widgets()
        viewer.layers.events.removed.connect(self._look_for_layer)
        self.setEnabled(False)

    def show_doubt(self) -> None:
        """Add the layer of doubt, or bring it up to date."""
        session = self._session
        if session is None:
            return
        self._hints = session.steering.hints
        hints, source = self._hints, session.source
        self.note.tell("")
        self.show_button.setEnabled(False)

        def done(doubt: NDArray[np.float32]) -> None:
            self.show_button.setEnabled(True)
            self._put(source, doubt)

        self._ask(lambda colorizer: colorizer.doubt(hints), done, self._fail)

    def go_to_best_place(self) -> None:
        """Move the camera to the place where a hint would help most, and say where that is."""
        session = self._session
        if session is None:
            return
        hints, source = session.steering.hints, session.source
        self.note.tell("")
        self.go_button.setEnabled(False)

        def done(place: tuple[float, float]) -> None:
            self.go_button.setEnabled(True)
            self._go(source, place)

        self._ask(lambda colorizer: colorizer.best_place(hints), done, self._fail)

    def _make_widgets(self) -> None:
        introduction = FieldNote("aside")
        introduction.tell(_INTRODUCTION)
        self.show_button = QPushButton("Show doubt")
        self.show_button.setToolTip(
            "Add a layer that shows how far off the colours are to be expected at each place."
        )
        self.legend = DoubtLegend(_MEANING)
        self.go_button = QPushButton("Go to where a hint helps most")
        self.go_button.setToolTip("Move the view to the place whose colour would settle most.")
        self.spot = FieldNote("aside")
        self.note = FieldNote()
        layout = column(self)
        for part in (introduction, self.show_button, self.legend, self.go_button, self.spot):
            layout.addWidget(part)
        layout.addWidget(self.note)
        layout.addStretch()
        self.show_button.clicked.connect(self.show_doubt)
        self.go_button.clicked.connect(self.go_to_best_place)

    def _put(self, source: Source, doubt: NDArray[np.float32]) -> None:
        """Swap what the layer shows, or add it; what is active stays active."""
        shown = doubt.reshape(source.result_shape[:-1])
        if self.layer is not None and self.layer.data.shape == shown.shape:
            self.layer.data = shown
            return
        self._look_for_layer()
        name = source.layer.name
        layer = Image(
            shown,
            rgb=False,
            name=f"{name} [doubt]",
            colormap=_COLORMAP,
            contrast_limits=(0, _ROUND * max(1, math.ceil(float(doubt.max()) / _ROUND))),
            opacity=_OPACITY,
            metadata={RECORD: {"source": name, "doubt": "expected error, units of ab"}},
            **source.geometry,
        )
        active = self._viewer.layers.selection.active
        self._viewer.layers.insert(self._place_in_list(), layer)
        if active is not None:
            self._viewer.layers.selection.active = active
        self.layer = layer
        self.legend.follow(layer)

    def _place_in_list(self) -> int:
        """Return where the layer comes: above all pictures, and hints stay above it."""
        layers = enumerate(self._viewer.layers, start=1)
        return max((place for place, layer in layers if isinstance(layer, Image)), default=0)

    def _go(self, source: Source, place: tuple[float, float]) -> None:
        viewer, layer = self._viewer, source.layer
        point = np.zeros(len(source.shape)) if source.place is None else np.array(source.place)
        point = point.astype(float)
        point[list(source.axes)] = place
        world = np.zeros(max(3, viewer.dims.ndim))
        world[-len(point) :] = layer.data_to_world(point)
        shown = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
        before = viewer.scene.camera.zoom
        viewer.reset_view()
        viewer.scene.camera.zoom = max(before, _NEARER * viewer.scene.camera.zoom)
        viewer.scene.camera.center = tuple(float(world[axis]) for axis in shown)
        row, column = (round(float(part)) for part in place)
        self.spot.tell(f"In the middle of the view: row {row}, column {column}.")

    def _fail(self, reason: str) -> None:
        self.show_button.setEnabled(True)
        self.go_button.setEnabled(True)
        self.note.tell(reason)

    def _begin(self, session: Session) -> None:
        """Let the buttons be pressed: what was asked of a picture that has changed is void."""
        for part in (self.show_button, self.go_button):
            part.setEnabled(True)

    def _show(self, steering: Steering) -> None:
        """Bring the layer up to date when the hints are others."""
        if self.layer is not None and steering.hints != self._hints:
            self._calm.start()

    def _refresh(self) -> None:
        if self.layer is not None and self._session is not None:
            self.show_doubt()

    def _look_for_layer(self, _: Any = None) -> None:
        """Let go of the layer when it is not in the viewer any more."""
        if self._life.over or self.layer is None:
            return
        if self.layer not in self._viewer.layers:
            self.layer = None
            self.legend.follow(None)

    def _end(self) -> None:
        """Leave the layer where it is: it shows what was."""
        self._calm.stop()
        self.layer = None
        self.legend.follow(None)
        self.spot.tell("")
        self.note.tell("")
