"""Trainings that cannot go on: the last word is why and what to do, and nothing is half-written."""

from __future__ import annotations

import errno
import math
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from napari_colorize.errors import StorageError
from napari_colorize.files import writing
from napari_colorize.networks.plain import Plain
from napari_colorize.networks.weights import load_network, save_network
from napari_colorize.runs.events import Event, Failed, Finished, Validated
from napari_colorize.runs.folder import RunFolder
from napari_colorize.training.run import run_training

if TYPE_CHECKING:
    from made_networks import Tiny

Make = Callable[..., RunFolder]


def failure(run: RunFolder, **options: Any) -> Failed:
    """Train; return the last word, which has to be a failure that stands in the folder."""
    last = run_training(run, **options)
    assert isinstance(last, Failed)
    assert run.last_event() == last
    assert run.state().name == "failed"
    assert last.message in run.state().detail
    assert not list(run.path.rglob("*.part")) + list(run.path.rglob("*.tmp"))
    return last


def after_an_epoch(act: Callable[[], None]) -> Callable[[Event], None]:
    """Return a listener that acts after the first epoch."""

    def listen(event: Event) -> None:
        if isinstance(event, Validated) and event.epoch == 1:
            act()

    return listen


def test_a_loss_that_is_no_number(
    make_run: Make, tiny: type[Tiny], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoint and best model stay as they were, and the advice is a start from that model."""
    run = make_run(epochs=3, checkpoint_every=0)
    scale = tiny.scale
    kept: dict[str, bytes] = {}

    def poison() -> None:
        monkeypatch.setattr(tiny, "scale", math.nan)

    def listen(event: Event) -> None:
        if type(event).__name__ == "CheckpointWritten" and event.step == 4:  # type: ignore[union-attr]
            poison()
            kept.update({p.name: p.read_bytes() for p in (run.last_checkpoint, run.best_model)})

    last = failure(run, listen=listen)
    assert last.kind == "DivergedError"
    assert "The loss is not a number at step 5" in last.message
    assert f"learning rate of 0.001 and --init {run.best_model}" in last.advice
    assert kept == {p.name: p.read_bytes() for p in (run.last_checkpoint, run.best_model)}
    monkeypatch.setattr(tiny, "scale", scale)
    again = make_run("again", init=str(run.best_model), learning_rate=1e-3)
    assert isinstance(run_training(again), Finished)


def test_a_loss_that_is_no_number_from_the_start(
    make_run: Make, tiny: type[Tiny], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a model, the advice names none."""
    monkeypatch.setattr(tiny, "scale", math.nan)
    last = failure(make_run())
    assert last.advice.startswith("Start a new run with a learning rate of 0.001: ")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("name", ["last.ckpt", "best.safetensors", "01.png"])
def test_a_disk_that_takes_no_more(
    make_run: Make, monkeypatch: pytest.MonkeyPatch, number: int, name: str
) -> None:
    """The checkpoint and models from before stay whole; when there is room, it goes on."""
    run = make_run(learning_rate=1e-3)
    whole = make_run("whole", learning_rate=1e-3)
    run_training(whole)
    replace = os.replace
    kept: dict[str, bytes] = {}

    def full(source: Path, target: Path) -> None:
        if target.name == name and kept:
            raise OSError(number, os.strerror(number), str(target))
        replace(source, target)

    def remember() -> None:
        """Before the files of the second epoch are written."""
        kept.update({p.name: p.read_bytes() for p in (run.last_checkpoint, run.best_model)})

    def listen(event: Event) -> None:
        if isinstance(event, Validated) and event.epoch == 2:
            remember()

    monkeypatch.setattr(writing.os, "replace", full)
    last = failure(run, listen=listen)
    assert last.kind == "StorageError"
    assert os.strerror(number).lower() in last.message.lower()
    assert name in last.message
    assert last.advice == "Then resume."
    assert run.last_checkpoint.read_bytes() == kept["last.ckpt"]
    load_network(run.best_model)
    monkeypatch.setattr(writing.os, "replace", replace)
    assert isinstance(run_training(run, resume=True), Finished)
    ends = [torch.load(one.last_checkpoint, weights_only=True) for one in (run, whole)]
    weights = [end["training"]["weights"].values() for end in ends]
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not made read-only by mode")
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="root may write everywhere")
def test_a_read_only_folder(make_run: Make) -> None:
    """It cannot even be claimed; the error names it."""
    run = make_run()
    run.path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="Cannot write"):
            run_training(run)
    finally:
        run.path.chmod(0o700)


def test_a_run_folder_that_cannot_be_written(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is mounted read-only: an error that names the place, and no event."""
    run = make_run()
    opened = Path.open

    def refuse(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        if mode[0] in "wax" and run.path in path.parents:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, mode, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError, match=r"Cannot write .*ead-only file system"):
        run_training(run)
    assert {path.name for path in run.path.iterdir()} == {"config.json"}


def test_an_empty_folder(make_run: Make, tmp_path: Path) -> None:
    """It says that there are no pictures."""
    folder = tmp_path / "empty"
    folder.mkdir()
    last = failure(make_run(folder=str(folder)))
    assert last.kind == "DataError"
    assert f"There are no pictures in {folder}" in last.message


def test_a_folder_that_is_missing(make_run: Make, tmp_path: Path) -> None:
    """It says which."""
    last = failure(make_run(folder=str(tmp_path / "nowhere")))
    assert "does not exist" in last.message
    assert str(tmp_path / "nowhere") in last.message


def test_an_all_grey_folder(
    make_run: Make, tmp_path: Path, make_photograph: Callable[..., Any]
) -> None:
    """It says that all are grey, and how many."""
    folder = tmp_path / "grey"
    folder.mkdir()
    for number in range(21):
        grey = np.asarray(Image.fromarray(make_photograph(number)).convert("L"))
        Image.fromarray(np.stack([grey] * 3, axis=-1)).save(folder / f"{number}.png")
    last = failure(make_run(folder=str(folder)))
    assert last.kind == "DataError"
    assert "grey" in last.message
    assert "21" in last.message


class Bomb:
    """What a pickle may do when it is opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("bombed",))


@pytest.mark.parametrize("content", ["cut", "text", "pickle", "torch pickle", "other"])
def test_a_checkpoint_that_is_none(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Damaged or foreign: told in a sentence, never executed."""
    monkeypatch.chdir(tmp_path)
    run = make_run()
    run_training(run, listen=after_an_epoch(run.request_stop))
    path = run.last_checkpoint
    if content == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif content == "text":
        path.write_text("step 3", "utf-8")
    elif content == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    elif content == "torch pickle":
        torch.save({"training": Bomb(), "settings": {}, "data": ""}, path)
    else:
        torch.save({"weights": torch.zeros(3)}, path)
    best = run.best_model.read_bytes()
    last = failure(run, resume=True)
    assert last.kind == "RunError"
    assert last.message == (
        "The checkpoint last.ckpt is damaged or not from this program. "
        "Start a new run; --init with this run's best.safetensors keeps what was learned."
    )
    assert not (tmp_path / "bombed").exists()
    assert run.best_model.read_bytes() == best


def test_a_checkpoint_of_another_network(
    make_run: Make, tiny: type[Tiny], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it does not fit."""
    run = make_run()
    run_training(run, listen=after_an_epoch(run.request_stop))
    build = tiny.__init__

    def wider(self: nn.Module) -> None:
        build(self)
        self.more = nn.Linear(3, 3)

    monkeypatch.setattr(tiny, "__init__", wider)
    assert "does not fit the network" in failure(run, resume=True).message


def test_a_model_of_another_network(make_run: Make, tmp_path: Path) -> None:
    """It says which network the model has."""
    path = tmp_path / "plain.safetensors"
    card = {"name": "mine", "network": "plain", "settings": {}, "working_size": 16}
    save_network(path, Plain(), card)
    last = failure(make_run(init=str(path)))
    assert last.kind == "RunError"
    assert "holds the network 'plain', the run asks for 'tiny'" in last.message
    assert "set the network to 'plain'" in last.message


def test_a_model_that_is_unknown(make_run: Make) -> None:
    """It says so."""
    last = failure(make_run(init="nobody"))
    assert last.kind == "ModelError"
    assert "nobody" in last.message


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there(make_run: Make) -> None:
    """It says why, and what to choose."""
    last = failure(make_run(device="cuda"))
    assert "The device cuda cannot be used" in last.message
    assert "Choose auto or cpu" in last.message


def test_a_batch_that_is_too_small_to_share(make_run: Make) -> None:
    """A numbered device is one: several processes are refused before any is started."""
    if torch.cuda.is_available():
        last = failure(make_run(device="cuda:0", processes=2))
        assert "set the device to cuda" in last.message
    else:
        assert "cannot be used" in failure(make_run(device="cuda:0", processes=2)).message


def test_a_lack_of_memory_at_any_other_place(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is told as one, with advice."""

    def short(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("napari_colorize.training.run.write_previews", short)
    last = failure(make_run())
    assert (last.kind, last.message) == ("OutOfMemory", "The memory ran out.")
    assert "smaller crop or batch size" in last.advice


def test_a_fault_of_the_program(
    make_run: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asks to be reported; the traceback is in the output, which is the run's log."""

    def wrong(*_: Any) -> None:
        raise KeyError("no such thing")

    monkeypatch.setattr("napari_colorize.training.run.write_previews", wrong)
    last = failure(make_run())
    assert last.kind == "KeyError"
    assert "please report it" in last.advice
    assert "Traceback" in capsys.readouterr().err
