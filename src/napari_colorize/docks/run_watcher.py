"""Watches a run folder from the main thread and tells what is new."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_colorize.runs.folder import EventReader, RunFolder, RunState

INTERVAL = 500
# While a long run is read for the first time, the window gets its turn between two pieces.
_HURRY = 15
_PIECE = 1 << 17


class RunWatcher(QObject):
    """Reads on in a run twice a second, as long as its parent lives.

    ``told`` carries the new events (a list), ``stands`` the state of the run; the state comes only
    when all events that led to it were told.

    Parameters
    ----------
    parent
        The object whose end is also the end of the watching.
    """

    told = Signal(list)
    stands = Signal(RunState)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._run: RunFolder | None = None
        self._reader: EventReader | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    def watch(self, run: RunFolder) -> None:
        """Watch a run from its first event on, and look at once."""
        self._run, self._reader = run, EventReader(run)
        self._timer.start(INTERVAL)
        self.look()

    def leave(self) -> None:
        """Watch nothing any more."""
        self._timer.stop()
        self._run = self._reader = None

    def look(self) -> None:
        """Tell what is new, then how the run stands."""
        run, reader = self._run, self._reader
        if run is None or reader is None:
            return
        # Asked first: what is told after it is at least as new.
        state = run.state()
        events = reader.read(_PIECE)
        self._timer.setInterval(_HURRY if events else INTERVAL)
        if events:
            self.told.emit(events)
        elif self._run is run:
            self.stands.emit(state)
