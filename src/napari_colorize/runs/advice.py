"""Warnings in words: what the events of a run show to be amiss, and what to do about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_colorize.runs import words
from napari_colorize.runs.events import Event, Healed, Started, Step, Validated

# Epochs over which the check and the training have to go apart, or stand still, to be told.
SPAN = 3
# A loss that falls by less than this share over `SPAN` epochs does not fall any more.
_STANDS_STILL = 0.003
# The check has to be this share above its best: it wavers a little from epoch to epoch.
_RISEN = 0.005
# The loss, over some steps, beside the lowest that it was: more is no noise.
_JUMPED = 1.5
_WILD = 4.0
# Steps over which the loss and the speed are taken; earlier ones say too little.
_STEPS = 40
_SLOW_SECONDS = 2 * 86400


@dataclass
class _Epoch:
    """Sum and number of the training losses that were told in an epoch."""

    total: float = 0.0
    count: int = 0

    @property
    def mean(self) -> float:
        """The mean loss of the epoch."""
        return self.total / self.count


class Adviser:
    """Hears the events of a run and says what a person should know."""

    def __init__(self) -> None:
        self._epochs: dict[int, _Epoch] = {}
        self._checks: dict[int, Validated] = {}
        self._started: Started | None = None
        self._forget_steps()
        self._healed: Healed | None = None

    def add(self, event: Event) -> None:
        """Take in an event; a resume forgets what lies after its checkpoint."""
        if isinstance(event, Started):
            self._begin(event)
        elif isinstance(event, Step):
            self._add_step(event)
        elif isinstance(event, Validated):
            self._checks[event.epoch] = event
        elif isinstance(event, Healed):
            self._healed = event

    def warnings(self, *, over: bool = False) -> list[str]:
        """Return the warnings that hold now, the gravest first, one sentence or two each.

        When the run is `over` they say what to do with it, and nothing about how it goes on.
        """
        if over:
            return [text for text in (self._worse_than_grey(over), self._overfits(over)) if text]
        found = (
            self._loss_jumped(),
            self._worse_than_grey(),
            self._overfits(),
            self._stands_still(),
            self._is_slow(),
            "" if self._healed is None else words.healed_line(self._healed),
        )
        return [text for text in found if text]

    def _begin(self, event: Started) -> None:
        self._started = event
        done = event.step // max(1, event.steps_per_epoch)
        self._epochs = {n: epoch for n, epoch in self._epochs.items() if n <= done}
        self._checks = {n: check for n, check in self._checks.items() if n <= done}
        self._healed = None
        self._forget_steps()

    def _forget_steps(self) -> None:
        self._steps = 0
        self._recent = math.nan
        self._lowest = math.inf
        self._last: Step | None = None

    def _add_step(self, event: Step) -> None:
        self._last = event
        if not math.isfinite(event.loss):
            return
        epoch = self._epochs.setdefault(event.epoch, _Epoch())
        epoch.total += event.loss
        epoch.count += 1
        share = 1 / min(self._steps + 1, _STEPS)
        before = event.loss if math.isnan(self._recent) else self._recent
        # One wild step is no jump: it counts as a few times the mean at most.
        loss = min(event.loss, _WILD * before) if before > 0 else event.loss
        self._recent = before + share * (loss - before)
        self._steps += 1
        if self._steps >= _STEPS:
            self._lowest = min(self._lowest, self._recent)

    def _loss_jumped(self) -> str:
        if self._steps < 2 * _STEPS or self._recent <= _JUMPED * self._lowest:
            return ""
        times = self._recent / self._lowest if self._lowest > 0 else math.inf
        much = f"{times:.1f} times" if times < 1000 else "far above"
        return (
            f"The loss jumps: it is {much} its lowest. If it does not come down again, stop and "
            "begin a new run with a tenth of the learning rate."
        )

    def _worse_than_grey(self, over: bool = False) -> str:
        if not self._checks:
            return ""
        last = self._checks[max(self._checks)]
        if last.epoch < 2 or not last.psnr < last.psnr_grey:
            return ""
        hope = "For the next run," if over else "If it stays so,"
        return (
            f"After epoch {last.epoch} the colours are further from the truth than grey is "
            f"({last.psnr:.2f} dB, grey {last.psnr_grey:.2f} dB). {hope} take more "
            "photographs, or begin from a trained model with a lower learning rate."
        )

    def _overfits(self, over: bool = False) -> str:
        """Say that the check has risen since its best while the training loss fell."""
        epochs = [n for n in sorted(self._checks) if math.isfinite(self._checks[n].loss)]
        if not epochs:
            return ""
        best = min(epochs, key=lambda n: self._checks[n].loss)
        last = epochs[-1]
        if last - best < SPAN or not self._fell(best, last):
            return ""
        since = [self._checks[n].loss for n in epochs if n > best]
        limit = self._checks[best].loss + _RISEN * abs(self._checks[best].loss)
        if min(since[-2:]) <= limit:
            return ""
        if over:
            return (
                f"Overfitted: after epoch {best} the check got worse while the training loss fell. "
                f"Epoch {best} is the best, use that one; more photographs would help."
            )
        return (
            f"Overfits: since epoch {best} the check gets worse while the training loss falls. "
            f"Epoch {best} is the best: stop and use it; more photographs would help."
        )

    def _stands_still(self) -> str:
        """Say that neither loss has fallen over the last epochs."""
        epochs = sorted(self._checks)
        if len(epochs) <= SPAN or self._started is None:
            return ""
        if self._started.epochs - epochs[-1] < 2:  # nothing is left to be saved
            return ""
        before = min(self._checks[n].loss for n in epochs[:-SPAN])
        since = min(self._checks[n].loss for n in epochs[-SPAN:])
        first, last = epochs[-SPAN - 1], epochs[-1]
        if not before - since < _STANDS_STILL * abs(before) or self._fell(first, last):
            return ""
        return (
            f"The loss no longer falls: it has stood still for {SPAN} epochs. More epochs will "
            "change little: stop and use the best one."
        )

    def _fell(self, first: int, last: int) -> bool:
        """Return whether the mean training loss of an epoch is clearly below an earlier one's."""
        if not (first in self._epochs and last in self._epochs):
            return False
        before, after = self._epochs[first].mean, self._epochs[last].mean
        return before - after > _STANDS_STILL * abs(before)

    def _is_slow(self) -> str:
        last, started = self._last, self._started
        if last is None or started is None or self._steps < _STEPS // 2:
            return ""
        if not _SLOW_SECONDS < last.remaining < math.inf:
            return ""
        where = "the processor" if started.device == "cpu" else started.device
        graphics = ", or a computer with a graphics card" if started.device == "cpu" else ""
        return (
            f"Very slow: on {where} it will take {words.duration(last.remaining)} more. Take "
            f"fewer epochs or photographs, or a smaller crop{graphics}."
        )
