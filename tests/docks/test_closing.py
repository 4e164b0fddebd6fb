"""Closing napari while a training is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from npe2 import PluginManager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow, QMessageBox, QWidget

from napari_colorize.docks.closing import guard_closing, runs_under_way
from napari_colorize.docks.preferences import remember
from napari_colorize.errors import StorageError
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import remember_run, start_training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    Answer = Callable[[str, Callable[[], object]], str]


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[QMainWindow]:
    """Return a window that is built as napari's, with a dock in it."""
    window = QMainWindow()
    window.setCentralWidget(QWidget())
    QLabel("the canvas", window.centralWidget())
    dock = QDockWidget(window)
    dock.setWidget(QLabel("the dock"))
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    for _ in range(2):
        guard_closing(dock.widget())
    window.show()
    yield window
    # Not by qtbot, which closes it while the run is still under way: that would ask.
    window.deleteLater()
    qtbot.wait(10)


@pytest.fixture
def run(fake: Callable[[str], None], tmp_path: Path) -> Iterator[RunFolder]:
    """Return a run that is under way."""
    run = RunFolder(tmp_path / "meadow").create(TrainingConfig(folder="x"))
    child = start_training(run)
    yield run
    child.kill()
    child.wait()


def test_cancel_keeps_the_window_open(answer: Answer, window: QMainWindow, run: RunFolder) -> None:
    """The window stays, the training goes on; it asks once."""
    asked = answer("Cancel", window.close)
    assert asked.count("The training meadow is under way") == 1
    assert window.isVisible()
    assert run.state().name == "running"


def test_leave_it_running(answer: Answer, window: QMainWindow, run: RunFolder) -> None:
    """The window closes, the training goes on."""
    answer("Leave it", window.close)
    assert not window.isVisible()
    assert run.state().name == "running"
    assert not run.stop_requested()


def test_stop_it_and_close(
    answer: Answer, window: QMainWindow, run: RunFolder, qtbot: QtBot
) -> None:
    """The window closes at once, and the training stops by itself."""
    qtbot.waitUntil(lambda: run.last_event() is not None, timeout=60_000)
    answer("Stop it", window.close)
    assert not window.isVisible()
    qtbot.waitUntil(lambda: run.state().name == "stopped", timeout=60_000)


def test_a_stop_that_cannot_be_written_keeps_the_window_open(
    answer: Answer, window: QMainWindow, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was answered cannot be done, and that is told."""

    def refuse(_: RunFolder) -> None:
        raise StorageError("The disk is full.")

    told: list[str] = []
    monkeypatch.setattr(RunFolder, "request_stop", refuse)
    monkeypatch.setattr(QMessageBox, "warning", lambda *words: told.append(words[-1]))
    answer("Stop it", window.close)
    assert told == ["The disk is full."]
    assert window.isVisible()


def test_it_asks_also_when_the_dock_was_closed(
    answer: Answer, window: QMainWindow, run: RunFolder
) -> None:
    """The training is under way, whether someone looks or not."""
    [dock] = window.findChildren(QDockWidget)
    window.removeDockWidget(dock)
    dock.setParent(None)
    assert "under way" in answer("Cancel", window.close)
    assert window.isVisible()


def test_it_can_be_switched_off(window: QMainWindow, run: RunFolder) -> None:
    """Who does not want to be asked says so in the preferences."""
    PluginManager.instance().discover()
    remember("ask_on_close", False)
    window.close()
    assert not window.isVisible()
    assert run.state().name == "running"


def test_code_that_closes_its_viewer_is_not_asked(window: QMainWindow, run: RunFolder) -> None:
    """`viewer.close()` has closed the canvas before the window."""
    for part in window.centralWidget().findChildren(QWidget):
        part.close()
    window.close()
    assert not window.isVisible()


def test_nothing_is_asked_when_nothing_is_under_way(window: QMainWindow, tmp_path: Path) -> None:
    """A training of another machine is none of this one's."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    remember_run(run.path)
    with run.claim():
        assert runs_under_way() == []
        window.close()
        assert not window.isVisible()


def test_the_dock_guards_naparis_window(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """A dock that comes into view lets napari's own window ask."""
    dock = training_desk.start(photographs)
    training_desk.wait_for_step(dock)
    dock.window().show()
    training_desk.wait(dock.isVisible)
    assert "under way" in training_desk.answer("Cancel", dock.window().close)
    assert dock.isVisible()
