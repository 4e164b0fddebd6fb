"""A network that trains in no time, and trainings of it without and with a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from made_networks import Tiny, small_palette

from napari_colorize.networks import weights
from napari_colorize.runs import config as configs
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.training.batches import Batches
from napari_colorize.training.launch import Fabric
from napari_colorize.training.loop import Training
from napari_colorize.training.validation import ValidationSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_colorize.networks.interface import ColorNetwork
    from napari_colorize.networks.palette import Palette

SMALL: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 8,
    "crop": 16,
    "working_size": 16,
    "warmup": 2,
    "learning_rate": 1e-2,
    "device": "cpu",
    "precision": "32-true",
}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> type[Tiny]:
    """Register the small network, and return it."""
    monkeypatch.setitem(weights.NETWORKS, "tiny", Tiny)
    monkeypatch.setattr(configs, "NETWORKS", ("palette", "plain", "tiny"))
    return Tiny


@pytest.fixture
def palette(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Palette]:
    """Let `palette` be small, and return what makes one."""
    monkeypatch.setitem(weights.NETWORKS, "palette", small_palette)
    return small_palette


@pytest.fixture
def make_training(make_photograph: Callable[..., Any]) -> Callable[..., Training]:
    """Return a function that makes a training on 20 photographs: class of the network, settings."""
    source = [make_photograph(number, 40, 48) for number in range(24)]

    def make(network: Callable[[], ColorNetwork] = Tiny, **settings: Any) -> Training:
        config = TrainingConfig(folder="photographs", **SMALL | settings)
        torch.manual_seed(0)
        indices = range(config.photographs or 20)
        batches = Batches(
            source, indices, config.batch_size, config.crop, config.working_size, config.seed
        )
        validation = ValidationSet(source, range(20, 24), 16)
        fabric = Fabric(accelerator="cpu", devices=1, precision=config.precision)
        return Training(config, network(), batches, validation, fabric)

    return make


@pytest.fixture
def make_run(tiny: type[Tiny], photographs: Path, tmp_path: Path) -> Callable[..., RunFolder]:
    """Return a function that makes a run of the small network: name, settings."""

    def make(folder_name: str = "run", **settings: Any) -> RunFolder:
        given = {"folder": str(photographs), "network": "tiny"} | SMALL | settings
        return RunFolder(tmp_path / folder_name).create(TrainingConfig(**given))

    return make
