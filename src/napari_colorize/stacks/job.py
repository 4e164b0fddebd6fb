"""A stack, and how it is to be coloured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from napari_colorize.stacks.steering import StackSteering

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_colorize.files.stacks.axes import Axes
    from napari_colorize.prediction.guards import Cancel


@dataclass(frozen=True)
class StackJob:
    """A stack, and how it is to be coloured.

    Attributes
    ----------
    stack : array_like of shape `axes.shape`
        Also lazy: dask, zarr; ``stack[place]`` is one plane. Only planes that are coloured are
        read, one at a time.
    axes : Axes
    steering : StackSteering
        Hints have been followed, if they are to be.
    coherent : bool
        Whether colour is carried from plane to plane, or each plane stands alone.
    contrast_limits : (low, high), optional
        The values of black and white, of all planes alike.
    confidence : bool
        Whether planes come with how sure the model was.
    model, device
        As for `colorize`.
    """

    stack: Any
    axes: Axes
    steering: StackSteering = field(default_factory=StackSteering)
    coherent: bool = True
    contrast_limits: Sequence[float] | None = None
    confidence: bool = False
    model: str | Path | None = None
    device: str = "auto"

    def followed(self, cancel: Cancel | None = None) -> StackJob:
        """Return the job with its hints on all planes that their things are on."""
        if not (self.coherent and self.steering.hints):
            return self
        steering = self.steering.followed(self.stack, self.axes, self.contrast_limits, cancel)
        return replace(self, steering=steering)
