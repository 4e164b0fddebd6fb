"""The work of a colouring run, done in its thread: pictures, and stacks plane after plane."""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.docks.colorizing.growing import Growth
from napari_colorize.docks.colorizing.orders import (
    SURE,
    Coloured,
    Ending,
    Grown,
    Message,
    Note,
    Order,
    Progress,
)
from napari_colorize.docks.colorizing.pace import Clock, pace
from napari_colorize.docks.layers import Facts, Source, StackView
from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.files.cards import default_vividness, read_card
from napari_colorize.files.models import find_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.prediction.colorizer import Colorizer

log = logging.getLogger(__name__)
SAVING = " To a file: Layers > Data > Save all planes in colour…"


@dataclass(frozen=True)
class Elsewhere:
    """What a record tells of a model that the machines of a cluster open, and this one does not.

    A device that these have may be missing here.
    """

    model_name: str
    card: dict[str, Any]
    device: str


class Colouring:
    """The work of a run, called in its thread: every outcome is told, none is raised.

    Parameters
    ----------
    order : Order
    tell : callable
        Gets the messages.
    cancelled : callable
        Whether the run is to end.
    left : mapping
        By the number of a source, what an earlier run left of it.
    """

    def __init__(
        self,
        order: Order,
        tell: Callable[[Message], None],
        cancelled: Callable[[], bool],
        left: Mapping[int, Growth] | None = None,
    ) -> None:
        self.order = order
        self.tell = tell
        self.cancelled = cancelled
        self.unwanted: set[int] = set()  # ids of growths whose layers were deleted
        self._left = left or {}
        self._before = 0  # planes done, of all layers
        self._coloured = 0  # of them in this run
        self._told_share = 0.0

    def __repr__(self) -> str:
        """Return what napari says about it when it asks whether to close."""
        layers = len(self.order.sources)
        return "the colouring of " + ("a layer" if layers == 1 else f"{layers} layers")

    def __call__(self) -> None:
        """Colour all layers of the order."""
        try:
            self.tell(self._colour_all())
        except Cancelled:
            self.tell(Ending("cancelled", "Cancelled."))
        except ColorizeError as error:
            self.tell(Ending("failed", str(error)))
        except MemoryError:
            text = "There is not enough memory: colour one plane, or fewer layers, at a time."
            self.tell(Ending("failed", text))
        except Exception as error:
            # A thread must not die silently; what went wrong is for the log, the gist for people.
            log.exception("colouring failed")
            gist = str(error).strip().splitlines() or ["no reason was given"]
            self.tell(Ending("failed", f"Colouring failed ({type(error).__name__}): {gist[0]}"))

    def _colour_all(self) -> Ending:
        from napari_colorize.api import open_colorizer

        # The first import of torch takes seconds.
        self.tell(Note(f"Loading {'the model' if 'torch' in sys.modules else 'PyTorch'}…"))
        order = self.order
        if order.scheduler and all(source.is_stack for source in order.sources):
            card = read_card(find_model(order.model))
            return self._colour_each(Elsewhere(card["name"], card, order.scheduler))
        with closing(open_colorizer(order.model, order.device)) as colorizer:
            return self._colour_each(colorizer)

    def _colour_each(self, model: Colorizer | Elsewhere) -> Ending:
        for number, source in enumerate(self.order.sources):
            if source.is_stack:
                self._colour_stack(source, model, self._left.get(number))
            elif not isinstance(model, Elsewhere):
                self._colour_picture(source, model)
        if not self._coloured:
            return Ending("failed", "No plane could be coloured.")
        if isinstance(model, Elsewhere) or self.order.scheduler:
            text = f"Done on the cluster at {self.order.scheduler}."
        else:
            text = f"Done on {model.device} ({model.device_reason})."
        if any(source.is_stack for source in self.order.sources):
            text += SAVING
        return Ending("finished", text)

    def _colour_picture(self, source: Source, colorizer: Colorizer) -> None:
        self._stop_if_cancelled()
        self.tell(Note("Colouring…" if self.order.planes == 1 else f"{self._plane_at_work()}…"))
        key, inside = next(source.cuts())
        plane = source.read_for_people(key)
        limits = source.contrast_limits
        colorizer.set_picture(plane, contrast_limits=limits, cancel=self.cancelled)
        colours = colorizer.colorize(
            vividness=self.order.steering.vividness,
            dtype="uint8",
            cancel=self.cancelled,
            progress=self._progress,
        )
        pixels = np.zeros(source.result_shape, dtype=np.uint8)
        pixels[inside] = colours
        sure = None
        if self.order.confidence:
            sure = np.zeros(source.result_shape[:-1], SURE)
            sure[inside] = colorizer.confidence()
        self._before += 1
        self._coloured += 1
        self.tell(Coloured(source, pixels, sure, self._facts(colorizer)))

    def _colour_stack(
        self, source: Source, model: Colorizer | Elsewhere, left: Growth | None
    ) -> None:
        from napari_colorize.stacks.api import stack_planes

        order, facts = self.order, self._facts(model, source)
        hints: dict[int | Place, Sequence[AnyHint]]
        hints = {place: list(listed) for place, listed in source.hints.items()}
        growth = left
        if left is None or left.facts.model_hash != facts.model_hash:
            growth = Growth.begun(source, order, facts)
        assert growth is not None
        done = frozenset(growth.done)
        end = self._before + source.planes
        self._before += len(done)
        following = order.coherent and hints
        self.tell(Note("Following the hints…" if following else f"{self._plane_at_work()}…"))
        clock = Clock(steady=not order.scheduler)
        try:
            for plane in stack_planes(
                StackView(source),
                source.stack_axes,
                steering=order.steering,
                hints=hints,
                coherent=order.coherent,
                contrast_limits=source.contrast_limits,
                confidence=order.confidence,
                colorizer=None if isinstance(model, Elsewhere) else model,
                model=order.model,
                device=order.device,
                scheduler=order.scheduler or None,
                done=done,
                cancel=lambda: self.cancelled() or id(growth) in self.unwanted,
                progress=self._progress,
            ):
                self._take(growth, plane, clock)
        except Cancelled:
            if self.cancelled():
                raise
        finally:
            if clock.planes > 2:
                pace.learn(order, clock.planes, clock.seconds)
        self._before = end

    def _take(self, growth: Growth, plane: Any, clock: Clock) -> None:
        """Write a plane and tell of it."""
        if plane.pixels is not None:
            growth.write(plane.place, plane.pixels, plane.confidence)
            self._coloured += 1
        self.tell(Grown(growth, plane.place, plane.reason if plane.pixels is None else ""))
        clock.tick()
        self._before += 1
        self._tell_share(self._before / self.order.planes)
        left = self.order.planes - self._before
        if left:
            told = clock.told(left)
            self.tell(Note(f"{self._plane_at_work()}…{told and f' {told}'}"))

    def _facts(self, model: Colorizer | Elsewhere, stack: Source | None = None) -> Facts:
        wanted = self.order.steering.vividness
        vividness = default_vividness(model.card) if wanted is None else wanted
        settings: dict[str, Any] = {"device": model.device, "vividness": vividness}
        if stack is not None:
            settings["axes"] = stack.in_order_of_data()
            settings["coherent"] = self.order.coherent
            if self.order.scheduler:
                settings["device"] = self.order.scheduler
            settings["hints"] = sum(map(len, stack.hints.values()))
        return Facts(model.model_name, str(model.card.get("hash", "")), settings)

    def _plane_at_work(self) -> str:
        return f"Plane {self._before + 1} of {self.order.planes}"

    def _progress(self, done: int, total: int) -> None:
        self._tell_share((self._before + done / max(total, 1)) / self.order.planes)

    def _tell_share(self, share: float) -> None:
        if share - self._told_share >= 0.005 or share >= 1:
            self._told_share = share
            self.tell(Progress(share))

    def _stop_if_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled("Colouring was cancelled.")
