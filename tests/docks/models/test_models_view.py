"""The view of the models, used as a person does: keys, buttons, files that are dropped."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest
from made_cards import write_model
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QMessageBox

from napari_colorize.docks.model_events import model_wanted, models_changed
from napari_colorize.docks.models import models_view
from napari_colorize.docks.models.models_view import ModelsView
from napari_colorize.files import models
from napari_colorize.files.cards import read_card
from napari_colorize.files.removed import remove_model, removed_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PATIENCE = 60_000


class Theme:
    """What the view needs of a viewer: a theme, and word of its change."""

    def __init__(self) -> None:
        from napari.utils.events import EmitterGroup

        self.theme = "dark"
        self.events = EmitterGroup(self, theme=None)


@pytest.fixture
def own(own_places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of one's own models with two of them; one more came along."""
    monkeypatch.setattr(models, "BUNDLED", own_places / "bundled")
    write_model(own_places / "bundled" / "palette.safetensors", b"bund")
    folder = models.models_folder()
    write_model(folder / "sea.safetensors", b"1111", notes="blue")
    write_model(folder / "sky.safetensors", b"2222")
    return folder


@pytest.fixture
def view(own: Path, qtbot: QtBot) -> ModelsView:
    """Return the view, shown."""
    view = ModelsView(Theme())  # type: ignore[arg-type]
    qtbot.addWidget(view)
    view.show()
    return view


@pytest.fixture
def settled_in(qtbot: QtBot) -> Callable[[ModelsView, Callable[[], Any]], None]:
    """Return the function that does something in a view and waits until the errand is over."""

    def wait(view: ModelsView, act: Callable[[], Any]) -> None:
        act()
        qtbot.waitUntil(lambda: not view._busy, timeout=PATIENCE)

    return wait


@pytest.fixture
def settled(
    view: ModelsView, settled_in: Callable[[ModelsView, Callable[[], Any]], None]
) -> Callable[[Callable[[], Any]], None]:
    """Return the same for the view of the test."""
    return lambda act: settled_in(view, act)


def names(view: ModelsView) -> list[str]:
    """Return the rows of the list."""
    return [entry.text for entry in view.list.entries()]


def test_all_models_are_listed_and_the_card_is_told(view: ModelsView, own: Path) -> None:
    """Own first, then what came along, then what cannot be used, with its reason."""
    (own / "broken.safetensors").write_bytes(b"x")
    view.refresh()
    assert names(view) == ["sea", "sky", "palette (included)", "broken (cannot be used)"]
    view.show_model("sea")
    assert view.notes.text.toPlainText() == "blue"
    assert "plain: gives each place one colour" in view.card.words()
    assert read_card(own / "sea.safetensors")["hash"][:16] in view.card.words()
    view.list.choose(own / "broken.safetensors")
    assert "broken.safetensors is not a model" in view.status.text()
    assert not view.use.isEnabled()
    assert view.delete.isEnabled()


def test_every_part_has_its_tooltip(view: ModelsView) -> None:
    """Buttons, list and notes tell what they are for."""
    parts = [view.use, view.rename, view.duplicate, view.delete, view.import_, view.export]
    parts += [view.measure, view.bin.undo, view.bin.empty, view.measuring.cancel, view.notes.keep]
    assert all(part.toolTip() for part in [*parts, view.list, view.notes.text])


def test_what_came_along_can_only_be_used_and_copied(view: ModelsView) -> None:
    """The other buttons are grey and say why."""
    view.show_model("palette")
    grey = [view.rename, view.delete, view.measure]
    assert not any(button.isEnabled() for button in grey)
    assert all("came along" in button.toolTip() for button in grey)
    assert all(button.isEnabled() for button in (view.use, view.duplicate, view.export))


def test_use_tells_the_colorize_dock(view: ModelsView) -> None:
    """The name goes through the signal that the dock listens to."""
    heard: list[str] = []
    model_wanted.connect(heard.append)
    view.show_model("sky")
    view.use.click()
    model_wanted.disconnect(heard.append)
    assert heard == ["sky"]


def test_f2_renames_in_the_list(view: ModelsView, own: Path, qtbot: QtBot) -> None:
    """The name is typed in its row; the model stays chosen, its draft of notes stays too."""
    view.show_model("sky")
    view.notes.text.setPlainText("draft")
    view.activateWindow()
    view.list.setFocus()
    qtbot.keyClick(view.list, Qt.Key.Key_F2)
    editor = view.list.findChild(QLineEdit)
    assert editor is not None
    editor.setText("Omas Album")
    qtbot.keyClick(editor, Qt.Key.Key_Return)  # Qt takes it over a turn of its loop later
    qtbot.waitUntil(lambda: view.status.isVisible(), timeout=PATIENCE)
    assert names(view)[:2] == ["Omas-Album", "sea"]
    assert "'sky' is called 'Omas-Album' now (names have letters" in view.status.text()
    assert view.list.current().name == "Omas-Album"  # type: ignore[union-attr]
    assert view.notes.text.toPlainText() == "draft"
    assert read_card(own / "Omas-Album.safetensors")["name"] == "Omas-Album"


def test_a_name_that_is_taken_is_told_and_put_back(
    view: ModelsView, settled: Callable[..., None]
) -> None:
    """The row shows the old name again."""
    view.show_model("sky")
    settled(lambda: view.list.currentItem().setText("sea"))  # type: ignore[union-attr]
    assert "There is a model called 'sea' already" in view.status.text()
    assert names(view)[:2] == ["sea", "sky"]


def test_delete_and_undo_by_keys(
    view: ModelsView, own: Path, qtbot: QtBot, settled: Callable[..., None]
) -> None:
    """Delete puts into the bin, the Undo button stays, Ctrl+Z brings the model back."""
    view.show_model("sky")
    before = (own / "sky.safetensors").read_bytes()
    settled(lambda: qtbot.keyClick(view.list, Qt.Key.Key_Delete))
    assert names(view) == ["sea", "palette (included)"]
    assert view.bin.undo.isVisible()
    assert view.bin.last_line.text() == "'sky' is in the bin."
    assert "In the bin: 1 model" in view.bin.line.text()
    settled(lambda: qtbot.keyClick(view.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier))
    assert (own / "sky.safetensors").read_bytes() == before
    assert view.list.current().name == "sky"  # type: ignore[union-attr]
    assert not view.bin.isVisible()


def test_delete_on_what_came_along_says_why_not(view: ModelsView, qtbot: QtBot) -> None:
    """The key does nothing but tell."""
    view.show_model("palette")
    qtbot.keyClick(view.list, Qt.Key.Key_Delete)
    assert "came along" in view.status.text()
    assert removed_models() == []


def test_the_bin_is_emptied_after_a_question(
    view: ModelsView, settled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No keeps all; Yes frees the disk."""
    settled(view.delete.click)
    button = QMessageBox.StandardButton
    for answer, left in ((button.No, 1), (button.Yes, 0)):
        asked: list[str] = []

        def question(*words: Any, answer: Any = answer, asked: list[str] = asked) -> Any:
            asked.append(words[2])
            return answer

        monkeypatch.setattr(QMessageBox, "question", question)
        settled(view.bin.empty.click)
        assert "Delete for good: sea?" in asked[0]
        assert len(removed_models()) == left
    assert not view.bin.isVisible()


def test_notes_are_kept_by_the_button_and_drafts_by_themselves(
    view: ModelsView, own: Path, settled: Callable[..., None]
) -> None:
    """What was typed is there again after another model was looked at."""
    view.show_model("sea")
    assert not view.notes.keep.isEnabled()
    view.notes.text.setPlainText("grün\nund blau")
    view.show_model("sky")
    assert view.notes.text.toPlainText() == ""
    view.show_model("sea")
    assert view.notes.text.toPlainText() == "grün\nund blau"
    settled(view.notes.keep.click)
    assert read_card(own / "sea.safetensors")["notes"] == "grün\nund blau"
    assert not view.notes.keep.isEnabled()


def test_notes_that_were_typed_are_kept_when_the_view_goes(view: ModelsView, own: Path) -> None:
    """Those of all models that were looked at."""
    view.show_model("sea")
    view.notes.text.setPlainText("green")
    view.show_model("sky")
    view.notes.text.setPlainText("clouds")
    view.hide()
    assert read_card(own / "sea.safetensors")["notes"] == "green"
    assert read_card(own / "sky.safetensors")["notes"] == "clouds"
    assert view.notes.drafts() == {}


def test_the_list_stays_while_a_name_is_typed(view: ModelsView, own: Path, qtbot: QtBot) -> None:
    """Word of a change waits until the name is typed."""
    view.show_model("sky")
    view.list.edit_name()
    write_model(own / "lake.safetensors", b"3333")
    models_changed.emit()
    editor = view.list.findChild(QLineEdit)
    assert editor is not None
    assert "lake" not in names(view)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: "lake" in names(view), timeout=PATIENCE)


def test_an_error_that_nobody_foresaw_is_told(
    view: ModelsView, settled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view is free again afterwards."""

    def broken(*_: Any) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(models_view, "duplicate_model", broken)
    settled(view.duplicate.click)
    assert "Something went wrong (ValueError: odd)" in view.status.text()
    assert view.duplicate.isEnabled()


def test_text_of_a_foreign_card_is_no_rich_text(view: ModelsView, own: Path) -> None:
    """Neither in labels nor in tooltips."""
    write_model(own / "evil.safetensors", b"9999", about="<img src='file:///x'>")
    view.refresh()
    view.show_model("evil")
    tips = [label.toolTip() for label in view.card.findChildren(QLabel)]
    assert any("&lt;img" in tip for tip in tips)
    assert not any("<img" in tip for tip in tips)


def test_a_full_disk_is_told_and_the_draft_stays(
    view: ModelsView, own: Path, settled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing changes on the disk, and nothing typed is lost."""
    view.show_model("sea")
    view.notes.text.setPlainText("long")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    settled(view.notes.keep.click)
    assert "no space left on device" in view.status.text()
    assert view.notes.text.toPlainText() == "long"
    assert read_card(own / "sea.safetensors")["notes"] == "blue"


def test_a_file_that_went_away_is_told(
    view: ModelsView, own: Path, settled: Callable[..., None]
) -> None:
    """The list is read anew."""
    view.show_model("sky")
    (own / "sky.safetensors").unlink()
    settled(view.delete.click)
    assert "does not exist" in view.status.text()
    assert names(view) == ["sea", "palette (included)"]


def test_duplicate_and_export(
    view: ModelsView,
    own: Path,
    tmp_path: Path,
    settled: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A copy is one's own and chosen; an exported file is the same, byte for byte."""
    view.show_model("palette")
    settled(view.duplicate.click)
    assert view.list.current().name == "palette-copy"  # type: ignore[union-attr]
    target = tmp_path / "given.safetensors"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    settled(view.export.click)
    assert target.read_bytes() == (own / "palette-copy.safetensors").read_bytes()
    target.write_bytes(b"precious")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "given"), ""))
    settled(view.export.click)
    assert "given.safetensors exists already" in view.status.text()
    assert target.read_bytes() == b"precious"


def test_files_are_dropped_on_the_view(
    view: ModelsView, tmp_path: Path, settled: Callable[..., None]
) -> None:
    """Models are imported, what is none is told, other files are not taken."""
    lake = write_model(tmp_path / "lake.safetensors", b"3333")
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"x")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in (bad, lake, tmp_path / "a.png")])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    settled(lambda: view.dropEvent(event))
    assert "lake" in names(view)
    assert view.list.current().name == "lake"  # type: ignore[union-attr]
    assert "In the list now: 'lake'." in view.status.text()
    assert "bad.safetensors is not a model" in view.status.text()


def test_the_list_follows_changes_made_elsewhere(view: ModelsView) -> None:
    """Another dock's word is enough."""
    view.show_model("sea")
    remove_model("sky")
    models_changed.emit()
    assert names(view) == ["sea", "palette (included)"]
    assert view.list.current().name == "sea"  # type: ignore[union-attr]


def test_word_that_comes_after_the_end_touches_nothing(own: Path, qtbot: QtBot) -> None:
    """A view that Qt has deleted stays quiet, even if Python still holds it."""
    view = ModelsView(Theme())  # type: ignore[arg-type]
    with qtbot.waitSignal(view.destroyed):
        view.deleteLater()
    models_changed.emit()


def test_the_view_fits_into_a_narrow_dock(view: ModelsView) -> None:
    """No card makes it wider than 400 pixels."""
    for entry in view.list.entries():
        view.list.choose(entry.path)
        assert view.minimumSizeHint().width() <= 380


def test_undo_goes_on_to_the_deletion_before(
    view: ModelsView, settled: Callable[..., None]
) -> None:
    """Two deletions are taken back one after the other, the last first."""
    for name in ("sea", "sky"):
        view.show_model(name)
        settled(view.delete.click)
    assert names(view) == ["palette (included)"]
    settled(view.bin.undo.click)
    assert view.bin.last_line.text() == "'sea' is in the bin."
    settled(view.bin.undo.click)
    assert names(view) == ["sea", "sky", "palette (included)"]
    settled(view._undo)
    assert view.status.text() == "The bin is empty."


def test_the_colorize_dock_lets_go_of_a_model_that_is_deleted(
    own: Path, viewer: Any, settled_in: Callable[..., None]
) -> None:
    """Its list follows, and it falls back to the default model."""
    from napari_colorize.docks.colorize import ColorizeDock

    dock = ColorizeDock(viewer)
    viewer.window.add_dock_widget(dock, name="Colorize")
    view = ModelsView(viewer)
    viewer.window.add_dock_widget(view, name="Models")
    dock.form.model.value = str(own / "sky.safetensors")
    view.show_model("sky")
    settled_in(view, view.delete.click)
    assert dock.form.model.value.endswith("palette.safetensors")
    assert "sky" not in [name for name, _ in dock.form._model_choices(None)]
