"""The curves hold what was told, forget what a resume undid, and stay short."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.docks.curves import Curve, LossHistory, LossPlot, smoothed
from napari_colorize.runs.events import Started, Step, Stopped, Validated


def started(step: int) -> Started:
    """Return the start of a process after so many steps, ten an epoch."""
    return Started("cpu", "", "32-true", 9, 1, {}, 3, 10, step, 1)


def step(number: int) -> Step:
    """Return the event of a step."""
    return Step(number, 30, 1, 1 / number, 1e-3, 40.0, 10.0)


def test_losses_stand_at_their_epochs() -> None:
    """A step stands at its part of the epoch, a check at the epoch's end."""
    history = LossHistory()
    assert history.is_empty()
    for event in (started(0), step(5), step(10), Validated(1, 0.3, 20.0, 19.0, True)):
        history.add(event)
    assert (history.training.epochs, history.training.losses) == ([0.5, 1.0], [0.2, 0.1])
    assert (history.validation.epochs, history.validation.losses) == ([1.0], [0.3])
    assert not history.is_empty()


def test_resume_forgets_what_came_after_its_checkpoint() -> None:
    """The curve goes back to where the process began, and goes on from there."""
    history = LossHistory()
    history.add(started(0))
    for number in range(1, 26):
        history.add(step(number))
    for epoch in (1, 2):
        history.add(Validated(epoch, 0.3, 20.0, 19.0, True))
    for event in (Stopped(25, ""), started(12), step(13)):
        history.add(event)
    assert history.training.epochs[-2:] == [1.2, 1.3]
    assert history.validation.epochs == [1.0]


def test_loss_that_is_no_number_is_not_drawn() -> None:
    """NaN and infinity leave no gap in the curve."""
    curve = Curve()
    for loss in (1.0, math.nan, math.inf, 0.5):
        curve.add(1.0, loss)
    assert curve.losses == [1.0, 0.5]


def test_long_curve_is_thinned() -> None:
    """However long a run is, the curve keeps its ends and some thousand points."""
    curve = Curve()
    for place in range(50_000):
        curve.add(place / 100, 1.0)
    assert 2000 <= len(curve.epochs) <= 4001
    assert curve.epochs[-1] == 499.99
    assert curve.epochs == sorted(curve.epochs)


@given(st.lists(st.floats(0, 1e3), max_size=300))
def test_smoothed_curve_stays_between_its_losses(losses: list[float]) -> None:
    """A mean of neighbours is as long as the curve and leaves its range by rounding only."""
    means = smoothed(losses)
    assert means.shape == (len(losses),)
    if losses:
        assert means.min() >= min(losses) - 1e-6
        assert means.max() <= max(losses) + 1e-6


def test_smoothed_line_is_the_line() -> None:
    """Away from the ends a straight line stays where it is: the mean does not lag."""
    line = list(np.linspace(5, 1, 400))
    assert smoothed(line)[20:-20] == pytest.approx(line[20:-20])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_plot_draws_in_the_colours_of_the_theme(theme: str, qtbot: object) -> None:
    """Both curves and the text can be told from the background."""
    history = LossHistory()
    history.add(started(0))
    for number in range(1, 21):
        history.add(dataclasses.replace(step(number), loss=0.03 / number))
    history.add(Validated(1, 0.03, 20.0, 19.0, True))
    plot = LossPlot(theme)
    qtbot.addWidget(plot.widget)  # type: ignore[attr-defined]
    plot.draw(history)
    drawn = plot._training.getData()
    assert len(drawn[0]) == 20
    other = "light" if theme == "dark" else "dark"
    for name in (theme, other):
        plot.restyle(name)
        text = plot._plot.getAxis("bottom").textPen().color().lightness()
        assert (text > 150) is (name == "dark")
        corner = plot.widget.grab().toImage().pixelColor(2, 2).lightness()
        assert (corner < 100) is (name == "dark")
        # A loss of 0.03 is never told as 30.
        assert plot._plot.getAxis("left").autoSIPrefixScale == 1
