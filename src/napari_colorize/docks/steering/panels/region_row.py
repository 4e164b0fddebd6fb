"""Only here: a layer of labels that limits what is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy
from superqt.utils import signals_blocked

from napari_colorize.color.steering import Steering
from napari_colorize.docks.layers import RECORD
from napari_colorize.docks.steering.panels.panel import SteeringPanel
from napari_colorize.docks.steering.session.region import region_layer

if TYPE_CHECKING:
    import napari

    from napari_colorize.docks.steering.session.session import Session

_EVERYWHERE = "Everywhere"
_AS_BEFORE = "Where it held before"  # an area whose layer is not there
_TIP = "Where changes from now on hold: where the chosen layer has labels, or everywhere."


class RegionRow(SteeringPanel):
    """Chooses the layer that limits the changes, or makes one to paint in."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._layers: list[Labels] = []
        self.layer = QComboBox()
        self.layer.setToolTip(_TIP)
        self.layer.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.layer.setMinimumContentsLength(10)
        self.layer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.new = QPushButton("New region")
        self.new.setToolTip("Add a layer to paint the region in, with the brush in hand.")
        label = QLabel("Only here")
        label.setToolTip(_TIP)
        label.setBuddy(self.layer)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label)
        layout.addWidget(self.layer, 1)
        layout.addWidget(self.new)
        self.layer.activated.connect(self._choose)
        self.new.clicked.connect(self.add_region)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(self._list_layers)
        self._list_layers()
        self.setEnabled(False)

    def add_region(self) -> None:
        """Add an empty layer of labels on the picture and limit the changes to it."""
        session = self._session
        if session is None:
            return
        layer = self._viewer.add_layer(region_layer(session.source))
        self._viewer.layers.selection.active = layer
        layer.mode = "paint"
        session.limit_to(layer)
        self._list_layers()

    def _choose(self, index: int) -> None:
        if self._session is None or index > len(self._layers):
            return
        self._session.limit_to(self._layers[index - 1] if index > 0 else None)
        self._list_layers()

    def _list_layers(self, _: Any = None) -> None:
        if self._life.over:
            return
        session = self._session
        limit = None if session is None else session.region_layer
        self._layers = [layer for layer in reversed(self._viewer.layers) if _may_limit(layer)]
        with signals_blocked(self.layer):
            self.layer.clear()
            self.layer.addItem(_EVERYWHERE)
            self.layer.addItems([layer.name for layer in self._layers])
            if limit is not None and limit in self._layers:
                self.layer.setCurrentIndex(1 + self._layers.index(limit))
            elif session is not None and session.steering.region is not None:
                self.layer.addItem(_AS_BEFORE)
                self.layer.setCurrentIndex(self.layer.count() - 1)

    def _begin(self, session: Session) -> None:
        self._list_layers()

    def _show(self, steering: Steering) -> None:
        self._list_layers()

    def _end(self) -> None:
        self._list_layers()


def _may_limit(layer: Any) -> bool:
    """Return whether a layer may be a region: strokes of hints are none."""
    ours = any(str(key).startswith(RECORD) for key in layer.metadata)
    return isinstance(layer, Labels) and not ours
