"""The settings that few need: folded away, and marked where they are not as the preset has them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_colorize.docks.setup.advanced_fields import DEVICES, GROUPS, NAMES, AdvancedField
from napari_colorize.runs.config import TrainingConfig

_DEFAULTS = TrainingConfig(folder="-").to_dict()


class AdvancedSettings(QWidget):
    """A title that unfolds the fields; they follow the preset until a person changes them."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._basis: dict[str, Any] = {name: _DEFAULTS[name] for name in NAMES}
        self._changes: dict[str, Any] = {}
        self.rows: dict[str, SettingRow] = {}
        self.title = _title_button()
        self.reset = QPushButton("Reset all")
        self.reset.setToolTip("Take all of these settings as the preset has them.")
        self.form = QWidget()
        self._lay_out()
        self.title.toggled.connect(self._unfold)
        self.reset.clicked.connect(self.clear)
        self._unfold(False)
        self._show_all()

    def values(self) -> dict[str, Any]:
        """Return what the fields say."""
        return self._basis | self._changes

    def changes(self) -> dict[str, Any]:
        """Return what differs from the preset."""
        return dict(self._changes)

    def show_basis(self, preset: Mapping[str, Any]) -> None:
        """Take the settings of a preset; what was changed by hand stays."""
        self._basis = {name: preset.get(name, _DEFAULTS[name]) for name in NAMES}
        self._show_all()

    def show_changes(self, values: Mapping[str, Any]) -> None:
        """Show settings of one's own, beside those of the preset."""
        self._changes = {
            name: value
            for name, value in values.items()
            if name in NAMES and value != self._basis[name]
        }
        self._show_all()

    def show_device(self, device: str) -> None:
        """Show where to compute, if that is one of the devices that can be chosen."""
        if device in DEVICES and device != self._basis["device"]:
            self._changes["device"] = device
            self._show_all()

    def clear(self) -> None:
        """Take all as the preset has it."""
        for name in list(self._changes):
            self._drop(name)
        self._mark()
        self.changed.emit()

    def _lay_out(self) -> None:
        """Stack the title, and the rows under the names of their groups."""
        grid = QGridLayout(self.form)
        grid.setContentsMargins(12, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        for group in GROUPS:
            heading = QLabel(f"<b>{group.title}</b>")
            grid.addWidget(heading, grid.rowCount(), 0, 1, 3)
            for field in group.fields:
                self.rows[field.name] = row = SettingRow(field)
                row.put_into(grid)
                row.edited.connect(self._take)
                row.reset.connect(self._take_back)
                row.editor.left.connect(partial(self._show, field.name))
        grid.addWidget(self.reset, grid.rowCount(), 0, 1, 3, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.title)
        layout.addWidget(self.form)

    def _unfold(self, unfolded: bool) -> None:
        self.form.setVisible(unfolded)
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self.title.setArrowType(arrow)

    def _take(self, name: str) -> None:
        """Keep what a person put into a field, even if a preset comes to say the same."""
        value = self.rows[name].editor.value()
        if value == self._basis[name]:
            self._changes.pop(name, None)
        else:
            self._changes[name] = value
        self._mark()
        self.changed.emit()

    def _take_back(self, name: str) -> None:
        """Take one setting as the preset has it."""
        self._drop(name)
        self._mark()
        self.changed.emit()

    def _drop(self, name: str) -> None:
        """Show what the preset has, also in a field that has the keyboard: it was asked for."""
        self._changes.pop(name, None)
        self.rows[name].editor.show_value(self._basis[name])

    def _show_all(self) -> None:
        """Show what is meant, but in a field that a person is typing in."""
        for name, value in self.values().items():
            editor = self.rows[name].editor
            if not editor.is_typed_in() and editor.value() != value:
                editor.show_value(value)
        self._mark()

    def _show(self, name: str) -> None:
        """Show what is meant in a field that is left."""
        editor, value = self.rows[name].editor, self.values()[name]
        if editor.value() != value:
            editor.show_value(value)

    def _mark(self) -> None:
        """Mark what differs, also where it is folded away."""
        for name, row in self.rows.items():
            row.mark(name in self._changes)
        count = len(self._changes)
        told = f" ({count} changed)" if count else ""
        self.title.setText(f"Advanced{told}")
        self.reset.setVisible(count > 0)


class SettingRow(QObject):
    """Label, field, and a mark that takes the preset's value back."""

    edited = Signal(str)
    reset = Signal(str)

    def __init__(self, field: AdvancedField) -> None:
        super().__init__()
        self.name = field.name
        self.editor = field.make()
        self.label = QLabel(field.label)
        self.label.setBuddy(self.editor.widget)
        self.button = QToolButton()
        self.button.setText("↺")
        self.button.setToolTip("Set by hand; press to take what the preset has.")
        self.button.setAccessibleName(f"Reset {field.label}")
        for part in (self.label, self.editor.widget):
            part.setToolTip(f"<p>{field.told}</p>")
        self.editor.edited.connect(lambda: self.edited.emit(self.name))
        self.button.clicked.connect(lambda: self.reset.emit(self.name))

    def put_into(self, grid: QGridLayout) -> None:
        """Take a row of the grid."""
        number = grid.rowCount()
        for column, part in enumerate((self.label, self.editor.widget, self.button)):
            grid.addWidget(part, number, column)

    def mark(self, differs: bool) -> None:
        """Show whether the field differs from the preset."""
        font = self.label.font()
        font.setBold(differs)
        self.label.setFont(font)
        # It keeps its place: fields must not move while they are filled in.
        policy = self.button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.button.setSizePolicy(policy)
        self.button.setVisible(differs)


def _title_button() -> QToolButton:
    """Return the line that folds and unfolds the fields."""
    button = QToolButton()
    button.setCheckable(True)
    button.setAutoRaise(True)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setToolTip("Settings that the presets choose for you.")
    return button
