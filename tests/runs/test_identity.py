"""Processes known by number and start, and why they ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from napari_colorize.runs import words
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Step, Stopped
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.identity import Identity, identity_of
from napari_colorize.runs.process import forget_run, known_runs, remember_run

if TYPE_CHECKING:
    from pathlib import Path

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")


def ended(code: str) -> Identity:
    """Return a child of this process that ran some Python and ended."""
    process = subprocess.Popen([sys.executable, "-c", code])
    child = identity_of(process.pid)
    assert child is not None
    process.returncode = 0  # nobody but `Identity` reaps it
    while child.is_alive():
        time.sleep(0.01)
    return child


@needs_signals
@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import os; os.kill(os.getpid(), 9)", "it was killed (signal 9), by the system"),
        ("import os; os.abort()", "it crashed (signal 6, SIGABRT)"),
        ("raise SystemExit(3)", "its process ended with status 3"),
    ],
)
def test_the_parent_knows_why_its_child_ended(code: str, cause: str) -> None:
    """A kill, a crash and a status are told apart."""
    assert ended(code).cause_of_death().startswith(cause)


@pytest.mark.skipif(sys.platform != "linux", reason="a thread of its own ends only on Linux")
def test_a_child_whose_threads_are_ending_still_runs() -> None:
    """Its first thread is a zombie before the others have ended, and has no status until then."""
    code = (
        "import ctypes, os, threading, time\n"
        "late = lambda: (time.sleep(0.5), os.kill(os.getpid(), 9))\n"
        "threading.Thread(target=late).start()\n"
        "ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    child = identity_of(process.pid)
    assert child is not None
    process.returncode = 0
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert child.is_alive()
    while child.is_alive():
        time.sleep(0.01)
    assert "signal 9" in child.cause_of_death()


def test_of_others_little_is_known() -> None:
    """A process that is no child, and one of before the computer was restarted."""
    stranger = Identity(2**22 + 1, time.time())
    assert stranger.cause_of_death() == "it was killed, ran out of memory or crashed"
    ancient = Identity(os.getpid(), psutil.boot_time() - 3600)
    assert not ancient.is_alive()
    assert "restarted" in ancient.cause_of_death()


def test_the_cause_is_told_with_what_can_be_done(tmp_path: Path) -> None:
    """A run that died says why, in the dock and in the shell."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    run.append(Step(1, 10, 1, 0.5, 1e-3, 1.0, 9.0))
    run.record_child(Identity(os.getpid(), psutil.boot_time() - 3600))
    run.log.write_text("Loading\nof things\n")
    told = words.ending(run.state())
    assert told == (
        "The training ended without a word: the computer was restarted or switched off. "
        "Resume goes on from the last checkpoint."
    )


def test_a_resume_in_the_second_of_the_stop_is_under_way(tmp_path: Path) -> None:
    """The system tells the start of a process too coarsely to order it among events."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    now = time.time()
    run.append(Stopped(3, "stopped as asked", time=now))
    child = identity_of(os.getppid())
    assert child is not None
    run.record_child(child)
    assert run.state().name == "stopped"
    run.record_child(child, since=now + 0.01)
    assert run.state().name == "running"
    assert run.worker() == child


def test_a_run_is_forgotten(tmp_path: Path) -> None:
    """It goes off the list; its folder stays."""
    runs = [RunFolder(tmp_path / name).create(TrainingConfig(folder="x")) for name in "ab"]
    for run in runs:
        remember_run(run.path)
    forget_run(runs[1].path)
    assert known_runs() == [runs[0].path]
    assert runs[1].exists()
