"""The Train dock at work: driven as a person would, with a child process that plays its part."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from qtpy.QtGui import QGuiApplication

from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.setup.task_choice import CONTINUE
from napari_colorize.docks.watch import training_watch
from napari_colorize.files.models import list_models
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.identity import Identity
from napari_colorize.runs.process import start_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_training_from_start_to_model(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Start goes to the Watch tab; the model that comes out is in the list of models."""
    fake("whole")
    heard: list[int] = []
    models_changed.connect(lambda: heard.append(1))
    dock = training_desk.open()
    run = training_desk.fill_in(dock, photographs)
    training_desk.press(dock.setup.start)
    assert dock.tabs.currentWidget() is dock.watch
    assert dock.watch.run.path == run.path
    training_desk.wait_for(dock, "finished")
    saying = f"The model {run.path.name} is in the Colorize dock"
    training_desk.wait(lambda: bool(heard))
    training_desk.wait(lambda: saying in training_desk.words(dock.watch.view.status))
    assert run.path.name in [model.name for model in list_models()]
    assert heard == [1]
    models_changed.disconnect()
    assert "finished" in dock.watch.chooser.box.currentText()
    config = run.read_config()
    assert (config.folder, config.validation) == (str(photographs), None)
    assert config.init == "palette"

    assert not training_desk.shown(dock.watch.stop)
    assert not training_desk.shown(dock.watch.resume)
    training_desk.press(dock.watch.new_run)
    assert dock.tabs.currentWidget() is dock.setup
    assert dock.setup.start.isEnabled()
    assert dock.setup.task.run_folder != run.path


def test_stop_answers_at_once_and_resume_goes_on(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Stop, Stopping…, then Resume in its place, to the end."""
    dock = training_desk.start(photographs)
    training_desk.wait_for_step(dock)
    assert (dock.watch.stop.text(), dock.watch.stop.isEnabled()) == ("S&top", True)
    training_desk.press(dock.watch.stop)
    assert (dock.watch.stop.text(), dock.watch.stop.isEnabled()) == ("Stopping…", False)
    training_desk.wait_for(dock, "stopped")
    assert not training_desk.shown(dock.watch.stop)
    assert not training_desk.shown(dock.watch.end_now)
    assert "stopped" in dock.watch.chooser.box.currentText()
    training_desk.press(dock.watch.resume)
    training_desk.wait_for(dock, "finished")


def test_training_that_does_not_stop_can_be_ended(
    training_desk: Any,
    photographs: Path,
    fake: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the patience the end is offered; it asks first, and the run can be resumed."""
    monkeypatch.setattr(training_watch, "PATIENCE", 0.05)
    fake("deaf")
    dock = training_desk.start(photographs)
    training_desk.wait_for_step(dock)
    assert not training_desk.shown(dock.watch.end_now)
    training_desk.press(dock.watch.stop)
    training_desk.wait(lambda: training_desk.shown(dock.watch.end_now))
    assert "still busy" in training_desk.words(dock.watch.said)

    dock.look_at(dock.watch.run)
    assert not training_desk.shown(dock.watch.end_now)
    training_desk.wait(lambda: training_desk.shown(dock.watch.end_now))

    asked = training_desk.answer("Wait", dock.watch.end_now.click)
    assert "since it last saved is lost" in asked
    assert dock.watch.run.state().name == "running"
    training_desk.answer("End now", dock.watch.end_now.click)
    training_desk.wait_for(dock, "died")
    assert "You ended the training" in training_desk.words(dock.watch.said)
    assert not training_desk.shown(dock.watch.end_now)
    fake("whole")
    training_desk.press(dock.watch.resume)
    training_desk.wait_for(dock, "finished")


def test_end_now_says_why_it_cannot(
    training_desk: Any,
    photographs: Path,
    fake: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process of somebody else, of another computer, or none any more."""
    dock = training_desk.start(photographs)
    training_desk.wait_for_step(dock)
    run, watch = dock.watch.run, dock.watch
    monkeypatch.setattr(watch, "_is_sure", lambda: True)

    def denied(_: Any) -> None:
        raise psutil.AccessDenied

    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "kill", denied)
        watch._end_now()
    assert "may not be ended by you" in training_desk.words(watch.said)
    for worker, said in ((Identity(1, 0.0), "on another computer"), (None, "ended by itself")):
        with monkeypatch.context() as patch:
            patch.setattr(type(run), "worker", lambda _, found=worker: found)
            watch._end_now()
        assert said in training_desk.words(watch.said)
    assert run.state().name == "running"


def test_crash_is_told_with_the_end_of_the_log(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """A process that ends without a word is reported in words, and can be resumed."""
    fake("crash")
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "died")
    assert "Segmentation fault" in dock.watch.log.toPlainText()
    assert training_desk.shown(dock.watch.log)
    assert "status 9" in dock.watch.state.detail
    fake("whole")
    training_desk.press(dock.watch.resume)
    training_desk.wait_for(dock, "finished")
    assert not training_desk.shown(dock.watch.log)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_killed_child_is_told_with_the_reason(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Kill -9 from outside is told as such, and ends in Resume."""
    dock = training_desk.start(photographs)
    training_desk.wait_for_step(dock)
    worker = dock.watch.run.worker()
    psutil.Process(worker.pid).kill()
    training_desk.wait_for(dock, "died")
    assert "killed (signal 9)" in dock.watch.state.detail
    assert "memory was full" in dock.watch.state.detail
    assert training_desk.shown(dock.watch.resume)


def test_failure_is_told_and_its_log_is_not(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """What was foreseen is told once."""
    fake("fail")
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "failed")
    assert dock.watch.state.detail == "Only 1 usable photograph. Choose another folder."
    assert not training_desk.shown(dock.watch.log)
    assert training_desk.shown(dock.watch.resume)


def test_garbage_in_the_events_is_passed_over(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Lines that nobody understands do not stop the watching."""
    fake("babble")
    dock = training_desk.start(photographs)
    training_desk.wait_for(dock, "finished")


def test_start_that_is_refused_says_why(
    training_desk: Any, photographs: Path, fake: Callable[[str], None], tmp_path: Path
) -> None:
    """An error on starting stands above the button, and can be tried again."""
    fake("whole")
    dock = training_desk.open()
    training_desk.fill_in(dock, photographs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "no-python"))
        training_desk.press(dock.setup.start)
    assert "Cannot start the training process" in training_desk.words(dock.setup.reason)
    assert dock.tabs.currentWidget() is dock.setup
    training_desk.press(dock.setup.start)
    training_desk.wait_for(dock, "finished")


def test_run_that_another_began_meanwhile_is_not_touched(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """A folder that a shell took since the form was filled in is refused."""
    dock = training_desk.open()
    run = training_desk.fill_in(dock, photographs)
    run.create(TrainingConfig(folder=str(photographs)))
    child = start_training(run)
    training_desk.press(dock.setup.start)
    assert "already" in training_desk.words(dock.setup.reason)
    assert child.is_alive()


def test_stopped_run_is_continued_from_the_form(
    training_desk: Any, photographs: Path, fake: Callable[[str], None], tmp_path: Path
) -> None:
    """Continue shows the photographs of the run, which cannot be changed, and resumes it."""
    dock = training_desk.start(photographs)
    run = dock.watch.run
    training_desk.wait_for_step(dock)
    training_desk.press(dock.watch.stop)
    training_desk.wait_for(dock, "stopped")
    setup = dock.setup
    setup.photographs.show_folders(tmp_path, None)
    setup.task.choice.choose(CONTINUE)
    assert setup.task.run_to_continue.path == run.path
    assert setup.photographs.folder == photographs
    assert not setup.photographs.folder_edit.isEnabled()
    assert setup.start.text() == "Resume"
    training_desk.press(setup.start)
    assert dock.tabs.currentWidget() is dock.watch
    training_desk.wait_for(dock, "finished")
    setup.task.choice.choose("fine-tune")
    assert setup.photographs.folder == tmp_path


def test_the_call_can_be_copied(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """Both buttons put the call of this very training into the clipboard."""
    dock = training_desk.open()
    assert not dock.setup.copy_python.isEnabled()
    run = training_desk.fill_in(dock, photographs)
    training_desk.press(dock.setup.copy_python)
    copied = QGuiApplication.clipboard().text()
    assert "from napari_colorize import train" in copied
    assert repr(str(photographs)) in copied
    assert repr(str(run.path)) in copied
    training_desk.press(dock.setup.copy_command)
    assert QGuiApplication.clipboard().text().startswith("napari-colorize train ")
    assert "clipboard" in training_desk.words(dock.setup.said)
