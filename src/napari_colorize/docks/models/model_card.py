"""The card of a model in words: network, training, figures, licence, hash."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_colorize.files.card_words import COLUMNS, card_lines, score_line, score_rows

if TYPE_CHECKING:
    from qtpy.QtWidgets import QLayout

_GAP = 4  # pixels between lines
_HASH_SHOWN = 16  # letters; the whole hash is in the tooltip


class ModelCard(QWidget):
    """Shows one card; it is as wide as it may be and wraps its words."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._inside: QWidget | None = None

    def show_card(self, card: dict[str, Any] | None, more: dict[str, str] | None = None) -> None:
        """Show a card, with more lines below; None shows nothing."""
        if self._inside is not None:
            self._layout.removeWidget(self._inside)
            self._inside.hide()
            self._inside.deleteLater()
            self._inside = None
        if card is not None:
            self._inside = _written(card, more or {})
            self._layout.addWidget(self._inside)

    def words(self) -> str:
        """Return all that is shown, as a person reads it."""
        if self._inside is None:
            return ""
        return "\n".join(label.text() for label in self._inside.findChildren(QLabel))


def plain_label(text: str, tooltip: str = "") -> QLabel:
    """Return a label that wraps, takes its text literally, and lets it be copied."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    # Cards come from anywhere, and Qt takes for rich text what looks like it.
    label.setToolTip(f"<p>{html.escape(tooltip)}</p>" if tooltip else "")
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    return label


def _written(card: dict[str, Any], more: dict[str, str]) -> QWidget:
    """Return a new widget with the table of figures and the lines of a card."""
    inside = QWidget()
    layout = QVBoxLayout(inside)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(_GAP)
    layout.addWidget(plain_label(score_line(card), "What the figures of the table are from."))
    if rows := score_rows(card):
        layout.addLayout(_table(rows))
        layout.addWidget(_line())
    layout.addLayout(_lines([*card_lines(card), *more.items()]))
    return inside


def _table(rows: list[tuple[str, list[str]]]) -> QLayout:
    """Return the figures in rows and columns."""
    grid = QGridLayout()
    grid.setVerticalSpacing(2)
    right = Qt.AlignmentFlag.AlignRight
    for column, (head, meaning, _) in enumerate(COLUMNS.values(), 1):
        label = QLabel(head)
        label.setToolTip(meaning)
        grid.addWidget(label, 0, column, right)
        grid.setColumnStretch(column, 1)
    for number, (name, cells) in enumerate(rows, 1):
        told = QLabel(name)
        grid.addWidget(told, number, 0)
        for column, (cell, (_, meaning, _)) in enumerate(
            zip(cells, COLUMNS.values(), strict=True), 1
        ):
            figure = QLabel(cell)
            figure.setToolTip(meaning)
            grid.addWidget(figure, number, column, right)
        if number == 1:
            _embolden(told)
    return grid


def _lines(lines: list[tuple[str, str]]) -> QLayout:
    """Return pairs of what it is about and the words, in two columns."""
    grid = QGridLayout()
    grid.setVerticalSpacing(_GAP)
    grid.setHorizontalSpacing(10)
    grid.setColumnStretch(1, 1)
    for number, (label, words) in enumerate(lines):
        head = plain_label(label)
        head.setWordWrap(False)
        head.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Minimum)
        _embolden(head)
        grid.addWidget(head, number, 0)
        shown = f"{words[:_HASH_SHOWN]}…" if label == "Hash" else words
        # Qt breaks a line after a slash of itself, but not after a backslash.
        grid.addWidget(plain_label(shown.replace("\\", "\\\u200b"), words), number, 1)
    return grid


def _embolden(label: QLabel) -> None:
    font = label.font()
    font.setBold(True)
    label.setFont(font)


def _line() -> QFrame:
    """Return a thin line."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setEnabled(False)
    return line
