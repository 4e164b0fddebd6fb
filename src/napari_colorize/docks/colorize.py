"""The Colorize dock, and the command that colours the active layer at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui import widgets
from napari.utils.notifications import show_info, show_warning

from napari_colorize.docks.activity import ActivityBar
from napari_colorize.docks.colorize_form import ColorizeForm
from napari_colorize.docks.colorizing.cost import cost, shortage
from napari_colorize.docks.colorizing.growing import done_before
from napari_colorize.docks.colorizing.orders import Ending, Order
from napari_colorize.docks.colorizing.run_events import run_started
from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.docks.labels import align_labels, show_text, text_label
from napari_colorize.docks.layers import is_result, take_source
from napari_colorize.docks.model_events import model_wanted, models_changed
from napari_colorize.docks.scroll import ScrollContainer
from napari_colorize.errors import ColorizeError

if TYPE_CHECKING:
    import napari

BAR = 1000  # steps of the progress bar


class ColorizeDock(ScrollContainer):
    """A form, Run and Cancel, progress, and how it ended.

    A run belongs to the viewer, see `colorizing.worker`; the dock watches it.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self._viewer = viewer
        self._run: Run | None = None
        self._open = True
        self.form = ColorizeForm(viewer)
        self._make_foot()
        super().__init__(widgets=[self.form, self._foot], labels=False)
        self.scroll_area.destroyed.connect(self._forget)
        self.scroll_area.shown.connect(self._be_shown)
        self._listen()
        self.reset_choices()
        self._watch(Run.living_in(viewer))

    def reset_choices(self, *_: Any) -> None:
        """Read the lists of layers and models anew and keep what is chosen.

        napari calls it when layers come, go, move or get another name.
        """
        if not self._open:
            return
        super().reset_choices()
        self._update()

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
        self.steer = widgets.PushButton(
            name="steer",
            text="Steer the colours…",
            tooltip="Set the colours of the chosen picture yourself: hints, sliders, reference, "
            "versions. It opens a dock beside this one.",
        )
        self.bar = widgets.ProgressBar(
            name="bar", min=0, max=BAR, tooltip="How much of the whole order is done."
        )
        self._foot = widgets.Container[Any](
            name="foot",
            labels=False,
            widgets=[
                self.cost,
                self.reason,
                self.run,
                self.bar,
                self.cancel,
                self.status,
                self.steer,
            ],
        )
        self._foot.margins = (0, 0, 0, 0)

    def _listen(self) -> None:
        self.run.changed.connect(self._start)
        self.cancel.changed.connect(self._cancel)
        self.steer.changed.connect(self._steer)
        self.form.changed.connect(self._update)
        models_changed.connect(self._refresh_models)
        model_wanted.connect(self._choose_model)
        run_started.connect(self._hear_run)
        self._viewer.layers.selection.events.changed.connect(self._follow_selection)
        for event in ("order", "ndisplay"):
            getattr(self._viewer.dims.events, event).connect(self._update)
        self._viewer.dims.events.point.connect(self._follow_sliders)

    def _forget(self) -> None:
        """Touch nothing any more: the widgets are gone. A run goes on without the dock."""
        self._open = False
        self._run = None
        models_changed.disconnect(self._refresh_models, missing_ok=True)
        model_wanted.disconnect(self._choose_model, missing_ok=True)
        run_started.disconnect(self._hear_run, missing_ok=True)

    def _be_shown(self) -> None:
        align_labels(self.form.native)
        self._refresh_models()

    def _refresh_models(self) -> None:
        if self._open:
            self.form.refresh_models()
            self._update()

    def _choose_model(self, name: str) -> None:
        if self._open:
            self.form.choose_model(name)
            self._update()

    def _follow_selection(self, _: Any = None) -> None:
        if self._open:
            self.form.follow_selection()
            self._update()

    def _follow_sliders(self, _: Any = None) -> None:
        # The sliders choose a plane; they are moved often, and a whole stack is the same anywhere.
        if self._open and self._run is None and not self.form.is_whole:
            self._update()

    def _update(self, _: Any = None) -> None:
        """Bring Run, its reason and the cost up to date with the form."""
        if not self._open:
            return
        reason, told = "", ""
        try:
            self.form.suit_stack()
            order = self.form.order()
            if self.form.is_lazy:
                told = f"{order.planes} planes, each coloured when you look at it"
            else:
                done = done_before(self._viewer, order)
                reason, told = "" if done else shortage(order), cost(order, done)
        except ColorizeError as error:
            reason = str(error)
        busy = self._run is not None
        self.run.enabled = not reason and not busy
        self.run.tooltip = reason or "Colour the chosen layers; each gives a new layer."
        self.bar.visible = self.cancel.visible = busy
        show_text(self.cost, "" if reason or busy else told)
        show_text(self.reason, "" if busy else reason)

    def _start(self) -> None:
        try:
            order = self.form.order()
            if self.form.is_lazy:
                self._open_lazily(order)
                return
        except ColorizeError as error:
            show_text(self.status, str(error))
            return
        Run(self._viewer, order).start()  # it is heard of like those of others

    def _open_lazily(self, order: Order) -> None:
        """Add layers whose planes are coloured when they are looked at."""
        from napari_colorize.docks.lazy.opening import add_lazy_layer

        show_text(self.status, "")
        for source in order.sources:
            add_lazy_layer(
                self._viewer,
                source,
                axes=source.stack_axes.names,
                model=order.model,
                device=order.device,
                vividness=order.steering.vividness,
                coherent=order.coherent,
            )

    def _hear_run(self, run: Run) -> None:
        if self._open and self._run is None and Run.living_in(self._viewer) is run:
            self._watch(run)

    def _steer(self) -> None:
        """Open the Steer dock with the first picture that is chosen."""
        from napari_colorize.docks.steering.opening import open_steer_dock

        dock = open_steer_dock(self._viewer)
        pictures = [layer for layer in self.form.layers.value if not is_result(layer)]
        dock.steer(pictures[0] if pictures else None)

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
            # A bar paints itself, and all that waits in its window, at each change while it may.
            self.bar.native.setUpdatesEnabled(False)
            self.bar.value = round(share * BAR)
            self.bar.native.setUpdatesEnabled(True)

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
    if is_result(layer):  # napari makes a fresh result the active layer
        show_warning(f"{layer.name!r} is coloured already: click its source, or use the dock.")
        return
    try:
        run = Run(viewer, Order((take_source(viewer, layer, whole=False),)))
    except ColorizeError as error:
        show_warning(str(error))
        return
    bar = ActivityBar(total=100, desc=f"Colorizing {layer.name}", cancel_callback=run.cancel)

    def progressed(share: float) -> None:
        bar.update(round(share * 100) - bar.n)

    def ended(ending: Ending) -> None:
        bar.close()
        tell = show_info if ending.kind == "finished" else show_warning
        tell(ending.text)

    run.progressed.connect(progressed)
    run.ended.connect(ended)
    run.start()
