"""The tab in which a training is set up: what to learn from, what to do, Start."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.labels import sentence, tell
from napari_colorize.docks.life import Life
from napari_colorize.docks.scroll import scrolled
from napari_colorize.docks.setup.beginning import Beginning, free_pictures_folder
from napari_colorize.docks.setup.last_choices import keep_choices, recall_choices
from napari_colorize.docks.setup.photographs_field import PhotographsField
from napari_colorize.docks.setup.task_field import TaskField
from napari_colorize.errors import ColorizeError, RunError
from napari_colorize.runs.calls import as_command, as_python
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import start_training

if TYPE_CHECKING:
    import napari

_BEGINS = "The pictures of the layers are being kept for the training; it begins in a moment."
_STARTS = (
    "Start the training (Ctrl+Enter). It goes on when this dock or napari is closed; open the "
    "dock again to see it."
)


class TrainingSetup(QWidget):
    """The fields of a new training, and Start; ``started`` brings the run that was started.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to.
    """

    started = Signal(RunFolder)

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._life = Life(self)
        self._begins = False
        self._continued: Path | None = None
        self.photographs = PhotographsField(viewer)
        self._before = self.photographs.choice
        self.task = TaskField()
        self._make_foot()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(self.photographs, self.task), 1)
        layout.addLayout(self._lay_out_foot())
        self.photographs.changed.connect(self._follow_photographs)
        self.photographs.examined.connect(self._follow_examination)
        self.task.changed.connect(self._follow_task)
        recall_choices(self.photographs, self.task)
        self._follow_photographs()

    def refresh(self) -> None:
        """Say why Start cannot be pressed, or let it be."""
        if self._life.over:
            return
        problem = self.problem()
        continues = self.task.run_to_continue is not None
        self.start.setText("Resume" if continues else "Start")
        self.start.setEnabled(not problem)
        self.start.setToolTip(problem or _STARTS)
        tell(self.reason, problem)
        for button in (self.copy_python, self.copy_command):
            button.setEnabled(not problem)

    def problem(self) -> str:
        """Return why nothing can be started, the empty text if it can."""
        if self._begins:
            return _BEGINS
        if self.task.run_to_continue is not None:
            return self.task.problem()
        return self.photographs.problem() or self.task.problem()

    def config(self) -> TrainingConfig:
        """Return the settings of the training as they are in the fields.

        Raises
        ------
        TrainingError
            If a value is wrong or no run folder is named.
        """
        run = self.task.run_to_continue
        if run is not None:
            return run.read_config()
        return self._config(self.photographs.folder or self._pictures())

    def prepare_new_run(self) -> None:
        """Name another run folder; all else in the fields stays."""
        self._suggest()
        self.refresh()

    def stop(self) -> None:
        """End what goes on in the background."""
        self.photographs.stop()
        self.task.stop()

    # Making.

    def _make_foot(self) -> None:
        self.copy_python = _button(
            "Copy as P&ython", "Copy the Python that does the same as Start.", self._copy_python
        )
        self.copy_command = _button(
            "Copy as &command",
            "Copy the command that does the same in a shell.",
            self._copy_command,
        )
        self.reason = sentence("Why Start cannot be pressed.")
        self.said = sentence("What was copied.")
        self.start = _button("Start", _STARTS, self._start)

    def _lay_out_foot(self) -> QVBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.copy_python)
        row.addWidget(self.copy_command)
        foot = QVBoxLayout()
        foot.setContentsMargins(6, 0, 6, 6)
        foot.addLayout(row)
        foot.addWidget(self.said)
        foot.addWidget(self.reason)
        foot.addWidget(self.start)
        return foot

    # Following the fields.

    def _follow_photographs(self) -> None:
        if not self._life.over:
            if self._continued is None:
                self._suggest()
            self._follow_examination()

    def _follow_examination(self) -> None:
        if not self._life.over:
            part = self.photographs
            self.task.set_photographs(part.usable, part.folder, part.validation)
            self._said("")
            self.refresh()

    def _follow_task(self) -> None:
        """Show the photographs of a run that is to be continued; they cannot be changed."""
        if self._life.over:
            return
        run = self.task.run_to_continue
        wanted = None if run is None else run.path
        if wanted != self._continued:
            if self._continued is None:
                self._before = self.photographs.choice
            self._continued = wanted
            self.photographs.set_editable(run is None)
            self._show_folders_of(run)
        self._said("")
        self.refresh()

    def _show_folders_of(self, run: RunFolder | None) -> None:
        if run is None:
            self.photographs.show_choice(self._before)
            return
        try:
            config = run.read_config()
        except ColorizeError as error:
            self._said(str(error))
            return
        validation = None if config.validation is None else Path(config.validation)
        self.photographs.show_folders(Path(config.folder), validation)

    def _suggest(self) -> None:
        folder = self.photographs.folder
        self.task.suggest_run_folder("training" if folder is None else folder.name)

    # What the user does.

    def _start(self) -> None:
        """Start or continue, and tell."""
        if self.problem():
            self.refresh()
            return
        try:
            run = self.task.run_to_continue
            if run is not None:
                self._resume(run)
            else:
                self._begin()
        except ColorizeError as error:
            tell(self.reason, str(error))

    def _resume(self, run: RunFolder) -> None:
        with _waiting():
            start_training(run, resume=True)
        self._follow_start(run)

    def _begin(self) -> None:
        """Begin a new run; layers may be thousands of pictures, and are kept beside the window."""
        path = self.task.run_folder
        if path is None:
            raise RunError("Name a new folder for the run.")
        source, run = self.photographs.pictures(), RunFolder(path)
        folder = self.photographs.folder
        if folder is not None:
            with _waiting():
                Beginning(run, self._config(folder).to_dict())()
            self._began(run)
            return
        settings = self._config(self._pictures()).to_dict()
        self._set_begins(True)
        run_errand(Beginning(run, settings, source), self._began, self._not_begun)

    def _began(self, run: RunFolder) -> None:
        if not self._life.over:
            self._set_begins(False)
            keep_choices(self.photographs, self.task, run)
            self._follow_start(run)

    def _not_begun(self, why: str) -> None:
        if not self._life.over:
            self._set_begins(False)
            tell(self.reason, why)

    def _set_begins(self, begins: bool) -> None:
        """Leave the layers as they are until they are kept."""
        if begins is not self._begins:
            self._begins = begins
            self.photographs.set_editable(not begins)
            self.task.setEnabled(not begins)
            self.refresh()

    def _follow_start(self, run: RunFolder) -> None:
        # Two processes need not decode the same.
        self.photographs.cancel_look()
        self._suggest()
        self.refresh()
        self.started.emit(run)

    def _config(self, folder: Path) -> TrainingConfig:
        validation = self.photographs.validation
        return TrainingConfig(
            folder=str(folder),
            validation=None if validation is None else str(validation),
            **self.task.settings(),
        )

    def _pictures(self) -> Path:
        """Return where layers that are learned from will be kept."""
        return free_pictures_folder(self.task.run_folder)

    def _copy_python(self) -> None:
        self._copy(as_python, "The Python call is in the clipboard.")

    def _copy_command(self) -> None:
        self._copy(as_command, "The command is in the clipboard.")

    def _copy(self, call: Callable[[TrainingConfig, Path, bool], str], said: str) -> None:
        run = self.task.run_to_continue
        path = self.task.run_folder if run is None else run.path
        try:
            if path is None:
                raise RunError("Name a new folder for the run.")
            text = call(self.config(), path, run is not None)
        except ColorizeError as error:
            tell(self.reason, str(error))
            return
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
        layers = run is None and self.photographs.folder is None
        self._said(f"{said} It expects the layers as pictures in the folder." if layers else said)

    def _said(self, text: str) -> None:
        tell(self.said, text)


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    """Show that it takes a moment."""
    QGuiApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QGuiApplication.restoreOverrideCursor()


def _button(text: str, tooltip: str, press: Callable[[], Any]) -> QPushButton:
    """Return a button that does something."""
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.clicked.connect(lambda: press())
    return button
