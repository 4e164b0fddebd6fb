"""Many files worked on in threads, in order, with a cancel that is answered at once."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Self, TypeVar

from napari_colorize.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 0.05  # seconds between two looks at cancel


class Readers:
    """Threads that read and decode; Pillow and hashlib let several run at a time.

    Parameters
    ----------
    workers
        Number of threads; None for one a processor, 16 at most.
    cancel
        Returns True when the user wants out.
    gentle
        Whether the threads make way for all others, where the system can do that (Linux).

    Attributes
    ----------
    stopped
        Set at the end; what runs for long looks at it. A picture that is being decoded is not
        waited for.
    """

    def __init__(
        self, workers: int | None, cancel: Callable[[], bool] | None, *, gentle: bool = False
    ) -> None:
        self.workers = workers or min(16, len(_processors()))
        self.stopped = threading.Event()
        self._cancel = cancel
        begin = _step_back if gentle else None
        self._pool = ThreadPoolExecutor(self.workers, "read", initializer=begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def check(self) -> None:
        """Raise `Cancelled` when the user wants out."""
        if self._cancel is not None and self._cancel():
            raise Cancelled("Cancelled while the photographs were read.")

    def run(self, work: Callable[[], R], meanwhile: Callable[[], None] | None = None) -> R:
        """Run one piece of work in a thread; `meanwhile` is called here, the cancel is answered."""
        return self._result(self._pool.submit(work), meanwhile)

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Work on items in threads; results come in order, few of them are held at a time."""
        pending: deque[Future[R]] = deque()
        for item in items:
            pending.append(self._pool.submit(work, item))
            if len(pending) > 4 * self.workers:
                yield self._result(pending.popleft())
        while pending:
            yield self._result(pending.popleft())

    def _result(self, future: Future[R], meanwhile: Callable[[], None] | None = None) -> R:
        self.check()
        while not wait([future], timeout=_PATIENCE).done:
            self.check()
            if meanwhile is not None:
                meanwhile()
        return future.result()


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere all threads of a process have one priority
        with contextlib.suppress(OSError):
            mine = threading.get_native_id()
            now = os.getpriority(os.PRIO_PROCESS, mine)
            os.setpriority(os.PRIO_PROCESS, mine, min(19, now + 10))


def _processors() -> range:
    # Those this process may use, where the system tells; in a container that is fewer.
    if hasattr(os, "sched_getaffinity"):
        return range(len(os.sched_getaffinity(0)))
    return range(os.cpu_count() or 1)
