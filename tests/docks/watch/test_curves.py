"""The curves hold what was told, forget what a resume undid, and stay short."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtWidgets import QFileDialog

from napari_colorize.docks.watch.curves import LossPlot
from napari_colorize.docks.watch.run_history import Curve, LossHistory, smoothed
from napari_colorize.runs.events import Started, Step, Stopped, Validated

if TYPE_CHECKING:
    from pathlib import Path


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
    assert history.validation.epochs == history.psnr.epochs == [1.0]
    assert history.best is not None
    assert history.best.epoch == 1


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
    # As dense at the beginning as at the end.
    assert sum(1 for place in curve.epochs if place < 250) == pytest.approx(
        len(curve.epochs) / 2, rel=0.05
    )


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
def test_plot_draws_in_the_colours_of_the_theme(theme: str, qtbot: Any) -> None:
    """Both curves and the text can be told from the background."""
    history = LossHistory()
    history.add(started(0))
    for number in range(1, 21):
        history.add(dataclasses.replace(step(number), loss=0.03 / number))
    history.add(Validated(1, 0.03, 20.0, 19.0, True))
    plot = LossPlot(theme)
    qtbot.addWidget(plot.widget)
    plot.draw(history)
    drawn = plot._training.getData()
    assert len(drawn[0]) == 20
    other = "light" if theme == "dark" else "dark"
    for name in (theme, other):
        plot.restyle(name)
        text = plot._plot.getAxis("bottom").textPen().color().lightness()
        assert (text > 150) is (name == "dark")
        corner = plot._plot.grab().toImage().pixelColor(2, 2).lightness()
        assert (corner < 100) is (name == "dark")
        # A loss of 0.03 is never told as 30.
        assert plot._plot.getAxis("left").autoSIPrefixScale == 1


def told_run(best_loss: float = 0.3) -> LossHistory:
    """Return the history of two epochs."""
    history = LossHistory()
    history.add(started(0))
    for number in range(1, 11):
        history.add(step(number))
    history.add(Validated(1, 2 * best_loss, 20.0, 19.0, True))
    history.add(Validated(2, best_loss, 21.5, 19.0, True))
    return history


def test_table_has_all_points_by_epoch() -> None:
    """The CSV has a row for each place, empty cells where nothing was told, and figures as told."""
    rows = list(csv.DictReader(io.StringIO(told_run().table())))
    assert [row["epoch"] for row in rows] == [str(n / 10) for n in range(1, 11)] + ["2.0"]
    assert (rows[0]["training loss"], rows[0]["check loss"]) == ("1.0", "")
    assert [rows[9][name] for name in ("check loss", "check PSNR", "grey PSNR")] == [
        "0.6",
        "20.0",
        "19.0",
    ]
    assert (rows[10]["training loss"], rows[10]["check PSNR"]) == ("", "21.5")


def test_plot_marks_best_epoch_and_grey(qtbot: Any) -> None:
    """The best epoch is a line in both plots, grey is a line with its figure."""
    plot = LossPlot("dark")
    qtbot.addWidget(plot.widget)
    plot.draw(LossHistory())
    assert plot._psnr.isHidden()
    assert not plot._best_loss.isVisible()
    plot.draw(told_run())
    assert not plot._psnr.isHidden()
    assert (plot._best_loss.value(), plot._best_gain.value()) == (2.0, 2.0)
    assert (plot._grey.isVisible(), plot._grey.value()) == (True, 19.0)
    assert plot.grey_line.text() == "┄ left grey 19.00 dB"


def test_plots_show_the_same_epochs_and_all_of_the_curves(qtbot: Any) -> None:
    """Both begin at the start and reach the end of the epoch; a range that suits stays."""
    plot = LossPlot("dark")
    qtbot.addWidget(plot.widget)
    history = told_run()
    plot.draw(history)
    (left, right), (low, high) = plot._plot.viewRange()
    assert plot._psnr.viewRange()[0] == [left, right]
    assert left <= 0
    assert 2 <= right < 2.2
    assert plot.log.isChecked()
    assert low < math.log10(0.1)
    assert high > math.log10(1.0)
    assert plot._psnr.viewRange()[1][0] < 19.0
    history.add(Validated(3, 0.5, 21.0, 19.0, False))
    plot.draw(history)
    assert plot._plot.viewRange()[1] == [low, high]
    assert plot._plot.viewRange()[0][1] >= 3


def test_losses_that_fall_far_are_drawn_as_logarithms(qtbot: Any) -> None:
    """The axis is chosen by what there is to see, until a person chooses."""
    plot = LossPlot("dark")
    qtbot.addWidget(plot.widget)
    narrow = LossHistory()
    for event in (started(0), step(1), step(2), step(3)):
        narrow.add(event)
    plot.draw(narrow)
    assert not plot.log.isChecked()
    plot.draw(told_run(best_loss=1e-4))
    assert plot.log.isChecked()
    assert plot._plot.getPlotItem().ctrl.logYCheck.isChecked()
    plot.log.click()
    plot.draw(told_run(best_loss=1e-4))
    assert not plot.log.isChecked()
    assert not plot._plot.getPlotItem().ctrl.logYCheck.isChecked()


def test_curves_are_saved_or_said_why_not(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button asks for a file and tells what came of it."""
    said: list[str] = []
    plot = LossPlot("light", said.append)
    qtbot.addWidget(plot.widget)
    history = told_run()
    plot.draw(history)
    answer = ""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (answer, ""))
    plot.save.click()
    assert said == []
    answer = str(tmp_path / "mine")
    plot.save.click()
    assert (tmp_path / "mine.csv").read_text("utf-8").splitlines() == history.table().splitlines()
    plot.save.click()
    assert said.pop() == "mine.csv exists already; choose another name."
    answer = str(tmp_path / "nowhere" / "mine.csv")
    plot.save.click()
    assert said[0] == "The curves are in mine.csv."
    assert said[1].startswith("Cannot write ")
