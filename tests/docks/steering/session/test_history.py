"""Undo and redo of what is wanted of a picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Reference, Steering
from napari_colorize.docks.steering.session.history import MOST_STEPS, History, what_moves

ONE, OTHER = Hint(1, 1, (9, 9, 9)), Hint(2, 2, (9, 9, 9))


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (Steering(), Steering(vividness=0.5), "vividness"),
        (Steering(), Steering(adjustments=Adjustments(hue=5)), "hue"),
        (Steering(), Steering(adjustments=Adjustments(hue=5, warmth=1)), ""),
        (Steering(), Steering(vividness=0.5, adjustments=Adjustments(hue=5)), ""),
        (Steering(), Steering(hints=(ONE,)), ""),
        (Steering(hints=(ONE,)), Steering(hints=(OTHER,)), "hint 0"),
        (Steering(), Steering(reference=Reference("a", (1.0,))), ""),
        (
            Steering(reference=Reference("a", (1.0,))),
            Steering(reference=Reference("a", (1.0,), 0.5)),
            "strength",
        ),
    ],
)
def test_what_moves(before, after, moved):
    """Only one slider, or one hint, counts as a move."""
    assert what_moves(before, after) == moved


def test_quick_moves_of_a_slider_are_one_step():
    """A drag is taken back at once; a pause, or another slider, begins a new step."""
    clock = Clock()
    history = History(Steering(), clock)
    for tenth in range(1, 6):
        clock.now += 0.1
        history.add(Steering(vividness=tenth / 10))
    clock.now += 0.6
    history.add(Steering(vividness=0.9))
    history.add(replace(history.present, adjustments=Adjustments(warmth=0.5)))
    told = []
    while history.can_undo:
        history.undo()
        told.append((history.present.vividness, history.present.adjustments.warmth))
    assert told == [(0.9, 0), (0.5, 0), (None, 0)]


def test_move_after_undo_is_a_step():
    """It does not change what the undo has brought back."""
    history = History(Steering(), Clock())
    history.add(Steering(vividness=0.1))
    history.add(Steering(hints=(ONE,), vividness=0.1))
    history.undo()
    history.add(Steering(vividness=0.2))
    history.undo()
    assert history.present == Steering(vividness=0.1)
    history.redo()
    assert history.present == Steering(vividness=0.2)


def test_old_steps_are_let_go():
    """A long day does not fill the memory."""
    history = History(Steering())
    for number in range(MOST_STEPS + 50):
        history.add(Steering(hints=(Hint(number, 0, (1, 2, 3)),) * (number % 2 + 1)))
    steps = 0
    while history.can_undo:
        history.undo()
        steps += 1
    assert steps == MOST_STEPS


def test_nothing_to_take_back():
    """Undo and redo do nothing then."""
    history = History(Steering())
    history.undo()
    history.redo()
    assert history.present == Steering()


def test_on_another_plane_sliders_can_be_taken_back_and_hints_are_none():
    """Steps that only hints made are no steps there; those of sliders are."""
    history = History(Steering(), Clock())
    history.add(Steering(hints=(ONE,)))
    history.add(Steering(hints=(ONE,), vividness=0.3))
    history.add(Steering(hints=(ONE, OTHER), vividness=0.3))
    history.add(Steering(hints=(ONE, OTHER), vividness=0.3, adjustments=Adjustments(hue=5)))
    other = history.elsewhere()
    assert other.present == Steering(vividness=0.3, adjustments=Adjustments(hue=5))
    told = []
    while other.can_undo:
        other.undo()
        told.append(other.present)
    assert told == [Steering(vividness=0.3), Steering()]
    assert history.present.hints == (ONE, OTHER)
