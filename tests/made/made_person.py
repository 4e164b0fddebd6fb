"""A person who uses the field for the photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent

from napari_colorize.docks.setup.photographs_field import PhotographsField

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QLabel, QWidget


PATIENCE = 60_000


class Person:
    """Uses a field, and waits for what it does."""

    def __init__(self, qtbot: QtBot, viewer: Any) -> None:
        self.qtbot = qtbot
        self.viewer = viewer
        self.field = PhotographsField(viewer)
        qtbot.addWidget(self.field)
        self.field.resize(370, 500)
        self.field.show()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window work until something is so."""
        self.qtbot.waitUntil(condition, timeout=PATIENCE)

    def wait_for_end(self) -> None:
        """Let the window work until nothing is looked at any more."""
        self.wait(lambda: not self.field._timer.isActive() and not self.field._check.busy)

    def choose(self, folder: Path | None, validation: Path | None = None) -> None:
        """Choose folders and wait for what is found."""
        self.field.show_folders(folder, validation)
        self.wait_for_end()

    def tick(self, row: int, *, on: bool = True) -> None:
        """Tick a layer in the list."""
        state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        self.field.layers.list.item(row).setCheckState(state)

    def choose_regions(self, index: int) -> None:
        """Choose a line of the list of regions."""
        self.field.layers.regions.setCurrentIndex(index)
        self.field.layers.regions.activated.emit(index)

    def drop(self, widget: QWidget, path: Path) -> bool:
        """Drop a file or folder; return whether the widget takes it."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        action = Qt.DropAction.CopyAction
        enter = QDragEnterEvent(QPoint(5, 5), action, data, buttons, keys)
        enter.ignore()
        widget.dragEnterEvent(enter)
        if enter.isAccepted():
            widget.dropEvent(QDropEvent(QPointF(5, 5), action, data, buttons, keys))
        return enter.isAccepted()

    @staticmethod
    def text(label: QLabel) -> str:
        """Return the words of a label that is shown."""
        return label.text().replace("\u200b", "") if label.isVisible() else ""
