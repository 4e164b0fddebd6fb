"""What a watcher sees of a lock that comes and goes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from napari_colorize.runs.lock import Lock

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lock_that_is_released_never_looks_as_if_it_were_just_made(tmp_path: Path) -> None:
    """A holder is named or there is none: a finished run must not seem to run again."""
    lock, done = Lock(tmp_path, tmp_path / "events.jsonl"), threading.Event()

    def come_and_go() -> None:
        for _ in range(400):
            lock.release(lock.acquire())
        done.set()

    worker = threading.Thread(target=come_and_go)
    worker.start()
    seen = set()
    while not done.is_set():
        holder = lock.holder()
        if holder is not None:
            seen.add(holder.pid)
    worker.join()
    assert 0 not in seen
    assert lock.holder() is None
