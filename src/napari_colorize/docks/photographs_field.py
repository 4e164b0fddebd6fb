"""What to learn from: a folder or open layers, and what the folder doctor found there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QFormLayout, QLineEdit, QWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer


class PhotographsField(QWidget):
    """The field for the photographs of a training.

    ``changed`` tells that another choice was made, ``examined`` that more is known about it.
    """

    changed = Signal()
    examined = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.folder_edit = QLineEdit()
        self.validation_edit = QLineEdit()
        form = QFormLayout(self)
        form.addRow("&Photographs", self.folder_edit)
        form.addRow("Check &with", self.validation_edit)
        for edit in (self.folder_edit, self.validation_edit):
            edit.textChanged.connect(lambda _: self.changed.emit())

    @property
    def folder(self) -> Path | None:
        """The folder that is chosen; None while layers are, or nothing is."""
        return _path(self.folder_edit.text())

    @property
    def validation(self) -> Path | None:
        """The folder to check with, None to keep a tenth of the photographs aside."""
        return _path(self.validation_edit.text())

    @property
    def usable(self) -> int | None:
        """How many photographs will be trained on, None while that is not known."""
        return None

    def problem(self) -> str:
        """Return why this cannot be trained on, the empty text if it can."""
        return "" if self.folder else "Choose the folder with your colour photographs."

    def materialise(self, target: Path) -> Path:
        """Return the folder to train on, with the chosen layers written into `target` if any."""
        return self.folder or target

    def show_folders(self, folder: Path | None, validation: Path | None) -> None:
        """Choose folders, as a run that is shown again has them."""
        self.folder_edit.setText("" if folder is None else str(folder))
        self.validation_edit.setText("" if validation is None else str(validation))

    def set_editable(self, editable: bool) -> None:
        """Let the choice be changed or not."""
        self.setEnabled(editable)

    def stop(self) -> None:
        """End the look at the photographs, and touch nothing any more."""


def _path(text: str) -> Path | None:
    text = text.strip()
    return Path(text).expanduser().absolute() if text else None
