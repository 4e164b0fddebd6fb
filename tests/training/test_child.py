"""The training in a process of its own: killed, stopped, out of space, started by `api.train`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import torch

from napari_colorize import api
from napari_colorize.errors import RunError, TrainingError
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Failed, Finished, Started, Step, Stopped
from napari_colorize.runs.folder import EventReader, RunFolder
from napari_colorize.runs.process import ChildProcess
from napari_colorize.training import __main__ as module
from napari_colorize.training.run import run_training

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 4,
    "crop": 16,
    "working_size": 16,
    "warmup": 2,
    "device": "cpu",
    "precision": "32-true",
    "checkpoint_every": 0.2,
}

no_windows = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def make_run(folder: Path, path: Path, **settings: Any) -> RunFolder:
    """Return a run of the founding network on very small crops."""
    return RunFolder(path).create(TrainingConfig(folder=str(folder), **SETTINGS | settings))


def start(run: RunFolder, *options: str, **how: Any) -> subprocess.Popen[str]:
    """Start the training of a run."""
    command = [sys.executable, "-P", "-m", "napari_colorize.training", str(run.path), *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes, **how)


def train(run: RunFolder, *options: str, **how: Any) -> tuple[int, str, str]:
    """Train to the end; return exit status, output and errors."""
    child = start(run, *options, **how)
    out, err = child.communicate(timeout=150)
    return child.returncode, out, err


def wait_for(run: RunFolder, kind: type, child: subprocess.Popen[str]) -> None:
    """Wait until an event of a kind was told."""
    reader = EventReader(run)
    while not any(isinstance(event, kind) for event in reader.read()):
        assert child.poll() is None, child.communicate()
        time.sleep(0.01)


def weights_of(run: RunFolder) -> dict[str, torch.Tensor]:
    """Return the weights of the checkpoint."""
    state = torch.load(run.last_checkpoint, weights_only=True)
    weights: dict[str, torch.Tensor] = state["training"]["weights"]
    return weights


def test_a_killed_training_goes_on(photographs: Path, tmp_path: Path) -> None:
    """Killed at any moment and resumed, it ends as if nothing had been, to the last bit."""
    whole, killed = make_run(photographs, tmp_path / "a"), make_run(photographs, tmp_path / "b")
    run_training(whole)
    told = EventReader(whole).read()
    started = next(event for event in told if isinstance(event, Started))
    moment = (told[-1].time - started.time) * int.from_bytes(os.urandom(1), "little") / 256
    child = start(killed)
    wait_for(killed, Started, child)
    time.sleep(moment)
    child.kill()
    child.communicate()
    assert isinstance(killed.last_event(), Finished) or killed.state().name == "died"
    with killed.events_file.open("ab") as file:
        file.write(b'{"event": "ste')
    status, _, err = train(killed, "--resume")
    assert (status, err) == (0, ""), f"killed {moment:.3f} s after the start"
    one, other = weights_of(whole), weights_of(killed)
    assert all(torch.equal(one[key], other[key]) for key in one), f"killed after {moment:.3f} s"
    ends = [run.last_event() for run in (whole, killed)]
    assert isinstance(ends[0], Finished)
    assert isinstance(ends[1], Finished)
    assert ends[0].best_loss == ends[1].best_loss


def test_the_module_tells_what_there_was_to_do(
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A finished run: it says so, status 0; a run that is not to be resumed, or none: status 1."""

    def main(path: Path, *options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["training", str(path), *options])
        return (module.main(), *capsys.readouterr())

    run = make_run(photographs, tmp_path / "run")
    run.append(Finished(3, 1, 0.1, "best.safetensors", "all 3 epochs done"))
    told = "The run has finished already: all 3 epochs done.\n"
    assert main(run.path, "--resume") == (0, told, "")
    run.last_checkpoint.touch()
    status, _, err = main(run.path)
    assert status == 1
    assert "resume it or choose another folder" in err
    status, _, err = main(tmp_path / "none")
    assert status == 1
    assert "is not a run folder" in err


@no_windows
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(photographs: Path, tmp_path: Path, number: int) -> None:
    """It saves and leaves after the step, with status 130 and the last word "stopped"."""
    run = make_run(photographs, tmp_path / "run", epochs=500)
    child = start(run)
    wait_for(run, Step, child)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "")
    last = run.last_event()
    assert isinstance(last, Stopped)
    state = torch.load(run.last_checkpoint, weights_only=True)
    assert state["training"]["progress"]["step"] == last.step >= 1


@no_windows
def test_a_disk_that_is_full(photographs: Path, tmp_path: Path) -> None:
    """Files may have 4 MB: the model has more. The last word says so; nothing half is left."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))

    run = make_run(photographs, tmp_path / "run")
    status, _, err = train(run, preexec_fn=limit)
    last = run.last_event()
    assert isinstance(last, Failed)
    assert last.kind == "StorageError"
    assert status == 1
    assert err.splitlines()[-1] == f"{last.message} {last.advice}"
    assert "file too large" in err
    left = {path.name for path in run.path.iterdir()}
    assert left == {"config.json", "events.jsonl", "lock.1"}


def test_train_returns_at_once_or_waits(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waiting it is back in no time; resumed, it waits for the end; Ctrl-C stops it."""
    started = time.monotonic()
    run = api.train(photographs, tmp_path / "run", wait=False, **SETTINGS | {"epochs": 300})
    assert time.monotonic() - started < 2
    assert run.state().name == "running"
    with pytest.raises(RunError, match="in use by process"):
        api.train(photographs, tmp_path / "run", resume=True)

    wait = ChildProcess.wait
    reader = EventReader(run)

    def interrupt(child: ChildProcess, timeout: float | None = None) -> bool:
        monkeypatch.setattr(ChildProcess, "wait", wait)
        while not any(isinstance(event, Step) for event in reader.read()):
            assert child.is_alive(), run.log_tail()
            time.sleep(0.02)
        raise KeyboardInterrupt

    run.request_stop()
    ChildProcess(*vars(run.worker()).values()).wait()
    assert run.state().name == "stopped"
    monkeypatch.setattr(ChildProcess, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        api.train(photographs, tmp_path / "run", resume=True)
    assert run.state().name == "stopped"
    assert run.worker() is None
    with pytest.raises(RunError, match="The run has epochs 300, not 301"):
        api.train(photographs, tmp_path / "run", resume=True, epochs=301)


def test_train_says_why_it_failed(tmp_path: Path) -> None:
    """Waited for, it raises the reason; wrong settings are told before anything is made."""
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(TrainingError, match=r"There are no pictures in .*empty"):
        api.train(folder, tmp_path / "run", **SETTINGS)
    with pytest.raises(TrainingError, match=r"Unknown training setting 'epoch'.* epochs"):
        api.train(folder, tmp_path / "other", epoch=3)
    assert not (tmp_path / "other").exists()


def test_train_leaves_a_finished_run_alone(tmp_path: Path, photographs: Path) -> None:
    """Resumed, it is back at once."""
    run = make_run(photographs, tmp_path / "run")
    run.append(Finished(3, 1, 0.1, "best.safetensors", "all 3 epochs done"))
    assert api.train(photographs, run.path, resume=True).path == run.path
    assert not run.log.exists()
