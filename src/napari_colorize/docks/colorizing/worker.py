"""One colouring run: a thread that colours, and its far end in the main thread.

A run belongs to a viewer, not to a dock: it goes on when the dock is closed, and a dock that is
opened meanwhile can watch it. The thread tells the main thread what it has done; only the main
thread touches the viewer. When the viewer goes, napari asks its workers to quit, and from then on
a run touches nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from napari.qt.threading import FunctionWorker, create_worker
from qtpy.QtCore import QObject, Signal, Slot

from napari_colorize.docks.colorizing.coloring import Colouring
from napari_colorize.docks.colorizing.growing import GrowingLayers, Growth, unfinished
from napari_colorize.docks.colorizing.orders import (
    Coloured,
    Ending,
    Grown,
    Message,
    Note,
    Order,
    Progress,
)
from napari_colorize.docks.colorizing.run_events import run_started
from napari_colorize.docks.layers import confidence_layer, result_layer

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Run(QObject):
    """A colouring run of one viewer.

    Signals are sent in the main thread, and none any more once the viewer is being closed.

    Attributes
    ----------
    progressed : Signal(float)
        How much is done, 0..1.
    noted : Signal(str)
        What is being done.
    ended : Signal(Ending)
        The run is over and its layers are in the viewer.
    """

    progressed = Signal(float)
    noted = Signal(str)
    ended = Signal(object)
    _told = Signal(object)
    # A run lives until it ends, whoever else forgets it.
    _living: ClassVar[list[Run]] = []

    def __init__(self, viewer: Viewer, order: Order) -> None:
        super().__init__()
        self.viewer = viewer
        self.order = order
        self._wanted_out = threading.Event()
        self._work: Colouring | None = None
        self._growing: dict[int, GrowingLayers] = {}
        self._worker: FunctionWorker[None] | None = None
        self._told.connect(self._hear)

    def start(self) -> None:
        """Start colouring in a thread."""
        left: dict[int, Growth] = {}
        for number, source in enumerate(self.order.sources):
            growth = unfinished(self.viewer, source, self.order) if source.is_stack else None
            if growth is not None:
                left[number] = growth
        self._work = Colouring(self.order, self._told.emit, self._cancelled, left)
        self._worker = create_worker(self._work, _start_thread=False)
        self._living.append(self)
        # Not at the last message: the thread may still be inside its emit then.
        self._worker.finished.connect(self.deleteLater)
        self._worker.start()
        run_started.emit(self)

    def cancel(self) -> None:
        """Ask the run to end; planes that are done are kept."""
        self._wanted_out.set()

    @property
    def abandoned(self) -> bool:
        """Whether the viewer is being closed: napari has asked the worker to quit."""
        return self._worker is not None and self._worker.abort_requested

    @classmethod
    def living_in(cls, viewer: Viewer) -> Run | None:
        """Return the run that is going on in a viewer, if any."""
        # Proxies of one viewer are not identical, and viewers are compared by their contents.
        return next((run for run in cls._living if run.viewer.window == viewer.window), None)

    def _cancelled(self) -> bool:
        return self._wanted_out.is_set() or self.abandoned

    @Slot(object)
    def _hear(self, message: Message) -> None:
        if isinstance(message, Ending):
            self._living.remove(self)
        if self.abandoned:
            return
        match message:
            case Note(text):
                self.noted.emit(text)
            case Progress(share):
                self.progressed.emit(share)
            case Coloured():
                self._add(message)
            case Grown():
                self._grow(message)
            case Ending():
                self._end(message)

    def _add(self, coloured: Coloured) -> None:
        if coloured.confidence is not None:  # first: the colours are to lie above it
            sure = confidence_layer(coloured.source, coloured.confidence, coloured.facts)
            self.viewer.add_layer(sure)
        self.viewer.add_layer(result_layer(coloured.source, coloured.pixels, coloured.facts))

    def _grow(self, grown: Grown) -> None:
        growth = grown.growth
        layers = self._growing.get(id(growth))
        if layers is None:
            layers = GrowingLayers(self, self.viewer, growth, lambda: self.abandoned)
            self._growing[id(growth)] = layers
        if layers.is_deleted:
            assert self._work is not None
            self._work.unwanted.add(id(growth))
            return
        layers.take(grown.place, grown.reason)

    def _end(self, ending: Ending) -> None:
        deleted = [layers.is_deleted for layers in self._growing.values()]
        vain = bool(deleted) and len(deleted) == len(self.order.sources) and all(deleted)
        told = ["" if vain else ending.text]
        for layers in self._growing.values():
            layers.end()
            told.append(layers.told())
        kind = "cancelled" if vain else ending.kind
        self.ended.emit(Ending(kind, " ".join(filter(None, told))))
