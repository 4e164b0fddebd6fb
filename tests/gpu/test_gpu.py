"""What only a CUDA device shows; skipped without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from napari_colorize.color.hints import Hint
from napari_colorize.color.lab import lab_to_rgb, rgb_to_lab
from napari_colorize.networks.palette import Palette
from napari_colorize.networks.plain import Plain
from napari_colorize.networks.weights import build_network, load_network, save_network
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Event, Finished, Healed, Started
from napari_colorize.runs.folder import EventReader, RunFolder
from napari_colorize.training.run import run_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]

SETTINGS: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 16,
    "crop": 64,
    "working_size": 64,
    "warmup": 2,
    "device": "cuda",
}


def test_lab_is_that_of_the_cpu() -> None:
    """There and back, also out of the gamut."""
    rgb = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(rgb_to_lab(rgb.cuda()).cpu(), rgb_to_lab(rgb), atol=1e-3)
    lab = rgb_to_lab(rgb) * torch.tensor([1.0, 1.6, 1.6]).reshape(3, 1, 1)
    assert torch.allclose(lab_to_rgb(lab.cuda()).cpu(), lab_to_rgb(lab), atol=2e-3)


@pytest.mark.parametrize("name", ["palette", "plain"])
def test_a_prediction_is_that_of_the_cpu(
    tmp_path: Path, make_photograph: Callable[..., Any], name: str
) -> None:
    """Within two 8-bit steps, one in the mean."""
    path = loud_model(tmp_path, name)
    grey = make_photograph(0, 300, 400)[..., 1]
    coloured = []
    for device in ("cpu", "cuda"):
        colorizer = Colorizer(path, device)
        colorizer.set_picture(grey)
        coloured.append(colorizer.colorize().astype(int))
        colorizer.close()
    difference = np.abs(coloured[0] - coloured[1])
    assert np.ptp(coloured[0], axis=-1).mean() > 5
    assert difference.mean() < 1
    assert np.quantile(difference, 0.999) <= 4


def test_all_that_palette_can_do(tmp_path: Path, make_photograph: Callable[..., Any]) -> None:
    """Hints, reference, suggestions, alternatives and confidence are those of the CPU."""
    path = loud_model(tmp_path, "palette")
    grey = make_photograph(0, 120, 160)[..., 1]
    hints = [Hint(60, 80, (30, 90, 220), size=20)]
    answers = []
    for device in ("cpu", "cuda"):
        colorizer = Colorizer(path, device)
        colorizer.set_picture(grey)
        reference = make_photograph(1)
        answers.append(
            (
                colorizer.colorize(hints, vividness=0.8, reference=reference).astype(int),
                colorizer.confidence(hints),
                colorizer.suggest(20, 30, 1, hints)[0].share,
            )
        )
        assert colorizer.alternatives(3, hints).shape == (3, 120, 160, 3)
        colorizer.close()
    (one, sure, share), (other, also_sure, also_share) = answers
    assert np.abs(one - other).mean() < 1.5
    assert np.abs(sure - also_sure).mean() < 0.02
    assert share == pytest.approx(also_share, rel=0.2)


def loud_model(folder: Path, name: str) -> Path:
    """Return a model of a network whose colours are strong and depend on the picture."""
    torch.manual_seed(0)
    network = build_network(name, {})
    with torch.no_grad():  # untrained networks are near to grey
        if isinstance(network, Palette):
            torch.nn.init.normal_(network.to_logits.weight, std=0.1)
            torch.nn.init.normal_(network.to_ab.weight, std=0.1)
        else:
            network.layers[-3].weight.mul_(60)
    path = folder / f"{name}.safetensors"
    card = {"name": name, "network": name, "settings": {}, "working_size": 64}
    save_network(path, network, card)
    return path


@pytest.mark.parametrize("name", ["palette", "plain"])
def test_one_epoch(photographs: Path, tmp_path: Path, name: str) -> None:
    """In bf16 where the hardware has it; the model can be read, a resume says that it is done."""
    config = TrainingConfig(folder=str(photographs), network=name, **SETTINGS)
    run = RunFolder(tmp_path / "run").create(config)
    last = run_training(run)
    assert isinstance(last, Finished), last
    started = next(event for event in EventReader(run).read() if isinstance(event, Started))
    assert started.device == "cuda"
    assert started.precision == ("bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true")
    network, card = load_network(run.best_model)
    assert isinstance(network, Palette if name == "palette" else Plain)
    assert card["training"]["device"] == torch.cuda.get_device_name()
    assert run_training(run, resume=True) == last


def test_healing_from_a_real_lack_of_memory(photographs: Path, tmp_path: Path) -> None:
    """With less memory than the batch wants it is halved until it fits, and the epoch is done."""
    settings = SETTINGS | {"network": "plain", "batch_size": 20, "crop": 384, "working_size": 384}
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder=str(photographs), **settings))
    torch.cuda.empty_cache()
    held = torch.cuda.memory_allocated()
    allowed = held + 1_000_000_000  # weights, moments and some pictures; 20 want several GB
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(allowed / total)
    healed: list[Event] = []

    def listen(event: Event) -> None:
        if isinstance(event, Healed):
            healed.append(event)

    try:
        last = run_training(run, listen=listen)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert isinstance(last, Finished), last
    assert healed
