"""What to learn from: a folder or open layers, and what the folder doctor found there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from psygnal import Signal
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSizePolicy,
    QWidget,
)

from napari_colorize.docks.labels import sentence, tell
from napari_colorize.docks.setup.examining import (
    Ended,
    Failure,
    Findings,
    Message,
    Progress,
    Question,
    Where,
)
from napari_colorize.docks.setup.findings import FindingsBox
from napari_colorize.docks.setup.folder_edit import FolderEdit, dropped_path
from napari_colorize.docks.setup.layer_choice import LayerChoice
from napari_colorize.docks.setup.photograph_check import PhotographCheck
from napari_colorize.errors import DataError

if TYPE_CHECKING:
    from napari.viewer import Viewer

PAUSE = 500
"""Milliseconds after the last letter, or the last stroke in a layer, until the look begins."""
_LOOKING = "The photographs are being looked at…"
_UNSEEN = "The photographs were not looked at; the training will do it."
_FOLDER_TIP = (
    "The folder with the colour photographs to learn from, with its sub-folders. Twenty are "
    "enough to try, thousands are better. Grey, tiny, broken and repeated pictures are left out "
    "by themselves. A folder can be dropped here."
)
_VALIDATION_TIP = (
    "A folder with other colour photographs, which the network never learns from; they show how "
    "good it is. Leave it empty to keep a tenth of the photographs aside."
)


@dataclass(frozen=True)
class Choice:
    """What is chosen: the layers that are ticked or a folder, and one to check with."""

    from_layers: bool
    folder: Path | None
    validation: Path | None


class PhotographsField(QWidget):
    """The field for the photographs of a training.

    ``changed`` tells that another choice was made, ``examined`` that more is known about it.
    """

    changed = Signal()
    examined = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._check = PhotographCheck()
        self._forget()
        self._make_parts()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        self.setAcceptDrops(True)
        self._listen()
        self._show_problems()

    def _make_parts(self) -> None:
        self._editable = True
        self.from_folder = QRadioButton("A fol&der")
        self.from_folder.setToolTip("Learn from the photographs in a folder.")
        self.from_folder.setChecked(True)
        self.from_layers = QRadioButton("Ope&n layers")
        self.from_layers.setToolTip("Learn from the colour layers that are open in the viewer.")
        self._sources = QButtonGroup(self)
        for button in (self.from_folder, self.from_layers):
            self._sources.addButton(button)
        self.folder_edit = FolderEdit(
            "Folder with photographs", _FOLDER_TIP, "drop a folder, or choose one"
        )
        self.layers = LayerChoice(self._viewer)
        self.layers.hide()
        self.validation_edit = FolderEdit(
            "Folder to check with", _VALIDATION_TIP, "a tenth of the photographs"
        )
        self.reason = sentence("Why these photographs cannot be learned from.")
        self.validation_reason = sentence("Why these cannot be used to check with.")
        self.box = FindingsBox()

    @property
    def folder(self) -> Path | None:
        """The folder that is chosen; None while layers are, or nothing is."""
        return None if self.from_layers.isChecked() else self.folder_edit.path

    @property
    def validation(self) -> Path | None:
        """The folder to check with, None to keep a tenth of the photographs aside."""
        return self.validation_edit.path

    @property
    def usable(self) -> int | None:
        """How many photographs will be trained on, None while that is not known."""
        return None if self._findings is None else self._findings.train

    def problem(self) -> str:
        """Return why this cannot be trained on, the empty text if it can.

        A folder can be trained on as soon as it is known to hold pictures; layers have to be
        read to the end.
        """
        return self._choice_problem() or self._validation_problem() or self._found_problem()

    def pictures(self) -> Path:
        """Return the folder in which all pictures lie now.

        That is the chosen one, or where layers were written to be looked at: they go from there
        when something else is looked at.

        Raises
        ------
        DataError
            When nothing is chosen, or the layers have not been read yet.
        """
        if self.folder is not None:
            return self.folder
        problem = self.problem()
        if problem or self._findings is None:
            raise DataError(problem or _LOOKING)
        return self._findings.folder

    def cancel_look(self) -> None:
        """Look at nothing any more: the training that has begun does it."""
        if self._check.is_open:
            self._cancel()

    def show_folders(self, folder: Path | None, validation: Path | None) -> None:
        """Choose folders, as a run that is shown again has them."""
        self.show_choice(Choice(False, folder, validation))

    @property
    def choice(self) -> Choice:
        """All that is chosen, but which layers are ticked: that is kept by itself."""
        return Choice(self.from_layers.isChecked(), self.folder_edit.path, self.validation)

    def show_choice(self, choice: Choice) -> None:
        """Choose what was chosen before."""
        if self._check.is_open:
            button = self.from_layers if choice.from_layers else self.from_folder
            button.setChecked(True)
            with self.folder_edit.changed.blocked(), self.validation_edit.changed.blocked():
                self.folder_edit.show_path(choice.folder)
                self.validation_edit.show_path(choice.validation)
            self._restart(0)

    def set_editable(self, editable: bool) -> None:
        """Let the choice be changed or not; what is not editable is not looked at either."""
        if not self._check.is_open or editable is self._editable:
            return
        self._editable = editable
        for part in (self._source_row, self.folder_edit, self.layers, self.validation_edit):
            part.setEnabled(editable)
        self.box.set_editable(editable)
        if editable and self._findings is None and self._failure is None:
            self._restart(0)
        elif not editable:
            self._cancel()

    def stop(self) -> None:
        """End the look at the photographs, and touch nothing any more."""
        if self._check.is_open:
            self._timer.stop()
            self._check.close()
            self.layers.close_down()
            self._viewer.events.theme.disconnect(self._restyle)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Let a folder be dropped anywhere on the field."""
        if event is not None and self._editable and dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Take the folder that is dropped."""
        path = None if event is None else dropped_path(event.mimeData())
        if event is not None and path is not None:
            event.acceptProposedAction()
            self.from_folder.setChecked(True)
            self.folder_edit.take(path)

    # Parts.

    def _lay_out(self) -> None:
        self._source_row = QWidget()
        row = QHBoxLayout(self._source_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.from_folder)
        row.addWidget(self.from_layers)
        row.addStretch()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        grid.addWidget(_label("Learn from", self.from_folder), 0, 0)
        grid.addWidget(self._source_row, 0, 1)
        self._folder_label = _label("Photog&raphs", self.folder_edit)
        self._layers_label = _label("Photog&raphs", self.layers)
        self._layers_label.hide()
        grid.addWidget(self._folder_label, 1, 0)
        grid.addWidget(self.folder_edit, 1, 1)
        grid.addWidget(self._layers_label, 1, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.layers, 1, 1)
        grid.addWidget(self.reason, 2, 1)
        grid.addWidget(_label("Chec&k with", self.validation_edit), 3, 0)
        grid.addWidget(self.validation_edit, 3, 1)
        grid.addWidget(self.validation_reason, 4, 1)
        grid.addWidget(self.box, 5, 0, 1, 2)

    def _listen(self) -> None:
        self.destroyed.connect(self._check.close)
        self._check.told.connect(self._hear)
        self.from_layers.toggled.connect(self._switch)
        for edit in (self.folder_edit, self.validation_edit):
            edit.changed.connect(self._take_change)
            edit.chosen.connect(self._take_whole)
        self.layers.changed.connect(self._take_layers)
        self.box.cancelled.connect(self._cancel)
        self.box.again.connect(self._take_whole)
        self._viewer.events.theme.connect(self._restyle)
        self._restyle()

    def _restyle(self, _: Any = None) -> None:
        """Follow napari's theme."""
        if self._check.is_open:
            theme = get_theme(self._viewer.theme)
            colour = theme.warning.as_hex() if theme.type == "dark" else "#a33b00"
            for label in (self.reason, self.validation_reason):
                label.setStyleSheet(f"color: {colour}")

    # Choosing.

    def _switch(self, layers: bool) -> None:
        for part in (self.layers, self._layers_label):
            part.setVisible(layers)
        for folder_part in (self.folder_edit, self._folder_label):
            folder_part.setVisible(not layers)
        self._restart(0)

    def _take_change(self) -> None:
        self._restart(PAUSE)

    def _take_whole(self) -> None:
        self._restart(0)

    def _take_layers(self) -> None:
        if self._check.is_open and self.from_layers.isChecked():
            self._restart(PAUSE)

    def _restart(self, pause: int) -> None:
        """Forget what was found, and look again in a moment."""
        if not self._check.is_open:
            return
        self._check.cancel()
        self._forget()
        self.box.clear()
        self._timer.stop()
        if self._editable and not self._choice_problem():
            self._timer.start(pause)
        self._show_problems()
        self.changed.emit()

    def _ask(self) -> None:
        """Begin to look."""
        if self._choice_problem() or self._validation_problem():
            return
        folder = self.folder
        pictures = () if folder is not None else self.layers.pictures()
        self._check.ask(Question(folder, pictures, self.validation))
        self.box.show_progress(Progress(_LOOKING.rstrip("…"), 0, 0))

    def _cancel(self) -> None:
        """Give up the look that is under way or about to begin."""
        waiting = self._timer.isActive() or self._check.busy
        self._timer.stop()
        self._check.cancel()
        if waiting:
            self._hear(Ended())

    # Knowing.

    def _forget(self) -> None:
        self._findings: Findings | None = None
        self._failure: Failure | None = None
        self._found = False
        self._given_up = False

    def _hear(self, message: Message) -> None:
        if not self._check.is_open:
            return
        if isinstance(message, Progress):
            self.box.show_progress(message)
            if self._found or not message.total:
                return
            self._found = True
        elif isinstance(message, Findings):
            self._findings = message
            self.box.show_findings(message)
        elif isinstance(message, Failure):
            self._failure = message
            self.box.show_note("")
        else:
            self._given_up = True
            self.box.show_note(_UNSEEN if self.folder is not None else "")
        self._show_problems()
        self.examined.emit()

    def _choice_problem(self) -> str:
        """Return what is wrong with the choice itself, without a look at any file."""
        if self.from_layers.isChecked():
            return self.layers.problem()
        return "" if self.folder else "Choose the folder with your colour photographs."

    def _validation_problem(self) -> str:
        if self.validation is not None and self.validation == self.folder:
            return "The photographs to check with have to be in another folder."
        return ""

    def _found_problem(self) -> str:
        """Return what the look has found to be wrong."""
        if self._failure is not None:
            return self._failure.text
        if self._findings is not None:
            return self._findings.problem
        if not self._editable:
            return ""
        if self.folder is None:
            unread = "The layers have not been read: press Look again."
            return unread if self._given_up else "The layers are being read…"
        return "" if self._found or self._given_up else _LOOKING

    def _show_problems(self) -> None:
        """Show each problem at its field."""
        found = "" if self._check.busy or self._timer.isActive() else self._found_problem()
        where: Where = "photographs" if self._failure is None else self._failure.where
        at_validation = found if where == "validation" else ""
        choice = self._choice_problem()
        tell(self.reason, choice or ("" if at_validation else found))
        tell(
            self.validation_reason, self._validation_problem() or ("" if choice else at_validation)
        )


def _label(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    label.setToolTip(buddy.toolTip())
    label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Minimum)
    return label
