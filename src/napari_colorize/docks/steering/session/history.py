"""What a person wanted, step by step: undo and redo."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from itertools import groupby
from typing import TYPE_CHECKING

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, AnyHint, Reference, Steering

if TYPE_CHECKING:
    from collections.abc import Callable

TOGETHER = 0.5  # seconds: quicker moves of one thing are one step
MOST_STEPS = 200


class History:
    """The steps of one picture, and where among them it stands.

    Parameters
    ----------
    present : Steering
        What holds at first.
    clock : callable
        Gives seconds.
    """

    def __init__(self, present: Steering, clock: Callable[[], float] = time.monotonic) -> None:
        self.present = present
        self._clock = clock
        self._past: list[Steering] = []
        self._future: list[Steering] = []
        self._moved = ""  # what the last step moved
        self._when = 0.0

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return bool(self._future)

    def add(self, steering: Steering) -> None:
        """Make a step; a quick further move of the same slider, or hint, belongs to the last."""
        now, moved = self._clock(), what_moves(self.present, steering)
        is_new = not moved or moved != self._moved or now - self._when > TOGETHER
        if is_new or not self._past:
            self._past.append(self.present)
            del self._past[:-MOST_STEPS]
        self._future.clear()
        self.present, self._moved, self._when = steering, moved, now

    def replace(self, steering: Steering) -> None:
        """Let something hold that is no step."""
        self.present, self._moved = steering, ""

    def elsewhere(self) -> History:
        """Return a history for another plane: that of all but hints and regions."""
        states = (
            replace(state, hints=(), region=None, outside=None)
            for state in (*self._past, self.present)
        )
        *past, present = (state for state, _ in groupby(states))
        other = History(present, self._clock)
        other._past = past
        return other

    def undo(self) -> None:
        """Go back one step, if there is one."""
        if self._past:
            self._future.append(self.present)
            self.replace(self._past.pop())

    def redo(self) -> None:
        """Take the last undo back, if there was one."""
        if self._future:
            self._past.append(self.present)
            self.replace(self._future.pop())


def what_moves(before: Steering, after: Steering) -> str:
    """Return the name of the one slider or hint that is another, or nothing."""
    others = [f.name for f in fields(Steering) if _differ(before, after, f.name)]
    match others:
        case ["vividness"]:
            return "vividness"
        case ["adjustments"]:
            one, other = before.adjustments, after.adjustments
            names = [f.name for f in fields(Adjustments) if _differ(one, other, f.name)]
            return names[0] if len(names) == 1 else ""
        case ["reference"]:
            return "strength" if _is_same_palette(before.reference, after.reference) else ""
        case ["hints"]:
            return _moved_hint(before.hints, after.hints)
    return ""


def _differ(one: object, other: object, name: str) -> bool:
    mine, others = getattr(one, name), getattr(other, name)
    return mine is not others and mine != others


def _is_same_palette(one: Reference | None, other: Reference | None) -> bool:
    return one is not None and other is not None and one.shares == other.shares


def _moved_hint(before: tuple[AnyHint, ...], after: tuple[AnyHint, ...]) -> str:
    """Return which hint was dragged or given another size or colour."""
    if len(before) != len(after):
        return ""
    numbers = [n for n, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    if len(numbers) != 1 or not isinstance(before[numbers[0]], Hint):
        return ""
    return f"hint {numbers[0]}" if isinstance(after[numbers[0]], Hint) else ""
