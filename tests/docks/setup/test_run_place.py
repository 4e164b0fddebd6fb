"""Where a new run is kept: suggested, and told at the field when it cannot be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from napari_colorize.docks.setup.task_field import TaskField
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[TaskField]:
    """Return the field, which is not shown and so measures nothing."""
    field = TaskField()
    qtbot.addWidget(field)
    yield field
    field.stop()


def test_the_run_folder(field: TaskField, tmp_path: Path, photographs: Path) -> None:
    """It is suggested anew until it is typed in; what cannot be is told at the field."""
    field.suggest_run_folder("meadows")
    assert field.run_folder is not None
    assert field.run_folder.name.startswith("meadows-")
    field.place.folder.setText(str(tmp_path / "mine"))
    field.suggest_run_folder("shores")
    assert field.run_folder == tmp_path / "mine"
    RunFolder(tmp_path / "mine").create(TrainingConfig(folder=str(photographs)))
    field.suggest_run_folder("shores")  # a run has begun there: the next one needs a place
    assert field.run_folder.name.startswith("shores-")
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    for path, words in {
        tmp_path / "mine": "There is a run in this folder already",
        tmp_path / "file": "is a file",
        tmp_path / "file" / "run": "is a file",
        tmp_path / "full": "is not empty and holds no run",
        tmp_path / ("long" * 100): "cannot be used",
    }.items():
        field.place.folder.setText(str(path))
        assert words in field.problem()
        assert field.place.note.told() == field.problem()
    field.place.folder.setText("  ")
    assert "Name a new folder" in field.problem()
    assert field.run_folder is None
    field.place.folder.setText(str(photographs / "run"))
    field.set_photographs(24, photographs)
    assert "lies among the photographs" in field.place.note.told()
    field.place.folder.setText(str(photographs.parent / "x" / ".." / photographs.name / "run"))
    field.set_photographs(24, photographs)
    assert "lies among the photographs" in field.place.note.told()
    field.set_photographs(24, None, photographs)
    assert "among the photographs to check with" in field.place.note.told()
    field.place.folder.setText(str(tmp_path / "new"))
    assert not field.problem()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written(field: TaskField, tmp_path: Path) -> None:
    """It is told before Start."""
    tmp_path.chmod(0o500)
    field.place.folder.setText(str(tmp_path / "run"))
    assert "cannot be written" in field.problem()
    tmp_path.chmod(0o700)
