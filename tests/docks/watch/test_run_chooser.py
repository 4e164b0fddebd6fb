"""The list of the known runs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

from napari_colorize.docks.watch.run_chooser import RunChooser, day
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Failed, Stopped
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import known_runs, remember_run

if TYPE_CHECKING:
    from pathlib import Path


def make_run(path: Path, age: float = 0.0) -> RunFolder:
    """Return a run that was stopped so many seconds ago and is known."""
    run = RunFolder(path).create(TrainingConfig(folder="x"))
    run.append(Stopped(3, "stopped as asked", time.time() - age))
    remember_run(path)
    return run


@pytest.fixture
def chooser(qtbot: Any, tmp_path: Path) -> RunChooser:
    """Return a chooser with two runs, the older of which was used last."""
    make_run(tmp_path / "new")
    make_run(tmp_path / "old", 40 * 86400)
    chooser = RunChooser()
    qtbot.addWidget(chooser)
    chooser.refresh()
    return chooser


def names(chooser: RunChooser) -> list[str]:
    """Return the names in the list."""
    return [chooser.box.itemText(place).split(" ")[0] for place in range(chooser.box.count())]


def test_the_newest_comes_first_and_those_under_way_before_it(
    chooser: RunChooser, tmp_path: Path
) -> None:
    """Each line says how a run stands and since when."""
    assert names(chooser) == ["new", "old"]
    assert chooser.box.itemText(0).startswith("new · stopped today ")
    assert chooser.box.itemText(1).startswith("old · stopped 20")
    run = make_run(tmp_path / "older", 90 * 86400)
    with run.claim():
        chooser.refresh()
        assert names(chooser) == ["older", "new", "old"]
        assert chooser.box.itemText(0) == "older · running"
        newest = chooser.newest()
        assert newest is not None
        assert newest.path.name == "older"


def test_a_run_that_is_shown_becomes_known(chooser: RunChooser, tmp_path: Path) -> None:
    """Looking at a run from elsewhere puts it into the list; nothing is told."""
    told: list[Any] = []
    chooser.chosen.connect(told.append)
    run = RunFolder(tmp_path / "other").create(TrainingConfig(folder="x"))
    run.append(Failed("DataError", "No photographs.", ""))
    chooser.show_run(run)
    assert chooser.run is not None
    assert chooser.run.path == run.path
    assert run.path in known_runs()
    assert told == []


def test_a_run_is_chosen_or_browsed_for(
    chooser: RunChooser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both tell which; a folder that is no run is refused in words."""
    told: list[RunFolder] = []
    chooser.chosen.connect(told.append)
    chooser.box.setCurrentIndex(1)
    chooser.box.activated.emit(1)
    assert told[-1].path.name == "old"
    other = RunFolder(tmp_path / "elsewhere").create(TrainingConfig(folder="x"))
    for path in (other.path, tmp_path):
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, p=path: str(p))
        chooser.browse.click()
    assert told[-1].path == other.path
    assert "is not the folder of a run" in chooser.said.text()


def test_a_run_is_taken_off_the_list(chooser: RunChooser, tmp_path: Path) -> None:
    """Its folder stays where it is, and the next run is shown."""
    told: list[RunFolder] = []
    chooser.chosen.connect(told.append)
    chooser.show_run(RunFolder(tmp_path / "new"))
    chooser.remove.trigger()
    assert names(chooser) == ["old"]
    assert (tmp_path / "new" / "config.json").exists()
    assert told[-1].path.name == "old"
    assert "off the list" in chooser.said.text()


@pytest.mark.skipif(sys.platform != "linux", reason="the bin of the test is in a folder of its own")
def test_a_run_goes_to_the_bin_and_comes_back(
    chooser: RunChooser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bin of the system takes the whole folder; Undo brings it back."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    chooser.show_run(RunFolder(tmp_path / "new"))
    chooser.bin.trigger()
    assert not (tmp_path / "new").exists()
    assert names(chooser) == ["old"]
    assert "is in the bin" in chooser.said.text()
    assert not chooser.undo.isHidden()
    chooser.undo.click()
    assert (tmp_path / "new" / "config.json").exists()
    assert names(chooser) == ["new", "old"]
    assert chooser.undo.isHidden()


def test_a_run_under_way_cannot_be_removed(chooser: RunChooser, tmp_path: Path) -> None:
    """Neither from the list nor to the bin."""
    run = RunFolder(tmp_path / "new")
    with run.claim():
        chooser.show_run(run)
        assert not chooser.bin.isEnabled()
        assert not chooser.remove.isEnabled()


def test_the_call_of_a_run_is_copied(chooser: RunChooser, tmp_path: Path) -> None:
    """As Python and as a command, with the folder of the run."""
    chooser.show_run(RunFolder(tmp_path / "new"))
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    chooser.copy_python.trigger()
    assert clipboard.text().startswith("from napari_colorize import train")
    assert repr(str(tmp_path / "new")) in clipboard.text()
    chooser.copy_command.trigger()
    assert clipboard.text().startswith("napari-colorize train")
    assert "in the clipboard" in chooser.said.text()


def test_without_runs_there_is_nothing_to_choose(qtbot: Any) -> None:
    """An empty list says so."""
    chooser = RunChooser()
    qtbot.addWidget(chooser)
    chooser.refresh()
    assert chooser.newest() is None
    assert chooser.run is None
    assert not chooser.box.isEnabled()
    assert chooser.box.placeholderText() == "no training yet"


def test_days_are_said_in_words() -> None:
    """Today with the time, yesterday, else the date."""
    now = time.time()
    assert day(now).startswith("today ")
    assert day(now - 86400) == "yesterday"
    assert day(0.0)[:3] in ("197", "196")
