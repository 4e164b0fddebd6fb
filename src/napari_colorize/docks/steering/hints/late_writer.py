"""A file that is written soon after each change, in a thread that outlives what changed.

The thread is no daemon: Python waits for it at its end. So what was told is written, however the
window, the viewer or the program is closed.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from napari_colorize.errors import ColorizeError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
_PATIENCE = 0.2  # seconds that more changes may take before they are written together


class LateWriter:
    """Does the latest of the jobs that it was given, a moment later.

    Parameters
    ----------
    told
        Called in the thread, after each job: with the sentence of what went wrong, or with
        nothing.
    """

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._hurry = threading.Event()
        self._job: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None

    def put(self, job: Callable[[], None]) -> None:
        """Have a job done soon, in the place of one that is not yet begun."""
        with self._lock:
            self._job = job
            if self._thread is None:
                self._hurry.clear()
                self._thread = threading.Thread(target=self._work, name="kept hints")
                self._thread.start()

    def flush(self, wait: float | None = None) -> None:
        """Have it done at once, and wait until it is, so many seconds at most."""
        with self._lock:
            thread = self._thread
            self._hurry.set()
        if thread is not None:
            thread.join(wait)

    def _work(self) -> None:
        while True:
            self._hurry.wait(_PATIENCE)
            with self._lock:
                job, self._job = self._job, None
                if job is None:
                    self._thread = None
                    return
            self._do(job)

    def _do(self, job: Callable[[], None]) -> None:
        try:
            job()
        except ColorizeError as error:
            self._told(str(error))
        except Exception as error:  # painting goes on, whatever the disk does
            log.exception("hints could not be kept")
            self._told(f"The hints cannot be kept ({type(error).__name__}: {error}).")
        else:
            self._told("")
