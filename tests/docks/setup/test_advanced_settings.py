"""Everything else that a training can be told: marked where it differs, and never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel

from napari_colorize.docks.setup.advanced_fields import NAMES
from napari_colorize.runs.config import TrainingConfig

if TYPE_CHECKING:
    import pytest

    from napari_colorize.docks.setup.task_field import TaskField


def put(field: TaskField, name: str, value: Any) -> None:
    """Change an advanced setting as a person does."""
    field.advanced.rows[name].editor.widget.setValue(value)


def test_what_differs_is_marked_and_taken_back(field: TaskField) -> None:
    """At the row, in the title while it is folded, and by two buttons."""
    row = field.advanced.rows["learning_rate"]
    put(field, "learning_rate", 0.001)
    put(field, "seed", 4)
    assert field.settings()["learning_rate"] == 0.001
    assert field.advanced.changes() == {"learning_rate": 0.001, "seed": 4}
    assert not row.button.isHidden()
    assert row.label.font().bold()
    assert "(2 changed)" in field.advanced.title.text()
    row.button.click()
    assert field.settings()["learning_rate"] == 5e-4
    assert row.button.isHidden()
    field.advanced.reset.click()
    assert not field.advanced.changes()
    assert "changed" not in field.advanced.title.text()
    put(field, "seed", 4)
    put(field, "seed", 0)
    assert not field.advanced.changes()  # by hand is as good


def test_what_is_typed_is_not_lost(field: TaskField, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings that arrive leave half a number as it is; a field that is left shows what holds."""
    field.set_photographs(100)
    box = field.advanced.rows["epochs"].editor.widget
    monkeypatch.setattr(box, "hasFocus", lambda: True)
    box.lineEdit().setText("4")
    field.set_photographs(1000)
    assert box.lineEdit().text() == "4"
    box.interpretText()
    assert field.settings()["epochs"] == 4
    field.advanced.rows["epochs"].button.click()
    basis = field.settings()["epochs"]
    assert box.value() == basis
    field.set_photographs(100)
    assert box.value() == basis
    box.editingFinished.emit()
    assert box.value() == field.settings()["epochs"] > basis


def test_what_was_set_by_hand_stays_so(field: TaskField) -> None:
    """Even when the preset has come to say the same meanwhile."""
    field.set_photographs(100)
    few = field.settings()["epochs"]
    field.set_photographs(1000)
    put(field, "epochs", few)
    field.set_photographs(100)
    assert field.settings()["epochs"] == few
    field.set_photographs(1000)
    assert field.settings()["epochs"] == few
    assert field.advanced.changes() == {"epochs": few}


def test_every_setting_says_what_it_does(field: TaskField) -> None:
    """Each has a tooltip, a label that leads to it, and takes every allowed default."""
    names = set(TrainingConfig(folder="-").to_dict())
    elsewhere = {"folder", "validation", "network", "init", "name", "version", "nodes"}
    assert names - elsewhere == NAMES
    for row in field.advanced.rows.values():
        assert len(row.editor.widget.toolTip()) > 30
        assert row.label.buddy() is row.editor.widget
    for label in field.findChildren(QLabel):
        assert label.text().count("&") <= 1


def test_nothing_means_the_default(field: TaskField) -> None:
    """The smallest number of photographs and threads stand for all."""
    put(field, "photographs", 500)
    put(field, "threads", 2)
    assert (field.settings()["photographs"], field.settings()["threads"]) == (500, 2)
    put(field, "photographs", 1)
    put(field, "threads", 0)
    assert (field.settings()["photographs"], field.settings()["threads"]) == (None, None)
    assert field.advanced.rows["threads"].editor.widget.text() == "as many as there are cores"


def test_a_small_number_is_shown_in_full(field: TaskField) -> None:
    """Without zeros at its end, and not as a power of ten."""
    editor = field.advanced.rows["learning_rate"].editor
    editor.show_value(1e-6)
    assert editor.widget.text().replace(",", ".") == "0.000001"
    editor.show_value(1.234567e-4)
    assert editor.value() == 1.234567e-4  # what is shown is rounded, what is meant is not
    assert field.advanced.rows["checkpoint_every"].editor.widget.text() == "60 s"


def test_the_wheel_scrolls_the_form(field: TaskField) -> None:
    """It changes no number and no choice that was not clicked."""
    for widget in (field.advanced.rows["epochs"].editor.widget, field.choice.model):
        event = QWheelEvent(
            QPointF(5, 5),
            QPointF(5, 5),
            QPoint(0, 120),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)
        assert not event.isAccepted()
    assert not field.advanced.changes()
    assert field.choice.model.currentText() == "palette"
