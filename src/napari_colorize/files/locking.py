"""One process at a time changes the folder of models; a lock ends with its process."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from napari_colorize.errors import StorageError
from napari_colorize.runs.storage import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 10.0  # seconds that another process gets to end what it does
_PAUSE = 0.05
# What a lock that another holds is answered with; all else means that the place has no locks.
HELD = (BlockingIOError, PermissionError)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep other processes and threads from changing models while the block runs.

    Where the file system has no locks, or the folder cannot be written, the block runs all the
    same: what it writes then tells why it cannot.

    Raises
    ------
    StorageError
        When another process does not come to an end.
    """
    path = data_folder() / "models.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield
        return
    try:
        _wait_for(handle)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int) -> None:
    """Lock an open file, or raise when it stays locked."""
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            try_lock(handle)
        except HELD as error:
            if time.monotonic() > limit:
                raise StorageError(
                    "Another napari or shell is changing the models and does not come to an end; "
                    "close it or try again later."
                ) from error
            time.sleep(_PAUSE)
        except OSError:
            return
        else:
            return


if sys.platform == "win32":
    import msvcrt

    def try_lock(handle: int) -> None:
        """Lock an open file, or raise one of `HELD` where another holds it."""
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def try_lock(handle: int) -> None:
        """Lock an open file, or raise one of `HELD` where another holds it."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
