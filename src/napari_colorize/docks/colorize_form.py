"""The form of the Colorize dock: which layers, how much of them, by what, and how vivid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from magicgui import widgets
from qtpy.QtWidgets import QSizePolicy
from superqt.utils import signals_blocked

from napari_colorize.color.steering import Steering
from napari_colorize.docks.colorizing.orders import Order
from napari_colorize.docks.colorizing.stack_fields import StackFields
from napari_colorize.docks.colorizing.vividness_field import VividnessField
from napari_colorize.docks.layers import (
    is_result,
    plane_axes,
    refusal,
    take_source,
    workable_layers,
)
from napari_colorize.errors import ColorizeError
from napari_colorize.files.models import DEFAULT_MODEL, list_models

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer

    from napari_colorize.docks.layers import Source
    from napari_colorize.files.models import ModelInfo

THIS_PLANE = "This plane"
WHOLE_STACK = "Whole stack"
AS_YOU_LOOK = "As you look"
CONFIDENCE = (
    "Also add a layer, below the colours, that shows how sure the model was of them at each "
    "place: 0 is a mere guess, 1 is certain."
)
LIST_HEIGHT = 90  # pixels, about six layers; more of them scroll


class ColorizeForm(widgets.Container[Any]):
    """The fields of the dock, and the order that they make.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Its layers are offered, its selection is followed, its sliders choose the plane.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._models: dict[str, ModelInfo] = {}
        self._make_fields()
        fields = [
            self.layers,
            self.planes,
            self.stack.coherent,
            self.stack.hints,
            self.stack.scheduler,
            self.model,
            self.vividness,
            self.confidence,
            self.device,
        ]
        super().__init__(name="form", widgets=fields)
        self.margins = (0, 0, 0, 0)
        self.suit_stack()
        self.follow_selection()

    def reset_choices(self, *_: Any) -> None:
        """Read the lists of layers and models anew and keep what is chosen."""
        chosen = self.layers.value
        with self.changed.blocked(), signals_blocked(self.layers.native):
            # magicgui appends what is new: without this the order is not that of the layers.
            self.layers.native.clear()
            super().reset_choices()
            offered = self._offered_layers()
            # By equality, not by name: renaming a layer must not lose the choice.
            kept = [layer for layer in chosen if layer in offered]
            self.layers.value = kept or self._default_layers(offered)
            for item in self.layers.native.selectedItems():
                self.layers.native.scrollToItem(item)
        self.suit_stack()
        self._suit_model()

    def refresh_models(self) -> None:
        """Read the list of models anew and keep what is chosen."""
        self.model.reset_choices()
        self._suit_model()

    def choose_model(self, name: str) -> None:
        """Choose a model by name; nothing changes when there is none of that name."""
        self.refresh_models()
        paths = [path for path, model in self._models.items() if model.name == name]
        if paths:
            self.model.value = paths[0]

    def follow_selection(self) -> None:
        """Choose what is selected in napari's list; a fresh result does not replace its source."""
        selection = self._viewer.layers.selection
        selected = [
            layer
            for layer in self._offered_layers()
            if layer in selection and not is_result(layer) and layer in self.layers.choices
        ]
        if selected:
            self.layers.value = selected

    def order(self) -> Order:
        """Return what the form asks for.

        Raises
        ------
        ColorizeError
            When something is missing; the text tells what.
        """
        # While napari removes a layer it moves the sliders first and calls reset_choices after.
        chosen = [layer for layer in self.layers.value if layer in self._viewer.layers]
        if not chosen:
            raise ColorizeError(self._why_no_layer())
        if self.model.value is None:
            raise ColorizeError("No model is installed: train one or import one.")
        whole = self.is_whole
        sources = tuple(take_source(self._viewer, layer, whole=whole) for layer in chosen)
        if self.planes.value == WHOLE_STACK and self.stack.hints.value:
            sources = tuple(self._with_hints(source) for source in sources)
        return Order(
            sources,
            self.model.value,
            self.device.value,
            Steering(vividness=self.vividness.wanted),
            confidence=self.confidence.value and self.confidence.enabled,
            coherent=self.stack.coherent.value,
            scheduler=self.stack.address if whole else "",
        )

    @property
    def is_whole(self) -> bool:
        """Whether the chosen layers are to be coloured whatever plane is in view."""
        return bool(self.planes.value != THIS_PLANE)

    @property
    def is_lazy(self) -> bool:
        """Whether planes are to be coloured when they are looked at."""
        return bool(self.planes.enabled and self.planes.value == AS_YOU_LOOK)

    def suit_stack(self) -> None:
        """Ask what concerns stacks where a whole one is to be coloured, and show how it is."""
        stacks = self._stacks()
        self.planes.enabled = bool(stacks)
        wanted = bool(stacks) and self.planes.value != THIS_PLANE
        if not wanted:
            self.stack.hide()
            return
        self.stack.suit(self, stacks, plane_axes(self._viewer, stacks[0].ndim))
        found: list[Any] = []
        for layer in [] if self.is_lazy else stacks:
            found += self._hints(take_source(self._viewer, layer, whole=True)).values()
        self.stack.show(hints=sum(map(len, found)), planes=len(found), lazy=self.is_lazy)

    def _stacks(self) -> list[Image]:
        """Return the chosen layers that have more than one plane."""
        return [
            layer for layer in self.layers.value if layer in self._viewer.layers and layer.ndim > 2
        ]

    def _with_hints(self, source: Source) -> Source:
        return replace(source, hints=self._hints(source)) if source.is_stack else source

    def _hints(self, source: Source) -> dict[Any, Any]:
        from napari_colorize.docks.steering.stack_hints import stack_hints

        return stack_hints(self._viewer, source)

    def _make_fields(self) -> None:
        self.layers = widgets.Select(
            name="layers",
            label="Layers",
            choices=self._offered_layers,
            tooltip="The layers to colour. Only layers that can be coloured are listed; "
            "hold Ctrl or Shift to choose several. A colour layer is seen as grey and "
            "coloured anew.",
        )
        self.layers.native.setFixedHeight(LIST_HEIGHT)
        policy = QSizePolicy.Policy
        self.layers.native.setSizePolicy(policy.Expanding, policy.Fixed)
        self.planes = widgets.ComboBox(
            name="planes",
            label="Colour",
            choices=[THIS_PLANE, WHOLE_STACK, AS_YOU_LOOK],
            tooltip="Of a layer with more than two axes: only the plane you see; every plane, "
            "one after the other; or each plane when you look at it, for what does not fit into "
            "memory.",
        )
        self.planes.value = THIS_PLANE
        self.stack = StackFields()
        self.model = widgets.ComboBox(
            name="model",
            label="Model",
            choices=self._model_choices,
            tooltip="The trained model that guesses the colours. Models that you train or import "
            "appear here by themselves.",
        )
        self.vividness = VividnessField()
        self.confidence = widgets.CheckBox(name="confidence", text="Add confidence layer")
        self.device = widgets.ComboBox(
            name="device",
            label="Device",
            choices=["auto", "cpu", "cuda", "mps"],
            value="auto",
            tooltip="What computes: auto takes a graphics card (cuda: NVIDIA, mps: Apple) when "
            "there is one that works, otherwise the processor (cpu). Which one was taken, and "
            "why, is told after a run.",
        )
        for field in (self.layers, self.planes):
            field.changed.connect(self.suit_stack)
        for field in (self.layers, self.planes, self.model):
            field.changed.connect(self._suit_model)

    def _suit_model(self) -> None:
        """Offer what the chosen model can do, and say why not what it cannot."""
        model = self._models.get(self.model.value or "")
        default = None if model is None else model.vividness
        why_not = ""
        if model is None:
            why_not = "There is no model yet: train one or import one."
        elif default is None:
            why_not = (
                f"The model '{model.name}' gives one colour a place and knows neither vividness "
                "nor confidence: choose a model of the network palette."
            )
        self.vividness.suit(default, why_not)
        if self.is_lazy:
            why_not = "There is no such layer of planes that are coloured as you look."
        self.confidence.enabled = not why_not
        self.confidence.tooltip = why_not or CONFIDENCE

    def _model_choices(self, _: Any) -> list[tuple[str, str]]:
        """Return name and path of each model, the default first."""
        models = sorted(list_models(), key=lambda model: model.name != DEFAULT_MODEL)
        self._models = {str(model.path): model for model in models}
        return [(model.name, str(model.path)) for model in models]

    def _offered_layers(self, _: Any = None) -> list[Layer]:
        return workable_layers(self._viewer)

    def _default_layers(self, offered: list[Layer]) -> list[Layer]:
        """Return what is chosen when nobody chose: what is selected, or the topmost source."""
        sources = [layer for layer in offered if not is_result(layer)] or offered
        selected = [layer for layer in sources if layer in self._viewer.layers.selection]
        return selected or sources[:1]

    def _why_no_layer(self) -> str:
        """Return why no layer is chosen, in words."""
        active = self._viewer.layers.selection.active
        if self._offered_layers():
            return "Choose a layer in the list."
        if active is not None:
            return refusal(active)
        return "There is no image to colour: open one, or File > Open Sample > Colorize."
