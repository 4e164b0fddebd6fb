"""What is to be coloured, and the messages by which its thread tells what it has done."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_colorize.color.steering import Steering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.docks.colorizing.growing import Growth
    from napari_colorize.docks.layers import Facts, Source
    from napari_colorize.files.stacks.axes import Place

SURE = np.dtype(np.float32)  # of a confidence


@dataclass(frozen=True)
class Order:
    """What is to be coloured, and how.

    Attributes
    ----------
    sources : tuple of Source
        Each gives a layer; they bring the hints of their planes with them.
    model : str or None
        None takes the default.
    device : str
    steering : Steering
        Holds for all planes; a single picture knows its vividness alone.
    confidence : bool
        Whether every result is joined by a layer of how sure the model was.
    coherent : bool
        Whether the colours of a stack are carried from plane to plane.
    scheduler : str
        Address of a Dask scheduler that whole stacks are given to; empty is this computer.
    """

    sources: tuple[Source, ...]
    model: str | None = None
    device: str = "auto"
    steering: Steering = field(default_factory=Steering)
    confidence: bool = False
    coherent: bool = True
    scheduler: str = ""

    @property
    def planes(self) -> int:
        """How many planes all layers have together."""
        return sum(source.planes for source in self.sources)

    @property
    def bytes(self) -> int:
        """Size of all results; a stack that grows has an alpha channel."""
        return sum(
            prod(source.result_shape[:-1]) * (3 + source.is_stack + SURE.itemsize * self.confidence)
            for source in self.sources
        )

    def wish(self, source: Source) -> tuple[Any, ...]:
        """Return what makes the result of a source, whoever computes it: equal if it is equal."""
        return (
            str(source.layer.unique_id),
            source.axes,
            source.meanings,
            source.contrast_limits,
            dict(source.hints),
            self.model,
            self.steering,
            self.confidence,
            self.coherent,
        )


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
    """The result for one picture."""

    source: Source
    pixels: NDArray[np.uint8]
    confidence: NDArray[np.float32] | None
    facts: Facts


@dataclass(frozen=True)
class Grown:
    """A plane of a stack is there, or why it is not."""

    growth: Growth
    place: Place
    reason: str = ""


@dataclass(frozen=True)
class Ending:
    """The last word of a run, a sentence for people."""

    kind: Literal["finished", "cancelled", "failed"]
    text: str


Message: TypeAlias = Note | Progress | Coloured | Grown | Ending
