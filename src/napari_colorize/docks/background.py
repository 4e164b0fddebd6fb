"""Short work in a thread: files are read and copied while the window stays free."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from napari.qt.threading import create_worker

from napari_colorize.errors import ColorizeError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def in_background(work: Callable[[], T], then: Callable[[T | ColorizeError], None]) -> None:
    """Do some work in a thread and tell its result, or our own error, in the main thread.

    Whoever is told may be gone by then and has to see for itself.
    """

    def guarded() -> T | ColorizeError:
        try:
            return work()
        except ColorizeError as error:
            return error

    worker = create_worker(guarded, _start_thread=False)
    worker.returned.connect(then)
    worker.start()
