"""How the loss falls and the pictures get better: thinned for drawing, and as a table."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_colorize.runs.events import Event, Started, Step, Validated

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_POINTS = 4000
_SMOOTHED_REACH = 20
# A loss that falls over more than this many times its lowest value is seen better as a logarithm.
_WIDE = 8


@dataclass
class Curve:
    """Points of one curve: the epoch as a real number, and the loss (or another figure)."""

    epochs: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    _stride: int = 1
    _since: int = 0

    def add(self, epoch: float, loss: float) -> None:
        """Add a point; of a long curve only every so many points are kept, and the last one."""
        if not math.isfinite(loss):
            return
        if self._since and self.epochs:
            self.epochs[-1], self.losses[-1] = epoch, loss
        else:
            self.epochs.append(epoch)
            self.losses.append(loss)
        self._since = (self._since + 1) % self._stride
        if len(self.epochs) > _MOST_POINTS:
            # From the second on: the last point stays.
            del self.epochs[-2::-2]
            del self.losses[-2::-2]
            self._stride *= 2

    def cut(self, epoch: float) -> None:
        """Forget the points after an epoch."""
        kept = sum(1 for place in self.epochs if place <= epoch)
        del self.epochs[kept:]
        del self.losses[kept:]
        self._since = 0


class LossHistory:
    """The losses that a run told, as curves over the epochs, and how the checks went.

    Attributes
    ----------
    training, validation : Curve
        The losses.
    psnr : Curve
        PSNR in dB of the photographs that are checked with.
    grey : float
        Their PSNR when they are left grey; NaN before the first check.
    """

    def __init__(self) -> None:
        self.training = Curve()
        self.validation = Curve()
        self.psnr = Curve()
        self.grey = math.nan
        self._best_ones: list[Validated] = []
        self._steps_per_epoch = 1

    def add(self, event: Event) -> None:
        """Take in an event; a resume forgets what lies after its checkpoint."""
        if isinstance(event, Started):
            self._begin(event)
        elif isinstance(event, Step):
            self.training.add(event.step / self._steps_per_epoch, event.loss)
        elif isinstance(event, Validated):
            self.validation.add(float(event.epoch), event.loss)
            self.psnr.add(float(event.epoch), event.psnr)
            self.grey = event.psnr_grey
            if event.best:
                self._best_ones.append(event)

    def is_empty(self) -> bool:
        """Return whether there is nothing to draw."""
        return not self.training.epochs and not self.validation.epochs

    def is_wide(self) -> bool:
        """Return whether the losses are better drawn as logarithms."""
        losses: list[float] = [*smoothed(self.training.losses).tolist(), *self.validation.losses]
        lowest = min(losses, default=0.0)
        return 0 < lowest < max(losses) / _WIDE

    @property
    def best(self) -> Validated | None:
        """The check after the best epoch so far."""
        return self._best_ones[-1] if self._best_ones else None

    def table(self) -> str:
        """Return all points as CSV, by epoch; a cell is empty where nothing was told."""
        rows: dict[float, list[float | str]] = {}
        columns = (
            (self.training.epochs, self.training.losses),
            (self.training.epochs, smoothed(self.training.losses).tolist()),
            (self.validation.epochs, self.validation.losses),
            (self.psnr.epochs, self.psnr.losses),
            (self.psnr.epochs, [self.grey] * len(self.psnr.epochs)),
        )
        for place, (epochs, values) in enumerate(columns):
            for epoch, value in zip(epochs, values, strict=True):
                rows.setdefault(epoch, [""] * len(columns))[place] = value
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(
            ["epoch", "training loss", "smoothed", "check loss", "check PSNR", "grey PSNR"]
        )
        writer.writerows([epoch, *rows[epoch]] for epoch in sorted(rows))
        return text.getvalue()

    def _begin(self, event: Started) -> None:
        self._steps_per_epoch = max(1, event.steps_per_epoch)
        done = event.step / self._steps_per_epoch
        for curve in (self.training, self.validation, self.psnr):
            curve.cut(done)
        self._best_ones = [check for check in self._best_ones if check.epoch <= done]


def smoothed(losses: list[float]) -> NDArray[np.float64]:
    """Return the mean of each loss and its neighbours on both sides, shape (N,).

    A mean over past losses alone would lie above a falling curve.
    """
    reach = min(_SMOOTHED_REACH, len(losses) // 20)
    sums = np.cumsum([0.0, *losses])
    place = np.arange(len(losses))
    first, end = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(losses))
    means: NDArray[np.float64] = (sums[end] - sums[first]) / (end - first)
    return means
