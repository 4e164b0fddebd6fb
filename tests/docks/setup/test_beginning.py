"""A training begins with its pictures, its folder and its process; or nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_colorize.docks.setup import beginning
from napari_colorize.docks.setup.beginning import Beginning, free_pictures_folder
from napari_colorize.errors import RunError, TrainingError
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """Return the runs that are started: no process is."""
    runs: list[RunFolder] = []
    monkeypatch.setattr(beginning, "start_training", runs.append)
    return runs


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """Return a folder with what was written of layers."""
    folder = tmp_path / "layers"
    folder.mkdir()
    (folder / "01-flowers.png").write_bytes(b"flowers")
    return folder


def settings(folder: Path) -> dict[str, object]:
    """Return the settings of a training on a folder."""
    return TrainingConfig(folder=str(folder)).to_dict()


def test_names_come_round_again(tmp_path: Path, layers: Path, started: list[RunFolder]) -> None:
    """The pictures of each run are kept apart, even if the runs are named alike."""
    for place in ("one", "two"):
        run = RunFolder(tmp_path / place / "meadow")
        Beginning(run, settings(free_pictures_folder(run.path)), layers)()
        (layers / "01-flowers.png").unlink(missing_ok=True)
        (layers / "02-trees.png").write_bytes(b"trees")
    folders = [Path(run.read_config().folder) for run in started]
    names = [[file.name for file in folder.iterdir()] for folder in folders]
    assert names == [["01-flowers.png"], ["02-trees.png"]]


def test_nothing_stays_of_what_could_not_begin(
    tmp_path: Path, layers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither pictures nor run folder; what was there before does."""

    def refuse(run: RunFolder) -> None:
        raise TrainingError("no process")

    monkeypatch.setattr(beginning, "start_training", refuse)
    run = RunFolder(tmp_path / "runs" / "meadow")
    target = free_pictures_folder(run.path)
    with pytest.raises(TrainingError):
        Beginning(run, settings(target), layers)()
    assert not run.path.exists()
    assert not target.exists()
    run.create(TrainingConfig(folder="other"))
    with pytest.raises(RunError):
        Beginning(run, settings(target), layers)()
    assert not target.exists()
    assert run.read_config().folder == "other"
    assert (layers / "01-flowers.png").exists()


def test_run_among_its_photographs_is_refused(
    tmp_path: Path, photographs: Path, started: list[RunFolder]
) -> None:
    """Whatever way leads there."""
    way = tmp_path / "way"
    try:
        way.symlink_to(photographs, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(RunError, match="among the photographs"):
        Beginning(RunFolder(way / "run"), settings(photographs))()
    assert not started
