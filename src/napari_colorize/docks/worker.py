"""One colouring run: a thread that colours, and its far end in the main thread.

A run belongs to a viewer, not to a dock: it goes on when the dock is closed, and a dock that is
opened meanwhile can watch it. The thread tells the main thread what it has done; only the main
thread touches the viewer. When the viewer goes, napari asks its workers to quit, and from then on
a run touches nothing.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np
from napari.qt.threading import FunctionWorker, create_worker
from qtpy.QtCore import QObject, Signal, Slot

from napari_colorize.docks.layers import Facts, Source, confidence_layer, result_layer
from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.files.cards import default_vividness

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

log = logging.getLogger(__name__)
SURE = np.dtype(np.float32)  # of a confidence


@dataclass(frozen=True)
class Order:
    """What is to be coloured, and how; `model` and `vividness` None take the default.

    With `confidence` every result is joined by a layer of how sure the model was.
    """

    sources: tuple[Source, ...]
    model: str | None = None
    device: str = "auto"
    vividness: float | None = None
    confidence: bool = False

    @property
    def planes(self) -> int:
        """How many planes all layers have together."""
        return sum(source.planes for source in self.sources)

    @property
    def bytes(self) -> int:
        """Size of all results."""
        a_pixel = 3 + SURE.itemsize * self.confidence
        return sum(prod(source.result_shape[:-1]) * a_pixel for source in self.sources)


@dataclass(frozen=True)
class Note:
    """What the run is doing, for people."""

    text: str


@dataclass(frozen=True)
class Progress:
    """How much of the whole order is done, 0..1."""

    share: float


@dataclass(frozen=True)
class Coloured:
    """The result for one layer; fewer planes are done than it has when the run was cut short."""

    source: Source
    pixels: NDArray[np.uint8]
    confidence: NDArray[np.float32] | None
    planes: int
    facts: Facts


@dataclass(frozen=True)
class Ending:
    """The last word of a run, a sentence for people."""

    kind: Literal["finished", "cancelled", "failed"]
    text: str


Message: TypeAlias = Note | Progress | Coloured | Ending


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
        self._partial: list[str] = []
        self._worker: FunctionWorker[None] | None = None
        self._told.connect(self._hear)

    def start(self) -> None:
        """Start colouring in a thread."""
        work = Colouring(self.order, self._told.emit, self._cancelled)
        self._worker = create_worker(work, _start_thread=False)
        self._living.append(self)
        # Not at the last message: the thread may still be inside its emit then.
        self._worker.finished.connect(self.deleteLater)
        self._worker.start()

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
            case Ending(kind, text):
                self.ended.emit(Ending(kind, " ".join([text, *self._partial])))

    def _add(self, coloured: Coloured) -> None:
        if coloured.confidence is not None:  # first: the colours are to lie above it
            sure = confidence_layer(coloured.source, coloured.confidence, coloured.facts)
            self.viewer.add_layer(sure)
        layer = result_layer(coloured.source, coloured.pixels, coloured.facts)
        added = self.viewer.add_layer(layer)
        done, planes = coloured.planes, coloured.source.planes
        if done < planes:
            gap = coloured.pixels.size * planes > prod(coloured.source.result_shape) * done
            black = "; the rest of its last step is black" if gap else ""
            self._partial.append(
                f"'{added.name}' holds the first {done} of {planes} planes{black}."
            )


class Colouring:
    """The work of a run, called in its thread: every outcome is told, none is raised."""

    def __init__(
        self, order: Order, tell: Callable[[Message], None], cancelled: Callable[[], bool]
    ) -> None:
        self.order = order
        self.tell = tell
        self.cancelled = cancelled
        self._before = 0  # planes done, of all layers
        self._at = ""  # the plane at work, for errors
        self._told_share = 0.0

    def __repr__(self) -> str:
        """Return what napari says about it when it asks whether to close."""
        layers = len(self.order.sources)
        return "the colouring of " + ("a layer" if layers == 1 else f"{layers} layers")

    def __call__(self) -> None:
        """Colour all layers of the order."""
        try:
            self.tell(Ending("finished", self._colour_all()))
        except Cancelled:
            self.tell(Ending("cancelled", "Cancelled."))
        except ColorizeError as error:
            self.tell(Ending("failed", f"{self._at}{error}"))
        except MemoryError:
            text = "There is not enough memory: colour one plane, or fewer layers, at a time."
            self.tell(Ending("failed", text))
        except Exception as error:
            # A thread must not die silently; what went wrong is for the log, the gist for people.
            log.exception("colouring failed")
            gist = str(error).strip().splitlines() or ["no reason was given"]
            self.tell(Ending("failed", f"Colouring failed ({type(error).__name__}): {gist[0]}"))

    def _colour_all(self) -> str:
        from napari_colorize.api import open_colorizer

        # The first import of torch takes seconds.
        self.tell(Note(f"Loading {'the model' if 'torch' in sys.modules else 'PyTorch'}…"))
        with closing(open_colorizer(self.order.model, self.order.device)) as colorizer:
            for source in self.order.sources:
                self._colour(source, colorizer)
            return f"Done on {colorizer.device} ({colorizer.device_reason})."

    def _colour(self, source: Source, colorizer: Colorizer) -> None:
        pixels = np.zeros(source.result_shape, dtype=np.uint8)
        sure = np.zeros(source.result_shape[:-1], SURE) if self.order.confidence else None
        done = 0
        try:
            for key, place in source.cuts():
                self._stop_if_cancelled()
                self._set_out_for_plane()
                pixels[place] = self._colour_plane(source, key, colorizer)
                if sure is not None:
                    sure[place] = colorizer.confidence()
                done += 1
                self._before += 1
        finally:
            if done:
                kept = source.first(pixels, done)
                kept_sure = None if sure is None else source.first(sure, done)
                facts = self._facts(colorizer, done)
                self.tell(Coloured(source, kept, kept_sure, done, facts))

    def _facts(self, colorizer: Colorizer, planes: int) -> Facts:
        wanted = self.order.vividness
        vividness = default_vividness(colorizer.card) if wanted is None else wanted
        settings = {"device": colorizer.device, "vividness": vividness, "planes": planes}
        return Facts(colorizer.model_name, str(colorizer.card.get("hash", "")), settings)

    def _colour_plane(self, source: Source, key: Any, colorizer: Colorizer) -> NDArray[Any]:
        try:
            plane = source.read(key)
        except MemoryError:
            raise
        except Exception as error:
            # Lazy data can fail in as many ways as there are libraries for it.
            raise ColorizeError(f"The data cannot be read: {error}") from error
        limits = source.contrast_limits
        colorizer.set_picture(plane, contrast_limits=limits, cancel=self.cancelled)
        return colorizer.colorize(
            vividness=self.order.vividness,
            dtype="uint8",
            cancel=self.cancelled,
            progress=self._progress,
        )

    def _set_out_for_plane(self) -> None:
        if self.order.planes == 1:
            self.tell(Note("Colouring…"))
            return
        place = f"Plane {self._before + 1} of {self.order.planes}"
        self._at = f"{place}: "
        self.tell(Note(f"{place}…"))

    def _progress(self, done: int, total: int) -> None:
        share = (self._before + done / max(total, 1)) / self.order.planes
        if share - self._told_share >= 0.005 or done == total:
            self._told_share = share
            self.tell(Progress(share))

    def _stop_if_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled("Colouring was cancelled.")
