"""The list of models: one's own, those that came along, and files that cannot be used."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QColor, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QSizePolicy

from napari_colorize.files.models import survey_models

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent

_ENTRY = Qt.ItemDataRole.UserRole
_LATER = 300  # milliseconds until the list is read that could not be while a name was typed
_ROWS = (4, 10)  # that are seen at once, at least and at most


@dataclass(frozen=True)
class Entry:
    """A file in the list: what can be used has a card, all else a reason why not."""

    name: str
    path: Path
    card: dict[str, Any] | None
    bundled: bool = False
    reason: str = ""

    @property
    def text(self) -> str:
        """The name, with what is to be known of it."""
        if self.card is None:
            return f"{self.name} (cannot be used)"
        return f"{self.name} (included)" if self.bundled else self.name


class ModelsList(QListWidget):
    """Shows `Entry`s; F2 edits a name, Delete and Ctrl+Z are told by signals."""

    chosen = Signal()
    renamed = Signal(object, str)  # the entry, and the name that was typed
    remove_asked = Signal()
    undo_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip(
            "All models. F2 renames one of your own, Delete puts it into the bin, Ctrl+Z takes "
            "the last one out again. Model files may be dropped here."
        )
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self._grey = QColor("grey")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.read)
        least, most = (rows * (self.fontMetrics().height() + 4) for rows in _ROWS)
        self.setMinimumHeight(least)
        self.setMaximumHeight(most)
        self.setSizeAdjustPolicy(QAbstractItemView.SizeAdjustPolicy.AdjustToContents)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.currentItemChanged.connect(lambda *_: self.chosen.emit())
        self.itemChanged.connect(self._tell_renamed)

    def entries(self) -> list[Entry]:
        """Return what is listed, from top to bottom."""
        return [item.data(_ENTRY) for item in self._items()]

    def current(self) -> Entry | None:
        """Return what is chosen."""
        item = self.currentItem()
        return None if item is None else item.data(_ENTRY)

    def choose(self, path: Path | None) -> None:
        """Choose a file, the first if it is not there."""
        paths = [entry.path for entry in self.entries()]
        self.setCurrentRow(paths.index(path) if path in paths else 0)

    def read(self) -> None:
        """List the files anew and keep what is chosen, or what stands in its place.

        While a name is typed the list stays, and is read afterwards.
        """
        if self.state() == QAbstractItemView.State.EditingState:
            self._later.start(_LATER)
            return
        before, row = self.current(), self.currentRow()
        entries = _read_entries()
        blocked = self.blockSignals(True)
        self.clear()
        for entry in entries:
            self.addItem(self._item(entry))
        paths = [entry.path for entry in entries]
        if before is not None and before.path in paths:
            row = paths.index(before.path)
        self.setCurrentRow(min(max(row, 0), len(paths) - 1))
        self.blockSignals(blocked)
        self.chosen.emit()

    def set_grey(self, color: QColor) -> None:
        """Show what cannot be used in this colour."""
        self._grey = color
        for item in self._items():
            if item.data(_ENTRY).card is None:
                item.setForeground(color)

    def edit_name(self) -> None:
        """Let the name of the chosen model be edited in its place."""
        item = self.currentItem()
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsEditable:
            self.setFocus()
            self.editItem(item)

    def event(self, event: QEvent | None) -> bool:
        """Keep Delete and Ctrl+Z from the shortcuts of napari's window."""
        if event is not None and event.type() == QEvent.Type.ShortcutOverride:
            key: QKeyEvent = event  # type: ignore[assignment]
            if self._meaning(key) is not None:
                event.accept()
                return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Tell what a key asks for."""
        asked = None if event is None else self._meaning(event)
        if asked is None:
            super().keyPressEvent(event)
        else:
            asked.emit()

    def _meaning(self, event: QKeyEvent) -> Any:
        """Return the signal that a key stands for, None for all others."""
        if self.state() == QAbstractItemView.State.EditingState:
            return None
        if event.matches(QKeySequence.StandardKey.Undo):
            return self.undo_asked
        deleting = event.matches(QKeySequence.StandardKey.Delete)
        return self.remove_asked if deleting or event.key() == Qt.Key.Key_Backspace else None

    def _tell_renamed(self, item: QListWidgetItem) -> None:
        entry: Entry = item.data(_ENTRY)
        name = item.text()
        blocked = self.blockSignals(True)
        item.setText(entry.text)  # until it is so
        self.blockSignals(blocked)
        if name.strip() != entry.text:
            self.renamed.emit(entry, name)

    def _items(self) -> list[QListWidgetItem]:
        """Return the rows."""
        items = (self.item(row) for row in range(self.count()))
        return [item for item in items if item is not None]

    def _item(self, entry: Entry) -> QListWidgetItem:
        """Return the row of an entry."""
        item = QListWidgetItem(entry.text)
        item.setData(_ENTRY, entry)
        item.setToolTip(f"<p>{html.escape(entry.reason or str(entry.path))}</p>")
        if entry.card is None:
            item.setForeground(self._grey)
        elif not entry.bundled:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        return item


def _read_entries() -> list[Entry]:
    """Return one's own models, those that came along, then what cannot be used."""
    models, unusable = survey_models()
    models.sort(key=lambda model: model.bundled)
    usable = [Entry(one.name, one.path, one.card, one.bundled) for one in models]
    broken = [Entry(path.stem, path, None, reason=why) for path, why in unusable.items()]
    return usable + broken
