"""The fields of the Train dock: what to learn from, how, and where the run is kept."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from magicgui.types import FileDialogMode
from magicgui.widgets import ComboBox, Container, FileEdit, SpinBox

from napari_colorize.files.models import sanitised
from napari_colorize.files.pictures import PICTURE_SUFFIXES
from napari_colorize.runs.config import NETWORKS, TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.storage import data_folder

_MOST_EPOCHS = 100_000
_DEFAULTS = TrainingConfig(folder="-")
# A folder is looked through for its first picture only, and never for long.
_LONGEST_LOOK = 0.2


class TrainingForm(Container[Any]):
    """The fields; ``problem`` tells what is wrong with them, ``config`` what they say."""

    def __init__(self) -> None:
        self.folder = _folder_edit(
            "Photographs",
            "The folder with the colour photographs to learn from, with its sub-folders. "
            "Twenty are enough to try, thousands are better. Grey, tiny, broken and repeated "
            "pictures are left out by themselves.",
        )
        self.validation = _folder_edit(
            "Check with",
            "A folder with other colour photographs, which the network never learns from; they "
            "show how good it is. Leave it empty to keep a tenth of the photographs aside.",
        )
        self.network = ComboBox(
            label="Network",
            choices=NETWORKS,
            value=_DEFAULTS.network,
            tooltip="The kind of network that learns. palette: knows how likely each colour is "
            "and takes hints; the one to take. plain: one colour a place, small; to compare with.",
        )
        self.epochs = SpinBox(
            label="Epochs",
            min=1,
            max=_MOST_EPOCHS,
            value=_DEFAULTS.epochs,
            tooltip="How often every photograph is seen. More takes longer and gives better "
            "colours, up to a point; the best epoch is kept whatever comes after it.",
        )
        self.run_folder = _folder_edit(
            "Run folder",
            "A new folder that keeps all of this training: settings, progress, models. "
            "Its name becomes the name of the model. Choose the folder of an earlier run to see "
            "it again or to resume it.",
        )
        self._suggested: Path | None = None
        fields = [self.folder, self.validation, self.network, self.epochs, self.run_folder]
        super().__init__(widgets=fields, labels=True)
        self.margins = (0, 0, 0, 0)
        self.suggest_run_folder()
        self.folder.changed.connect(self._follow_folder)

    def run(self) -> RunFolder | None:
        """Return the run folder that is named, None if none is."""
        path = _path(self.run_folder)
        return None if path is None else RunFolder(path)

    def config(self) -> TrainingConfig:
        """Return what the fields say.

        Raises
        ------
        TrainingError
            If a value is wrong.
        """
        folder, validation = _path(self.folder), _path(self.validation)
        return TrainingConfig(
            folder="" if folder is None else str(folder),
            validation=None if validation is None else str(validation),
            network=self.network.value,
            epochs=self.epochs.value,
        )

    def show_config(self, config: TrainingConfig) -> None:
        """Put the settings of a run into the fields."""
        with self.folder.changed.blocked():
            self.folder.value = Path(config.folder)
        self.validation.value = None if config.validation is None else Path(config.validation)
        if config.network in self.network.choices:
            self.network.value = config.network
        self.epochs.value = min(config.epochs, _MOST_EPOCHS)

    def set_editable(self, editable: bool) -> None:
        """Let the settings be changed or not; another run folder can always be chosen."""
        for field in (self.folder, self.validation, self.network, self.epochs):
            field.enabled = editable

    def suggest_run_folder(self) -> None:
        """Name a run folder that does not exist yet, after the photographs and the day."""
        folder = _path(self.folder)
        name = sanitised(folder.name) if folder is not None else "training"
        first = runs_home() / f"{name}-{time.strftime('%Y-%m-%d')}"
        number, path = 1, first
        while path.exists():
            number += 1
            path = first.with_name(f"{first.name}-{number}")
        self._suggested = path
        self.run_folder.value = path

    def problem(self) -> str:
        """Return why a training cannot start with these fields, the empty text if it can."""
        folder, validation = _path(self.folder), _path(self.validation)
        if folder is None:
            return "Choose the folder with your colour photographs."
        trouble = _picture_problem(folder)
        if not trouble and validation is not None:
            trouble = _picture_problem(validation)
            if validation == folder:
                trouble = "The photographs to check with have to be in another folder."
        return trouble or self._run_folder_problem(folder)

    def _run_folder_problem(self, photographs: Path) -> str:
        """Return why no new run can be made in the folder that is named."""
        run = self.run()
        if run is None:
            return "Name a new folder for the run."
        path = run.path
        if path.is_relative_to(photographs):
            return "The run folder lies among the photographs; choose one outside of them."
        if path.exists() and not path.is_dir():
            return f"{path.name} is a file; name a new folder for the run."
        if run.exists():
            return ""
        parent = path
        while not parent.exists() and parent != parent.parent:
            parent = parent.parent
        if not os.access(parent, os.W_OK):
            return f"{parent} cannot be written; choose another place for the run."
        if path.exists() and any(path.iterdir()):
            return f"{path.name} is not empty and holds no run; name a new folder for the run."
        return ""

    def _follow_folder(self) -> None:
        """Rename the suggested run folder after the photographs, unless it was changed by hand."""
        if _path(self.run_folder) == self._suggested:
            self.suggest_run_folder()


def runs_home() -> Path:
    """Return the folder in which new runs are suggested; it need not exist."""
    if os.environ.get("NAPARI_COLORIZE_DATA"):
        return data_folder() / "runs"
    try:
        import platformdirs
    except ModuleNotFoundError:
        return data_folder() / "runs"
    return Path(platformdirs.user_documents_dir()) / "napari-colorize"


def _folder_edit(label: str, tooltip: str) -> FileEdit:
    """Return a field for a folder, which may be empty."""
    field = FileEdit(
        label=label, mode=FileDialogMode.EXISTING_DIRECTORY, nullable=True, tooltip=tooltip
    )
    for part in (field.line_edit, field.choose_btn):
        part.tooltip = tooltip
    field.choose_btn.text = "Choose…"
    return field


def _path(field: FileEdit) -> Path | None:
    """Return the folder in a field as the child will find it, whatever its working folder is."""
    value = field.value
    if value is None or isinstance(value, tuple):
        return None
    return value.expanduser().absolute()


def _picture_problem(folder: Path) -> str:
    """Return why a folder cannot be learned from, as far as a short look tells."""
    if not folder.exists():
        return f"There is no folder {folder}."
    if not folder.is_dir():
        return f"{folder.name} is a file; choose the folder that it lies in."
    end = time.monotonic() + _LONGEST_LOOK
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if any(Path(name).suffix.lower() in PICTURE_SUFFIXES for name in names):
            return ""
        if time.monotonic() > end:
            return ""
    kinds = ", ".join(sorted(suffix.lstrip(".").upper() for suffix in PICTURE_SUFFIXES))
    return f"There are no pictures in {folder.name}; {kinds} can be read."
