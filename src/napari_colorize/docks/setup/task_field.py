"""What to do and how: the task, its preset, what is advanced, and where the run is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from psygnal import Signal
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QGroupBox, QVBoxLayout, QWidget

from napari_colorize.docks.life import Life
from napari_colorize.docks.setup.advanced_settings import AdvancedSettings
from napari_colorize.docks.setup.preset_choice import NORMAL, PresetChoice
from napari_colorize.docks.setup.run_place import RunPlace
from napari_colorize.docks.setup.speed_probe import Question, Speed, SpeedProbe
from napari_colorize.docks.setup.task_choice import CONTINUE, FINE_TUNE, TaskChoice
from napari_colorize.errors import ColorizeError
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.making import logger_problem
from napari_colorize.runs.presets import PRESETS, fine_tuning, fresh

_PLACES = ("folder", "validation", "version")
_MEASURING = "measuring…"


class TaskField(QWidget):
    """The part of the form that says how to train; ``changed`` tells of whatever is changed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._life = Life(self)
        self._photographs: int | None = None
        self._answer: tuple[Question, Speed] | None = None
        self._refusal: tuple[Question, str] | None = None
        self._unmeasured = ""
        self._probe = SpeedProbe(self)
        self.choice = TaskChoice()
        self.presets = PresetChoice()
        self.advanced = AdvancedSettings()
        self.place = RunPlace()
        self._lay_out()
        self.choice.changed.connect(self._task_changed)
        self.presets.changed.connect(self._task_changed)
        self.advanced.changed.connect(self._settings_changed)
        self.place.changed.connect(self.changed.emit)
        self._probe.measured.connect(self._measured)
        self._probe.refused.connect(self._refused)
        self._probe.failed.connect(self._not_measured)
        self._refresh()

    # What is wanted.

    def settings(self) -> dict[str, Any]:
        """Return the settings of the training, without the photographs.

        Raises
        ------
        TrainingError
            If one of them is wrong, or the run to go on with cannot be read.
        """
        run = self.run_to_continue
        if run is not None:
            given = run.read_config().to_dict()
        else:
            given = self._preset(self.presets.key) | self.advanced.changes()
            given |= {"name": self.place.model_name()}
        values = TrainingConfig.from_dict({"folder": "-", **given}).to_dict()
        return {name: value for name, value in values.items() if name not in _PLACES}

    @property
    def run_to_continue(self) -> RunFolder | None:
        """The run to go on with; None for a new one."""
        return self.choice.chosen_run()

    @property
    def run_folder(self) -> Path | None:
        """Where a new run is to be kept; None when none is named, or a run goes on."""
        return None if self.choice.task == CONTINUE else self.place.path()

    def suggest_run_folder(self, name: str) -> None:
        """Name a new run folder after a word, such as that of the photographs' folder."""
        self.place.suggest(name)

    def problem(self) -> str:
        """Return why no training can start so, the empty text if one can."""
        trouble = self.choice.problem()
        if not trouble and self.choice.task != CONTINUE:
            trouble = self.place.problem()
        if trouble:
            return trouble
        try:
            settings = self.settings()
        except ColorizeError as error:
            return str(error)
        return logger_problem(settings["logger"]) or self._device_problem()

    # What is shown.

    def show_config(self, config: TrainingConfig) -> None:
        """Show the settings of a run as those of a new one."""
        if config.init is None:
            self.choice.show_network(config.network)
        else:
            self.choice.show_model(config.init)
        self.presets.choose(NORMAL)
        self.place.name.setText(config.name or "")
        self.advanced.show_basis(self._preset(NORMAL))
        self.advanced.show_changes(config.to_dict())
        self._refresh()

    def set_photographs(
        self, count: int | None, folder: Path | None = None, validation: Path | None = None
    ) -> None:
        """Take how many photographs there are to learn from; the epochs and times follow.

        Parameters
        ----------
        count
            None while that is not known.
        folder, validation
            Where they and those to check with lie: a run is not kept among them.
        """
        self._photographs = count
        self.place.avoid(folder, validation)
        self._refresh()

    def stop(self) -> None:
        """End the measuring, if any is under way."""
        self._probe.stop()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Begin to measure when the form is first looked at."""
        super().showEvent(event)
        self._refresh()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """End the measuring: the machine may be wanted for what is looked at now."""
        super().hideEvent(event)
        self._probe.stop()

    # What follows from what.

    def _task_changed(self) -> None:
        self._refresh()
        self.changed.emit()

    def _settings_changed(self) -> None:
        self._ask()
        self.changed.emit()

    def _refresh(self) -> None:
        """Bring the fields to the task, the preset and the photographs."""
        if self._life.over:
            return
        new = self.choice.task != CONTINUE
        for part in (self._amount, self._kept):
            part.setVisible(new)
        self.advanced.setVisible(new)
        self.presets.show_words(fine_tuning=self.choice.task == FINE_TUNE)
        self.advanced.show_basis(self._preset(self.presets.key))
        self._ask()

    def _preset(self, key: str) -> dict[str, Any]:
        """Return the settings of a preset for the task that is chosen."""
        model = self.choice.chosen_model()
        if self.choice.task == FINE_TUNE and model is not None:
            return fine_tuning(key, model[0], model[1], self._photographs)
        return fresh(key, self.choice.network.currentData(), self._photographs)

    def _ask(self) -> None:
        """See how fast it would be, by memory or by measuring, once the form is looked at."""
        if self.isVisible() and self.choice.task != CONTINUE:
            question = self._question()
            if self._answer is None or self._answer[0] != question:
                self._unmeasured = _MEASURING
                known = self._probe.ask(question)
                self._answer = None if known is None else (question, known)
        self._show_times()

    def _question(self) -> Question:
        values = self._preset(self.presets.key) | self.advanced.values()
        model = self.choice.chosen_model() if self.choice.task == FINE_TUNE else None
        build = "" if model is None else json.dumps(model[1].get("settings"), sort_keys=True)
        batch = min(values["batch_size"], self._photographs or values["batch_size"])
        return Question(
            network=values["network"],
            crop=values["crop"],
            batch_size=max(1, batch),
            device=values["device"],
            precision=values["precision"],
            threads=values["threads"],
            model=None if model is None else model[0],
            build=build,
        )

    def _measured(self, question: Question, speed: Speed) -> None:
        if not self._life.over:
            self._answer = (question, speed)
            self._show_times()
            if self._refusal is not None:
                self._refusal = None
                self.changed.emit()

    def _refused(self, question: Question, why: str) -> None:
        if not self._life.over:
            self._refusal = (question, why)
            self._not_measured(why)
            self.changed.emit()

    def _not_measured(self, why: str) -> None:
        if not self._life.over:
            self._unmeasured = ""
            self._show_times()
            self.presets.show_speed(None, why)

    def _device_problem(self) -> str:
        """Return why it cannot be trained on the device that was chosen by hand."""
        if self._refusal is None or self.choice.task == CONTINUE:
            return ""
        question, why = self._refusal
        chosen = question.device != TrainingConfig.device
        return why if chosen and question == self._question() else ""

    def _show_times(self) -> None:
        """Tell the times of all presets by the speed of one."""
        changes = self.advanced.changes()
        settings = {one.key: self._preset(one.key) | changes for one in PRESETS}
        rates = {}
        if self._answer is not None:
            question, speed = self._answer
            for key, values in settings.items():
                # The work is that of the pixels.
                crop = values.get("crop", TrainingConfig.crop)
                rates[key] = speed.rate * (question.crop / crop) ** 2
        self.presets.show_times(settings, self._photographs, rates, self._unmeasured)
        self.presets.show_speed(None if self._answer is None else self._answer[1])

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._amount = _box("How much", self.presets)
        self._kept = _box("Where it is kept", self.place)
        for part in (_box("What to do", self.choice), self._amount, self._kept, self.advanced):
            layout.addWidget(part)
        layout.addStretch()


def _box(title: str, part: QWidget) -> QGroupBox:
    """Return a part of the form with a frame and a title."""
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    layout.addWidget(part)
    return box
