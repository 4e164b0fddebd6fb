"""The form of the Train dock: what it asks for, and what it says is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any


def test_form_says_what_is_missing(training_desk: Any, photographs: Path, tmp_path: Path) -> None:
    """Start stays disabled with the reason beside it, until the form is right."""
    dock = training_desk.open()
    form = dock.form
    empty = tmp_path / "empty"
    (empty / ".hidden").mkdir(parents=True)
    (empty / ".hidden" / "a.png").touch()
    (tmp_path / "file").write_text("")
    inside = photographs / "run"
    steps: list[tuple[Any, Path | None, str]] = [
        (form.folder, None, "Choose the folder"),
        (form.folder, tmp_path / "nowhere", "There is no folder"),
        (form.folder, tmp_path / "file", "is a file"),
        (form.folder, empty, "no pictures in empty"),
        (form.folder, photographs, ""),
        (form.validation, photographs, "another folder"),
        (form.validation, empty, "no pictures in empty"),
        (form.validation, photographs / "meadow", ""),
        (form.validation, None, ""),
        (form.run_folder, None, "Name a new folder"),
        (form.run_folder, inside, "lies among the photographs"),
        (form.run_folder, tmp_path / "file", "is a file"),
        (form.run_folder, tmp_path, "not empty"),
        (form.run_folder, empty.parent / "run", ""),
    ]
    for field, value, reason in steps:
        field.value = value
        assert reason in training_desk.text(dock.reason)
        assert dock.start.enabled is not bool(reason)
        assert training_desk.shown(dock.reason) is bool(reason)
        assert not dock.stop.enabled


def test_run_folder_is_named_after_the_photographs(
    training_desk: Any, photographs: Path, tmp_path: Path
) -> None:
    """The suggestion follows the photographs until it is changed by hand, and is never taken."""
    form = training_desk.open().form
    assert Path(form.run_folder.value).name.startswith("training-")
    form.folder.value = photographs
    first = Path(form.run_folder.value)
    assert first.name.startswith(f"{photographs.name}-2")
    first.mkdir(parents=True)
    form.suggest_run_folder()
    assert Path(form.run_folder.value).name == f"{first.name}-2"
    form.run_folder.value = tmp_path / "mine"
    form.folder.value = photographs / "shore"
    assert form.run_folder.value == tmp_path / "mine"


def test_every_field_explains_itself(training_desk: Any) -> None:
    """Each field and each button has a tooltip."""
    dock = training_desk.open()
    assert all(field.tooltip for field in dock.form)
    assert all(button.tooltip for button in (dock.start, dock.stop, dock.new_run))
    assert "goes on when this dock or napari is closed" in dock.progress.tooltip


def test_dock_never_makes_the_window_taller(training_desk: Any) -> None:
    """The form scrolls where the window is low."""
    dock = training_desk.open()
    dock.log.visible = True
    assert dock.native.minimumSizeHint().height() < 200


def test_dock_is_found_by_napari(training_desk: Any, viewer: Any) -> None:
    """Napari opens the dock from the manifest and gives it the viewer."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-colorize", "Train")
    assert type(dock).__name__ == "TrainDock"


def test_opening_the_dock_loads_no_torch() -> None:
    """Neither torch nor pyqtgraph is needed before there is something to do or draw."""
    code = (
        "import sys, napari_colorize.docks.training;"
        "print([n for n in ('torch', 'pyqtgraph', 'scipy', 'skimage') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
