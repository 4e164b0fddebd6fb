"""Where a new run is kept, and what its model is called."""

from __future__ import annotations

import os
import time
from pathlib import Path

from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from napari_colorize.docks.field_note import FieldNote
from napari_colorize.files.models import sanitised
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.storage import data_folder

_FOLDER = (
    "A new folder that keeps all of this training: settings, progress, pictures, models. "
    "It must not lie among the photographs."
)
_NAME = "The name that the model gets. Left empty it is the name of the run folder."


class RunPlace(QWidget):
    """Two fields: the run folder, which is suggested, and the name of the model."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._suggested = ""
        self._home: Path | None = None
        self._photographs: Path | None = None
        self._validation: Path | None = None
        self.folder = QLineEdit()
        self.choose = QPushButton("Choose…")
        self.name = QLineEdit()
        self.note = FieldNote()
        self._lay_out()
        self.suggest("training")
        self.folder.textChanged.connect(self._edited)
        self.name.textChanged.connect(lambda _: self.changed.emit())
        self.choose.clicked.connect(self._choose)

    def path(self) -> Path | None:
        """Return the folder that is named, as the training will find it."""
        text = self.folder.text().strip()
        return Path(text).expanduser().absolute() if text else None

    def model_name(self) -> str | None:
        """Return the name of the model, None for that of the folder."""
        return self.name.text().strip() or None

    def suggest(self, name: str) -> None:
        """Name a folder that does not exist yet, after a word and the day.

        One that was typed in stays as it is, unless there is a run in it by now.
        """
        path, text = self.path(), self.folder.text()
        if text not in ("", self._suggested) and path is not None and not RunFolder(path).exists():
            return
        self._suggested = str(free_run_folder(name, self._home))
        self.folder.setText(self._suggested)

    def suggest_in(self, home: Path) -> None:
        """Name new folders in this one; it need not exist."""
        self._home = home

    def avoid(self, photographs: Path | None, validation: Path | None = None) -> None:
        """Refuse folders among these photographs: the previews of a run would be learned from."""
        self._photographs, self._validation = photographs, validation
        self.note.tell(self.problem())

    def problem(self) -> str:
        """Return why no run can be kept there, the empty text if it can."""
        path = self.path()
        return "Name a new folder for the run." if path is None else self._problem_of(path)

    def _problem_of(self, path: Path) -> str:
        if _is_among(path, self._photographs):
            return "The run folder lies among the photographs; choose one outside of them."
        if _is_among(path, self._validation):
            return "The run folder lies among the photographs to check with; choose another."
        return run_folder_problem(path)

    def _edited(self) -> None:
        self.note.tell(self.problem())
        self.changed.emit()

    def _choose(self) -> None:
        """Let a person choose a folder in the system's way."""
        path = self.path()
        start = path.parent if path is not None else runs_home()
        chosen = QFileDialog.getExistingDirectory(self, "A new folder for the run", str(start))
        if chosen:
            self.folder.setText(chosen)

    def _lay_out(self) -> None:
        self.name.setPlaceholderText("as the run folder")
        for part, tooltip in ((self.folder, _FOLDER), (self.choose, _FOLDER), (self.name, _NAME)):
            part.setToolTip(f"<p>{tooltip}</p>")
        place, named = QLabel("R&un folder"), QLabel("Model name")
        place.setBuddy(self.folder)
        named.setBuddy(self.name)
        place.setToolTip(self.folder.toolTip())
        named.setToolTip(self.name.toolTip())
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(place, 0, 0)
        grid.addWidget(self.folder, 0, 1)
        grid.addWidget(self.choose, 0, 2)
        grid.addWidget(self.note, 1, 1, 1, 2)
        grid.addWidget(named, 2, 0)
        grid.addWidget(self.name, 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)


def _is_among(path: Path, folder: Path | None) -> bool:
    """Return whether a path leads into a folder, by whatever way."""
    if folder is None:
        return False
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # links in a circle, or no path at all
        return path.is_relative_to(folder)


def run_folder_problem(path: Path) -> str:
    """Return why no new run can be made in a folder, the empty text if it can."""
    try:
        if path.exists() and not path.is_dir():
            return f"{path.name} is a file; name a new folder for the run."
        if RunFolder(path).exists():
            return "There is a run in this folder already; name a new one, or continue that run."
        parent = path
        while not parent.exists() and parent != parent.parent:
            parent = parent.parent
        if not parent.is_dir():
            return f"{parent} is a file; choose another place for the run."
        if not os.access(parent, os.W_OK):
            return f"{parent} cannot be written; choose another place for the run."
        if path.exists() and any(path.iterdir()):
            return f"{path.name} is not empty and holds no run; name a new folder for the run."
    except (OSError, ValueError) as error:  # such as a name that is too long
        reason = getattr(error, "strerror", None) or str(error)
        return f"This folder cannot be used: {reason[:1].lower()}{reason[1:]}."
    return ""


def free_run_folder(name: str, home: Path | None = None) -> Path:
    """Return a folder for a new run that does not exist yet, after a word and the day."""
    return free_folder((home or runs_home()) / f"{sanitised(name)}-{time.strftime('%Y-%m-%d')}")


def free_folder(first: Path) -> Path:
    """Return a path at which there is nothing: this one, or with the next number that is free."""
    number, path = 1, first
    while os.path.lexists(path):
        number += 1
        path = first.with_name(f"{first.name}-{number}")
    return path


def runs_home() -> Path:
    """Return the folder in which new runs are suggested; it need not exist."""
    if os.environ.get("NAPARI_COLORIZE_DATA"):
        return data_folder() / "runs"
    try:
        import platformdirs
    except ModuleNotFoundError:
        return data_folder() / "runs"
    return Path(platformdirs.user_documents_dir()) / "napari-colorize"
