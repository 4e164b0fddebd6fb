"""What to do: teach a model more, start from nothing, or go on with a run."""

from __future__ import annotations

import time
from pathlib import Path

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.life import Life
from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.setup.run_place import runs_home
from napari_colorize.docks.setup.setting_editors import CalmComboBox
from napari_colorize.errors import ModelError
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import DEFAULT_MODEL, ModelInfo, list_models
from napari_colorize.runs.config import NETWORKS
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import known_runs

FINE_TUNE, FRESH, CONTINUE = "fine-tune", "fresh", "continue"
# Of the runs that are known, so many of the latest are looked at.
_ASKED_RUNS = 20
_INDENT = 24
_NETWORKS = {
    "palette": "palette: takes hints, the one to take",
    "plain": "plain: small, to compare with",
}
_STATES = {"stopped": "stopped", "failed": "failed", "died": "ended without a word"}
_TOLD = {
    FINE_TUNE: "Start from a model that has seen many photographs and teach it yours: quick, and "
    "nearly always the best.",
    FRESH: "Start from a network that has seen nothing. Takes thousands of photographs and long.",
    CONTINUE: "Go on with a training that was stopped, failed or ended too early, from its last "
    "save and with its own settings.",
}


class TaskChoice(QWidget):
    """Three radio buttons, each with its own choice below it while it is the chosen one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._life = Life(self)
        self._models: dict[str, ModelInfo] = {}
        self._file: tuple[str, dict[str, object]] | None = None
        self.buttons = {
            FINE_TUNE: QRadioButton("Fine-tune a model"),
            FRESH: QRadioButton("Start from scra&tch"),
            CONTINUE: QRadioButton("Continu&e a run"),
        }
        self.model, self.network, self.run = CalmComboBox(), CalmComboBox(), CalmComboBox()
        self.browse = QPushButton("&Browse…")
        self.note = FieldNote()
        self._lay_out()
        self.refresh_models()
        self.buttons[FINE_TUNE].setChecked(True)
        self._show_chosen()
        self._group.buttonClicked.connect(self._chosen)
        for box in (self.model, self.network, self.run):
            box.currentIndexChanged.connect(self._told_change)
        self.browse.clicked.connect(self._browse)
        models_changed.connect(self.refresh_models)

    @property
    def task(self) -> str:
        """Return which of the three is chosen."""
        return next(task for task, button in self.buttons.items() if button.isChecked())

    def chosen_model(self) -> tuple[str, dict[str, object]] | None:
        """Return name or file, and card, of the model to start from; None if there is none."""
        name = self.model.currentData()
        if self._file is not None and name == self._file[0]:
            return self._file
        info = self._models.get(name)
        return None if info is None else (info.name, info.card)

    def chosen_run(self) -> RunFolder | None:
        """Return the run to go on with; None unless that is what to do and there is one."""
        path = self.run.currentData() if self.task == CONTINUE else None
        return None if path is None else RunFolder(path)

    def problem(self) -> str:
        """Return why this cannot be done, the empty text if it can."""
        if self.task == FINE_TUNE and self.chosen_model() is None:
            return "There is no model to fine-tune; start from scratch or import one."
        return self._run_problem() if self.task == CONTINUE else ""

    def choose(self, task: str) -> None:
        """Choose what to do."""
        self.buttons[task].setChecked(True)
        self._chosen()

    def show_model(self, name_or_path: str) -> None:
        """Choose to fine-tune a model by its name, or by its file."""
        if self.model.findData(name_or_path) < 0:
            try:
                self._file = (name_or_path, read_card(name_or_path))
            except ModelError as error:
                self.note.tell(str(error))
                return
            self.model.addItem(Path(name_or_path).stem, name_or_path)
        self.model.setCurrentIndex(self.model.findData(name_or_path))
        self.choose(FINE_TUNE)

    def show_network(self, network: str) -> None:
        """Choose to start from a network that knows nothing."""
        self.network.setCurrentIndex(self.network.findData(network))
        self.choose(FRESH)

    def show_run(self, run: RunFolder) -> None:
        """Choose to go on with a run."""
        self.choose(CONTINUE)
        self._offer(run.path)

    def refresh_models(self, *_: object) -> None:
        """Read the list of models anew and keep what is chosen."""
        if self._life.over:
            return
        chosen = self.model.currentData() or DEFAULT_MODEL
        self._models = {info.name: info for info in list_models()}
        names = sorted(self._models, key=lambda name: name != DEFAULT_MODEL)
        self.model.blockSignals(True)
        self.model.clear()
        for name in names:
            self.model.addItem(name, name)
        if self._file is not None:
            self.model.addItem(Path(self._file[0]).stem, self._file[0])
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self.model.blockSignals(False)
        self.changed.emit()

    def refresh_runs(self) -> None:
        """Look anew which runs can be gone on with."""
        chosen = self.run.currentData()
        self.run.blockSignals(True)
        self.run.clear()
        for path in known_runs()[:_ASKED_RUNS]:
            run = RunFolder(path)
            state = run.state().name
            if state in _STATES:
                self._add_run(path, _STATES[state], run)
        if chosen is not None and self.run.findData(chosen) >= 0:
            self.run.setCurrentIndex(self.run.findData(chosen))
        self.run.blockSignals(False)

    def _add_run(self, path: Path, state: str, run: RunFolder) -> None:
        last = run.last_event()
        when = "" if last is None else time.strftime("\n%d %b %Y, %H:%M", time.localtime(last.time))
        self.run.addItem(f"{path.name}: {state}", str(path))
        told = f"{path}{when}"
        self.run.setItemData(self.run.count() - 1, told, Qt.ItemDataRole.ToolTipRole)

    def _offer(self, path: Path) -> None:
        """Put a run into the list, if it is not there, and choose it."""
        if self.run.findData(str(path)) < 0:
            run = RunFolder(path)
            self._add_run(path, run.state().name, run)
        self.run.setCurrentIndex(self.run.findData(str(path)))
        self._told_change()

    def _run_problem(self) -> str:
        run = self.chosen_run()
        if run is None:
            return "There is no run to go on with; start a new one, or browse for a run folder."
        if not run.exists():
            return f"{run.path.name} is no run folder; choose one that holds a training."
        state = run.state().name
        if state == "running":
            return "This run is under way; see it under Watch."
        if state == "finished":
            return "This run has finished; fine-tune its model to go on from there."
        return ""

    def _chosen(self) -> None:
        if self.task == CONTINUE:
            self.refresh_runs()
        self._show_chosen()
        self._told_change()

    def _told_change(self) -> None:
        self.note.tell(self.problem())
        self.changed.emit()

    def _show_chosen(self) -> None:
        for task, part in self._parts.items():
            part.setVisible(task == self.task)

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "A run folder", str(runs_home()))
        if chosen:
            self._offer(Path(chosen))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._group = QButtonGroup(self)
        self._parts: dict[str, QWidget] = {}
        boxes: dict[str, list[QWidget]] = {
            FINE_TUNE: [self.model],
            FRESH: [self.network],
            CONTINUE: [self.run, self.browse],
        }
        for task, button in self.buttons.items():
            self._group.addButton(button)
            self._parts[task] = part = QWidget()
            row = QHBoxLayout(part)
            row.setContentsMargins(_INDENT, 0, 0, 0)
            for widget in boxes[task]:
                row.addWidget(widget, 0 if widget is self.browse else 1)
                widget.setToolTip(f"<p>{_TOLD[task]}</p>")
            button.setToolTip(f"<p>{_TOLD[task]}</p>")
            layout.addWidget(button)
            layout.addWidget(part)
        layout.addWidget(self.note)
        for network in NETWORKS:
            self.network.addItem(_NETWORKS.get(network, network), network)
        for box, name in ((self.model, "Model"), (self.network, "Network"), (self.run, "Run")):
            box.setAccessibleName(name)
