"""A stand-in for a session of steering, and for the Colorizer that it asks: no network, no thread.

What is asked is answered when the test says so, or at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Reference, Steering
from napari_colorize.docks.layers import take_source
from napari_colorize.errors import ColorizeError, PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass
class Rendered:
    """What the stand-in renders."""

    pixels: NDArray[Any]
    fitted: float = 0.0


class StandInColorizer:
    """Answers as a Colorizer would, with colours that tell what was asked."""

    model_name = "stand-in"

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.card = {"hash": "cd" * 32, "network": "palette", "vividness": 0.35}
        self.asked: list[str] = []

    def render(
        self,
        steering: Steering,
        *,
        window: Any = None,
        dtype: str = "uint8",
        cancel: Any = None,
    ) -> Rendered:
        """Return the picture in one colour: that of the last hint, grey without one."""
        self.asked.append("render")
        shape = self.shape if window is None else window.shape
        color = steering.hints[-1].color if steering.hints else (90, 90, 90)  # type: ignore[union-attr]
        white = np.iinfo(dtype).max // 255
        return Rendered((np.full((*shape, 3), color) * white).astype(dtype))

    def versions(
        self, count: int, hints: Any, *, seed: int, cancel: Any = None
    ) -> list[tuple[Hint, ...]]:
        """Return as many versions, of one anchor each; other seeds have other greens."""
        self.asked.append(f"versions {count} {len(hints)} {seed}")
        return [(Hint(5, 5 + n, (10 * n, 40 * seed, 200)),) for n in range(count)]

    def doubt(self, hints: Any) -> NDArray[np.float32]:
        """Return doubt from 3 to 18, 10 less with a hint."""
        self.asked.append(f"doubt {len(hints)}")
        values = np.linspace(3, 18, self.shape[0] * self.shape[1]).reshape(self.shape)
        return (values / (1 + len(hints))).astype(np.float32)

    def best_place(self, hints: Any) -> tuple[float, float]:
        """Return a place."""
        return (12.0, 30.0)

    def reference_of(self, image: Any, name: str, strength: float) -> Reference:
        """Return a palette of two colours, of a grey picture a complaint."""
        pixels = np.asarray(image)
        if pixels.ndim == 2 or (pixels[..., 0] == pixels[..., 1]).all():
            raise PictureError(f"{name} is grey: choose a picture in colour.")
        return Reference(name, (0.7, 0.3), strength)


@dataclass
class Job:
    """Something that was asked."""

    work: Callable[[Any], Any]
    done: Callable[[Any], None]
    failed: Callable[[str], None] | None = field(default=None)


class StandInSession(QObject):
    """Keeps what is wanted, and every change of it."""

    ready = Signal()
    changed = Signal(object)
    rendered = Signal(object)
    trusted = Signal(object, float)
    moved = Signal()
    noted = Signal(str)
    failed = Signal(str)
    ended = Signal()

    def __init__(
        self, viewer: Any, layer: Any, model: str | None = None, device: str = "auto"
    ) -> None:
        super().__init__()
        self.layer = layer
        self.model, self.device = model, device
        self.source = take_source(viewer, layer, whole=False)
        self.result: Any = None
        self.region_layer: Any = None
        self.steering = Steering()
        self.past: list[Steering] = []
        self.future: list[Steering] = []
        self.model_name = "stand-in"
        self.card = {"network": "palette", "vividness": 0.35}
        self.is_ready = True
        self.has_ended = False
        self.original = False
        height, width = (self.source.shape[axis] for axis in self.source.axes)
        self.colorizer = StandInColorizer((height, width))
        self.at_once = True
        self.jobs: list[Job] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back."""
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to go forward."""
        return bool(self.future)

    def change(self, steering: Steering, undoable: bool = True) -> None:
        """Keep what is wanted."""
        if undoable:
            self.past.append(self.steering)
            self.future.clear()
        self.steering = steering
        self.changed.emit(steering)

    def undo(self) -> None:
        """Go back."""
        self.future.append(self.steering)
        self.change(self.past.pop(), undoable=False)

    def redo(self) -> None:
        """Go forward."""
        self.past.append(self.steering)
        self.change(self.future.pop(), undoable=False)

    def reset(self) -> None:
        """Want nothing."""
        self.change(Steering())

    def show_original(self, original: bool) -> None:
        """Keep whether the original is shown."""
        self.original = original

    def limit_to(self, layer: Any) -> None:
        """Keep the layer."""
        self.region_layer = layer

    def ask(
        self,
        work: Callable[[Any], Any],
        done: Callable[[Any], None],
        failed: Callable[[str], None] | None = None,
        *,
        kept: bool = False,
    ) -> None:
        """Answer at once, or when `answer` is called."""
        self.jobs.append(Job(work, done, failed))
        if self.at_once:
            self.answer()

    def answer(self) -> None:
        """Answer what was asked first."""
        job = self.jobs.pop(0)
        try:
            answer = job.work(self.colorizer)
        except ColorizeError as error:
            (self.failed.emit if job.failed is None else job.failed)(str(error))
            return
        job.done(answer)

    def close(self) -> None:
        """End."""
        self.has_ended = True
