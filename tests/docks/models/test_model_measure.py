"""Measuring from the view: a real child, its progress, its figures, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from made_models import save_loud_plain
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_colorize.docks.models.measuring import Measuring
from napari_colorize.docks.models.model_measure import ModelMeasure
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import import_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PATIENCE = 120_000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return one of one's own models that can be measured."""
    return import_model(save_loud_plain(tmp_path / "loud.safetensors")).path


@pytest.fixture
def measure(
    qtbot: QtBot, model: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[ModelMeasure, list[str]]]:
    """Return the function that starts measuring on two photographs as a person does."""
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(photographs))
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (2, True))

    def start() -> tuple[ModelMeasure, list[str]]:
        part = ModelMeasure()
        said: list[str] = []
        part.ended.connect(said.append)
        assert part.ask(model)
        return part, said

    return start


@pytest.mark.slow
def test_a_model_is_measured_in_a_child(
    measure: Callable[[], Any], qtbot: QtBot, model: Path
) -> None:
    """The bar moves, and the figures are in the file."""
    part, said = measure()
    qtbot.addWidget(part)
    assert part.is_under_way()
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    assert said == ["'loud' was measured; the figures are in its file."]
    assert part.bar.maximum() == part.bar.value() > 0
    assert read_card(model)["score_card"]["evaluation"]["pictures"] == 2
    assert not part.is_under_way()


def test_cancel_keeps_nothing(measure: Callable[[], Any], qtbot: QtBot, model: Path) -> None:
    """The child ends and the file is as it was."""
    before = model.read_bytes()
    part, said = measure()
    qtbot.addWidget(part)
    part.cancel.click()
    assert part.line.text() == "Cancelling…"
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    assert said == ["Measuring was cancelled; nothing was kept."]
    assert model.read_bytes() == before


def test_the_child_ends_with_the_widget(measure: Callable[[], Any], qtbot: QtBot) -> None:
    """No child is left, and nothing is said to nobody."""
    part, said = measure()
    with qtbot.waitSignal(part.destroyed, timeout=PATIENCE):
        part.deleteLater()
    assert said == []


@pytest.mark.slow
def test_an_error_of_the_child_is_told(qtbot: QtBot, model: Path, tmp_path: Path) -> None:
    """The child's own sentence comes through."""
    (tmp_path / "empty").mkdir()
    measuring = Measuring(model, str(tmp_path / "empty"), 2)
    said: list[str] = []
    measuring.ended.connect(said.append)
    measuring.start()
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    assert str(tmp_path / "empty") in said[0] or "no" in said[0].lower()
    assert "Traceback" not in said[0]


def test_a_folder_that_is_not_chosen_starts_nothing(
    qtbot: QtBot, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancel in the file dialog is taken at its word."""
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    part = ModelMeasure()
    qtbot.addWidget(part)
    assert not part.ask(model)
    assert not part.is_under_way()
