"""The Train dock, driven as a person would, with a real window and a real child process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from qtpy.compat import isalive

from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.training import TrainDock
from napari_colorize.files.models import list_models
from napari_colorize.runs import process
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Finished, Step
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import ChildProcess, known_runs, start_training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

FAKE = Path(__file__).with_name("fake_training.py")
PATIENCE = 30_000


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return the function that chooses what the training process does."""
    spawn = process._spawn

    def choose(mode: str) -> None:
        monkeypatch.setattr(
            process,
            "_spawn",
            lambda command, log: spawn([command[0], str(FAKE), mode, *command[4:]], log),
        )

    choose("stop")
    return choose


@pytest.fixture(autouse=True)
def _end_trainings() -> Iterator[None]:
    """End the trainings that a test left running on purpose."""
    yield
    for path in known_runs():
        worker = RunFolder(path).worker()
        if worker is not None:
            child = ChildProcess(worker.pid, worker.started)
            child.kill()
            child.wait(10)


@pytest.fixture
def viewer(make_napari_viewer_proxy: Callable[..., Any]) -> Any:
    """Return a viewer as a dock gets it."""
    return make_napari_viewer_proxy()


def opened(viewer: Any) -> TrainDock:
    """Return a Train dock in the viewer."""
    dock = TrainDock(viewer)
    viewer.window.add_dock_widget(dock, name="Train")
    return dock


def shown(part: Any) -> bool:
    """Return whether a part of the dock is visible when the dock is."""
    return not part.native.isHidden()


def text(part: Any) -> str:
    """Return the words of a label."""
    return str(part.value).replace("\u200b", "")


def wait_for(qtbot: QtBot, dock: TrainDock, words: str) -> None:
    """Wait until the status line has the words."""
    qtbot.waitUntil(lambda: words in text(dock.status), timeout=PATIENCE)


# The form.


def test_form_says_what_is_missing(viewer: Any, photographs: Path, tmp_path: Path) -> None:
    """Start stays disabled with the reason beside it, until the form is right."""
    dock = opened(viewer)
    form = dock.form
    empty = tmp_path / "empty"
    (empty / ".hidden").mkdir(parents=True)
    (empty / ".hidden" / "a.png").touch()
    (tmp_path / "file").write_text("")
    inside = photographs / "run"
    steps: list[tuple[Any, Path | None, str]] = [
        (form.folder, None, "Choose the folder"),
        (form.folder, tmp_path / "nowhere", "There is no folder"),
        (form.folder, tmp_path / "file", "is a file"),
        (form.folder, empty, "no pictures in empty"),
        (form.folder, photographs, ""),
        (form.validation, photographs, "another folder"),
        (form.validation, empty, "no pictures in empty"),
        (form.validation, photographs / "meadow", ""),
        (form.validation, None, ""),
        (form.run_folder, None, "Name a new folder"),
        (form.run_folder, inside, "lies among the photographs"),
        (form.run_folder, tmp_path / "file", "is a file"),
        (form.run_folder, tmp_path, "not empty"),
        (form.run_folder, empty.parent / "run", ""),
    ]
    for field, value, reason in steps:
        field.value = value
        assert reason in text(dock.reason)
        assert dock.start.enabled is not bool(reason)
        assert shown(dock.reason) is bool(reason)
        assert not dock.stop.enabled


def test_run_folder_is_named_after_the_photographs(
    viewer: Any, photographs: Path, tmp_path: Path
) -> None:
    """The suggestion follows the photographs until it is changed by hand, and is never taken."""
    form = opened(viewer).form
    assert Path(form.run_folder.value).name.startswith("training-")
    form.folder.value = photographs
    first = Path(form.run_folder.value)
    assert first.name.startswith(f"{photographs.name}-2")
    first.mkdir(parents=True)
    form.suggest_run_folder()
    assert Path(form.run_folder.value).name == f"{first.name}-2"
    form.run_folder.value = tmp_path / "mine"
    form.folder.value = photographs / "shore"
    assert form.run_folder.value == tmp_path / "mine"


def test_every_field_explains_itself(viewer: Any) -> None:
    """Each field and each button has a tooltip."""
    dock = opened(viewer)
    assert all(field.tooltip for field in dock.form)
    assert all(button.tooltip for button in (dock.start, dock.stop, dock.new_run))
    assert "goes on when this dock or napari is closed" in dock.progress.tooltip


def test_dock_never_makes_the_window_taller(viewer: Any) -> None:
    """The form scrolls where the window is low."""
    dock = opened(viewer)
    dock.log.visible = True
    assert dock.native.minimumSizeHint().height() < 200


def test_dock_is_found_by_napari(viewer: Any) -> None:
    """Napari opens the dock from the manifest and gives it the viewer."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-colorize", "Train")
    assert type(dock).__name__ == "TrainDock"


def test_opening_the_dock_loads_no_torch() -> None:
    """Neither torch nor pyqtgraph is needed before there is something to do or draw."""
    code = (
        "import sys, napari_colorize.docks.training;"
        "print([n for n in ('torch', 'pyqtgraph', 'scipy', 'skimage') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# A training.


def test_training_from_start_to_model(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """Progress, the doctor's counts, healing, curves; then the model is in the list."""
    fake("whole")
    heard: list[int] = []
    models_changed.connect(lambda: heard.append(1))
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.form.epochs.value = 3
    run = RunFolder(dock.form.run_folder.value)
    dock.start.native.click()
    assert not dock.start.enabled
    assert not dock.form.folder.enabled
    wait_for(qtbot, dock, "Finished")
    models_changed.disconnect()

    assert f"The model {run.path.name} is in the Colorize dock" in text(dock.status)
    assert run.path.name in [model.name for model in list_models()]
    assert heard == [1]
    notes = text(dock.notes)
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
    assert "finished" in text(dock.reason)
    dock.new_run.native.click()
    assert dock.start.enabled
    assert dock.start.text == "Start"
    assert dock.form.run_folder.value != run.path
    assert not shown(dock.status)


def test_progress_tells_epoch_pace_and_time_left(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """The line under the bar is what one wants to know; Stop is answered at once and kept."""
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "epoch 2 of 3 · 41 photographs/s · 15 s left")
    qtbot.waitUntil(lambda: dock.stop.enabled, timeout=PATIENCE)
    assert (dock.progress.native.value(), dock.progress.native.maximum()) == (15, 30)

    dock.stop.native.click()
    assert (dock.stop.text, dock.stop.enabled) == ("Stopping…", False)
    wait_for(qtbot, dock, "Stopped as asked; resume to go on.")
    assert dock.stop.text == "Stop"
    assert (dock.start.text, dock.start.enabled) == ("Resume", True)
    assert not dock.form.epochs.enabled

    dock.start.native.click()
    wait_for(qtbot, dock, "Finished")
    epochs = dock._history.training.epochs
    assert epochs == sorted(epochs)
    assert len(epochs) == 30


def test_crash_is_told_with_the_end_of_the_log(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """A process that ends without a word is reported in words, and can be resumed."""
    fake("crash")
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "ended without a word")
    assert "Segmentation fault" in dock.log.value
    assert shown(dock.log)
    assert dock.start.text == "Resume"
    fake("whole")
    dock.start.native.click()
    wait_for(qtbot, dock, "Finished")
    assert not shown(dock.log)


def test_killed_child_is_noticed(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """Kill -9 from outside ends in Resume."""
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "epoch 2 of 3")
    worker = RunFolder(dock.form.run_folder.value).worker()
    assert worker is not None
    psutil.Process(worker.pid).kill()
    wait_for(qtbot, dock, "ended without a word")
    assert dock.start.text == "Resume"


def test_failure_is_told_with_advice(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """What went wrong and what to do stand in the dock."""
    fake("fail")
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "Only 1 usable photograph. Choose another folder.")
    assert shown(dock.new_run)


def test_garbage_in_the_events_is_passed_over(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """Lines that nobody understands do not stop the watching."""
    fake("babble")
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "Finished")


def test_run_folder_that_vanishes_leaves_the_form(
    viewer: Any, photographs: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """A run that is deleted while it is looked at is no crash."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder=str(photographs)))
    with run.claim():
        run.append(Step(1, 10, 1, 0.5, 1e-3, 1.0, 9.0))
        dock = opened(viewer)
        dock.form.run_folder.value = run.path
        wait_for(qtbot, dock, "epoch 1")
        shutil.rmtree(run.path)
    qtbot.waitUntil(lambda: dock.start.enabled, timeout=PATIENCE)
    assert dock.start.text == "Start"


def test_start_that_is_refused_says_why(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None], tmp_path: Path
) -> None:
    """An error on starting stands below the buttons, and can be tried again."""
    fake("whole")
    dock = opened(viewer)
    dock.form.folder.value = photographs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "no-python"))
        dock.start.native.click()
    assert "Cannot start the training process" in text(dock.reason)
    dock.start.native.click()
    wait_for(qtbot, dock, "Finished")


def test_run_that_another_began_meanwhile_is_not_touched(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """A folder that a shell took since the form was filled in is refused by its process."""
    dock = opened(viewer)
    dock.form.folder.value = photographs
    run = RunFolder(dock.form.run_folder.value).create(TrainingConfig(folder=str(photographs)))
    child = start_training(run)
    dock.start.native.click()
    assert f"in use by process {child.pid}" in text(dock.reason)


# Runs that were there before.


def test_closed_dock_leaves_the_training_and_finds_it_again(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """A dock that is opened again shows the run that is under way, with its settings."""
    first = opened(viewer)
    first.form.folder.value = photographs
    first.form.epochs.value = 7
    first.start.native.click()
    wait_for(qtbot, first, "epoch 2 of 3")
    run = RunFolder(first.form.run_folder.value)
    viewer.window.remove_dock_widget(first.native)
    qtbot.waitUntil(lambda: not first._watcher.is_watching(), timeout=PATIENCE)
    assert run.state().name == "running"

    second = opened(viewer)
    wait_for(qtbot, second, "epoch 2 of 3")
    assert second.form.run_folder.value == run.path
    assert second.form.folder.value == photographs
    assert second.form.epochs.value == 7
    assert len(second._history.training.epochs) == 15
    second.stop.native.click()
    wait_for(qtbot, second, "Stopped")


def test_closed_viewer_leaves_the_training(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """The training outlives the window."""
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "epoch 2 of 3")
    run = RunFolder(dock.form.run_folder.value)
    viewer.close()
    qtbot.wait(700)
    assert run.state().name == "running"
    assert not isalive(dock._watcher) or not dock._watcher.is_watching()


def test_model_of_a_run_that_finished_meanwhile_is_fetched_once(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None], tmp_path: Path
) -> None:
    """A run that finished with napari closed brings its model; one that was deleted stays away."""
    fake("whole")
    run = RunFolder(tmp_path / "meadow").create(TrainingConfig(folder=str(photographs)))
    assert start_training(run).wait(20)
    dock = opened(viewer)
    wait_for(qtbot, dock, "The model meadow is in the Colorize dock")
    next(model.path for model in list_models() if model.name == "meadow").unlink()
    viewer.window.remove_dock_widget(dock.native)
    other = opened(viewer)
    qtbot.wait(100)
    assert other.form.run_folder.value != run.path
    assert "meadow" not in [model.name for model in list_models()]


def test_model_never_replaces_another(
    viewer: Any, photographs: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    """Two runs of the same name give two models."""
    write_model = _write_model()
    names = []
    for number in range(2):
        run = RunFolder(tmp_path / str(number) / "coast").create(TrainingConfig(folder="x"))
        write_model(run.best_model, bytes([number, 0, 0, 0]))
        run.append(Finished(1, 1, 0.1, run.best_model.name, "done"))
        dock = opened(viewer)
        dock.form.run_folder.value = run.path
        wait_for(qtbot, dock, "is in the Colorize dock")
        names.append(text(dock.status).rpartition("The model ")[2].split()[0])
        viewer.window.remove_dock_widget(dock.native)
    assert names == ["coast", "coast-2"]
    assert {"coast", "coast-2"} <= {model.name for model in list_models()}


def test_broken_model_is_told(viewer: Any, photographs: Path, qtbot: QtBot, tmp_path: Path) -> None:
    """A finished run whose model cannot be read says so."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    run.best_model.write_bytes(b"half a mod")
    run.append(Finished(1, 1, 0.1, run.best_model.name, "done"))
    dock = opened(viewer)
    dock.form.run_folder.value = run.path
    wait_for(qtbot, dock, "could not be put into the Colorize dock")


def test_two_trainings_are_looked_at_in_turn(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """New run leaves the first one training; naming its folder shows it again."""
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "epoch 2 of 3")
    first = RunFolder(dock.form.run_folder.value)
    dock.new_run.native.click()
    assert dock.form.run_folder.value != first.path
    dock.start.native.click()
    wait_for(qtbot, dock, "epoch 2 of 3")
    assert first.state().name == "running"
    dock.stop.native.click()
    wait_for(qtbot, dock, "Stopped")
    dock.form.run_folder.value = first.path
    wait_for(qtbot, dock, "epoch 2 of 3")
    qtbot.waitUntil(lambda: dock.stop.enabled, timeout=PATIENCE)
    assert not dock.start.enabled


@pytest.mark.slow
def test_real_training_gives_a_model(viewer: Any, photographs: Path, qtbot: QtBot) -> None:
    """The true child trains two epochs, and its model is in the list."""
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.form.epochs.value = 2
    run = RunFolder(dock.form.run_folder.value)
    dock.start.native.click()
    qtbot.waitUntil(lambda: run.state().name not in ("new", "running"), timeout=150_000)
    assert run.state().name == "finished", run.state().detail + run.log_tail()
    wait_for(qtbot, dock, f"The model {run.path.name} is in the Colorize dock")
    model = next(model for model in list_models() if model.name == run.path.name)
    assert model.card["network"] == "plain"
    assert "photographs to learn from" in text(dock.notes)
    assert shown(dock._plot_place)


def test_run_with_broken_settings_is_told(viewer: Any, tmp_path: Path, qtbot: QtBot) -> None:
    """A run folder whose settings cannot be read is no crash."""
    (tmp_path / "config.json").write_text("{")
    dock = opened(viewer)
    dock.form.run_folder.value = tmp_path
    qtbot.wait(100)
    assert "Cannot read the settings" in text(dock.notes)


def test_dock_follows_the_theme(
    viewer: Any, photographs: Path, qtbot: QtBot, fake: Callable[[str], None]
) -> None:
    """The curves take the colours of the theme, when they are made and when it changes."""
    fake("whole")
    dock = opened(viewer)
    dock.form.folder.value = photographs
    dock.start.native.click()
    wait_for(qtbot, dock, "Finished")
    assert dock.plot is not None
    dark = dock.plot._plot.getAxis("left").textPen().color().lightness()
    viewer.theme = "light"
    assert dock.plot._plot.getAxis("left").textPen().color().lightness() < dark


def test_long_run_is_read_without_holding_up_the_window(
    viewer: Any, photographs: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    """Many events come in pieces, and the window gets its turn in between."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder=str(photographs)))
    run.append(Step(1, 100_000, 1, 0.5, 1e-3, 1.0, 9.0))
    line = run.events_file.read_bytes()
    run.events_file.write_bytes(line * 20_000)
    dock = opened(viewer)
    dock.form.run_folder.value = run.path
    turns: list[int] = []
    dock._watcher.told.connect(lambda events: turns.append(len(events)))
    qtbot.waitUntil(lambda: dock._state is not None, timeout=PATIENCE)
    assert sum(turns) == 20_000
    assert max(turns) < 2_000
    assert len(dock._history.training.epochs) > 2000


def _write_model() -> Callable[[Path, bytes], None]:
    """Return the maker of tiny models out of the stand-in's file."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("fake_training", FAKE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    write: Callable[[Path, bytes], None] = module.write_model
    return write
