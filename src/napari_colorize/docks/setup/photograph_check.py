"""The look at the photographs of a training, in a thread, before it starts.

It goes on beside the window and outlives the widget that asked for it by a moment at most.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from napari.qt.threading import FunctionWorker, create_worker
from psygnal import Signal
from qtpy.QtCore import QObject, Slot
from qtpy.QtCore import Signal as QtSignal

from napari_colorize.docks.setup.examining import (
    WRITTEN,
    Examining,
    Findings,
    Message,
    Progress,
    Question,
)


class PhotographCheck:
    """Looks at one choice of photographs at a time; the last question counts.

    It outlives the widget that asks: connect ``destroyed`` to `close`. ``told`` carries the
    messages, in the main thread.

    Attributes
    ----------
    is_open
        False for good after `close`: the widget may be gone.
    """

    told = Signal(object)

    def __init__(self) -> None:
        self._look: _Look | None = None
        self._folder: Path | None = None
        self.is_open = True

    @property
    def busy(self) -> bool:
        """Whether a look is under way."""
        return self._look is not None

    def ask(self, question: Question) -> None:
        """Begin to look, and give up what was looked at before."""
        self.cancel()
        self._drop()
        if self.is_open:
            self._look = _Look(question, self._hear)
            self._look.start()

    def cancel(self) -> None:
        """End the look that is under way; no message comes of it any more."""
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def close(self) -> None:
        """End all, for good."""
        self.is_open = False
        self.cancel()
        self._drop()

    def _hear(self, look: _Look, message: Message) -> None:
        if look is not self._look:
            if isinstance(message, Findings) and message.folder.name.startswith(WRITTEN):
                _delete_later(message.folder)
            return
        if not isinstance(message, Progress):
            self._look = None
        if isinstance(message, Findings) and look.question.folder is None:
            self._folder = message.folder
        self.told.emit(message)

    def _drop(self) -> None:
        """Delete what was written of layers."""
        if self._folder is not None:
            _delete_later(self._folder)
            self._folder = None


class _Look(QObject):
    """One look: a thread, and its far end in the main thread."""

    _told = QtSignal(object)
    # A look lives until its thread ends, whoever else forgets it.
    _living: ClassVar[list[_Look]] = []

    def __init__(self, question: Question, hear: Callable[[_Look, Message], None]) -> None:
        super().__init__()
        self.question = question
        self._heard = hear
        self._wanted_out = threading.Event()
        self._worker: FunctionWorker[None] | None = None
        self._told.connect(self._hear)

    def start(self) -> None:
        work = Examining(self.question, self._told.emit, self._cancelled)
        self._worker = create_worker(work, _start_thread=False)
        self._living.append(self)
        # Not at the last message: the thread may still be inside its emit then.
        self._worker.finished.connect(self._end)
        self._worker.start()

    def cancel(self) -> None:
        self._wanted_out.set()

    def _cancelled(self) -> bool:
        quit_asked = self._worker is not None and self._worker.abort_requested
        return self._wanted_out.is_set() or quit_asked

    @Slot(object)
    def _hear(self, message: Message) -> None:
        self._heard(self, message)

    @Slot()
    def _end(self) -> None:
        self._living.remove(self)
        self.deleteLater()


def _delete_later(folder: Path) -> None:
    """Delete a folder of ours without holding up the window."""
    work = threading.Thread(target=shutil.rmtree, args=(folder, True), daemon=True)
    work.start()
