"""A stand-in for the network behind the Colorize dock, for pictures and for stacks."""

from __future__ import annotations

import threading
import time
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_colorize.color.steering import Steering
    from napari_colorize.files.stacks.axes import Axes, Place

STEPS = 4  # times that the stand-in looks whether it is cancelled, for each plane


@dataclass
class Stand:
    """What a stand-in for the network does and has seen.

    Attributes
    ----------
    open : threading.Event
        Colouring waits until it is set; it is from the start.
    hold_at : int
        From this picture on colouring waits until it is cancelled.
    error : Exception or None
        Raised instead of colouring, from the plane `error_at` on.
    seen : list of (shape, contrast limits)
        The pictures that came.
    stacks : list of dict
        What came with each stack.
    """

    open: threading.Event = field(default_factory=threading.Event)
    hold_at: int = 1_000_000
    error: Exception | None = None
    error_at: int = 0
    seen: list[tuple[tuple[int, ...], tuple[float, float] | None]] = field(default_factory=list)
    stacks: list[dict[str, Any]] = field(default_factory=list)
    orders: list[tuple[str | None, str]] = field(default_factory=list)
    vividness: list[float | None] = field(default_factory=list)
    working: bool = False
    closed: int = 0


class StandInColorizer:
    """Gives red = the grey values, green and blue half of it."""

    model_name = "stand-in"
    device = "cpu"
    device_reason = "no GPU: a stand-in"

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.card = {"hash": "cd" * 32, "network": "palette", "vividness": 0.35}

    def set_picture(
        self,
        image: NDArray[Any],
        *,
        contrast_limits: tuple[float, float] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> None:
        """Keep the picture; fail if the stand says so."""
        if self.stand.error is not None and len(self.stand.seen) >= self.stand.error_at:
            raise self.stand.error
        self.stand.seen.append((image.shape, contrast_limits))
        self.image = image if image.ndim == 2 else image[..., 0]

    def colorize(
        self,
        *,
        vividness: float | None,
        dtype: str,
        cancel: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> NDArray[np.uint8]:
        """Return the picture in red, after waiting for the stand."""
        self.stand.vividness.append(vividness)
        self.stand.working = True
        while len(self.stand.seen) > self.stand.hold_at or not self.stand.open.is_set():
            time.sleep(0.005)
            if cancel():
                raise Cancelled("cancelled")
        for step in range(STEPS):
            if cancel():
                raise Cancelled("cancelled")
            progress(step + 1, STEPS)
        self.stand.working = False
        return np.stack([self.image, self.image // 2, self.image // 2], axis=-1).astype(dtype)

    def confidence(self) -> NDArray[np.float32]:
        """Return the grey values in parts of white."""
        return (self.image / 255).astype(np.float32)

    def close(self) -> None:
        """Count that it was closed."""
        self.stand.closed += 1


def stand_in_planes(
    stack: Any,
    axes: Axes,
    *,
    steering: Steering,
    colorizer: StandInColorizer,
    confidence: bool,
    done: frozenset[Place],
    cancel: Callable[[], bool],
    progress: Callable[[int, int], None],
    contrast_limits: tuple[float, float] | None,
    **settings: Any,
) -> Iterator[types.SimpleNamespace]:
    """Yield the planes of a stack as the stand-in colours them; what fails is a gap."""
    stand = colorizer.stand
    stand.stacks.append({"axes": axes, "steering": steering, "done": done, **settings})
    for place, _ in axes.places():
        if place in done:
            continue
        plane = types.SimpleNamespace(place=place, pixels=None, confidence=None, reason="")
        try:
            if cancel():
                raise Cancelled("cancelled")
            colorizer.set_picture(np.asarray(stack[place]), contrast_limits=contrast_limits)
            plane.pixels = colorizer.colorize(
                vividness=steering.vividness, dtype="uint8", cancel=cancel, progress=progress
            )
            plane.confidence = colorizer.confidence() if confidence else None
        except Cancelled:
            raise
        except Exception as error:
            plane.reason = str(error)
        yield plane
