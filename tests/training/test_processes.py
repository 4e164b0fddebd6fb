"""Several processes that train together: equal weights, one writer, one end for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Failed, Finished, Healed, Started, Step, Stopped
from napari_colorize.runs.folder import EventReader, RunFolder
from napari_colorize.training.run import run_training

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not torch.distributed.is_available(),
    reason="Fabric's processes are tried where torch has gloo",
)

SCRIPT = Path(__file__).with_name("processes.py")
SETTINGS: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 8,
    "crop": 16,
    "working_size": 16,
    "warmup": 2,
    "device": "cpu",
    "precision": "32-true",
}


def make_run(folder: Path, path: Path, **settings: Any) -> RunFolder:
    """Return a run of the founding network on very small crops."""
    return RunFolder(path).create(TrainingConfig(folder=str(folder), **SETTINGS | settings))


def train(run: RunFolder, **environment: str) -> subprocess.CompletedProcess[str]:
    """Train with the script that writes hashes."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(run.path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, **environment},
    )


def weights_of(run: RunFolder) -> dict[str, torch.Tensor]:
    """Return the weights of the checkpoint."""
    state = torch.load(run.last_checkpoint, weights_only=True)
    weights: dict[str, torch.Tensor] = state["training"]["weights"]
    return weights


def test_two_processes_have_the_same_weights(photographs: Path, tmp_path: Path) -> None:
    """To the last bit, and those of one process nearly, though one of the two heals."""
    two = make_run(photographs, tmp_path / "two", processes=2, network="plain")
    done = train(two, RANK_SHORT_OF_MEMORY="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    hashes = [(tmp_path / f"two.{rank}").read_text("utf-8").split() for rank in (0, 1)]
    assert hashes[0][:2] == hashes[1][:2]
    assert [rank for *_, rank in hashes] == ["0", "1"]
    told = EventReader(two).read()
    assert sum(isinstance(event, Started) for event in told) == 1
    healed = [event for event in told if isinstance(event, Healed)]
    assert [(event.micro_batch, event.accumulate) for event in healed] == [(2, 2), (1, 4)]
    assert isinstance(told[-1], Finished)

    one = make_run(photographs, tmp_path / "one", network="plain")
    alone = run_training(one)
    assert isinstance(alone, Finished)
    assert alone.best_loss == pytest.approx(told[-1].best_loss, rel=1e-3)
    mine, theirs = weights_of(one), weights_of(two)
    for key, value in mine.items():
        assert torch.allclose(value, theirs[key], atol=1e-4), key


@pytest.mark.parametrize("short", ["0", "1"])
def test_two_processes_train_palette(photographs: Path, tmp_path: Path, short: str) -> None:
    """Their weights and prior are the same to the last bit, whichever heals at the first step."""
    run = make_run(photographs, tmp_path / "run", processes=2, network="palette")
    done = train(run, RANK_SHORT_OF_MEMORY=short)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    hashes = [(tmp_path / f"run.{rank}").read_text("utf-8").split() for rank in (0, 1)]
    assert hashes[0][:2] == hashes[1][:2]
    told = EventReader(run).read()
    assert sum(isinstance(event, Healed) for event in told) == 2
    assert isinstance(told[-1], Finished)


def test_a_failure_of_one_ends_both(photographs: Path, tmp_path: Path) -> None:
    """The run has its last word, whichever of them failed."""
    run = make_run(photographs, tmp_path / "run", processes=2)
    done = train(run, RANK_BROKEN="1")
    assert done.returncode == 1
    last = run.last_event()
    assert isinstance(last, Failed)
    assert "Another process of this training failed" in last.message
    assert "broken on purpose" in done.stderr


def test_the_shell_trains_and_stops_with_two(photographs: Path, tmp_path: Path) -> None:
    """Ctrl-C reaches both: they save and leave together, and only one told and wrote."""
    run = RunFolder(tmp_path / "run")
    options = {key: str(value) for key, value in SETTINGS.items()} | {"epochs": "500"}
    given = [
        part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)
    ]
    command = ["-m", "napari_colorize", "train", str(photographs), "--out", str(run.path)]
    child = subprocess.Popen(
        [sys.executable, *command, *given, "--processes", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    reader = EventReader(run)
    while not any(isinstance(event, Step) for event in reader.read()):
        assert child.poll() is None, child.communicate()
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert err == f"Stopped; the same command with --resume goes on: {run.path}\n"
    assert out.count("photographs to train on") == 1
    last = run.last_event()
    assert isinstance(last, Stopped)
    state = torch.load(run.last_checkpoint, weights_only=True)
    assert state["training"]["progress"]["step"] == last.step
    assert [path.name for path in run.path.glob("lock.*")] == ["lock.1"]
