"""A training in the shell: exit statuses, what is said, and what a resume may change."""

from __future__ import annotations

import dataclasses
import inspect
import os
import shutil
import signal
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from napari_colorize import api, cli
from napari_colorize.commands import training
from napari_colorize.commands.training import Watch
from napari_colorize.errors import RunError, TrainingError
from napari_colorize.files.models import find_model
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import (
    Event,
    Failed,
    Finished,
    Healed,
    Preparing,
    Started,
    Step,
    Stopped,
    Validated,
)
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.identity import own_identity
from napari_colorize.runs.process import known_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FINISHED = Finished(3, 2, 0.01, "best.safetensors", "")
STARTED = Started("cpu", "no GPU", "32-true", 1200, 90, {"unreadable": 2, "grey": 0}, 3, 40, 0, 1)


@pytest.fixture
def ends_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bool]]:
    """Return a function that puts a training that ends with an event in place of the real one."""

    def put(last: Event, *before: Event, act: Callable[[], None] | None = None) -> list[bool]:
        resumed: list[bool] = []

        def train_here(run: RunFolder, *, resume: bool, listen: Any = None) -> Event:
            resumed.append(resume)
            for event in (*before, last):
                run.append(event)
                if listen is not None:
                    listen(event)
            if act is not None:
                act()
            return last

        monkeypatch.setattr(api, "train_here", train_here)
        return resumed

    return put


def train(run: RunFolder, resume: bool = False, **settings: Any) -> tuple[int, str]:
    """Return the exit status of a training and what stands on the console."""
    console = Console(file=StringIO(), width=300)
    photographs = run.path.parent / "photographs"
    photographs.mkdir(exist_ok=True)
    given = {"folder": str(photographs)} | settings
    status = training.train(run, given, resume=resume, console=console)
    return status, console.file.getvalue()  # type: ignore[attr-defined]


def test_a_finished_training(tmp_path: Path, ends_with: Callable[..., Any]) -> None:
    """Status 0; what the doctor found and the model's path are printed, without a bar."""
    ends_with(
        FINISHED,
        Preparing(1, 2),
        STARTED,
        Step(1, 120, 1, 0.5, 1e-3, 60, 100),
        Healed("out of memory", 16, 2),
        Validated(1, 0.02, 22.5, 21.0, True),
    )
    run = RunFolder(tmp_path / "run")
    status, said = train(run, epochs=3)
    assert status == 0
    assert said.splitlines() == [
        "1,200 photographs to train on, 90 kept to look at",
        "  left out: 2 unreadable",
        "3 epochs of 40 steps on cpu, 32-true (no GPU)",
        "Out of memory; it goes on by itself with 2 pieces of 16 photographs a step.",
        "epoch 1/3: loss 0.02000, PSNR 22.50 dB (+1.50 over grey), the best so far",
        "Finished: 3 epochs, the best was epoch 2.",
        str(run.best_model),
    ]
    assert run.read_config().epochs == 3


def test_the_dock_finds_a_training_of_the_shell(
    tmp_path: Path,
    own_places: Path,
    ends_with: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is known and under way from the first; a list that cannot be written is no matter."""
    ends_with(FINISHED)
    monkeypatch.chdir(tmp_path)
    run = RunFolder("run")
    train(run)
    assert known_runs() == [tmp_path / "run"]
    assert run.started_child() == own_identity()
    run.events_file.unlink()
    assert run.state().name == "running"
    monkeypatch.setenv("NAPARI_COLORIZE_DATA", str(own_places / "file"))
    (own_places / "file").touch()
    assert train(RunFolder(tmp_path / "other"))[0] == 0


def test_places_are_kept_whole(
    tmp_path: Path, ends_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative paths are absolute in the run, which can then go on from any folder."""
    resumed = ends_with(Stopped(5, "stopped as asked"))
    shutil.copy(find_model("plain"), tmp_path / "model.safetensors")
    (tmp_path / "others").mkdir()
    monkeypatch.chdir(tmp_path)
    run = RunFolder(tmp_path / "run")
    given = {"validation": "others", "cache": "kept", "init": "model.safetensors"}
    train(run, folder="photographs", **given)
    kept = {name: str(tmp_path / value) for name, value in given.items()}
    config = run.read_config().to_dict()
    assert config["folder"] == str(tmp_path / "photographs")
    assert {name: config[name] for name in given} == kept
    run.last_checkpoint.touch()
    monkeypatch.chdir(run.path)
    assert train(run, resume=True, folder="../photographs", **kept)[0] == 130
    assert resumed == [False, True]
    train(RunFolder(tmp_path / "other"), init="plain", folder="../photographs")
    config = RunFolder(tmp_path / "other").read_config().to_dict()
    assert (config["init"], config["folder"]) == ("plain", str(tmp_path / "photographs"))


@pytest.mark.parametrize(
    ("kind", "status"), [("DataError", 2), ("ModelError", 2), ("StorageError", 1), ("KeyError", 1)]
)
def test_a_failed_training(
    tmp_path: Path,
    ends_with: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    kind: str,
    status: int,
) -> None:
    """One line on stderr with the advice; 2 when what was given is at fault, else 1."""
    ends_with(Failed(kind, "It went\nwrong.", "Do better."))
    assert train(RunFolder(tmp_path / "run"))[0] == status
    assert capsys.readouterr().err == "Error: It went wrong. Do better.\n"


@pytest.mark.parametrize(("number", "status"), [(None, 130), ("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stopped_training(
    tmp_path: Path,
    ends_with: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    number: str | None,
    status: int,
) -> None:
    """Status by the signal that came, and how to go on."""
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda *_: None) for one in names]  # as the training has its own
    act = (lambda: os.kill(os.getpid(), getattr(signal, number))) if number else None
    try:
        ends_with(Stopped(5, "stopped as asked"), act=act)
        run = RunFolder(tmp_path / "run")
        assert train(run)[0] == status
    finally:
        for one, handler in zip(names, before, strict=True):
            signal.signal(one, handler)
    said = capsys.readouterr().err
    assert said == f"Stopped; the same command with --resume goes on: {run.path}\n"


def test_resuming_a_finished_run(tmp_path: Path, ends_with: Callable[..., Any]) -> None:
    """It says so, trains nothing and is a success."""
    resumed = ends_with(FINISHED)
    run = RunFolder(tmp_path / "run")
    train(run)
    status, said = train(run, resume=True)
    assert (status, len(resumed)) == (0, 1)
    assert said.startswith("The run has finished already: 3 epochs, the best was epoch 2.")


def test_resuming_without_a_run_or_checkpoint(
    tmp_path: Path, ends_with: Callable[..., Any]
) -> None:
    """A new run is made; one without a checkpoint starts anew, and keeps what it was given."""
    ends_with(Stopped(0, "before the first step"))
    run = RunFolder(tmp_path / "run")
    assert train(run, resume=True, epochs=7)[0] == 130
    assert train(run, resume=True, crop=64)[0] == 130
    config = run.read_config()
    assert (config.epochs, config.crop) == (7, 64)
    assert isinstance(run.last_event(), Stopped)


def test_resuming_with_other_settings(tmp_path: Path, ends_with: Callable[..., Any]) -> None:
    """With a checkpoint the settings stay: another one is refused by name, the same is fine."""
    resumed = ends_with(Stopped(5, "stopped as asked"))
    run = RunFolder(tmp_path / "run")
    train(run, epochs=7)
    run.last_checkpoint.write_bytes(b"")
    assert train(run, resume=True, epochs=7)[0] == 130
    assert train(run, resume=True, folder=f"{tmp_path}/run/../photographs/")[0] == 130
    with pytest.raises(RunError, match=r"The run has folder '.*photographs', not '/pictures'"):
        train(run, resume=True, folder="/pictures")
    with pytest.raises(RunError, match="The run has epochs 7, not 9"):
        train(run, resume=True, epochs=9)
    assert resumed == [False, True, True]


def test_a_run_that_is_there_is_not_overwritten(
    tmp_path: Path, ends_with: Callable[..., Any]
) -> None:
    """Without --resume a folder with content is refused; wrong settings make no folder."""
    ends_with(FINISHED)
    run = RunFolder(tmp_path / "run")
    train(run)
    with pytest.raises(RunError, match="is not empty; resume the run in it or choose another"):
        train(run)
    with pytest.raises(TrainingError):
        train(RunFolder(tmp_path / "other"), epochs=0)
    assert not (tmp_path / "other").exists()


def test_other_processes_of_a_group_only_train(
    tmp_path: Path, ends_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for the run folder that the first one makes, and say nothing."""
    run = RunFolder(tmp_path / "run")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(training, "PATIENCE", 0.0)
    resumed = ends_with(FINISHED)
    with pytest.raises(RunError, match="The first process has not made the run folder"):
        train(run, processes=2)
    monkeypatch.setenv("LOCAL_RANK", "0")
    train(run, processes=2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert train(run, processes=2) == (0, "")
    assert len(resumed) == 2


def test_a_terminal_gets_a_bar() -> None:
    """On a terminal the bar has the step, the speed and the time left."""
    console = Console(file=StringIO(), width=120, force_terminal=True)
    with Watch(console) as watch:
        watch(STARTED)
        watch(Step(30, 120, 1, 0.5, 1e-3, 60.4, 7500))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "epoch 1/3" in said
    assert "30/120" in said
    assert "60 photographs/s, 2 h 05 min left" in said


def test_every_setting_is_an_option() -> None:
    """The shell can say whatever a run can be told; the version of its format is not said."""
    settings = {field.name for field in dataclasses.fields(TrainingConfig)} - {"version"}
    assert settings <= inspect.signature(cli.train).parameters.keys()
