"""What was chosen for the last training is chosen again, but what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from npe2 import PluginManager

from napari_colorize.docks.preferences import remember, remembered
from napari_colorize.docks.setup.last_choices import keep_choices, recall_choices
from napari_colorize.docks.setup.photographs_field import PhotographsField
from napari_colorize.docks.setup.task_field import TaskField
from napari_colorize.files.models import find_model, import_model
from napari_colorize.runs.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    Parts = tuple[PhotographsField, TaskField]


@pytest.fixture
def parts(viewer: Any, qtbot: QtBot) -> Iterator[Callable[[], Parts]]:
    """Return a function that makes the fields of a new session."""
    PluginManager.instance().discover()
    made: list[Parts] = []

    def make() -> Parts:
        photographs, task = PhotographsField(viewer), TaskField()
        qtbot.addWidget(photographs)
        qtbot.addWidget(task)
        made.append((photographs, task))
        recall_choices(photographs, task)
        return photographs, task

    yield make
    for photographs, task in made:
        photographs.stop()
        task.stop()


def test_all_comes_back(parts: Callable[[], Parts], tmp_path: Path) -> None:
    """Folders, task, model, network, preset, device, and where runs are kept."""
    learned, checked = tmp_path / "learned", tmp_path / "checked"
    learned.mkdir()
    checked.mkdir()
    import_model(find_model(), "mine")
    photographs, task = parts()
    photographs.show_folders(learned, checked)
    task.choice.show_network("plain")
    task.choice.show_model("mine")
    task.presets.choose("long")
    task.advanced.show_device("cpu")
    keep_choices(photographs, task, RunFolder(tmp_path / "runs" / "one"))
    (tmp_path / "runs").mkdir()
    task.suggest_run_folder("next")
    assert task.run_folder is not None
    assert task.run_folder.parent == tmp_path / "runs"
    photographs, task = parts()
    task.suggest_run_folder("next")
    assert (photographs.folder, photographs.validation) == (learned, checked)
    assert (task.choice.task, task.presets.key) == ("fine-tune", "long")
    assert task.settings()["init"] == "mine"
    assert task.choice.network.currentData() == "plain"
    assert task.advanced.changes() == {"device": "cpu"}
    assert task.run_folder is not None
    assert task.run_folder.parent == tmp_path / "runs"


def test_a_model_file_comes_back(parts: Callable[[], Parts], tmp_path: Path) -> None:
    """One that lies anywhere is read again; one that is broken by now is passed over."""
    file = tmp_path / "away.safetensors"
    file.write_bytes(find_model().read_bytes())
    remember("model", str(file))
    assert parts()[1].settings()["init"] == str(file)
    file.write_bytes(b"broken")
    task = parts()[1]
    assert task.settings()["init"] == "palette"
    assert not task.choice.note.text()


def test_what_is_gone_is_passed_over(parts: Callable[[], Parts], tmp_path: Path) -> None:
    """Nothing is said and the usual is chosen, each by itself."""
    learned = tmp_path / "learned"
    learned.mkdir()
    usual = parts()[1].run_folder
    for key in ("validation", "runs", "model"):
        remember(key, str(tmp_path / "gone"))
        assert remembered(key, "") == str(tmp_path / "gone")
    remember("folder", str(learned))
    remember("device", "abacus")
    photographs, task = parts()
    assert (photographs.folder, photographs.validation) == (learned, None)
    assert task.settings()["init"] == "palette"
    assert task.settings()["device"] == "auto"
    assert task.run_folder == usual
    assert not task.problem()
