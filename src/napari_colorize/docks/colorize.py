"""The Colorize dock, and the command that colours the active layer at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil
from magicgui import widgets
from napari.utils import cancelable_progress
from napari.utils.notifications import show_info, show_warning
from qtpy.QtWidgets import QSizePolicy
from superqt.utils import signals_blocked

from napari_colorize.docks.labels import align_labels, show_text, text_label
from napari_colorize.docks.layers import is_result, refusal, take_source, workable_layers
from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.scroll import ScrollContainer
from napari_colorize.docks.worker import Ending, Order, Run
from napari_colorize.errors import ColorizeError
from napari_colorize.files.models import DEFAULT_MODEL, list_models

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

THIS_PLANE = "This plane"
WHOLE_STACK = "Whole stack"
BAR = 1000  # steps of the progress bar
LIST_HEIGHT = 90  # pixels, about six layers; more of them scroll


class ColorizeDock(ScrollContainer):
    """Form that colours layers: which, how much of them, with which model, on which device.

    A run belongs to the viewer (see :mod:`napari_colorize.docks.worker`); the dock watches it.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self._viewer = viewer
        self._run: Run | None = None
        self._open = True
        self._make_fields()
        self._make_foot()
        super().__init__(widgets=[self._form, self._foot], labels=False)
        self.scroll_area.destroyed.connect(self._forget)
        self.scroll_area.shown.connect(self._refresh_models)
        self.scroll_area.shown.connect(lambda: align_labels(self._form.native))
        self._listen()
        self._follow_selection()
        self.reset_choices()
        self._watch(Run.living_in(viewer))

    def reset_choices(self, *_: Any) -> None:
        """Read the lists of layers and models anew and keep what is chosen.

        napari calls it when layers come, go, move or get another name.
        """
        if not self._open:
            return
        chosen = self.layers.value
        with self.layers.changed.blocked(), signals_blocked(self.layers.native):
            # magicgui appends what is new: without this the order is not that of the layers.
            self.layers.native.clear()
            super().reset_choices()
            offered = self._offered_layers()
            # By equality, not by name: renaming a layer must not lose the choice.
            kept = [layer for layer in chosen if layer in offered]
            self.layers.value = kept or self._default_layers(offered)
        self._update()

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
        self.planes = widgets.RadioButtons(
            name="planes",
            label="Colour",
            choices=[THIS_PLANE, WHOLE_STACK],
            orientation="horizontal",
            tooltip="Of a layer with more than two axes: only the plane you see, or every plane, "
            "one after the other.",
        )
        self.planes.value = THIS_PLANE
        self.model = widgets.ComboBox(
            name="model",
            label="Model",
            choices=_model_choices,
            tooltip="The trained model that guesses the colours. Models that you train or import "
            "appear here by themselves.",
        )
        self.device = widgets.ComboBox(
            name="device",
            label="Device",
            choices=["auto", "cpu", "cuda", "mps"],
            value="auto",
            tooltip="What computes: auto takes a graphics card (cuda: NVIDIA, mps: Apple) when "
            "there is one that works, otherwise the processor (cpu). Which one was taken, and "
            "why, is told after a run.",
        )
        self._fields = [self.layers, self.planes, self.model, self.device]
        self._form = widgets.Container[Any](name="form", widgets=self._fields)
        self._form.margins = (0, 0, 0, 0)

    def _make_foot(self) -> None:
        self.cost = text_label("cost", "How many planes will be coloured; size of the result.")
        self.reason = text_label("reason", "Why Run cannot be pressed.")
        self.status = text_label("status", "What is being done, or how the last run ended.")
        self.run = widgets.PushButton(
            name="run", text="Run", tooltip="Colour the chosen layers; each gives a new layer."
        )
        self.cancel = widgets.PushButton(
            name="cancel", text="Cancel", tooltip="Stop; planes that are done are kept."
        )
        self.bar = widgets.ProgressBar(
            name="bar", min=0, max=BAR, tooltip="How much of the whole order is done."
        )
        self._foot = widgets.Container[Any](
            name="foot",
            labels=False,
            widgets=[self.cost, self.reason, self.run, self.bar, self.cancel, self.status],
        )
        self._foot.margins = (0, 0, 0, 0)

    def _listen(self) -> None:
        self.run.changed.connect(self._start)
        self.cancel.changed.connect(self._cancel)
        for field in self._fields:
            field.changed.connect(self._update)
        models_changed.connect(self._refresh_models)
        self._viewer.layers.selection.events.changed.connect(self._follow_selection)
        for event in ("point", "order", "ndisplay"):
            getattr(self._viewer.dims.events, event).connect(self._update)

    def _forget(self) -> None:
        """Touch nothing any more: the widgets are gone. A run goes on without the dock."""
        self._open = False
        self._run = None
        models_changed.disconnect(self._refresh_models, missing_ok=True)

    def _offered_layers(self, _: Any = None) -> list[Layer]:
        return workable_layers(self._viewer)

    def _default_layers(self, offered: list[Layer]) -> list[Layer]:
        """Return what is chosen when nobody chose: what is selected, or the topmost source."""
        sources = [layer for layer in offered if not is_result(layer)] or offered
        selected = [layer for layer in sources if layer in self._viewer.layers.selection]
        return selected or sources[:1]

    def _follow_selection(self, _: Any = None) -> None:
        """Choose what is selected in napari's list; a fresh result does not replace its source."""
        if not self._open:
            return
        selection = self._viewer.layers.selection
        selected = [
            layer
            for layer in self._offered_layers()
            if layer in selection and not is_result(layer) and layer in self.layers.choices
        ]
        if selected:
            self.layers.value = selected
        self._update()

    def _refresh_models(self) -> None:
        if self._open:
            self.model.reset_choices()
            self._update()

    def _update(self, _: Any = None) -> None:
        """Bring Run, its reason and the cost up to date with the form."""
        if not self._open:
            return
        reason, cost = "", ""
        try:
            order = self._order()
            reason, cost = _shortage(order), _cost(order)
        except ColorizeError as error:
            reason = str(error)
        self.planes.enabled = any(layer.ndim > 2 for layer in self.layers.value)
        busy = self._run is not None
        self.run.enabled = not reason and not busy
        self.run.tooltip = reason or "Colour the chosen layers; each gives a new layer."
        self.bar.visible = self.cancel.visible = busy
        show_text(self.cost, "" if reason else cost)
        show_text(self.reason, "" if busy else reason)

    def _order(self) -> Order:
        """Return what the form asks for.

        Raises
        ------
        ColorizeError
            When something is missing; the text tells what.
        """
        # While napari removes a layer it moves the sliders first and calls reset_choices after.
        chosen = [layer for layer in self.layers.value if layer in self._viewer.layers]
        if not chosen:
            raise ColorizeError(_why_no_layer(self._viewer))
        if self.model.value is None:
            raise ColorizeError("No model is installed: train one or import one.")
        whole = self.planes.value == WHOLE_STACK
        sources = tuple(take_source(self._viewer, layer, whole=whole) for layer in chosen)
        return Order(sources, self.model.value, self.device.value)

    def _start(self) -> None:
        try:
            run = Run(self._viewer, self._order())
        except ColorizeError as error:
            show_text(self.status, str(error))
            return
        self._watch(run)
        run.start()

    def _watch(self, run: Run | None) -> None:
        if run is None:
            return
        self._run = run
        run.progressed.connect(self._show_progress)
        run.noted.connect(self._show_note)
        run.ended.connect(self._show_ending)
        self.bar.value = 0
        show_text(self.status, "")
        self.cancel.enabled = True
        self._update()

    def _cancel(self) -> None:
        if self._run is not None:
            self._run.cancel()
            self.cancel.enabled = False
            show_text(self.status, "Cancelling…")

    def _show_progress(self, share: float) -> None:
        if self._open:
            self.bar.value = round(share * BAR)

    def _show_note(self, text: str) -> None:
        if self._open and self.cancel.enabled:
            show_text(self.status, text)

    def _show_ending(self, ending: Ending) -> None:
        if self._open:
            self._run = None
            show_text(self.status, ending.text)
            self._update()


def colorize_active_layer(viewer: napari.Viewer) -> None:
    """Colour the plane in view of the active layer, with the default model.

    It returns at once; the coloured layer is added when it is done. Progress and a way to cancel
    are in napari's activity dock.
    """
    layer = viewer.layers.selection.active
    if layer is None:
        show_warning("No layer is active: click the layer to colour in the list of layers.")
        return
    try:
        run = Run(viewer, Order((take_source(viewer, layer, whole=False),)))
    except ColorizeError as error:
        show_warning(str(error))
        return
    bar = cancelable_progress(total=BAR, desc=f"Colorizing {layer.name}")

    def progressed(share: float) -> None:
        if bar.is_canceled:
            run.cancel()
        bar.update(round(share * BAR) - bar.n)

    def ended(ending: Ending) -> None:
        bar.close()
        tell = show_info if ending.kind == "finished" else show_warning
        tell(ending.text)

    run.progressed.connect(progressed)
    run.ended.connect(ended)
    run.start()


def _model_choices(_: Any) -> list[tuple[str, str]]:
    """Return name and path of each model, the default first."""
    models = sorted(list_models(), key=lambda model: model.name != DEFAULT_MODEL)
    return [(model.name, str(model.path)) for model in models]


def _why_no_layer(viewer: napari.viewer.Viewer) -> str:
    """Return why no layer is chosen, in words."""
    active = viewer.layers.selection.active
    if workable_layers(viewer):
        return "Choose a layer in the list."
    if active is not None:
        return refusal(active)
    return "There is no image to colour: open one, or File > Open Sample > Colorize."


def _cost(order: Order) -> str:
    """Return what an order will give, in words; nothing for a single picture."""
    if order.planes == 1:
        return ""
    return f"{order.planes} planes, {_size(order.bytes)}"


def _shortage(order: Order) -> str:
    """Return that the result does not fit into memory, in words, or nothing when it does."""
    free = psutil.virtual_memory().available
    if order.bytes < free:
        return ""
    return (
        f"The result needs {_size(order.bytes)} of memory and {_size(free)} are free: "
        "colour one plane, or fewer layers, at a time."
    )


def _size(count: int) -> str:
    """Return a number of bytes in words."""
    unit, name = (1e9, "GB") if count >= 1e9 else (1e6, "MB")
    return f"{count / unit:.2g} {name}" if count < 10 * unit else f"{count / unit:,.0f} {name}"
