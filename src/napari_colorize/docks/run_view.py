"""What a run tells, live: progress, numbers, warnings, curves, previews, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_colorize.docks.run_watcher import RunWatcher
from napari_colorize.runs.folder import RunFolder, RunState

if TYPE_CHECKING:
    import napari


class RunView(QWidget):
    """Shows one run, running or ended.

    Parameters
    ----------
    viewer
        Gets the layer of the previews.
    """

    stands = Signal(RunState)

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._run: RunFolder | None = None
        self._state: RunState | None = None
        QVBoxLayout(self)
        self._watcher = RunWatcher(self)
        self._watcher.stands.connect(self._take_state)

    @property
    def run(self) -> RunFolder | None:
        """The run that is shown."""
        return self._run

    @property
    def state(self) -> RunState | None:
        """How the run stood when it was last looked at; None before the first look."""
        return self._state

    def watch(self, run: RunFolder) -> None:
        """Show a run from its first event on."""
        self.leave()
        self._run = run
        self._watcher.watch(run)

    def leave(self) -> None:
        """Show nothing any more."""
        self._watcher.leave()
        self._run = self._state = None

    def _take_state(self, state: RunState) -> None:
        """Keep how the run stands and pass it on."""
        self._state = state
        self.stands.emit(state)
