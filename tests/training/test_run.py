"""A run in its folder: what is written, told and kept, and that every end has its last word."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from napari_colorize.errors import RunError
from napari_colorize.files.cards import read_card
from napari_colorize.networks.weights import load_network, save_network
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import (
    CheckpointWritten,
    Event,
    Failed,
    Finished,
    Preparing,
    PreviewWritten,
    Started,
    Step,
    Stopped,
    Usage,
    Validated,
)
from napari_colorize.runs.folder import EventReader, RunFolder
from napari_colorize.training import run as runs
from napari_colorize.training.loop import Training
from napari_colorize.training.run import run_training

Make = Callable[..., RunFolder]


def weights_of(run: RunFolder) -> list[torch.Tensor]:
    """Return all tensors of the checkpoint of a run."""
    state = torch.load(run.last_checkpoint, weights_only=True)["training"]
    moments = [
        value for moment in state["optimizer"]["state"].values() for value in moment.values()
    ]
    return [*state["weights"].values(), *state["average"].values(), *moments]


def same(one: RunFolder, other: RunFolder) -> bool:
    """Return whether two runs ended with the same weights, to the last bit."""
    pairs = zip(weights_of(one), weights_of(other), strict=True)
    best = [load_network(run.best_model)[0].state_dict() for run in (one, other)]
    return all(torch.equal(a, b) for a, b in pairs) and all(
        torch.equal(best[0][key], best[1][key]) for key in best[0]
    )


def leave_after(run: RunFolder, step: int, leave: Callable[[], Any]) -> Event:
    """Train, and leave when a step is told."""

    def listen(event: Event) -> None:
        if isinstance(event, Step) and event.step == step:
            leave()

    return run_training(run, listen=listen)


@pytest.fixture(autouse=True)
def tell_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every step be told."""
    monkeypatch.setattr(runs, "TELL_EVERY", 0.0)


def test_memory_is_told_before_steps(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of the process are told now and then, and never stand last."""
    monkeypatch.setattr(runs, "USAGE_EVERY", 0.0)
    run = make_run()
    run_training(run)
    told = EventReader(run).read()
    places = [place for place, event in enumerate(told) if isinstance(event, Usage)]
    assert len(places) == 6
    assert all(isinstance(told[place + 1], Step) for place in places)
    usage = told[places[0]]
    assert isinstance(usage, Usage)
    assert usage.memory > 10**7
    assert usage.device_memory == 0


def test_a_whole_run(make_run: Make) -> None:
    """Events in their order, models with cards, previews, a checkpoint; nothing passing is left."""
    run = make_run()
    heard: list[Event] = []
    last = run_training(run, listen=heard.append)
    told = EventReader(run).read()
    assert told == heard
    assert told[-1] == last == run.last_event()
    kinds = [type(event) for event in told if not isinstance(event, Preparing | Usage)]
    epoch = [Step] * 3 + [Validated, PreviewWritten, CheckpointWritten]
    assert kinds == [Started, *epoch, *epoch, Finished]
    assert any(isinstance(event, Preparing) for event in told)
    started = next(event for event in told if isinstance(event, Started))
    assert (started.photographs, started.validation, started.step) == (22, 2, 0)
    assert (started.epochs, started.steps_per_epoch, started.pid) == (2, 3, os.getpid())
    assert (started.device, started.precision) == ("cpu", "32-true")
    assert isinstance(last, Finished)
    assert last.reason == "all 2 epochs done"
    _network, card = load_network(run.path / last.model)
    assert card["name"] == "run"
    assert card["network"] == "tiny"
    assert card["training"]["epoch"] == last.best_epoch
    assert card["training"]["photographs"] == 22
    assert card["score_card"]["validation"]["loss"] == pytest.approx(last.best_loss, abs=1e-5)
    assert "folder" not in card["training"]["settings"]
    previews = sorted(run.previews.rglob("*.png"))
    assert [str(path.relative_to(run.previews)) for path in previews] == [
        str(Path(f"epoch-{epoch:04d}", f"{number:02d}.png"))
        for epoch in (1, 2)
        for number in (1, 2)
    ]
    with Image.open(previews[0]) as picture:
        assert picture.size == (48, 16)
    names = {path.name.rstrip("0123456789") for path in run.path.iterdir()}
    assert names == {
        "config.json", "events.jsonl", "previews", "last.ckpt", "lock.", "best.safetensors",
        "epoch-0001.safetensors", "epoch-0002.safetensors",
    }  # fmt: skip


def test_the_latest_models_are_kept(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all epochs the last ones, and the best; the best is that of the lowest loss."""
    monkeypatch.setattr(runs, "KEPT_EPOCHS", 2)
    run = make_run(epochs=5)
    last = run_training(run)
    kept = sorted(path.name for path in run.path.glob("epoch-*"))
    assert kept == ["epoch-0004.safetensors", "epoch-0005.safetensors"]
    validated = [event for event in EventReader(run).read() if isinstance(event, Validated)]
    best = min(validated, key=lambda event: event.loss)
    assert isinstance(last, Finished)
    assert (last.best_epoch, last.best_loss) == (best.epoch, best.loss)
    assert read_card(run.best_model)["training"]["epoch"] == best.epoch


def test_twenty_photographs_and_a_large_batch(
    make_run: Make, tmp_path: Path, make_photograph: Callable[..., Any]
) -> None:
    """20 are enough, also for a batch of 32; 19 are not, and the text says what to do."""
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(20):
        Image.fromarray(make_photograph(number)).save(folder / f"{number}.png")
    run = make_run("twenty", folder=str(folder), batch_size=32)
    assert isinstance(run_training(run), Finished)
    started = next(event for event in EventReader(run).read() if isinstance(event, Started))
    assert (started.photographs, started.validation, started.steps_per_epoch) == (18, 2, 1)
    (folder / "7.png").unlink()
    last = run_training(make_run("nineteen", folder=str(folder)))
    assert isinstance(last, Failed)
    assert last.kind == "DataError"
    assert "Only 19 photographs" in last.message
    assert "at least 20 are needed" in last.message
    assert last.advice == "Choose a folder with more colour photographs."


def test_a_validation_folder(
    make_run: Make, photographs: Path, tmp_path: Path, make_photograph: Callable[..., Any]
) -> None:
    """Its photographs are looked at, and those that it shares with the folder not trained on."""
    folder = tmp_path / "looked at"
    folder.mkdir()
    for number in (0, 1, 50, 51, 52):  # two of them are in the folder too
        Image.fromarray(make_photograph(number)).save(folder / f"{number}.png")
    run = make_run(validation=str(folder))
    assert isinstance(run_training(run), Finished)
    started = next(event for event in EventReader(run).read() if isinstance(event, Started))
    assert (started.photographs, started.validation) == (22, 5)
    own = run_training(make_run("own", validation=str(photographs)))
    assert isinstance(own, Failed)
    assert "Only 0 photographs" in own.message
    assert "24 more are in the validation folder too" in own.message


@pytest.mark.parametrize("way", ["stop file", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("step", [2, 3, 4])
def test_leaving_and_going_on(make_run: Make, way: str, step: int) -> None:
    """It saves and leaves after the step; resumed, it ends where it would have ended."""
    whole, parts = make_run("whole"), make_run("parts")
    run_training(whole)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    number = getattr(signal, way, None)
    leave = parts.request_stop if number is None else lambda: os.kill(os.getpid(), number)
    last = leave_after(parts, step, leave)
    assert last == parts.last_event()
    assert last == Stopped(step, "stopped as asked; resume to go on", last.time)
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert isinstance(run_training(parts, resume=True), Finished)
    started = [event.step for event in EventReader(parts).read() if isinstance(event, Started)]
    assert started == [0, step]
    assert same(whole, parts)


def test_leaving_in_a_check(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It saves and leaves between two batches; resumed, the check is done anew and counts once."""
    whole, parts = make_run("whole", batch_size=1), make_run("parts", batch_size=1)
    run_training(whole)
    look, looks = Training._look, []

    def leaving(training: Training, start: int) -> tuple[torch.Tensor, int]:
        looks.append(start)
        if len(looks) == 1:
            parts.request_stop()
        return look(training, start)

    monkeypatch.setattr(Training, "_look", leaving)
    last = run_training(parts)
    assert isinstance(last, Stopped)
    assert last.reason == "stopped as asked; resume to go on"
    assert looks == [0]
    assert not any(isinstance(event, Validated) for event in EventReader(parts).read())
    assert isinstance(run_training(parts, resume=True), Finished)
    assert looks[1:3] == [0, 1]
    epochs = [e.epoch for e in EventReader(parts).read() if isinstance(e, Validated)]
    assert epochs == [1, 2]
    assert same(whole, parts)


def test_a_second_interrupt_is_not_caught(make_run: Make) -> None:
    """It ends the training at once; the run has its last word all the same."""

    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    run = make_run()
    last = leave_after(run, 2, twice)
    assert isinstance(last, Stopped)
    assert "what came after the last checkpoint is lost" in last.reason
    assert run.last_event() == last


def test_leaving_while_photographs_are_decoded(make_run: Make) -> None:
    """Nothing was trained, and it is told so."""
    run = make_run()

    def listen(event: Event) -> None:
        if isinstance(event, Preparing):
            run.request_stop()

    last = run_training(run, listen=listen)
    assert last == Stopped(0, "stopped while the photographs were read; resume to go on", last.time)
    assert isinstance(run_training(run, resume=True), Finished)


def test_a_wish_to_stop_at_the_very_end(make_run: Make) -> None:
    """What is finished is finished."""
    run = make_run()

    def listen(event: Event) -> None:
        if isinstance(event, Validated) and event.epoch == 2:
            run.request_stop()

    assert isinstance(run_training(run, listen=listen), Finished)


def test_resuming_without_a_checkpoint(make_run: Make) -> None:
    """It starts anew."""
    run = make_run()
    assert isinstance(run_training(run, resume=True), Finished)


def test_resuming_a_finished_run(make_run: Make) -> None:
    """It changes nothing, and the last word is the same."""
    run = make_run()
    last = run_training(run)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in run.path.rglob("*")}
    assert run_training(run, resume=True) == last
    assert before == {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in run.path.rglob("*")}


def test_training_anew_over_a_run(make_run: Make) -> None:
    """Without resuming, a run with a checkpoint is refused: its models would be lost."""
    run = make_run()
    run_training(run)
    with pytest.raises(RunError, match="resume it or choose another folder"):
        run_training(run)


def test_half_a_line_of_events(make_run: Make) -> None:
    """What a kill left of a line is closed off, and the run goes on."""
    run = make_run()
    leave_after(run, 2, run.request_stop)
    with run.events_file.open("ab") as file:
        file.write(b'{"event": "step", "st')
    last = run_training(run, resume=True)
    assert EventReader(run).read()[-1] == last
    lines = run.events_file.read_text("utf-8").splitlines()
    assert lines.count('{"event": "step", "st') == 1


def test_a_run_folder_in_use(make_run: Make) -> None:
    """The process that trains there is named."""
    run = make_run()
    message = rf"in use by process {os.getpid()}"
    with run.claim(), pytest.raises(RunError, match=message):
        run_training(RunFolder(run.path))
    assert run.last_event() is None


def test_starting_from_a_model(make_run: Make, tiny: type[torch.nn.Module]) -> None:
    """Its weights are the start; the card names it."""
    network = tiny()
    path = make_run("other").path.parent / "mine.safetensors"
    card = {"name": "mine", "network": "tiny", "settings": {}, "working_size": 16}
    save_network(path, network, card)
    run = make_run(init=str(path), learning_rate=1e-12, epochs=1, weight_decay=0.0)
    run_training(run)
    trained, card = load_network(run.best_model)
    assert card["training"]["settings"]["init"] == "mine"
    for key, value in load_network(path)[0].state_dict().items():
        assert torch.equal(trained.state_dict()[key], value)


def change_settings(run: RunFolder, **settings: Any) -> None:
    """Write other settings into a run."""
    values = json.loads(run.config_file.read_text("utf-8")) | settings
    run.config_file.write_text(json.dumps(values), "utf-8")


def test_settings_that_changed(make_run: Make) -> None:
    """Those that decide where it ends are held; where and how it computes may change."""
    run = make_run()
    leave_after(run, 2, run.request_stop)
    change_settings(run, learning_rate=0.5)
    last = run_training(run, resume=True)
    assert isinstance(last, Failed)
    assert last.kind == "RunError"
    assert "learning_rate 0.01 so far, and its settings now say 0.5" in last.message
    assert "--init" in last.message
    threads = torch.get_num_threads()
    change_settings(run, learning_rate=0.01, threads=1, checkpoint_every=1.0)
    assert isinstance(run_training(run, resume=True), Finished)
    torch.set_num_threads(threads)


def test_photographs_that_changed(
    make_run: Make, tmp_path: Path, make_photograph: Callable[..., Any]
) -> None:
    """A run goes on on the very photographs that it began with; they may have moved."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(20):
        Image.fromarray(make_photograph(number)).save(folder / f"{number}.png")
    run = make_run(folder=str(folder))
    leave_after(run, 2, run.request_stop)
    Image.fromarray(make_photograph(20)).save(folder / "20.png")
    last = run_training(run, resume=True)
    assert isinstance(last, Failed)
    assert "not those that the run began with" in last.message
    (folder / "20.png").unlink()
    moved = folder.rename(tmp_path / "moved")
    change_settings(run, folder=str(moved))
    assert isinstance(run_training(run, resume=True), Finished)


def test_working_where_little_is_installed(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without imagehash and platformdirs the training runs all the same."""
    monkeypatch.setitem(__import__("sys").modules, "imagehash", None)
    monkeypatch.setitem(__import__("sys").modules, "platformdirs", None)
    assert isinstance(run_training(make_run()), Finished)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    """It says so and is left alone."""
    with pytest.raises(RunError, match="is not a run folder"):
        run_training(RunFolder(tmp_path))
    assert not list(tmp_path.iterdir())


def test_the_name_of_the_model(make_run: Make) -> None:
    """That of the settings, else that of the folder."""
    run = make_run("a folder", name="meadow", epochs=1)
    assert isinstance(run.read_config(), TrainingConfig)
    run_training(run)
    assert read_card(run.best_model)["name"] == "meadow"
