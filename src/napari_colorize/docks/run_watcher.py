"""Watches a run folder from the main thread and tells what is new."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_colorize.runs.folder import EventReader, RunFolder, RunState

INTERVAL = 500
# While a long run is read for the first time, the window gets its turn between two pieces.
_HURRY = 15
_PIECE = 1 << 17


class RunWatcher(QObject):
    """Reads on in a run twice a second, until its parent is taken out of the window.

    napari does not destroy what was in a dock that is closed, it only takes it out; a dock that
    lies behind another is hidden too, and still has to learn of the end of its run.

    ``told`` carries the new events (a list), ``stands`` the state of the run; the state comes only
    when all events that led to it were told.

    Parameters
    ----------
    parent
        The widget that shows the run.
    """

    told = Signal(list)
    stands = Signal(RunState)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._widget = parent
        self._run: RunFolder | None = None
        self._reader: EventReader | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    def watch(self, run: RunFolder) -> None:
        """Watch a run from its first event on, beginning in a moment."""
        self._run, self._reader = run, EventReader(run)
        self._timer.start(_HURRY)

    def leave(self) -> None:
        """Watch nothing any more."""
        self._timer.stop()
        self._run = self._reader = None

    def is_watching(self) -> bool:
        """Return whether it will look again."""
        return self._timer.isActive()

    def go_on(self) -> None:
        """Watch on after the widget came back into a window."""
        if self._run is not None and not self._timer.isActive():
            self._timer.start(INTERVAL)

    def look(self) -> None:
        """Tell what is new, then how the run stands."""
        run, reader = self._run, self._reader
        if run is None or reader is None:
            return
        if self._widget.parentWidget() is None and not self._widget.isVisible():
            self._timer.stop()
            return
        # Asked first: what is told after it is at least as new.
        state = run.state()
        events = reader.read(_PIECE)
        self._timer.setInterval(_HURRY if events else INTERVAL)
        if events:
            self.told.emit(events)
        elif self._run is run:
            self.stands.emit(state)
