"""Whole runs of the default network: the same when resumed, sound when started from a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import torch
from made_networks import small_palette
from PIL import Image
from torch import Tensor

from napari_colorize.errors import TrainingError
from napari_colorize.files.cards import read_card
from napari_colorize.networks.palette import Palette
from napari_colorize.networks.weights import load_network, save_network
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.runs.events import Event, Failed, Finished, Healed, Step, Stopped, Validated
from napari_colorize.runs.folder import EventReader, RunFolder
from napari_colorize.training import run as runs
from napari_colorize.training.run import run_training

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from napari_colorize.training.loop import Training

Make = Callable[..., RunFolder]
# Neither is a multiple of a cell of the coarsest features, nor the first of a cell of the answer.
ODD: dict[str, Any] = {"network": "palette", "crop": 18, "working_size": 20}


@pytest.fixture(autouse=True)
def small(palette: Callable[..., Palette], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the network be small, and every step be told."""
    monkeypatch.setattr(runs, "TELL_EVERY", 0.0)


def state_of(run: RunFolder) -> dict[str, Any]:
    """Return the state of a training in its checkpoint."""
    state: dict[str, Any] = torch.load(run.last_checkpoint, weights_only=True)["training"]
    return state


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Return whether two sets of weights are the same to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def leave_after(run: RunFolder, step: int) -> Event:
    """Train, and leave when a step is told."""

    def listen(event: Event) -> None:
        if isinstance(event, Step) and event.step == step:
            run.request_stop()

    return run_training(run, listen=listen)


def change_settings(run: RunFolder, **settings: Any) -> None:
    """Write other settings into a run."""
    values = json.loads(run.config_file.read_text("utf-8")) | settings
    run.config_file.write_text(json.dumps(values), "utf-8")


def saved(path: Path, **settings: Any) -> Path:
    """Write a model of the network with these settings and random weights; return its path."""
    torch.manual_seed(3)
    card = {"name": "mine", "network": "palette", "settings": settings, "working_size": 20}
    save_network(path, small_palette(**settings), card)
    return path


def test_a_run_that_was_left_ends_as_one_that_was_not(make_run: Make) -> None:
    """To the last bit of weights, average and best model; the average knows the prior."""
    whole, parts = make_run("whole", **ODD), make_run("parts", **ODD)
    assert isinstance(run_training(whole), Finished)
    assert isinstance(leave_after(parts, 4), Stopped)
    assert isinstance(run_training(parts, resume=True), Finished)
    one, other = state_of(whole), state_of(parts)
    assert equal(one["weights"], other["weights"])
    assert equal(one["average"], other["average"])
    best = [load_network(run.best_model)[0].state_dict() for run in (whole, parts)]
    assert equal(best[0], best[1])
    assert torch.equal(one["average"]["log_prior"], one["weights"]["log_prior"])
    assert not torch.equal(one["average"]["to_ab.weight"], one["weights"]["to_ab.weight"])


def test_the_best_model_colours(make_run: Make, grey_picture: np.ndarray) -> None:
    """It is found by its path, takes hints, and its previews are as large as it looks."""
    run = make_run(**ODD)
    run_training(run)
    card = read_card(run.best_model)
    assert (card["network"], card["working_size"]) == ("palette", 20)
    assert card["training"]["settings"]["tone"] == 1.0
    with Image.open(next(run.previews.rglob("*.png"))) as picture:
        assert picture.size == (60, 20)
    colorizer = Colorizer(run.best_model, device="cpu")
    assert colorizer.has_distribution
    colorizer.set_picture(grey_picture)
    assert colorizer.colorize().shape == (*grey_picture.shape, 3)


@pytest.mark.parametrize(("setting", "now"), [("rebalance", 2.5), ("tone", 0.25)])
def test_settings_that_decide_the_end_are_held(make_run: Make, setting: str, now: float) -> None:
    """A run is not gone on with under others, and says which."""
    run = make_run(**ODD)
    leave_after(run, 2)
    change_settings(run, **{setting: now})
    last = run_training(run, resume=True)
    assert isinstance(last, Failed)
    assert f"{setting} 1.0 so far, and its settings now say {now}" in last.message


def test_a_lack_of_memory_is_healed(make_training: Callable[..., Training]) -> None:
    """In smaller pieces; the result is that of these pieces from the start."""

    class Hungry(Palette):
        def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
            if len(lightness) > 3:
                raise torch.OutOfMemoryError("out of memory")
            return super().encode(lightness)

    def hungry() -> Palette:
        return Hungry(**small_palette.keywords)

    training = make_training(hungry, epochs=1)
    events = list(training.run())
    healed = [event for event in events if isinstance(event, Healed)]
    assert [(event.micro_batch, event.accumulate) for event in healed] == [(4, 2), (2, 4)]
    small = make_training(hungry, epochs=1)
    small.progress.micro_batch = 2
    list(small.run())
    assert equal(dict(training.network.state_dict()), dict(small.network.state_dict()))


def test_a_start_from_a_model(make_run: Make, tmp_path: Path) -> None:
    """Weights are kept; who may forget gets the prior of the new photographs, also when resumed."""
    path = saved(tmp_path / "mine.safetensors")
    slow = ODD | {"init": str(path), "rehearsal": 0, "learning_rate": 1e-12, "weight_decay": 0.0}
    run, fresh = make_run(**slow), make_run("fresh", **ODD)
    leave_after(run, 2)
    run_training(run, resume=True)
    run_training(fresh)
    before = load_network(path)[0].state_dict()
    after = load_network(run.best_model)[0].state_dict()
    assert [key for key in before if not torch.equal(before[key], after[key])] == ["log_prior"]
    assert torch.equal(
        state_of(run)["weights"]["log_prior"], state_of(fresh)["weights"]["log_prior"]
    )
    assert after["log_prior"].std() > 0.5


def test_a_start_from_a_model_with_settings_of_its_own(make_run: Make, tmp_path: Path) -> None:
    """The new model has them too, so that it can be loaded, and started from again."""
    path = saved(tmp_path / "mine.safetensors", widths=[16, 48, 64], blocks=[1, 2, 1])
    run = make_run(epochs=1, init=str(path), **ODD)
    assert isinstance(run_training(run), Finished)
    network, card = load_network(run.best_model)
    assert card["settings"] == {"widths": [16, 48, 64], "blocks": [1, 2, 1]}
    assert network.state_dict()["up_fine.weight"].shape == (16, 48, 1, 1)
    again = make_run("again", epochs=1, init=str(run.best_model), **ODD)
    assert isinstance(run_training(again), Finished)


def test_a_start_from_another_network(make_run: Make, tmp_path: Path) -> None:
    """Is refused, and the text says which network to choose."""
    run = make_run(init=str(saved(tmp_path / "mine.safetensors")), **ODD | {"network": "plain"})
    last = run_training(run)
    assert isinstance(last, Failed)
    assert "holds the network 'palette', the run asks for 'plain'" in last.message
    assert "set the network to 'palette'" in last.message


def test_a_whole_run_without_changes_of_tone(make_run: Make) -> None:
    """Tone and rebalancing off, half precision on: it learns all the same."""
    run = make_run(**ODD | {"tone": 0, "rebalance": 4, "precision": "bf16-mixed", "epochs": 3})
    last = run_training(run)
    assert isinstance(last, Finished)
    losses = [event.loss for event in EventReader(run).read() if isinstance(event, Validated)]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_a_crop_without_room(make_run: Make) -> None:
    """The smallest crop that a setting takes can be learned from."""
    with pytest.raises(TrainingError, match="'crop'"):
        make_run("smaller", **ODD | {"crop": 15})
    run = make_run(**ODD | {"crop": 16, "working_size": 16, "epochs": 1})
    assert isinstance(run_training(run), Finished)
