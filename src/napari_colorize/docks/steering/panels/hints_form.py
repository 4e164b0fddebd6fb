"""The widgets of the hints panel, from what comes first to what comes last."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_colorize.color.hints import SIZE
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.steering.panels.color_picker import ColorPicker
from napari_colorize.docks.steering.panels.eyedropper import Eyedropper
from napari_colorize.docks.steering.panels.panel import column
from napari_colorize.docks.steering.panels.swatches import CommonColors, LastColors, Suggestions

if TYPE_CHECKING:
    import napari

_LARGEST = 999  # pixels


class HintsForm:
    """Builds the widgets into a panel and names them."""

    def __init__(self, viewer: napari.viewer.Viewer, panel: QWidget) -> None:
        self._layout = column(panel)
        self._make_tools()
        self._make_picker(viewer)
        self.suggestions = Suggestions()
        self._section("Likely here", self.suggestions)
        self.last = LastColors()
        self._last_heading = _heading("Used last")
        self.last.setAccessibleName("Used last")
        self._layout.addLayout(_row(self._last_heading, self.last))
        self.common = CommonColors()
        self._section("Common colours", self.common)
        self._make_foot()
        self._layout.addStretch()
        self.show_last()
        self._order_focus()

    def show_last(self) -> None:
        """Show the colours that were used last if there are any."""
        for part in (self._last_heading, self.last):
            part.setVisible(bool(self.last.colors))

    def _make_tools(self) -> None:
        self.add = _tool_button(
            "Add hints", "Say which colour a place has: choose a colour, then click in the picture."
        )
        self.paint = _tool_button(
            "Paint strokes", "Paint over things with a brush in the colours that they have."
        )
        self.instruction = FieldNote("aside")
        self.problem = FieldNote()
        self._layout.addLayout(_row(self.add, self.paint))
        self._layout.addWidget(self.instruction)
        self._layout.addWidget(self.problem)

    def _make_picker(self, viewer: napari.viewer.Viewer) -> None:
        self.picker = ColorPicker()
        self.dropper = Eyedropper(viewer)
        self.picker.side.addWidget(self.dropper)
        self._layout.addWidget(self.picker)

    def _make_foot(self) -> None:
        self.size = QSpinBox()
        self.size.setRange(1, _LARGEST)
        self.size.setValue(round(SIZE))
        self.size.setSuffix(" px")
        self.size.setMaximumWidth(110)
        self.size.setAccessibleName("Size of a hint in pixels")
        self.size.setToolTip("Side of the patch that a hint covers, in pixels of the picture.")
        label = QLabel("Size")
        label.setBuddy(self.size)
        self.count = QLabel()
        self.count.setWordWrap(True)
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.delete = QPushButton("Delete hint")
        self.delete.setToolTip("Delete the hint that is selected, or the one that was added last.")
        foot = _row(label, self.size)
        foot.addSpacing(8)
        foot.addWidget(self.count, 1)
        foot.addWidget(self.delete)
        self._layout.addSpacing(2)
        self._layout.addLayout(foot)

    def _section(self, title: str, content: QWidget) -> None:
        content.setAccessibleName(title)
        self._layout.addSpacing(2)
        self._layout.addWidget(_heading(title))
        self._layout.addWidget(content)

    def _order_focus(self) -> None:
        chain: list[QWidget] = [
            self.add,
            self.paint,
            self.picker.square,
            self.picker.code,
            self.dropper,
            *self.suggestions.swatches,
            *self.last.swatches,
            *self.common.swatches,
            self.size,
            self.delete,
        ]
        for before, after in itertools.pairwise(chain):
            QWidget.setTabOrder(before, after)


def _tool_button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setToolTip(f"{tooltip}\nPress again to stop.")
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _heading(title: str) -> QLabel:
    heading = QLabel(title)
    heading.setStyleSheet("font-weight: 600")
    return heading


def _row(*widgets: QWidget) -> QBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for widget in widgets:
        row.addWidget(widget)
    return row
