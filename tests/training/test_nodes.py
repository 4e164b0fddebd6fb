"""Two groups of one process, as two machines have them: joined by torchrun, and by SLURM."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import torch
from made_photographs import make_folder

from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Failed, Finished, Started, Step
from napari_colorize.runs.folder import EventReader, RunFolder
from napari_colorize.training.run import run_training

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or not torch.distributed.is_available(),
        reason="node groups are tried where torch has gloo",
    ),
]

SETTINGS: dict[str, Any] = {
    "network": "plain",
    "epochs": 1,
    "batch_size": 8,
    "crop": 16,
    "working_size": 16,
    "warmup": 2,
    "device": "cpu",
    "precision": "32-true",
}


def port() -> str:
    """Return the number of a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def groups(launcher: str, folder: Path, run: RunFolder, **settings: Any) -> list[Any]:
    """Start two node groups that train together on this machine."""
    wanted = SETTINGS | settings | {"nodes": 2}
    given = [
        part for key, value in wanted.items() for part in (f"--{key.replace('_', '-')}", str(value))
    ]
    train = ["-m", "napari_colorize", "train", str(folder), "--out", str(run.path), *given]
    meet = port()
    started = []
    for node in ("0", "1"):
        environment, before = os.environ | {"OMP_NUM_THREADS": "1"}, list[str]()
        if launcher == "torchrun":
            where = ["--master-addr", "127.0.0.1", "--master-port", meet]
            before = ["-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", node, *where]
        else:
            environment |= {
                "SLURM_JOB_ID": "1",
                "SLURM_JOB_NAME": "train",
                "SLURM_NTASKS": "2",
                "SLURM_NTASKS_PER_NODE": "1",
                "SLURM_NODELIST": "127.0.0.1",
                "SLURM_NODEID": node,
                "SLURM_PROCID": node,
                "SLURM_LOCALID": "0",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": meet,
            }
        started.append(
            subprocess.Popen(
                [sys.executable, *before, *train],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
        )
    return started


def end(group: Any) -> None:
    """Kill a launcher and what it launched."""
    try:
        launched = psutil.Process(group.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        launched = []
    for process in launched:
        process.kill()
    group.kill()
    group.communicate()


def weights_of(run: RunFolder) -> dict[str, torch.Tensor]:
    """Return the weights of the checkpoint."""
    state = torch.load(run.last_checkpoint, weights_only=True)
    weights: dict[str, torch.Tensor] = state["training"]["weights"]
    return weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of photographs."""
    return make_folder(tmp_path_factory.mktemp("nodes") / "photographs", 20)


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights that one process ends with."""
    run = RunFolder(folder.with_name("one")).create(TrainingConfig(folder=str(folder), **SETTINGS))
    assert isinstance(run_training(run), Finished)
    return weights_of(run)


@pytest.mark.parametrize("launcher", ["torchrun", "slurm"])
def test_two_nodes_train_as_one_process(
    tmp_path: Path, launcher: str, folder: Path, alone: dict[str, torch.Tensor]
) -> None:
    """Both end, one run folder tells and holds it, and the weights are nearly the same."""
    two = RunFolder(tmp_path / "two")
    started = groups(launcher, folder, two)
    try:
        for group in started:
            _, err = group.communicate(timeout=100)
            assert group.returncode == 0, err
    finally:
        for group in started:
            end(group)
    told = EventReader(two).read()
    assert sum(isinstance(event, Started) for event in told) == 1
    assert isinstance(told[-1], Finished)
    theirs = weights_of(two)
    for key, value in alone.items():
        assert torch.allclose(value, theirs[key], atol=1e-4), key


def test_a_killed_node_ends_the_other(tmp_path: Path, folder: Path) -> None:
    """It says so in a sentence, in the run folder too, and does not wait for ever."""
    run = RunFolder(tmp_path / "run")
    started = groups("slurm", folder, run, epochs=3000)
    limit = time.monotonic() + 90
    try:
        reader = None
        while reader is None or not any(isinstance(event, Step) for event in reader.read()):
            assert time.monotonic() < limit
            assert all(group.poll() is None for group in started)
            reader = reader or (EventReader(run) if run.exists() else None)
            time.sleep(0.05)
        end(started[1])
        _, err = started[0].communicate(timeout=60)
    finally:
        for group in started:
            end(group)
    assert started[0].returncode == 1
    assert err.startswith("Error: Another process of this training is gone: it was killed")
    assert err.count("\n") == 1
    last = run.last_event()
    assert isinstance(last, Failed)
    assert last.kind == "ProcessLost"
