"""What to do and how: the fields say what a person means, and tell what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QComboBox, QLabel, QWidget

from napari_colorize.docks.setup import speed_probe
from napari_colorize.docks.setup.speed_probe import Speed
from napari_colorize.docks.setup.task_field import TaskField
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import find_model
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Finished, Stopped
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import remember_run

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PATIENCE = 60_000
pytestmark = pytest.mark.usefixtures("stand_in")


def put(field: TaskField, name: str, value: Any) -> None:
    """Change an advanced setting as a person does."""
    field.advanced.rows[name].editor.widget.setValue(value)


def stopped_run(path: Path, photographs: Path, **settings: Any) -> RunFolder:
    """Return a run that was stopped and is known."""
    run = RunFolder(path).create(TrainingConfig(folder=str(photographs), **settings))
    run.append(Stopped(4, "stopped as asked"))
    run.last_checkpoint.touch()
    remember_run(run.path)
    return run


def test_at_first_the_default_model_is_fine_tuned(field: TaskField) -> None:
    """With the settings of its card and of the preset; nothing stands in the way."""
    settings = field.settings()
    card = read_card(find_model())
    assert settings["init"] == "palette"
    assert settings["network"] == "palette"
    assert settings["working_size"] == card["working_size"]
    assert settings["learning_rate"] == 5e-4
    assert settings["tone"] == 0.3
    assert settings["name"] is None
    assert not {"folder", "validation", "version"} & settings.keys()
    assert not field.problem()
    assert field.run_to_continue is None
    assert field.run_folder is not None
    assert not field.run_folder.exists()


def test_another_model_brings_its_network(field: TaskField) -> None:
    """The choice of the model is that of the network."""
    field.choice.model.setCurrentIndex(field.choice.model.findData("plain"))
    settings = field.settings()
    assert (settings["init"], settings["network"]) == ("plain", "plain")
    assert settings["crop"] == 64


def test_from_scratch(field: TaskField) -> None:
    """There is no start; the network is chosen, and the words are other ones."""
    before = field.presets.told["normal"].told()
    field.choice.buttons["fresh"].click()
    field.choice.network.setCurrentIndex(field.choice.network.findData("plain"))
    settings = field.settings()
    assert settings["init"] is None
    assert settings["network"] == "plain"
    assert settings["learning_rate"] == TrainingConfig.learning_rate
    assert field.presets.told["normal"].told() != before


def test_a_run_is_continued(field: TaskField, tmp_path: Path, photographs: Path) -> None:
    """Those that can be are offered; the settings are the run's; the other fields go."""
    stopped_run(tmp_path / "mine", photographs, epochs=7, name="meadows")
    done = RunFolder(tmp_path / "done").create(TrainingConfig(folder=str(photographs)))
    done.append(Finished(3, 2, 0.1, "best.safetensors", ""))
    remember_run(done.path)
    field.choice.buttons["continue"].click()
    assert field.choice.run.count() == 1
    assert field.choice.run.currentText() == "mine: stopped"
    assert field.run_to_continue is not None
    assert field.run_to_continue.path == tmp_path / "mine"
    assert field.run_folder is None
    assert field.settings()["epochs"] == 7
    assert not field.problem()
    assert field.presets.isHidden() or field._amount.isHidden()
    field.choice.show_run(done)
    assert "has finished; fine-tune its model" in field.problem()
    assert field.choice.note.told() == field.problem()
    field.choice.buttons["fine-tune"].click()
    assert field.run_to_continue is None
    assert not field.problem()


def test_no_run_to_continue(field: TaskField, tmp_path: Path) -> None:
    """It is told at the field; a folder that is none is too."""
    field.choice.buttons["continue"].click()
    assert "There is no run to go on with" in field.choice.note.told()
    field.choice.show_run(RunFolder(tmp_path))
    assert "is no run folder" in field.problem()


def test_epochs_follow_from_the_photographs(field: TaskField) -> None:
    """Few photographs are seen more often, unless a person has said how often."""
    field.set_photographs(100)
    few = field.settings()["epochs"]
    field.set_photographs(100_000)
    assert field.settings()["epochs"] < few
    field.presets.buttons["quick"].click()
    assert field.settings()["photographs"] == 1000
    put(field, "epochs", 9)
    field.set_photographs(100)
    assert field.settings()["epochs"] == 9


def test_tensorboard_is_asked_for(field: TaskField, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, that is told before Start."""
    monkeypatch.setattr("napari_colorize.runs.making.find_spec", lambda name: None)
    box = field.advanced.rows["logger"].editor.widget
    box.setCurrentIndex(box.findData("tensorboard"))
    assert field.settings()["logger"] == "tensorboard"
    assert "pip install tensorboard" in field.problem()


@pytest.mark.parametrize("init", [None, "plain"])
def test_settings_are_shown_as_they_are(field: TaskField, init: str | None) -> None:
    """Those of a run that was made elsewhere come back unchanged."""
    config = TrainingConfig(
        folder="/photographs",
        network="plain",
        init=init,
        epochs=33,
        learning_rate=1.25e-7 if init else 3e-3,
        device="cuda:3",
        threads=3,
        ema=0.0,
        cache="/cache",
        name="meadows",
        logger="none",
    )
    field.show_config(config)
    shown = TrainingConfig(folder="/photographs", **field.settings())
    assert shown == config
    assert ("fine-tune" if init else "fresh") == field.choice.task


def test_times_are_measured_when_the_form_is_shown(field: TaskField, qtbot: QtBot) -> None:
    """Not before; then each preset has its time, and it follows the photographs."""
    assert not field._probe.is_busy()
    field.set_photographs(1000)
    field.show()
    assert field.presets.buttons["normal"].text() == "N&ormal: measuring…"
    qtbot.waitUntil(lambda: "about" in field.presets.buttons["normal"].text(), timeout=PATIENCE)
    assert field.presets.where.told() == "Measured on the processor: 20 photographs a second."
    assert "no GPU" in field.presets.where.toolTip()
    before = [button.text() for button in field.presets.buttons.values()]
    put(field, "epochs", 5000)
    assert [button.text() for button in field.presets.buttons.values()] != before
    assert "days" in field.presets.buttons["normal"].text()
    assert not field._probe.is_busy()  # the speed is the same


def test_a_gpu_that_is_not_used(field: TaskField) -> None:
    """It is named with the command that mends it, to copy."""
    speed = Speed(3.0, "cpu", "NVIDIA RTX is not used: its driver is too old", "sudo mend")
    field.presets.show_speed(speed)
    assert "NVIDIA RTX is not used: its driver is too old." in field.presets.obstacle.told()
    assert "This mends it: sudo mend" in field.presets.obstacle.told()
    assert not field.presets.copy.isHidden()
    field.presets.copy.click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == "sudo mend"
    field.presets.show_speed(Speed(3.0, "cpu", "no GPU"))
    assert field.presets.copy.isHidden()


def test_a_speed_that_cannot_be_measured(
    field: TaskField, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and the presets go without times."""
    monkeypatch.setattr(speed_probe, "command", lambda: ["-c", "raise SystemExit(1)"])
    field.show()
    qtbot.waitUntil(lambda: "could not" in field.presets.where.told(), timeout=PATIENCE)
    assert field.presets.buttons["quick"].text() == "&Quick try"
    assert not field.problem()


def test_while_the_form_is_hidden_nothing_is_measured(
    field: TaskField, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that measures is ended."""
    monkeypatch.setattr(speed_probe, "command", lambda: ["-c", "import time; time.sleep(600)"])
    field.show()
    assert field._probe.is_busy()
    field.hide()
    assert not field._probe.is_busy()
    field.set_photographs(10)
    assert not field._probe.is_busy()


def test_each_change_is_told(field: TaskField) -> None:
    """Whatever a person changes."""
    told: list[int] = []
    field.changed.connect(lambda: told.append(1))
    for change in (
        lambda: field.choice.buttons["fresh"].click(),
        lambda: field.presets.buttons["long"].click(),
        lambda: put(field, "epochs", 3),
        lambda: field.advanced.rows["epochs"].button.click(),
        lambda: field.place.folder.setText("/elsewhere"),
        lambda: field.place.name.setText("meadows"),
    ):
        before = len(told)
        change()
        assert len(told) > before
    assert field.settings()["name"] == "meadows"


def test_it_fits_a_narrow_dock(field: TaskField) -> None:
    """400 pixels hold every field, with Advanced unfolded."""
    field.advanced.title.setChecked(True)
    assert field.minimumSizeHint().width() <= 380


def test_all_can_be_reached_by_keyboard(field: TaskField) -> None:
    """What is folded away is not in the way."""
    field.show()
    folded = [row.editor.widget for row in field.advanced.rows.values()]
    assert not any(widget.isVisible() for widget in folded)
    field.advanced.title.setChecked(True)
    reached: set[QWidget] = set()
    widget: QWidget | None = field
    while widget is not None and widget not in reached:
        reached.add(widget)
        widget = widget.nextInFocusChain()
    assert set(folded) <= reached
    mnemonics = [b.text() for b in (*field.choice.buttons.values(), field.advanced.title)]
    mnemonics += [button.text().partition(":")[0] for button in field.presets.buttons.values()]
    mnemonics += [label.text() for label in field.place.findChildren(QLabel)]
    letters = [text[text.index("&") + 1].lower() for text in mnemonics if "&" in text]
    assert len(letters) == len(set(letters)) > 0


def test_signals_reach_no_field_that_is_gone(qtbot: QtBot) -> None:
    """A model that comes later is no business of a form that was closed."""
    from napari_colorize.docks.model_events import models_changed

    field = TaskField()
    field.show()
    field.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qtbot.wait(1)
    models_changed.emit()


def test_a_device_that_is_not_there(
    field: TaskField, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is told at the presets; it keeps from starting if the device was chosen."""
    refuses = "import sys; sys.exit('There is no such GPU here.')"
    monkeypatch.setattr(speed_probe, "command", lambda: ["-c", refuses])
    told: list[str] = []
    field.changed.connect(lambda: told.append(field.problem()))
    field.show()
    qtbot.waitUntil(lambda: "no such GPU" in field.presets.where.told(), timeout=PATIENCE)
    assert not field.problem()
    device = field.advanced.rows["device"].editor.widget
    assert isinstance(device, QComboBox)
    device.setCurrentIndex(device.findData("cuda"))
    qtbot.waitUntil(lambda: told[-1] == "There is no such GPU here.", timeout=PATIENCE)
    assert field.presets.where.told() == told[-1]
    device.setCurrentIndex(device.findData("cpu"))
    assert not field.problem()
