"""The list of models with the card of the chosen one, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_colorize.docks.model_events import models_changed
from napari_colorize.files.models import list_models

if TYPE_CHECKING:
    import napari


class ModelsView(QWidget):
    """The own and the bundled models, and the card of the chosen one.

    Parameters
    ----------
    viewer
        The viewer that the view belongs to.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._open = True
        self.list = QListWidget()
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        self.destroyed.connect(self._forget)
        models_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read the list anew and keep what is chosen."""
        if not self._open:
            return
        self.list.clear()
        for model in list_models():
            item = QListWidgetItem(model.name)
            item.setData(Qt.ItemDataRole.UserRole, str(model.path))
            self.list.addItem(item)

    def show_model(self, name: str) -> None:
        """Choose a model by its name."""
        for item in self.list.findItems(name, Qt.MatchFlag.MatchExactly):
            self.list.setCurrentItem(item)

    def _forget(self) -> None:
        """Touch nothing any more: the widgets are gone."""
        self._open = False
        models_changed.disconnect(self.refresh, missing_ok=True)
