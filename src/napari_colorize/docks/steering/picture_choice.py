"""What is steered and by what: the picture, the model and the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget
from superqt.utils import signals_blocked

from napari_colorize.docks.layers import is_result, workable_layers
from napari_colorize.docks.life import Life
from napari_colorize.docks.model_events import model_wanted, models_changed
from napari_colorize.files.models import DEFAULT_MODEL, list_models

if TYPE_CHECKING:
    import napari

_DEVICES = ("auto", "cpu", "cuda", "mps")
_PICTURE_TIP = (
    "The picture whose colours are set; of a stack it is the plane in view. A colour picture is "
    "seen as grey and coloured anew."
)
_MODEL_TIP = "The model that guesses the colours; only a model of many colours can be steered."
_DEVICE_TIP = (
    "What computes: auto takes a graphics card (cuda: NVIDIA, mps: Apple) when there is one that "
    "works, otherwise the processor (cpu)."
)
_REASON = "gives one colour a place, cannot be steered"


class PictureChoice(QWidget):
    """Three combo boxes.

    Attributes
    ----------
    picture_chosen : Signal()
        Another picture is wanted.
    means_chosen : Signal()
        Another model or device is wanted.
    """

    picture_chosen = Signal()
    means_chosen = Signal()

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._life = Life(self)
        self._layers: list[Image] = []
        self._chosen: Image | None = None
        self.picture = _combo(_PICTURE_TIP, 16)
        self.model = _combo(_MODEL_TIP, 8)
        self.device = _combo(_DEVICE_TIP, 4)
        self.device.addItems(_DEVICES)
        self._lay_out()
        self.list_models()
        self.list_pictures()
        self._listen()

    @property
    def chosen(self) -> Image | None:
        """The picture that is chosen."""
        return self._chosen

    @property
    def chosen_model(self) -> str | None:
        """File of the model that is chosen, None if there is none."""
        return self.model.currentData()  # type: ignore[no-any-return]

    def choose(self, layer: Image) -> None:
        """Choose a picture without a word; a layer that is none is left alone."""
        if layer in self._layers:
            self._chosen = layer
            self._show_choice()

    def choose_model(self, name: str) -> bool:
        """Choose a model by name, and return whether it is there and can be steered.

        What is under way goes on.
        """
        if self._life.over:
            return False
        self.list_models()
        at = self.model.findText(name, Qt.MatchFlag.MatchExactly)
        if at >= 0:
            self.model.setCurrentIndex(at)
        return at >= 0

    def follow_selection(self) -> None:
        """Choose what is selected in napari's list, if it is a picture."""
        active = self._viewer.layers.selection.active
        if active is not None and active in self._layers and active != self._chosen:
            self._chosen = active
            self._show_choice()
            self.picture_chosen.emit()

    def list_pictures(self, _: Any = None) -> None:
        """Read the list of layers anew and keep what is chosen."""
        if self._life.over:
            return
        self._layers = [layer for layer in workable_layers(self._viewer) if not is_result(layer)]
        with signals_blocked(self.picture):
            self.picture.clear()
            self.picture.addItems([layer.name for layer in self._layers])
        # By equality, not by name: renaming a layer must not lose the choice.
        if self._chosen not in self._layers:
            active = self._viewer.layers.selection.active
            first = self._layers[0] if self._layers else None
            self._chosen = active if active in self._layers else first
            self._show_choice()
            self.picture_chosen.emit()
        self._show_choice()

    def list_models(self) -> None:
        """Read the list of models anew and keep what is chosen."""
        if self._life.over:
            return
        kept = self.chosen_model
        models = sorted(list_models(), key=lambda model: model.name != DEFAULT_MODEL)
        with signals_blocked(self.model):
            self.model.clear()
            for model in models:
                can = model.vividness is not None
                self.model.addItem(model.name if can else f"{model.name}: {_REASON}")
                at = self.model.count() - 1
                self.model.setItemData(at, str(model.path))
                items = self.model.model()
                item = items.item(at) if isinstance(items, QStandardItemModel) else None
                if item is not None:
                    item.setEnabled(can)
            usable = [place for place, model in enumerate(models) if model.vividness is not None]
            same = [place for place in usable if self.model.itemData(place) == kept]
            self.model.setCurrentIndex((same or usable or [-1])[0])

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 6, 6, 0)
        for row, (name, first) in enumerate((("Picture", self.picture), ("Model", self.model))):
            label = QLabel(name)
            label.setToolTip(first.toolTip())
            label.setBuddy(first)
            grid.addWidget(label, row, 0)
            grid.addWidget(first, row, 1, 1, 2 if first is self.picture else 1)
        grid.addWidget(self.device, 1, 2)
        grid.setColumnStretch(1, 1)

    def _listen(self) -> None:
        self.picture.activated.connect(self._choose_picture)
        self.model.activated.connect(lambda _: self.means_chosen.emit())
        self.device.activated.connect(lambda _: self.means_chosen.emit())
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(self.list_pictures)
        models_changed.connect(self.list_models)
        model_wanted.connect(self.choose_model)

    def _choose_picture(self, index: int) -> None:
        if 0 <= index < len(self._layers) and self._layers[index] != self._chosen:
            self._chosen = self._layers[index]
            self.picture_chosen.emit()

    def _show_choice(self) -> None:
        with signals_blocked(self.picture):
            at = self._layers.index(self._chosen) if self._chosen in self._layers else -1
            self.picture.setCurrentIndex(at)


def _combo(tooltip: str, least: int) -> QComboBox:
    """Return a combo box that long names do not widen."""
    combo = QComboBox()
    combo.setToolTip(tooltip)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(least)
    return combo
