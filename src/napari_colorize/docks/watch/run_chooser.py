"""The known runs in a drop-down list, newest first, with how each stands."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QFile, Qt, QUrl
from qtpy.QtGui import QAction, QDesktopServices, QGuiApplication
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.labels import sentence, tell
from napari_colorize.docks.life import Life
from napari_colorize.errors import ColorizeError, StorageError
from napari_colorize.runs.calls import as_command, as_python
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import forget_run, known_runs, remember_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_colorize.runs.config import TrainingConfig

# Each run that is listed is asked how it stands, which takes about a millisecond.
_MOST = 30
_WORDS = {
    "new": "not started",
    "running": "running",
    "finished": "finished",
    "stopped": "stopped",
    "failed": "failed",
    "died": "ended early",
}


@dataclass(frozen=True)
class _Line:
    """One run in the list."""

    path: Path
    state: str
    since: float

    def __str__(self) -> str:
        """Return what the list says."""
        words = f"{self.path.name} · {_WORDS[self.state]}"
        return f"{words} {day(self.since)}" if self.since and self.state != "running" else words


class _Box(QComboBox):
    """A drop-down list that looks again how the runs stand when it opens."""

    opening = Signal()

    def showPopup(self) -> None:
        """Bring the list up to date, then open it."""
        self.opening.emit()
        super().showPopup()


class RunChooser(QWidget):
    """Chooses the run to look at; ``chosen`` brings it, or None when there is none any more."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._life = Life(self)
        self._binned: tuple[Path, Path] | None = None
        self.box = _Box()
        self.box.setToolTip("Trainings that this computer knows, the newest first.")
        self.box.setSizeAdjustPolicy(_Box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(12)
        label = QLabel("Run")
        label.setBuddy(self.box)
        self.browse = QPushButton("Br&owse…")
        self.browse.setToolTip("Look at a run that is not in the list: choose its folder.")
        self.more = QToolButton()
        self.more.setText("…")
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.more.setToolTip("What can be done with this run: its call, its folder.")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._make_menu())
        self.said = sentence("What was done with a run.")
        self.undo = QPushButton("Un&do")
        self.undo.setToolTip("Take the run out of the bin again.")
        self._lay_out(label)
        self.box.opening.connect(self.refresh)
        self.box.activated.connect(lambda _: self.chosen.emit(self.run))
        self.browse.clicked.connect(lambda: self._browse())
        self.undo.clicked.connect(lambda: self._take_back())
        self._say("")

    @property
    def run(self) -> RunFolder | None:
        """The run that is chosen."""
        path = self.box.currentData()
        return None if path is None else RunFolder(path)

    def refresh(self) -> None:
        """Look again which runs there are and how they stand; what is chosen stays."""
        if not self._life.over:
            self._fill(self.box.currentData())

    def show_run(self, run: RunFolder | None) -> None:
        """Choose a run without telling; one that was not known comes into the list."""
        if run is not None and str(run.path) != self.box.currentData():
            self._say("")
        if run is not None and run.exists() and run.path not in known_runs():
            with contextlib.suppress(StorageError):
                remember_run(run.path)
        self._fill(None if run is None else str(run.path))

    def newest(self) -> RunFolder | None:
        """Return the run to look at first: one under way, else the newest."""
        lines = _lines(None)
        return RunFolder(lines[0].path) if lines else None

    # Making.

    def _lay_out(self, label: QLabel) -> None:
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.box, 1)
        row.addWidget(self.browse)
        row.addWidget(self.more)
        below = QHBoxLayout()
        below.addWidget(self.said, 1)
        below.addWidget(self.undo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addLayout(below)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        self.open_folder = QAction("&Open the folder", menu)
        self.copy_python = QAction("Copy as &Python", menu)
        self.copy_command = QAction("Copy as &command", menu)
        self.remove = QAction("&Remove from this list", menu)
        self.bin = QAction("&Move to the bin", menu)
        menu.addActions([self.open_folder, self.copy_python, self.copy_command])
        menu.addActions([self.remove, self.bin])
        self.copy_python.triggered.connect(lambda: self._copy(as_python))
        self.copy_command.triggered.connect(lambda: self._copy(as_command))
        self.open_folder.triggered.connect(lambda: self._show_folder())
        self.remove.triggered.connect(lambda: self._remove())
        self.bin.triggered.connect(lambda: self._move_to_bin())
        return menu

    def _fill(self, wanted: str | None) -> None:
        """Write the list and choose a run in it; none where that is not known."""
        self.box.blockSignals(True)
        self.box.clear()
        for line in _lines(wanted):
            self.box.addItem(str(line), str(line.path))
            place = self.box.count() - 1
            self.box.setItemData(place, str(line.path), Qt.ItemDataRole.ToolTipRole)
        self.box.setCurrentIndex(-1 if wanted is None else self.box.findData(wanted))
        self.box.setPlaceholderText("choose a run" if self.box.count() else "no training yet")
        self.box.blockSignals(False)
        state = "" if self.run is None else self.run.state().name
        self.box.setEnabled(self.box.count() > 0)
        self.more.setEnabled(self.run is not None)
        self.bin.setEnabled(state != "running")
        self.remove.setEnabled(state != "running")

    def _choose_newest(self) -> None:
        """Turn to another run: the one that was chosen is gone."""
        self.show_run(self.newest())
        self.chosen.emit(self.run)

    # What the user does.

    def _browse(self) -> None:
        start = str(Path(self.box.currentData() or Path.home()).parent)
        folder = QFileDialog.getExistingDirectory(self, "The folder of a run", start)
        if not folder:
            return
        run = RunFolder(folder)
        if not run.exists():
            self._say(f"{run.path.name} is not the folder of a run: it has no config.json.")
            return
        self.show_run(run)
        self.chosen.emit(run)

    def _show_folder(self) -> None:
        if self.run is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.run.path)))

    def _copy(self, written: Callable[[TrainingConfig, Path], str]) -> None:
        """Put the call that trains so into the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if self.run is None or clipboard is None:
            return
        try:
            call = written(self.run.read_config(), self.run.path)
        except ColorizeError as error:
            self._say(str(error))
            return
        clipboard.setText(call)
        self._say("The call of this training is in the clipboard.")

    def _remove(self) -> None:
        run = self.run
        if run is None:
            return
        try:
            forget_run(run.path)
        except StorageError as error:
            self._say(str(error))
            return
        self._choose_newest()
        self._say(f"{run.path.name} is off the list; Browse finds its folder again.")

    def _move_to_bin(self) -> None:
        """Move the folder to the bin of the system, from where it can be taken back."""
        run = self.run
        if run is None or run.state().name == "running":
            return
        file = QFile(str(run.path))
        if not file.moveToTrash():
            self._say(f"{run.path.name} could not be moved to the bin: {file.errorString()}.")
            return
        place = Path(file.fileName())
        # Some systems do not tell where it went.
        self._binned = (place, run.path) if place != run.path and place.exists() else None
        self._choose_newest()
        self._say(f"{run.path.name} is in the bin.")

    def _take_back(self) -> None:
        if self._binned is None:
            return
        place, path = self._binned
        try:
            place.rename(path)
        except OSError as error:
            self._say(f"{path.name} could not be taken out of the bin: {error.strerror}.")
            return
        self._binned = None
        self.show_run(RunFolder(path))
        self._say(f"{path.name} is back.")
        self.chosen.emit(RunFolder(path))

    def _say(self, text: str) -> None:
        tell(self.said, text)
        self.undo.setVisible(bool(text) and self._binned is not None)


def day(moment: float) -> str:
    """Return a day in words: today, yesterday or the date."""
    then, now = time.localtime(moment), time.localtime()
    if then[:3] == now[:3]:
        return f"today {time.strftime('%H:%M', then)}"
    if then[:3] == time.localtime(time.time() - 86400)[:3]:
        return "yesterday"
    return time.strftime("%Y-%m-%d", then)


def _lines(wanted: str | None) -> list[_Line]:
    """Return the runs to list: those under way first, then the newest."""
    paths = known_runs()[:_MOST]
    if wanted is not None and Path(wanted) not in paths and RunFolder(wanted).exists():
        paths.insert(0, Path(wanted))
    lines = [_line(path) for path in paths]
    return sorted(lines, key=lambda line: (line.state == "running", line.since), reverse=True)


def _line(path: Path) -> _Line:
    run = RunFolder(path)
    state = run.state()
    child = run.started_child()
    since = state.last_event.time if state.last_event else child.started if child else 0.0
    return _Line(path, state.name, since)
