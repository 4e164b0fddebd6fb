"""A field for a folder: typed, chosen in a dialog, or dropped."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal
from qtpy.QtCore import QMimeData
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget


class FolderEdit(QWidget):
    """A line for a path and a button for the dialog; ``changed`` follows every letter.

    Parameters
    ----------
    title
        Of the dialog.
    tooltip
        What the folder is for.
    placeholder
        What is shown while there is none.
    """

    changed = Signal()
    chosen = Signal()
    """As ``changed``, when the path is surely whole: picked, dropped, or ended with Enter."""

    def __init__(self, title: str, tooltip: str, placeholder: str) -> None:
        super().__init__()
        self._title = title
        self.line = QLineEdit()
        self.line.setPlaceholderText(placeholder)
        self.line.setToolTip(tooltip)
        self.line.setAccessibleName(title)
        self.line.setClearButtonEnabled(True)
        self.button = QPushButton("Choose…")
        self.button.setToolTip(tooltip)
        self.button.setAccessibleName(f"{title}…")
        # A line takes the text of what is dropped; here only the folder is wanted.
        self.line.setAcceptDrops(False)
        self.setAcceptDrops(True)
        self.setFocusProxy(self.line)
        self.setToolTip(tooltip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.button)
        self.line.textChanged.connect(lambda _: self.changed.emit())
        self.line.returnPressed.connect(self.chosen.emit)
        self.button.clicked.connect(self._choose)

    @property
    def path(self) -> Path | None:
        """The folder as a child process will find it, None if none is named."""
        text = self.line.text().strip().strip('"')
        try:
            return Path(text).expanduser().absolute() if text else None
        except RuntimeError:  # a user whose home is not known
            return Path(text).absolute()

    def show_path(self, path: Path | None) -> None:
        """Put a path into the line."""
        text = "" if path is None else str(path)
        if text != self.line.text():
            self.line.setText(text)

    def take(self, path: Path) -> None:
        """Choose a folder, or the folder of a file."""
        self.show_path(path.parent if path.is_file() else path)
        self.chosen.emit()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Let files and folders be dropped."""
        if event is not None and dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Take the folder that is dropped."""
        path = None if event is None else dropped_path(event.mimeData())
        if event is not None and path is not None:
            event.acceptProposedAction()
            self.take(path)

    def _choose(self) -> None:
        start = self.path
        chosen = QFileDialog.getExistingDirectory(self, self._title, str(start or Path.home()))
        if chosen:
            self.take(Path(chosen))


def dropped_path(data: QMimeData | None) -> Path | None:
    """Return the first file or folder of what is dragged, None if there is none."""
    urls = [] if data is None else data.urls()
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return paths[0] if paths else None
