"""Small work with files that is done beside the event loop, one errand after the other."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker

from napari_colorize.errors import ColorizeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.qt.threading import FunctionWorker


def run_errand(
    work: Callable[[], Any],
    done: Callable[[Any], None],
    failed: Callable[[str], None],
) -> FunctionWorker[Any]:
    """Start `work` in a thread; `done` or `failed` is called in the main thread.

    Parameters
    ----------
    work : callable
        Touches files and no widget.
    done : callable
        Gets what `work` returned. It has to return at once if its widget is gone.
    failed : callable
        Gets the sentence of the `ColorizeError` that `work` raised, or a gist of any other error.
    """

    def guarded() -> tuple[Any, str | None]:
        try:
            return work(), None
        except ColorizeError as error:
            return None, str(error)
        except Exception as error:  # a widget that waits for the end would wait for ever
            logging.getLogger(__name__).exception("An errand failed")
            gist = f"{type(error).__name__}: {error}".rstrip(": ")
            return None, f"Something went wrong ({gist}). The log of napari has the details."

    def returned(outcome: tuple[Any, str | None]) -> None:
        result, reason = outcome
        if reason is None:
            done(result)
        else:
            failed(reason)

    worker: FunctionWorker[Any] = create_worker(guarded, _start_thread=False)
    worker.returned.connect(returned)
    worker.start()
    return worker
