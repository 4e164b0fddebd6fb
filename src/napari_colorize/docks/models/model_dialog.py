"""The card of a model file that was dropped on napari, with Import and Close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.life import Life
from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.models.model_card import ModelCard, plain_label
from napari_colorize.files.models import ModelInfo, import_model, list_models

if TYPE_CHECKING:
    from pathlib import Path

_SIZE = (460, 480)


class ModelDialog(QDialog):
    """Shows a card; Import puts the model among one's own.

    Parameters
    ----------
    path : Path
        The model file.
    card : dict
        Its card.
    """

    def __init__(self, path: Path, card: dict[str, Any]) -> None:
        super().__init__(_window())
        self._path = path
        self._life = Life(self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Model {path.stem}")
        self.resize(*_SIZE)
        self.card = ModelCard()
        self.card.show_card(card, {"File": str(path)})
        self.status = plain_label("", "What became of the import.")
        layout = QVBoxLayout(self)
        layout.addWidget(_title(card["name"]))
        layout.addWidget(_scrolling(self.card), 1)
        layout.addWidget(self.status)
        layout.addWidget(self._make_buttons())
        self._tell_known(card)

    def _make_buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox()
        self.import_button = QPushButton("&Import")
        self.import_button.setToolTip("Copy the model among your own; the Colorize dock lists it.")
        self.import_button.setDefault(True)
        box.addButton(self.import_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.close_button = QPushButton("&Close")
        self.close_button.setToolTip("Close this card; the file stays where it is.")
        box.addButton(self.close_button, QDialogButtonBox.ButtonRole.RejectRole)
        self.import_button.clicked.connect(self._import)
        box.rejected.connect(self.reject)
        return box

    def _tell_known(self, card: dict[str, Any]) -> None:
        """Say so if these weights are in the list already."""
        for model in list_models():
            if model.card["hash"] == card["hash"]:
                kind = "came along" if model.bundled else "is among your models"
                self.status.setText(f"This model {kind} already, as {model.name!r}.")
                self.import_button.setEnabled(False)
                return

    def _import(self) -> None:
        self.import_button.setEnabled(False)
        self.status.setText("Importing…")
        run_errand(lambda: import_model(self._path), self._imported, self._failed)

    def _imported(self, model: ModelInfo) -> None:
        models_changed.emit()
        if not self._life.over:
            self.status.setText(f"Imported: the Colorize dock lists it as {model.name!r}.")
            self.close_button.setFocus()

    def _failed(self, reason: str) -> None:
        if not self._life.over:
            self.status.setText(reason)
            self.import_button.setEnabled(True)


def _title(name: str) -> QLabel:
    """Return the name of the model in large letters."""
    label = plain_label(name[:200], "The name on the card.")
    label.setStyleSheet("font-size: 16pt")  # napari's style overrides the font
    return label


def _scrolling(inside: QWidget) -> QScrollArea:
    """Return a frameless area that scrolls a widget."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidgetResizable(True)
    area.setWidget(inside)
    return area


def _window() -> QWidget | None:
    """Return napari's window, whose style a dialog takes over; None if there is none."""
    active = QApplication.activeWindow()
    if active is not None:
        return active
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, QMainWindow)]
    return next((one for one in windows if one.isVisible()), None)
