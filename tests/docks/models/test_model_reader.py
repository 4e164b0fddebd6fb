"""Model files that are opened in napari: a card, no layer; what is no model is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from made_cards import write_model
from qtpy.QtWidgets import QApplication

from napari_colorize.docks.models.model_dialog import ModelDialog
from napari_colorize.docks.models.model_reader import get_reader
from napari_colorize.files.models import list_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PATIENCE = 60_000


@pytest.fixture
def told() -> Iterator[list[str]]:
    """Return the warnings that napari shows."""
    from napari.utils.notifications import notification_manager

    heard: list[str] = []

    def hear(notification: Any) -> None:
        heard.append(notification.message)

    notification_manager.notification_ready.connect(hear)
    yield heard
    notification_manager.notification_ready.disconnect(hear)


def dialogs() -> list[ModelDialog]:
    """Return the cards that are open."""
    return [one for one in QApplication.topLevelWidgets() if isinstance(one, ModelDialog)]


def test_a_model_opens_its_card_in_napari(viewer: Any, qtbot: QtBot, tmp_path: Path) -> None:
    """No layer is added; Import puts the model into the list; Close ends the dialog."""
    path = write_model(tmp_path / "lake.safetensors", b"3333", license="free")
    assert viewer.open(path, plugin="napari-colorize") == []
    (dialog,) = dialogs()
    assert "free" in dialog.card.words()
    assert dialog.windowTitle() == "Model lake"
    dialog.import_button.click()
    qtbot.waitUntil(lambda: "Imported" in dialog.status.text(), timeout=PATIENCE)
    assert "lake" in [model.name for model in list_models()]
    with qtbot.waitSignal(dialog.destroyed, timeout=PATIENCE):
        dialog.close_button.click()
    assert len(viewer.layers) == 0


def test_a_model_that_is_known_says_so(viewer: Any, qtbot: QtBot) -> None:
    """It need not be imported again."""
    path = next(model.path for model in list_models() if model.bundled)
    viewer.open(path, plugin="napari-colorize")
    (dialog,) = dialogs()
    assert f"came along already, as '{path.stem}'" in dialog.status.text()
    assert not dialog.import_button.isEnabled()
    with qtbot.waitSignal(dialog.destroyed, timeout=PATIENCE):
        dialog.close()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "x.safetensors is empty. Get the file again."),
        (b"\x80\x04pickled", "x.safetensors is not a model"),
        ((2**40).to_bytes(8, "little") + b"{}", "x.safetensors is not a model"),
        ((90).to_bytes(8, "little") + b"{}", "x.safetensors is cut short"),
        ((2).to_bytes(8, "little") + b"{}", "no card of napari-colorize"),
    ],
)
def test_what_is_no_model_is_told_in_a_sentence(
    content: bytes, sentence: str, qapp: Any, tmp_path: Path, told: list[str]
) -> None:
    """Empty, foreign, huge and cut files: a warning of napari, no dialog, no layer."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    reader = get_reader(str(path))
    assert reader is not None
    assert reader(str(path)) == [(None,)]
    assert len(told) == 1
    assert sentence in told[0]
    assert dialogs() == []


def test_other_files_are_left_to_others() -> None:
    """The reader knows its suffix, in lists too."""
    assert get_reader("a.png") is None
    assert get_reader(["a.safetensors", "a.png"]) is None
    assert get_reader(["a.safetensors", "B.SAFETENSORS"]) is not None


def test_the_command_palette_asks_for_the_files(
    viewer: Any, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of the reader stands there too, and shows what is chosen."""
    from napari._app_model import get_app_model
    from qtpy.QtWidgets import QFileDialog

    path = write_model(tmp_path / "lake.safetensors")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(path)], ""))
    get_app_model().commands.execute_command("napari-colorize.open_model").result()
    (dialog,) = dialogs()
    with qtbot.waitSignal(dialog.destroyed, timeout=PATIENCE):
        dialog.close()
