"""Watches a run folder from the main thread and tells what is new."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_colorize.runs.events import decode
from napari_colorize.runs.folder import RunFolder, RunState

if TYPE_CHECKING:
    from pathlib import Path

    from napari_colorize.runs.events import Event

INTERVAL = 500
# While a long run is read for the first time, the window gets its turn between two pieces.
_HURRY = 15
# Bytes of a piece that is read whole: some hundred events, decoded in about ten milliseconds.
_PIECE = 1 << 16
# Of what is further back, only so many bytes of steps are decoded, spread over all of it.
_DECODED = 4 << 20
_MOST_PIECES = 16
_STEP = b'{"event": "step"'


class RunReader:
    """Reads on in the events of a run a piece at a time, and hurries through what is long past.

    A training of days tells millions of steps: while much is still unread, only every so many of
    them are decoded; all other events are.

    Parameters
    ----------
    path
        The file of the events; it need not exist yet and may vanish.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._every = 0
        self.share = 1.0

    def read(self) -> list[Event] | None:
        """Return the events of the next piece, or None when there is none; `share` is how far."""
        try:
            with self._path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                if end < self._offset:
                    self._offset = 0
                if not self._every:
                    self._every = max(1, end // _DECODED)
                pieces = min(self._every, _MOST_PIECES)
                if end - self._offset < _PIECE * pieces:  # it has caught up
                    self._every = pieces = 1
                file.seek(self._offset)
                data = file.read(_PIECE * pieces)
                whole = (data + file.readline(_PIECE)).rpartition(b"\n")
        except OSError:
            self.share = 1.0
            return None
        taken = len(whole[0]) + len(whole[1])
        if not taken and len(data) >= _PIECE:  # no event is as long as that
            taken = len(data)
        if not taken:
            self.share = 1.0
            return None
        self._offset += taken
        self.share = min(1.0, self._offset / max(1, end))
        return self._decoded(whole[0].split(b"\n"))

    def _decoded(self, lines: list[bytes]) -> list[Event]:
        """Return the events of some lines, of steps only every so many."""
        if self._every > 1:
            steps = [line for line in lines if line.startswith(_STEP)]
            left_out = set(steps) - set(steps[:: self._every])
            lines = [line for line in lines if line not in left_out]
        events = (decode(line.decode(errors="replace")) for line in lines)
        return [event for event in events if event is not None]


class RunWatcher(QObject):
    """Reads on in a run twice a second, until its parent is taken out of the window.

    napari does not destroy what was in a dock that is closed, it only takes it out; a dock that
    lies behind another is hidden too, and still has to learn of the end of its run.

    ``told`` carries the new events (a list), ``stands`` the state of the run; the state comes only
    when all events that led to it were told. ``share`` is how much of what was told is read.

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
        self._reader: RunReader | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    @property
    def share(self) -> float:
        """How much of what the run told so far has been read, 0..1."""
        return 1.0 if self._reader is None else self._reader.share

    def watch(self, run: RunFolder) -> None:
        """Watch a run from its first event on, beginning in a moment."""
        self._run, self._reader = run, RunReader(run.events_file)
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
            self._timer.start(_HURRY)

    def look(self) -> None:
        """Tell what is new, then how the run stands."""
        run, reader = self._run, self._reader
        if run is None or reader is None:
            return
        if _is_taken_out(self._widget):
            self._timer.stop()
            return
        # Asked first: what is told after it is at least as new. Not while there is more to read.
        state = run.state() if reader.share == 1.0 else None
        events = reader.read()
        if reader.share < 1.0:
            state = None
        self._timer.setInterval(_HURRY if state is None else INTERVAL)
        if events is not None:
            self.told.emit(events)
        if state is not None and self._reader is reader:
            self.stands.emit(state)


def _is_taken_out(widget: QWidget) -> bool:
    """Return whether a widget is neither in a dock, shown or behind another, nor visible."""
    around: QWidget | None = widget
    while around is not None:
        if isinstance(around, QDockWidget):
            return False
        around = around.parentWidget()
    return not widget.isVisible()
