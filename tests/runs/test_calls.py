"""A training as a call and as a command: both mean the very settings that they were made of."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import napari_colorize
from napari_colorize import cli
from napari_colorize.commands import training
from napari_colorize.runs.calls import as_command, as_python, differing
from napari_colorize.runs.config import (
    LOGGERS,
    LOSSES,
    NETWORKS,
    PRECISIONS,
    TrainingConfig,
)

if TYPE_CHECKING:
    from pathlib import Path

    from napari_colorize.runs.folder import RunFolder

# A name of a folder or a model: whatever a file system takes, and what looks like an option.
WORD = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="/\0"),
    min_size=1,
    max_size=12,
)
NAME = (WORD | WORD.map("-".__add__) | WORD.map("--".__add__)).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)
FINITE = st.floats(0, 1, exclude_max=True)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of the values and None."""
    return st.none() | values


def small(low: int) -> st.SearchStrategy[int]:
    """Return a strategy of numbers from a limit on."""
    return st.integers(low, 10_000)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "network": st.sampled_from(NETWORKS),
        "loss": st.sampled_from(LOSSES),
        "rebalance": st.floats(1, 100),
        "tone": st.floats(0, 1),
        "epochs": small(1),
        "batch_size": small(1),
        "crop": small(16),
        "working_size": small(16),
        "learning_rate": st.floats(1e-9, 10),
        "weight_decay": FINITE,
        "warmup": small(0),
        "ema": FINITE,
        "patience": small(0),
        "seed": st.integers(0, 2**32 - 1),
        "device": st.sampled_from(["auto", "cpu", "mps", "cuda", "cuda:1"]),
        "precision": st.sampled_from(PRECISIONS),
        "init": optional(NAME),
        "photographs": optional(small(2)),
        "threads": optional(small(1)),
        "processes": small(1),
        "nodes": small(1),
        "checkpoint_every": st.floats(0, 1e6),
        "name": optional(NAME),
        "logger": st.sampled_from(LOGGERS),
    },
)
PROPERTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RunFolder, dict[str, Any], bool]]:
    """Put an ear in the place of the training of the command line."""
    said: list[tuple[RunFolder, dict[str, Any], bool]] = []

    def train(run: RunFolder, given: dict[str, Any], *, resume: bool, console: object) -> int:
        said.append((run, given, resume))
        return 0

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr("napari_colorize.files.models.find_model", lambda name: name)
    return said


def made(home: Path, folder: str, changes: dict[str, Any]) -> TrainingConfig:
    """Return settings for a folder of this name, which is made."""
    place = home / folder
    place.mkdir(exist_ok=True)
    return TrainingConfig(folder=str(place), **changes)


@PROPERTY
@given(folder=NAME, run=NAME, changes=CHANGES, resume=st.booleans())
def test_the_command_means_the_settings(
    tmp_path: Path,
    heard: list[tuple[RunFolder, dict[str, Any], bool]],
    folder: str,
    run: str,
    changes: dict[str, Any],
    resume: bool,
) -> None:
    """Read by a shell and by the command line itself."""
    config = made(tmp_path, folder, changes)
    command = as_command(config, tmp_path / run, resume)
    program, *arguments = shlex.split(command)
    assert program == "napari-colorize"
    assert cli.run(arguments) == 0
    place, given_settings, resumed = heard.pop()
    assert TrainingConfig.from_dict(given_settings) == config
    assert (place.path, resumed) == (tmp_path / run, resume)


@PROPERTY
@given(folder=NAME, run=NAME, changes=CHANGES, resume=st.booleans())
def test_the_python_means_the_settings(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    run: str,
    changes: dict[str, Any],
    resume: bool,
) -> None:
    """Executed with an ear in the place of the training."""
    said: list[tuple[tuple[str, str], dict[str, Any]]] = []

    def train(*places: str, **given: Any) -> None:
        said.append((places, given))

    monkeypatch.setitem(napari_colorize.__dict__, "train", train)
    config = made(tmp_path, folder, changes)
    exec(as_python(config, tmp_path / run, resume), {})
    (place, run_place), given_settings = said.pop()
    assert given_settings.pop("resume", False) is resume
    assert TrainingConfig(folder=place, **given_settings) == config
    assert run_place == str(tmp_path / run)


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    """Defaults are left out, in both."""
    config = TrainingConfig(folder="/photos", epochs=3, init="palette")
    assert as_python(config, tmp_path) == (
        "from napari_colorize import train\n\ntrain(\n"
        f"    '/photos',\n    {str(tmp_path)!r},\n    epochs=3,\n    init='palette',\n)\n"
    )
    words = shlex.split(as_command(config, tmp_path))
    assert words[:3] == ["napari-colorize", "train", "/photos"]
    assert words[3:] == ["--out", str(tmp_path), "--epochs", "3", "--init", "palette"]


def test_a_folder_that_looks_like_an_option(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    heard: list[tuple[RunFolder, dict[str, Any], bool]],
) -> None:
    """It stands behind two dashes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "--resume").mkdir()
    command = as_command(TrainingConfig(folder="--resume", epochs=3), tmp_path / "run")
    assert command.endswith(" -- --resume")
    assert cli.run(shlex.split(command)[1:]) == 0
    _, given_settings, resumed = heard.pop()
    assert given_settings["folder"] == str(tmp_path / "--resume")
    assert not resumed


def test_windows_quotes_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With double quotes, as its shells read them."""
    monkeypatch.setattr(sys, "platform", "win32")
    command = as_command(TrainingConfig(folder="my photos"), tmp_path)
    assert command.startswith('napari-colorize train "my photos" --out ')


def test_every_setting_can_be_written() -> None:
    """A new setting has an option of the command line too."""
    names = {field.name for field in dataclasses.fields(TrainingConfig)} - {"folder", "version"}
    config = TrainingConfig(folder="-")
    assert not differing(config)
    assert names <= cli.train.__annotations__.keys()
