"""The field for the photographs, used as a person does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_colorize.docks.setup.photograph_check import _Look
from napari_colorize.docks.setup.photographs_field import PhotographsField

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from pytestqt.qtbot import QtBot
from made_person import PATIENCE, Person


def test_nothing_is_chosen_at_first(person: Person) -> None:
    """The field says what is missing; nothing is looked at."""
    field = person.field
    assert (field.folder, field.validation, field.usable) == (None, None, None)
    assert field.problem() == "Choose the folder with your colour photographs."
    assert person.text(field.reason) == field.problem()
    assert not field._timer.isActive()


def test_typed_folder_is_looked_at_by_itself(person: Person, photographs: Path) -> None:
    """A moment after the last letter the look begins; findings and number come."""
    field, heard = person.field, []
    field.changed.connect(lambda: heard.append("changed"))
    field.examined.connect(lambda: heard.append("examined"))
    person.qtbot.keyClicks(field.folder_edit.line, str(photographs))
    assert field.problem() == "The photographs are being looked at…"
    assert field.usable is None
    person.wait_for_end()
    assert (field.folder, field.usable, field.problem()) == (photographs, 22, "")
    assert heard[0] == "changed"
    assert heard[-1] == "examined"
    assert person.text(field.box.summary).startswith("24 of 24 pictures can be used")
    assert len([one for one in field.box.strip.labels if one.isVisible()]) == 8


def test_wrong_folders_are_told_at_their_field(
    person: Person, photographs: Path, tmp_path: Path
) -> None:
    """What is wrong stands below the line that it is about, and goes with the mistake."""
    field = person.field
    (tmp_path / "few").mkdir()
    for path in sorted(photographs.rglob("*.png"))[:3]:
        (tmp_path / "few" / path.name).write_bytes(path.read_bytes())
    person.choose(tmp_path / "nowhere")
    assert person.text(field.reason) == f"There is no folder {tmp_path / 'nowhere'}."
    person.choose(tmp_path / "few")
    assert person.text(field.reason).startswith("Only 3 pictures can be learned from")
    assert field.usable == 2
    person.choose(photographs, tmp_path / "nowhere")
    assert person.text(field.reason) == ""
    assert person.text(field.validation_reason) == f"There is no folder {tmp_path / 'nowhere'}."
    assert field.problem() == person.text(field.validation_reason)
    person.choose(photographs, photographs)
    assert "have to be in another folder" in person.text(field.validation_reason)
    assert field.problem() == person.text(field.validation_reason)
    person.choose(photographs, tmp_path / "few")
    assert person.text(field.validation_reason) == field.problem() == ""
    assert field.validation == tmp_path / "few"
    person.choose(None)
    assert "Choose the folder" in person.text(field.reason)


def test_folder_can_be_dropped_and_picked(
    person: Person, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, or the folder of a file, is taken anywhere on the field, and in the dialog."""
    field = person.field
    field.from_layers.setChecked(True)
    assert person.drop(field, photographs)
    assert field.folder == photographs
    assert person.drop(field.folder_edit, next((photographs / "meadow").iterdir()))
    assert field.folder == photographs / "meadow"
    assert person.drop(field.validation_edit, tmp_path)
    assert (field.folder, field.validation) == (photographs / "meadow", tmp_path)
    assert not field.folder_edit.line.acceptDrops()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(photographs))
    field.folder_edit.button.click()
    assert field.folder == photographs
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    field.folder_edit.button.click()
    assert field.folder == photographs


def test_look_can_be_cancelled_and_begun_again(
    person: Person, photographs: Path, held: threading.Event
) -> None:
    """Cancel leaves a folder that can be trained on all the same; Look again goes on."""
    field = person.field
    field.show_folders(photographs, None)
    person.wait(lambda: field.problem() == "")
    assert person.text(field.reason) == ""
    assert field.box.bar.text() == "Looking at the photographs: 0 of 24"
    field.box.cancel.click()
    assert not field._check.busy
    assert (field.problem(), field.usable) == ("", None)
    assert person.text(field.box.summary) == (
        "The photographs were not looked at; the training will do it."
    )
    held.set()
    field.box.look_again.click()
    person.wait_for_end()
    assert field.usable == 22


def test_another_choice_begins_anew(
    person: Person, photographs: Path, held: threading.Event
) -> None:
    """What is found in a folder that is no longer chosen is not told."""
    field = person.field
    field.show_folders(photographs, None)
    person.wait(lambda: field._check.busy)
    field.folder_edit.line.setText(str(photographs / "meadow"))
    held.set()
    person.wait_for_end()
    assert field.usable == 14
    assert "Only 16 pictures" in field.problem()


def test_what_is_not_editable_is_not_looked_at(
    person: Person, photographs: Path, held: threading.Event
) -> None:
    """While a run is shown the choice stays; afterwards it is looked at."""
    field = person.field
    field.show_folders(photographs, None)
    field.set_editable(False)
    assert not field._check.busy
    assert not field.folder_edit.isEnabled()
    assert not person.drop(field, photographs / "meadow")
    field.show_folders(photographs / "shore", None)
    assert not field._timer.isActive()
    assert field.folder == photographs / "shore"
    held.set()
    field.set_editable(True)
    person.wait_for_end()
    assert "Only 8 pictures" in field.problem()


def test_chosen_folder_is_trained_on_where_it_is(person: Person, photographs: Path) -> None:
    """A folder is not copied."""
    person.choose(photographs)
    assert person.field.pictures() == photographs


def test_field_is_narrow_explained_and_reached_by_keys(person: Person) -> None:
    """It fits into 370 pixels; every part has a tooltip, every label its field."""
    field = person.field
    person.viewer.add_layer(Image(np.zeros((70, 70, 3), np.uint8), rgb=True, name="n" * 90))
    for button in (field.from_folder, field.from_layers):
        button.setChecked(True)
        assert field.minimumSizeHint().width() < 370
    parts = [
        field.from_folder,
        field.from_layers,
        field.folder_edit.line,
        field.folder_edit.button,
        field.validation_edit.line,
        field.layers.list,
        field.layers.regions,
    ]
    for part in parts:
        assert part.toolTip()
        assert part.focusPolicy() & Qt.FocusPolicy.TabFocus
    labels = [label for label in field.findChildren(QLabel) if "&" in label.text()]
    assert len(labels) == 4
    assert all(label.buddy() is not None and label.toolTip() for label in labels)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_problems_can_be_read_in_both_themes(person: Person, theme: str) -> None:
    """The colour of a problem stands out from the background."""
    person.viewer.theme = theme
    style = person.field.reason.styleSheet()
    colour = QColor(style.removeprefix("color: "))
    background = QColor(get_theme(theme).background.as_hex())
    assert abs(colour.lightness() - background.lightness()) > 80


def test_stopped_field_touches_nothing(person: Person, photographs: Path) -> None:
    """After stop no look begins, whatever happens in the viewer."""
    field = person.field
    field.show_folders(photographs, None)
    field.stop()
    field.stop()
    person.viewer.add_layer(Image(np.zeros((70, 70, 3), np.uint8), rgb=True))
    person.viewer.theme = "light"
    field.show_folders(photographs, None)
    field.from_layers.setChecked(True)
    field.set_editable(False)
    assert not field._check.busy
    assert not field._timer.isActive()


def test_field_may_be_destroyed_while_it_looks(
    qtbot: QtBot, photographs: Path, held: threading.Event
) -> None:
    """The thread ends soon after the widget, and nothing touches what is gone."""
    viewer = ViewerModel()
    field = PhotographsField(viewer)
    field.show_folders(photographs, None)
    qtbot.waitUntil(lambda: field._check.busy, timeout=PATIENCE)
    field.deleteLater()
    qtbot.waitUntil(lambda: not _Look._living, timeout=PATIENCE)
    viewer.add_layer(Image(np.zeros((70, 70, 3), np.uint8), rgb=True))
    viewer.theme = "light"
    assert not held.is_set()


def test_window_may_be_closed_while_it_looks(
    qtbot: QtBot, viewer: Any, photographs: Path, held: threading.Event
) -> None:
    """The viewer closes under a look; it ends by itself."""
    field = PhotographsField(viewer)
    viewer.window.add_dock_widget(field, name="Photographs")
    field.show_folders(photographs, None)
    qtbot.waitUntil(lambda: field._check.busy, timeout=PATIENCE)
    viewer.close()
    qtbot.waitUntil(lambda: not _Look._living, timeout=PATIENCE)


def test_window_answers_while_it_looks(qtbot: QtBot, viewer: Any, tmp_path: Path) -> None:
    """A timer of 10 ms goes on ticking while large photographs are decoded."""
    from made_photographs import blobs

    for seed in range(12):
        blobs(seed, 1500, 2000).save(tmp_path / f"{seed}.jpg")
    field = PhotographsField(viewer)
    viewer.window.add_dock_widget(field, name="Photographs")
    ticks: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.process_time()))
    timer.start(10)
    field.show_folders(tmp_path, None)
    qtbot.waitUntil(lambda: "Only 12" in field.problem(), timeout=PATIENCE)
    timer.stop()
    field.stop()
    qtbot.waitUntil(lambda: not _Look._living, timeout=PATIENCE)
    gaps = np.diff(ticks)
    assert len(gaps) > 10
    # Time at work, of all threads together: what else the machine does is not counted.
    assert np.quantile(gaps, 0.95) < 0.1, f"{1000 * np.quantile(gaps, 0.95):.0f} ms of work"


def test_folders_that_are_shown_are_told_once(
    person: Person, photographs: Path, tmp_path: Path
) -> None:
    """Showing two folders is one change; where nothing is looked at, nothing is said of it."""
    field = person.field
    field.set_editable(False)
    changed: list[bool] = []
    field.changed.connect(lambda: changed.append(True))
    field.show_folders(photographs, tmp_path)
    assert len(changed) == 1
    assert (field.folder, field.validation) == (photographs, tmp_path)
    assert person.text(field.reason) == field.problem() == ""


def test_folder_to_check_with_is_looked_into_first(
    person: Person, photographs: Path, tmp_path: Path, held: threading.Event
) -> None:
    """One that is not there is told before a single photograph is looked at."""
    field = person.field
    field.show_folders(photographs, tmp_path / "nowhere")
    assert field.problem()
    person.wait_for_end()
    assert not held.is_set()
    assert field.problem() == f"There is no folder {tmp_path / 'nowhere'}."
    assert person.text(field.validation_reason) == field.problem()


def test_a_choice_is_shown_again(person: Person, photographs: Path, tmp_path: Path) -> None:
    """Layers come back as layers, beside the folder that was named."""
    field = person.field
    field.show_folders(photographs, tmp_path)
    field.from_layers.setChecked(True)
    before = field.choice
    field.show_folders(tmp_path, None)
    assert field.folder == tmp_path
    field.show_choice(before)
    assert field.choice == before
    assert field.folder is None
    assert "No colour (RGB) layer is open" in field.problem()
