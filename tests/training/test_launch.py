"""Fabric: under either of its names, quiet, and with an environment that is left as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from napari_colorize.errors import TrainingError
from napari_colorize.networks.devices import DeviceChoice
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.training.launch import launched, precision_of

if TYPE_CHECKING:
    from pathlib import Path

CPU = DeviceChoice("cpu", "as asked for")

ONLY_LIGHTNING = """
import importlib, sys
import lightning_fabric, lightning_fabric.strategies.ddp
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] == "lightning_fabric":
        sys.modules[name.replace("lightning_fabric", "lightning.fabric", 1)] = module
        sys.modules[name] = None
sys.modules["lightning"] = type(sys)("lightning")
sys.modules["lightning"].fabric = sys.modules["lightning.fabric"]
from napari_colorize.training import launch
print(launch.Fabric.__name__, launch.DDPStrategy.__name__)
"""


def test_the_package_lightning_is_as_good() -> None:
    """Where only `lightning` is installed, its Fabric is taken."""
    done = subprocess.run(
        [sys.executable, "-c", ONLY_LIGHTNING], capture_output=True, text=True, check=False
    )
    assert done.stdout == "Fabric DDPStrategy\n", done.stderr


def test_one_process(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is printed, threads are as set, the environment is as before."""
    config = TrainingConfig(folder="photographs", threads=1, precision="32-true", device="cpu")
    threads, before = torch.get_num_threads(), dict(os.environ)
    with launched(config, CPU) as fabric:
        assert (fabric.world_size, fabric.global_rank, str(fabric.device)) == (1, 0, "cpu")
        assert torch.get_num_threads() == 1
    torch.set_num_threads(threads)
    assert dict(os.environ) == before
    assert capsys.readouterr() == ("", "")
    assert not caplog.records


def test_what_cannot_train_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One numbered device for several processes, and what Fabric refuses, in our words."""
    config = TrainingConfig(folder="photographs", processes=2, device="cuda:1")
    with (
        pytest.raises(TrainingError, match=r"cuda:1 is a single one, and 2 processes .* to cuda"),
        launched(config, DeviceChoice("cuda:1", "as asked for")),
    ):
        pass
    monkeypatch.setattr(
        "napari_colorize.training.launch.Fabric", lambda **_: [].index("no such device")
    )
    with (
        pytest.raises(TrainingError, match="1 processes on cpu in 32-true cannot train"),
        launched(TrainingConfig(folder="photographs", precision="32-true"), CPU),
    ):
        pass


def test_precision() -> None:
    """As set, else the device's best."""
    mps = DeviceChoice("mps", "")
    assert precision_of(TrainingConfig(folder="photographs"), mps) == "32-true"
    assert precision_of(TrainingConfig(folder="a", precision="bf16-mixed"), mps) == "bf16-mixed"
