"""A child is started apart, known by number and start, and never mistaken for another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from napari_colorize.errors import RunError, StorageError, TrainingError
from napari_colorize.runs import process
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.identity import Identity, identity_of
from napari_colorize.runs.process import ChildProcess, known_runs, remember_run, start_training

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's list of runs out of the tests."""
    monkeypatch.setenv("NAPARI_COLORIZE_DATA", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    """Kill what a test left running."""
    before = set(psutil.Process().children(recursive=True))
    yield
    for child in set(psutil.Process().children(recursive=True)) - before:
        child.kill()
        child.wait(120)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run that was made and not started."""
    return RunFolder(tmp_path / "run").create(TrainingConfig(folder="photographs"))


def child_runs(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the training process run other code, with the run folder as its first argument."""
    spawn = process._spawn
    monkeypatch.setattr(
        process,
        "_spawn",
        lambda command, log: spawn([command[0], "-c", code, *command[4:]], log),
    )


def test_child_is_apart_and_ends_by_itself(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child has its own session, no input, its output in the log, and is reaped."""
    child_runs(
        monkeypatch,
        "import os, sys; print(repr(sys.stdin.read()), sys.argv[1:], flush=True);"
        "print(os.getsid(0) == os.getpid() if hasattr(os, 'getsid') else True)",
    )
    child = start_training(run, resume=True)
    assert child.wait(120)
    assert run.log_tail() == f"'' ['{run.path}', '--resume']\nTrue".replace("\\", "\\\\")
    assert not psutil.pid_exists(child.pid)
    assert run.state().name == "died"
    assert known_runs() == [run.path]


def test_running_child_is_found_by_another_process(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From number and start alone the child is alive, is killed, and is dead."""
    child_runs(monkeypatch, "import time; time.sleep(600)")
    start_training(run)
    assert run.state().name == "running"
    worker = RunFolder(run.path).worker()
    assert worker is not None
    found = ChildProcess(worker.pid, worker.started)
    assert found.is_alive()
    with pytest.raises(RunError, match=f"process {found.pid}"):
        start_training(run)
    with pytest.raises(RunError, match=f"process {found.pid}"):
        run.create(TrainingConfig(folder="x"), force=True)
    assert not found.wait(0.1)
    found.kill()
    assert found.wait(120)
    assert run.state().name == "died"


def test_stop_of_an_earlier_time_is_forgotten(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was stopped and is started again is not stopped at once."""
    child_runs(monkeypatch, "")
    run.request_stop()
    child = start_training(run, resume=True)
    assert not run.stop_requested()
    assert child.wait(120)


def test_dead_number_is_not_taken_for_a_living_one() -> None:
    """Another start, no such number, and numbers that cannot be are all dead."""
    me = psutil.Process()
    assert Identity(me.pid, me.create_time()).is_alive()
    assert not Identity(me.pid, me.create_time() - 100).is_alive()
    assert not Identity(2**22 + 1, me.create_time()).is_alive()
    assert not Identity(-5, 0.0).is_alive()
    assert not Identity(2**80, 0.0).is_alive()
    assert identity_of(2**22 + 1) is None


def test_kill_spares_a_process_with_the_same_number() -> None:
    """A process that got the number of a dead training lives on."""
    with subprocess.Popen(SLEEPER) as innocent:
        ChildProcess(innocent.pid, time.time() - 1000).kill()
        assert innocent.poll() is None
        innocent.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zombies")
def test_zombie_is_dead_and_reaped() -> None:
    """A child that ended and was not waited for does not count as living."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
    child = identity_of(pid)
    assert child is not None
    assert ChildProcess(child.pid, child.started).wait(120)
    assert not psutil.pid_exists(pid)


def test_run_that_was_not_made_is_not_started(tmp_path: Path) -> None:
    """There is nothing to train in an empty folder."""
    with pytest.raises(RunError, match="not a run folder"):
        start_training(RunFolder(tmp_path))


def test_python_that_is_missing_is_told(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that cannot be started is an error for people."""
    monkeypatch.setattr(sys, "executable", str(run.path / "no-python"))
    with pytest.raises(TrainingError, match="no-python"):
        start_training(run)
    assert run.state().name == "new"


def test_known_runs_are_newest_first_and_exist(tmp_path: Path) -> None:
    """A run that is used again goes to the head; one that was deleted is not listed."""
    runs = [RunFolder(tmp_path / name).create(TrainingConfig(folder="x")) for name in "abc"]
    for run in (*runs, runs[0]):
        remember_run(run.path)
    runs[1].config_file.unlink()
    assert known_runs() == [runs[0].path, runs[2].path]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"runs": 3}', '{"runs": [3, null]}', "\x00"])
def test_garbage_in_the_list_of_runs_is_no_run(tmp_path: Path, text: str) -> None:
    """A broken list is empty, and is written anew."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "runs.json").write_text(text)
    assert known_runs() == []
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    remember_run(run.path)
    assert known_runs() == [run.path]


def test_list_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A data folder that is a file is a storage error; a training starts all the same."""
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageError, match="data"):
        remember_run(tmp_path)
