"""The Train dock at work: driven as a person would, with a real window and a real child process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from napari_colorize.docks.model_events import models_changed
from napari_colorize.files.models import list_models
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import start_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_training_from_start_to_model(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Progress, the doctor's counts, healing, curves; then the model is in the list."""
    fake("whole")
    heard: list[int] = []
    models_changed.connect(lambda: heard.append(1))
    dock = training_desk.open()
    dock.form.folder.value = photographs
    dock.form.epochs.value = 3
    run = RunFolder(dock.form.run_folder.value)
    dock.start.native.click()
    assert not dock.start.enabled
    assert not dock.form.folder.enabled
    training_desk.wait_for(dock, "Finished")
    models_changed.disconnect()

    assert f"The model {run.path.name} is in the Colorize dock" in training_desk.text(dock.status)
    assert run.path.name in [model.name for model in list_models()]
    assert heard == [1]
    notes = training_desk.text(dock.notes)
    assert "21 photographs to learn from, 3 to check with" in notes
    assert "left out: 2 grey or sepia, 1 unreadable." in notes
    assert "2 pieces of 16 photographs" in notes
    assert "23.00 dB" in notes
    assert dock.plot is not None
    assert len(dock._history.training.epochs) == 30
    assert dock._history.validation.epochs == [1, 2, 3]
    config = run.read_config()
    assert (config.folder, config.epochs) == (str(photographs), 3)

    assert not dock.start.enabled
    assert "finished" in training_desk.text(dock.reason)
    dock.new_run.native.click()
    assert dock.start.enabled
    assert dock.start.text == "Start"
    assert dock.form.run_folder.value != run.path
    assert not training_desk.shown(dock.status)


def test_progress_tells_epoch_pace_and_time_left(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """The line under the bar is what one wants to know; Stop is answered at once and kept."""
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "epoch 2 of 3 · 41 photographs/s · 15 s left")
    training_desk.wait(lambda: dock.stop.enabled)
    assert (dock.progress.native.value(), dock.progress.native.maximum()) == (15, 30)

    dock.stop.native.click()
    assert (dock.stop.text, dock.stop.enabled) == ("Stopping…", False)
    training_desk.wait_for(dock, "Stopped as asked; resume to go on.")
    assert dock.stop.text == "Stop"
    assert (dock.start.text, dock.start.enabled) == ("Resume", True)
    assert not dock.form.epochs.enabled

    dock.start.native.click()
    training_desk.wait_for(dock, "Finished")
    epochs = dock._history.training.epochs
    assert epochs == sorted(epochs)
    assert len(epochs) == 30


def test_crash_is_told_with_the_end_of_the_log(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """A process that ends without a word is reported in words, and can be resumed."""
    fake("crash")
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "ended without a word")
    assert "Segmentation fault" in dock.log.value
    assert training_desk.shown(dock.log)
    assert dock.start.text == "Resume"
    fake("whole")
    dock.start.native.click()
    training_desk.wait_for(dock, "Finished")
    assert not training_desk.shown(dock.log)


def test_killed_child_is_noticed(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Kill -9 from outside ends in Resume."""
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "epoch 2 of 3")
    worker = RunFolder(dock.form.run_folder.value).worker()
    assert worker is not None
    psutil.Process(worker.pid).kill()
    training_desk.wait_for(dock, "ended without a word")
    assert dock.start.text == "Resume"


def test_failure_is_told_with_advice(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """What went wrong and what to do stand in the dock, once."""
    fake("fail")
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "Only 1 usable photograph. Choose another folder.")
    assert training_desk.shown(dock.new_run)
    assert not training_desk.shown(dock.log)


def test_garbage_in_the_events_is_passed_over(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Lines that nobody understands do not stop the watching."""
    fake("babble")
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "Finished")


def test_start_that_is_refused_says_why(
    training_desk: Any, photographs: Path, fake: Callable[[str], None], tmp_path: Path
) -> None:
    """An error on starting stands below the buttons, and can be tried again."""
    fake("whole")
    dock = training_desk.open()
    dock.form.folder.value = photographs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "no-python"))
        dock.start.native.click()
    assert "Cannot start the training process" in training_desk.text(dock.reason)
    dock.start.native.click()
    training_desk.wait_for(dock, "Finished")


def test_run_that_another_began_meanwhile_is_not_touched(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """A folder that a shell took since the form was filled in is refused by its process."""
    dock = training_desk.open()
    dock.form.folder.value = photographs
    run = RunFolder(dock.form.run_folder.value).create(TrainingConfig(folder=str(photographs)))
    child = start_training(run)
    dock.start.native.click()
    assert f"in use by process {child.pid}" in training_desk.text(dock.reason)


@pytest.mark.slow
def test_real_training_gives_a_model(training_desk: Any, photographs: Path) -> None:
    """The true child trains two epochs, and its model is in the list."""
    dock = training_desk.open()
    dock.form.folder.value = photographs
    dock.form.epochs.value = 2
    run = RunFolder(dock.form.run_folder.value)
    dock.start.native.click()
    training_desk.qtbot.waitUntil(
        lambda: run.state().name not in ("new", "running"), timeout=400_000
    )
    assert run.state().name == "finished", run.state().detail + run.log_tail()
    training_desk.wait_for(dock, f"The model {run.path.name} is in the Colorize dock")
    model = next(model for model in list_models() if model.name == run.path.name)
    assert model.card["network"] == "palette"
    assert "photographs to learn from" in training_desk.text(dock.notes)
    assert training_desk.shown(dock._plot_place)


def test_dock_follows_the_theme(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """The curves take the colours of the theme, when they are made and when it changes."""
    fake("whole")
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "Finished")
    assert dock.plot is not None
    dark = dock.plot._plot.getAxis("left").textPen().color().lightness()
    viewer.theme = "light"
    assert dock.plot._plot.getAxis("left").textPen().color().lightness() < dark
