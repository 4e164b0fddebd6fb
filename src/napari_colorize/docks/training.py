"""The Train dock: set up a training, watch it, keep its models.

The dock holds nothing that matters: a training is a process of its own that writes a run folder,
and a dock that is closed and opened again finds the run that is under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeySequence, QShortcut, QShowEvent
from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from napari_colorize.docks.closing import guard_closing
from napari_colorize.docks.models.models_view import ModelsView
from napari_colorize.docks.scroll import LEAST_HEIGHT, scrolled
from napari_colorize.docks.setup.training_setup import TrainingSetup
from napari_colorize.docks.watch.training_watch import TrainingWatch
from napari_colorize.runs.folder import RunFolder

if TYPE_CHECKING:
    import napari


class TrainDock(QWidget):
    """Three tabs: Set up, Watch and Models.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._was_shown = False
        self.setup = TrainingSetup(viewer)
        self.watch = TrainingWatch(viewer)
        self.models = ModelsView(viewer)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for tab, title, tooltip in (
            (self.setup, "&Set up", "Choose what to learn from and what to do, and start."),
            (self.watch, "W&atch", "See how a training goes, stop it and resume it."),
            (scrolled(self.models), "&Models", "The models that you have, and what they can."),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(tab, title), tooltip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.setMinimumHeight(LEAST_HEIGHT)
        self._bind_keys()
        self.destroyed.connect(self.setup.stop)
        self.setup.started.connect(self.look_at)
        self.watch.new_run_wanted.connect(self._prepare_new_run)
        self.watch.started.connect(self._show_watch)
        self._find_run()

    def look_at(self, run: RunFolder) -> None:
        """Show a run in the Watch tab."""
        self.watch.look_at(run)
        self._show_watch()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Let the window ask before it closes; a dock is put into it after it was made."""
        super().showEvent(event)
        self._was_shown = True
        guard_closing(self)
        self.watch.chooser.refresh()

    def event(self, event: QEvent | None) -> bool:
        """End what goes on in the background when napari takes the dock out of its window."""
        taken_out = event is not None and event.type() == QEvent.Type.ParentChange
        if taken_out and self.parentWidget() is None and self._was_shown:
            self.setup.stop()
        return super().event(event)

    def _bind_keys(self) -> None:
        """Start with Ctrl+Enter, from wherever the keyboard is in the Set up tab."""
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda: self._press_start())

    def _press_start(self) -> None:
        if self.tabs.currentWidget() is self.setup:
            self.setup.start.click()

    def _find_run(self) -> None:
        """Look at the run under way, or have the newest one ready in the Watch tab."""
        run = self.watch.chooser.newest()
        if run is None:
            return
        self.watch.look_at(run)
        if run.state().name == "running":
            self._show_watch()

    def _show_watch(self) -> None:
        self.tabs.setCurrentWidget(self.watch)

    def _prepare_new_run(self) -> None:
        self.setup.prepare_new_run()
        self.tabs.setCurrentWidget(self.setup)
