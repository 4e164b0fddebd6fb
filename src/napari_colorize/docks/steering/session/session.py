"""One picture being steered: what is wanted of its colours, and the layer that shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtCore import QObject, QTimer, Signal

from napari_colorize.color.steering import Steering
from napari_colorize.docks.layers import Facts, take_source
from napari_colorize.docks.life import Life
from napari_colorize.docks.steering.session.history import History
from napari_colorize.docks.steering.session.limit import Limits
from napari_colorize.docks.steering.session.live import Line
from napari_colorize.docks.steering.session.messages import (
    Answered,
    Failed,
    Looked,
    Question,
    Shown,
    Trusted,
    View,
    Wish,
)
from napari_colorize.docks.steering.session.places import GEOMETRY, Plane
from napari_colorize.docks.steering.session.result import picture_of, steering_in
from napari_colorize.docks.steering.session.screen import Screen
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from napari.layers import Image, Labels, Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.docks.layers import Source
    from napari_colorize.docks.steering.session.messages import Message
    from napari_colorize.prediction.colorizer import Colorizer

T = TypeVar("T")
WAIT = 200  # milliseconds before a picture whose values change is looked at anew


class Session(QObject):
    """Shows, remembers and takes back what a person wants of the colours of one picture.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    layer : napari.layers.Layer
        The picture; of a result of ours its source, if that is there. Of a stack it is the plane
        in view.
    model : str or None
        None takes the default.
    device : str

    Raises
    ------
    PictureError
        When the layer cannot be coloured.

    Attributes
    ----------
    ready : Signal()
        The network has looked at the picture, first or anew: `model_name` and `card` are known.
    changed : Signal(Steering)
        What is wanted is another, whoever changed it.
    rendered : Signal(Rendered)
        The colours are on screen in full resolution.
    trusted : Signal(Trust, float)
        How far the lightness moved, and the share of pixels that were brought into the gamut.
    looked_anew : Signal()
        The values of the picture are others: `source` has them.
    moved : Signal()
        Another plane of the stack is in view: `place` and `source` are others, and `steering`
        has the hints and the region of that plane.
    noted : Signal(str)
        Something that is good to know.
    failed : Signal(str)
        The colours could not be made; the session goes on.
    ended : Signal()
        It is over; nothing is sent any more.
    """

    ready = Signal()
    changed = Signal(object)
    rendered = Signal(object)
    trusted = Signal(object, float)
    looked_anew = Signal()
    moved = Signal()
    noted = Signal(str)
    failed = Signal(str)
    ended = Signal()

    def __init__(
        self, viewer: Viewer, layer: Layer, model: str | None = None, device: str = "auto"
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self.layer, result = picture_of(viewer, layer)
        self.source = take_source(viewer, self.layer, whole=False)
        self._screen = Screen(viewer, self.source, result)
        self.model_name = ""
        self.card: dict[str, Any] = {}
        self.is_ready = self.has_ended = False
        self._device = device
        self._told_outside = False
        self._history = History(self._known())
        self._histories: dict[Any, History] = {}  # of planes that were left
        self._limits = Limits(self, lambda: self.steering)
        self._limits.wanted.connect(self.change)
        self._limits.refused.connect(self.failed)
        self._limits.noted.connect(self.noted)
        self._line = Line(model, device)
        self._line.told.connect(self._hear)
        self.destroyed.connect(self._line.close)
        self._life = Life(self)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(WAIT)
        self._later.timeout.connect(self._look_anew)
        viewer.window.main_menu.destroyed.connect(self.close)  # also by the cross of the window
        self._follow(True)
        self._limits.show(viewer, self.source, self.result)
        self._look(self._screen.pixels(Plane.of(self.source).shape))

    @property
    def result(self) -> Image | None:
        """The layer that shows the colours; None before the first, and when it was deleted."""
        return self._screen.result

    @property
    def place(self) -> tuple[int, ...] | None:
        """Index of the plane in its stack, 0 along the axes of the plane; None without a stack."""
        return self.source.place

    @property
    def steering(self) -> Steering:
        """What is wanted of the plane in view."""
        return self._history.present

    @property
    def is_busy(self) -> bool:
        """Whether something is being worked out."""
        return self._line.is_busy

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether an undo can be taken back."""
        return self._history.can_redo

    @property
    def region_layer(self) -> Labels | None:
        """The layer that limits the changes, as long as it is in the viewer."""
        return self._limits.layer

    def change(self, steering: Steering, undoable: bool = True) -> None:
        """Show what is wanted, and remember what was.

        Parameters
        ----------
        steering : Steering
        undoable : bool
            Whether it is a step of its own; quick moves of one slider are one step all together.
        """
        if self.has_ended or steering == self.steering:
            return
        if undoable:
            self._history.add(steering)
        else:
            self._history.replace(steering)
            self._limits.show(self._viewer, self.source, self.result)
        self._show()

    def undo(self) -> None:
        """Go back one step."""
        if self.can_undo and not self.has_ended:
            self._history.undo()
            self._show_all()

    def redo(self) -> None:
        """Take the last undo back."""
        if self.can_redo and not self.has_ended:
            self._history.redo()
            self._show_all()

    def reset(self) -> None:
        """Want nothing any more: the colours are the network's own. It can be undone."""
        if not self.has_ended and self.steering != Steering():
            self._history.add(Steering())
            self._show_all()

    def show_original(self, original: bool) -> None:
        """Show the picture as it was, or in colour again."""
        self._screen.hide(original)

    def ask(
        self,
        work: Callable[[Colorizer], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
        *,
        kept: bool = False,
    ) -> None:
        """Have something worked out by the Colorizer, beside the window.

        Parameters
        ----------
        work : callable
            Runs in a thread, when the colours of the part in view are on screen; touches no widget
            and no layer. Where it takes long it asks `is_leaving`.
        done : callable
            Gets the answer in the main thread, unless the session has ended or, where it is not
            `kept`, another plane is in view; `failed` likewise.
        failed : callable, optional
            Gets a sentence instead; without it `failed` is sent.
        kept : bool
            Whether it is worked out from what is in view now, whatever comes.
        """
        if self.has_ended:
            return
        view = self._view

        def still(hear: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda answer: hear(answer) if kept or self._view is view else None

        of = view if kept else None
        self._line.ask(Question(work, still(done), still(failed or self.failed.emit), of))

    def is_leaving(self) -> bool:
        """Return whether work that was asked for should end; it may be called in its thread."""
        return self._line.is_over

    def limit_to(self, layer: Labels | None) -> None:
        """Limit all changes from now on to where a layer has labels, also later ones; None lifts.

        What held before holds outside.
        """
        if self.has_ended or (layer is not None and layer == self.region_layer):
            return
        if layer is None:
            self._limits.lift()
        else:
            self._limits.begin(layer, self.source)

    def close(self) -> None:
        """End: drop what is under way, let go of layers and network; the result stays."""
        if self.has_ended:
            return
        self.has_ended = True
        self._screen.tell_wanted(self.steering)
        self._line.close()
        self._line.told.disconnect(self._hear)
        if not self._life.over:
            self._later.stop()
            self._limits.close()
        self._follow(False)
        if not self._life.over:
            self.ended.emit()

    def _known(self) -> Steering:
        """Return what an older result says that was wanted of such a picture."""
        known = None if self.result is None else steering_in(self.result)
        shape = Plane.of(self.source).shape
        if known is None or (known.region is not None and known.region.shape != shape):
            return Steering()
        return known

    def _show(self) -> None:
        """Have the worker draw what is wanted, and tell it."""
        self._screen.may_add = True
        self._line.show(self._wish())
        self.changed.emit(self.steering)
        if self.is_ready and self._screen.is_in_view:
            self._line.wait()

    def _show_all(self) -> None:
        """Show what is wanted, the layer that limits it among it."""
        self._limits.match(self.source)
        self._show()

    def _wish(self) -> Wish:
        return Wish(self.steering, self._screen.part(self.source))

    def _hear(self, message: Message) -> None:
        if self.has_ended or self._life.over:
            return
        match message:
            case Looked(view, model_name, card) if view is self._view:
                self.model_name, self.card, self.is_ready = model_name, card, True
                self.ready.emit()
            case Shown() if message.view is self._view:
                self._put(message)
            case Trusted(wish, trust, fitted) if wish.steering is self.steering:
                self.trusted.emit(trust, fitted)
            case Answered(hear, answer):
                hear(answer)
            case Failed(text):
                self.failed.emit(text)

    def _put(self, shown: Shown) -> None:
        """Bring pixels on screen."""
        facts = Facts(self.model_name, str(self.card.get("hash", "")), {"device": self._device})
        self._screen.put(self.source, shown.pixels, facts)
        if shown.rendered is not None and self.result is not None:
            self._screen.tell(self.source, facts, shown.record or {})
            self.rendered.emit(shown.rendered)

    def _follow(self, follow: bool) -> None:
        """Listen to what happens to the picture and to the view, or listen no more."""
        dims, layer = self._viewer.dims.events, self.layer.events
        pairs = [
            (self._viewer.layers.events.removed, self._hear_removed),
            *((getattr(dims, name), self._hear_view) for name in ("point", "order", "ndisplay")),
            *((getattr(layer, name), self._hear_view) for name in (*GEOMETRY, "axis_labels")),
            *((getattr(layer, name), self._hear_data) for name in ("data", "contrast_limits")),
        ]
        for event, slot in pairs:
            (event.connect if follow else event.disconnect)(slot)

    def _hear_removed(self, event: Any) -> None:
        if self.has_ended or self._life.over:
            return
        layer = event.value
        self._limits.forget(layer)
        if layer == self.layer:
            self.noted.emit(f"'{layer.name}' was removed: its colours are steered no more.")
            self.close()
        elif self._screen.forget(layer):
            self.noted.emit("The colours were removed: the next change brings them back.")

    def _hear_data(self, _: Any = None) -> None:
        if not self.has_ended and not self._life.over:
            self._later.start()

    def _hear_view(self, _: Any = None) -> None:
        """Follow the picture to where it lies, and the sliders to the plane that is in view."""
        if self.has_ended or self._life.over:
            return
        try:
            source = take_source(self._viewer, self.layer, whole=False)
        except PictureError as error:
            if not self._told_outside:
                self.noted.emit(str(error))
            self._told_outside = True  # once, not at every step of a slider
            return
        self._told_outside = False
        before, self.source = self.source, source
        if source.where != before.where:
            self._move(before)
        else:
            self._screen.lay(source)
            self._limits.follow(source)

    def _move(self, before: Source) -> None:
        """Go to another plane: it has hints and a region of its own, all else goes along."""
        now = self.steering
        self._histories[before.where] = self._history
        known = self._histories.get(self.source.where)
        if known is None:
            self._history = self._history.elsewhere()
        else:
            there, self._history = known.present, known
            wanted = replace(now, hints=there.hints, region=there.region, outside=there.outside)
            if wanted != there:
                known.add(wanted)
        self._look()
        self._limits.follow(self.source)
        self.moved.emit()
        if not self.has_ended and self.steering != now:
            self.changed.emit(self.steering)

    def _look_anew(self) -> None:
        """Look at a picture whose values are others."""
        if self.has_ended or self._life.over:
            return
        try:
            before, self.source = self.source, take_source(self._viewer, self.layer, whole=False)
        except PictureError as error:
            self.failed.emit(str(error))
            return
        if self.source.where != before.where:
            self._move(before)
        else:
            self._look()
        self.looked_anew.emit()

    def _look(self, shown: NDArray[np.uint8] | None = None) -> None:
        """Have the network look at the plane in view; of its colours some may be shown."""
        self.is_ready = False
        self._view = View(self.source, shown)
        self._line.look(self._view, self._wish())
