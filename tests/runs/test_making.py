"""Making a run or going on with one: paths that last, settings that are held."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_colorize.errors import DataError, RunError, TrainingError
from napari_colorize.runs.events import Failed, Stopped
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.making import make_or_resume


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder ``photos`` in the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def test_paths_mean_the_same_everywhere(tmp_path: Path) -> None:
    """Relative ones are made absolute; a model's name stays a name, its file is a path."""
    Path("mine.safetensors").touch()
    run = RunFolder("run")
    make_or_resume(run, {"folder": Path("photos"), "init": "mine.safetensors"}, resume=False)
    config = run.read_config()
    assert config.folder == str(tmp_path / "photos")
    assert config.init == str(tmp_path / "mine.safetensors")
    make_or_resume(RunFolder("b"), {"folder": "photos", "init": "plain"}, resume=True)
    assert RunFolder("b").read_config().init == "plain"


def test_a_run_is_held_to_its_settings(tmp_path: Path) -> None:
    """Once it has a checkpoint; before, what is given anew counts. A wish to stop is taken back."""
    run = RunFolder(tmp_path / "run")
    make_or_resume(run, {"folder": "photos", "epochs": 3}, resume=False)
    with pytest.raises(RunError, match="is not empty"):
        make_or_resume(run, {"folder": "photos"}, resume=False)
    make_or_resume(run, {"folder": "photos", "crop": 32}, resume=True)
    assert (run.read_config().epochs, run.read_config().crop) == (3, 32)
    run.last_checkpoint.touch()
    run.request_stop()
    make_or_resume(run, {"folder": "../" + Path.cwd().name + "/photos"}, resume=True)
    assert not run.stop_requested()
    with pytest.raises(RunError, match="The run has crop 32, not 64"):
        make_or_resume(run, {"folder": "photos", "crop": 64}, resume=True)
    with pytest.raises(TrainingError, match="Unknown training setting 'size'"):
        make_or_resume(run, {"folder": "photos", "size": 64}, resume=True)


def test_a_folder_has_to_be_named(tmp_path: Path) -> None:
    """An empty text is no folder."""
    with pytest.raises(TrainingError, match="'folder'"):
        make_or_resume(RunFolder(tmp_path / "run"), {"folder": ""}, resume=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["folder", "validation"])
def test_a_run_lies_outside_of_its_photographs(tmp_path: Path, name: str) -> None:
    """Its previews are pictures: the next time they would be among the photographs."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "inside", target_is_directory=True)
    settings = {"folder": tmp_path / "photos", name: tmp_path / "inside"}
    for place in (tmp_path / "inside" / "run", tmp_path / "link" / "run", tmp_path / "inside"):
        with pytest.raises(RunError, match="lies among the photographs"):
            make_or_resume(RunFolder(place), settings, resume=True)
        assert not list((tmp_path / "inside").iterdir())
    make_or_resume(RunFolder(tmp_path / "inside-run"), settings, resume=True)


@pytest.mark.parametrize("name", ["folder", "validation"])
def test_a_missing_folder_leaves_no_run_behind(tmp_path: Path, name: str) -> None:
    """A slip of the pen is told before anything is made."""
    with pytest.raises(DataError, match=r"There is no folder .*fotos"):
        make_or_resume(RunFolder("run"), {"folder": "photos", name: "fotos"}, resume=False)
    assert not (tmp_path / "run").exists()


def test_a_run_that_failed_before_it_began_stands_in_nobodys_way() -> None:
    """After a grey folder the same command with another folder works; a stopped run is kept."""
    run = RunFolder("run")
    make_or_resume(run, {"folder": "photos", "epochs": 2}, resume=False)
    run.append(Failed("DataError", "All grey.", "Choose another folder."))
    make_or_resume(run, {"folder": "photos", "epochs": 3}, resume=False)
    assert run.read_config().epochs == 3
    run.append(Stopped(4, "stopped as asked"))
    with pytest.raises(RunError, match="is not empty"):
        make_or_resume(run, {"folder": "photos"}, resume=False)


@pytest.mark.parametrize("resume", [False, True])
def test_tensorboard_that_is_missing(monkeypatch: pytest.MonkeyPatch, resume: bool) -> None:
    """It is told before anything is made; where it is there, the wish is kept."""
    monkeypatch.setattr("napari_colorize.runs.making.find_spec", lambda name: None)
    with pytest.raises(TrainingError, match="TensorBoard is not installed: install it"):
        make_or_resume(
            RunFolder("run"), {"folder": "photos", "logger": "tensorboard"}, resume=resume
        )
    assert not Path("run").exists()
    monkeypatch.setattr("napari_colorize.runs.making.find_spec", lambda name: object())
    make_or_resume(RunFolder("run"), {"folder": "photos", "logger": "tensorboard"}, resume=resume)
    assert RunFolder("run").read_config().logger == "tensorboard"
