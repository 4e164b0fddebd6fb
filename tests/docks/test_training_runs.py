"""The Train dock and runs that are there already: found again, looked at in turn, broken."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive

from napari_colorize.files.models import list_models
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Finished, Step
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import start_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_run_folder_that_vanishes_leaves_the_form(
    training_desk: Any, photographs: Path, tmp_path: Path
) -> None:
    """A run that is deleted while it is looked at is no crash."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder=str(photographs)))
    with run.claim():
        run.append(Step(1, 10, 1, 0.5, 1e-3, 1.0, 9.0))
        dock = training_desk.open()
        dock.form.run_folder.value = run.path
        training_desk.wait_for(dock, "epoch 1")
        shutil.rmtree(run.path)
    training_desk.wait(lambda: dock.start.enabled)
    assert dock.start.text == "Start"


def test_closed_dock_leaves_the_training_and_finds_it_again(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """A dock that is opened again shows the run that is under way, with its settings."""
    first = training_desk.open()
    first.form.folder.value = photographs
    first.form.epochs.value = 7
    first.start.native.click()
    training_desk.wait_for(first, "epoch 2 of 3")
    run = RunFolder(first.form.run_folder.value)
    viewer.window.remove_dock_widget(first.native)
    training_desk.wait(lambda: not first._watcher.is_watching())
    assert run.state().name == "running"

    second = training_desk.open()
    training_desk.wait_for(second, "epoch 2 of 3")
    assert second.form.run_folder.value == run.path
    assert second.form.folder.value == photographs
    assert second.form.epochs.value == 7
    assert len(second._history.training.epochs) == 15
    second.stop.native.click()
    training_desk.wait_for(second, "Stopped")


def test_closed_viewer_leaves_the_training(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """The training outlives the window."""
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "epoch 2 of 3")
    run = RunFolder(dock.form.run_folder.value)
    viewer.close()
    training_desk.qtbot.wait(700)
    assert run.state().name == "running"
    assert not isalive(dock._watcher) or not dock._watcher.is_watching()


def test_model_of_a_run_that_finished_meanwhile_is_fetched_once(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None], tmp_path: Path
) -> None:
    """A run that finished with napari closed brings its model; one that was deleted stays away."""
    fake("whole")
    run = RunFolder(tmp_path / "meadow").create(TrainingConfig(folder=str(photographs)))
    assert start_training(run).wait(120)
    dock = training_desk.open()
    training_desk.wait_for(dock, "The model meadow is in the Colorize dock")
    next(model.path for model in list_models() if model.name == "meadow").unlink()
    viewer.window.remove_dock_widget(dock.native)
    other = training_desk.open()
    training_desk.qtbot.wait(100)
    assert other.form.run_folder.value != run.path
    assert "meadow" not in [model.name for model in list_models()]


def test_model_never_replaces_another(
    training_desk: Any, viewer: Any, tmp_path: Path, write_model: Callable[[Path, bytes], None]
) -> None:
    """Two runs of the same name give two models."""
    names = []
    for number in range(2):
        run = RunFolder(tmp_path / str(number) / "coast").create(TrainingConfig(folder="x"))
        write_model(run.best_model, bytes([number, 0, 0, 0]))
        run.append(Finished(1, 1, 0.1, run.best_model.name, "done"))
        dock = training_desk.open()
        dock.form.run_folder.value = run.path
        training_desk.wait_for(dock, "is in the Colorize dock")
        names.append(training_desk.text(dock.status).rpartition("The model ")[2].split()[0])
        viewer.window.remove_dock_widget(dock.native)
    assert names == ["coast", "coast-2"]
    assert {"coast", "coast-2"} <= {model.name for model in list_models()}


def test_broken_model_is_told(training_desk: Any, tmp_path: Path) -> None:
    """A finished run whose model cannot be read says so."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    run.best_model.write_bytes(b"half a mod")
    run.append(Finished(1, 1, 0.1, run.best_model.name, "done"))
    dock = training_desk.open()
    dock.form.run_folder.value = run.path
    training_desk.wait_for(dock, "could not be put into the Colorize dock")


def test_two_trainings_are_looked_at_in_turn(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """New run leaves the first one training; naming its folder shows it again."""
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "epoch 2 of 3")
    first = RunFolder(dock.form.run_folder.value)
    dock.new_run.native.click()
    assert dock.form.run_folder.value != first.path
    dock.start.native.click()
    training_desk.wait_for(dock, "epoch 2 of 3")
    assert first.state().name == "running"
    dock.stop.native.click()
    training_desk.wait_for(dock, "Stopped")
    dock.form.run_folder.value = first.path
    training_desk.wait_for(dock, "epoch 2 of 3")
    training_desk.wait(lambda: dock.stop.enabled)
    assert not dock.start.enabled


def test_run_with_broken_settings_is_told(training_desk: Any, tmp_path: Path) -> None:
    """A run folder whose settings cannot be read is no crash."""
    (tmp_path / "config.json").write_text("{")
    dock = training_desk.open()
    dock.form.run_folder.value = tmp_path
    training_desk.qtbot.wait(100)
    assert "Cannot read the settings" in training_desk.text(dock.notes)


def test_long_run_is_read_without_holding_up_the_window(
    training_desk: Any, photographs: Path, tmp_path: Path
) -> None:
    """Many events come in pieces, and the window gets its turn in between."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder=str(photographs)))
    run.append(Step(1, 100_000, 1, 0.5, 1e-3, 1.0, 9.0))
    line = run.events_file.read_bytes()
    run.events_file.write_bytes(line * 20_000)
    dock = training_desk.open()
    dock.form.run_folder.value = run.path
    turns: list[int] = []
    dock._watcher.told.connect(lambda events: turns.append(len(events)))
    training_desk.wait(lambda: dock._state is not None)
    assert sum(turns) == 20_000
    assert max(turns) < 2_000
    assert len(dock._history.training.epochs) > 2000
