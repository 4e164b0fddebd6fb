"""The list of open colour layers with ticks, and whether only regions of them are wanted."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Shapes
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.life import Life
from napari_colorize.docks.setup.layer_pictures import LayerPictures, is_colour, take_pictures

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

WHOLE = "Whole pictures"
_LIST_HEIGHT = 96
_LIST_EVENTS = ("inserted", "removed", "reordered")


class LayerChoice(QWidget):
    """Lets colour layers of a viewer be ticked; follows the viewer.

    ``changed`` tells that other pictures are chosen, or that theirs have changed.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._life = Life(self)
        self._layers: list[Layer] = []
        self._shapes: list[Layer] = []
        self._regions: Layer | None = None
        self._watched: list[Layer] = []
        self.list = QListWidget()
        self.list.setFixedHeight(_LIST_HEIGHT)
        self.list.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setToolTip(
            "The colour (RGB) layers that are open. Tick those to learn from; each plane of a "
            "stack is a picture. What a network coloured is not listed."
        )
        self.list.setAccessibleName("Colour layers")
        self.regions = QComboBox()
        self.regions.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.regions.setToolTip(
            "Whole pictures, or only what was drawn in a Shapes layer: the upright box around "
            "each shape becomes a picture."
        )
        self.all = QPushButton("Tick all")
        self.all.setToolTip("Tick all layers, or none if all are ticked.")
        self._lay_out()
        for event in _LIST_EVENTS:
            getattr(viewer.layers.events, event).connect(self.refresh)
        self.refresh()
        self.list.itemChanged.connect(lambda _: self.changed.emit())
        self.regions.activated.connect(self._choose_regions)
        self.all.clicked.connect(self._tick_all)

    def ticked(self) -> list[Layer]:
        """Return the layers that are ticked, the topmost first."""
        rows = range(self.list.count())
        return [self._layers[row] for row in rows if self._is_ticked(row)]

    def pictures(self) -> tuple[LayerPictures, ...]:
        """Return what is chosen, ready to be written by a worker."""
        return tuple(take_pictures(layer, self._regions) for layer in self.ticked())

    def problem(self) -> str:
        """Return why there is nothing to learn from, the empty text if there is something."""
        if not self._layers:
            return "No colour (RGB) layer is open: open some pictures, or choose a folder."
        if not self.ticked():
            return "Tick the layers to learn from."
        if self._regions is not None and not len(self._regions.data):
            return f"No region is drawn in {self._regions.name!r} yet."
        return ""

    def close_down(self) -> None:
        """Follow the viewer no more."""
        self._life.over = True
        for event in _LIST_EVENTS:
            getattr(self._viewer.layers.events, event).disconnect(self.refresh)
        self._watch([])

    def refresh(self, _: Any = None) -> None:
        """Read the list of layers anew and keep what is ticked."""
        if self._life.over:
            return
        before, regions = self.ticked(), self._regions
        layers = list(reversed(self._viewer.layers))
        self._layers = [layer for layer in layers if is_colour(layer)]
        self._shapes = [layer for layer in layers if isinstance(layer, Shapes)]
        if not _has(self._shapes, regions):
            self._regions = None
        self._watch([*self._layers, *self._shapes])
        self._fill(before)
        if self.ticked() != before or self._regions is not regions:
            self.changed.emit()

    def _lay_out(self) -> None:
        label = QLabel("Reg&ions")
        label.setBuddy(self.regions)
        label.setToolTip(self.regions.toolTip())
        self._regions_row = QWidget()
        row = QHBoxLayout(self._regions_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self.regions, 1)
        row.addWidget(self.all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addWidget(self._regions_row)
        self.setFocusProxy(self.list)
        self.setToolTip(self.list.toolTip())

    def _fill(self, ticked: list[Layer]) -> None:
        blocked = self.list.blockSignals(True)
        row = self.list.currentRow()
        self.list.clear()
        for layer in self._layers:
            item = QListWidgetItem(_line(layer))
            item.setToolTip(_line(layer))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            state = Qt.CheckState.Checked if _has(ticked, layer) else Qt.CheckState.Unchecked
            item.setCheckState(state)
            self.list.addItem(item)
        self.list.setCurrentRow(min(row, self.list.count() - 1))
        self.list.blockSignals(blocked)
        for part in (self.list, self._regions_row):
            part.setVisible(bool(self._layers))
        self.regions.clear()
        self.regions.addItem(WHOLE)
        self.regions.addItems([f"Drawn in {layer.name}" for layer in self._shapes])
        self.regions.setCurrentIndex(1 + _index(self._shapes, self._regions))
        self.regions.setEnabled(bool(self._shapes))

    def _is_ticked(self, row: int) -> bool:
        item = self.list.item(row)
        return item is not None and item.checkState() == Qt.CheckState.Checked

    def _tick_all(self) -> None:
        self._fill([] if len(self.ticked()) == len(self._layers) else self._layers)
        self.changed.emit()

    def _choose_regions(self, index: int) -> None:
        self._regions = self._shapes[index - 1] if index > 0 else None
        self.changed.emit()

    def _watch(self, layers: list[Layer]) -> None:
        """Follow names and data of these layers, and of no others."""
        for layer in self._watched:
            layer.events.name.disconnect(self.refresh)
            layer.events.data.disconnect(self._follow_data)
        self._watched = layers
        for layer in layers:
            layer.events.name.connect(self.refresh)
            layer.events.data.connect(self._follow_data)

    def _follow_data(self, event: Any) -> None:
        if self._life.over:
            return
        source = event.source
        if _has(self._shapes, source) and not _has([self._regions], source):
            return
        if isinstance(source, Image):
            if not _has(self.ticked(), source):
                return
            self._fill(self.ticked())
        self.changed.emit()


def _line(layer: Layer) -> str:
    """Return a layer in a line: its name, how many pictures it holds, and how large they are."""
    data = layer.data[0] if layer.multiscale else layer.data
    *planes, height, width, _ = data.shape
    count = f"{prod(planes):,} planes of " if planes else ""
    return f"{layer.name}  ({count}{width} × {height})"


def _has(layers: list[Any], layer: Any) -> bool:
    return _index(layers, layer) >= 0


def _index(layers: list[Any], layer: Any) -> int:
    """Return where a layer stands; proxies of one layer are equal, not identical."""
    return next((i for i, one in enumerate(layers) if layer is not None and one == layer), -1)
