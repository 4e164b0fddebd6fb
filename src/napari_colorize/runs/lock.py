"""One writer at a time in a run folder, without locks that a file system may lack.

Every claim makes the next file of the row ``lock.1``, ``lock.2``, ... Making a file is exclusive on
every system, so of two claimants one gets the number and the other looks again. The file with the
highest number tells who holds the folder; it stays when the holder leaves (marked as free), so
that a number is never given twice to two claimants that looked at the same time. Lower numbers are
swept away by the next holder.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from napari_colorize.errors import RunError
from napari_colorize.runs.identity import Identity, own_identity
from napari_colorize.runs.storage import storage_error, write_whole

if TYPE_CHECKING:
    from pathlib import Path

# A holder on another machine cannot be asked; it counts as gone after so many silent seconds.
_FOREIGN_SILENCE = 120.0
# Where hard links are missing, a lock is empty for a moment; an older empty one is a leftover.
_EMPTY_GRACE = 5.0


@dataclass(frozen=True)
class Holder:
    """Who holds a run folder: the process, its machine, and since when (seconds since 1970)."""

    pid: int
    started: float
    machine: str
    since: float


class Lock:
    """The row of lock files in one folder.

    Parameters
    ----------
    folder
        The run folder.
    heartbeat
        A file that a holder keeps writing; it tells whether a holder on another machine lives.
    """

    def __init__(self, folder: Path, heartbeat: Path) -> None:
        self._folder = folder
        self._heartbeat = heartbeat

    def holder(self) -> Holder | None:
        """Return the living process that holds the folder, None if it is free."""
        numbers = self._numbers()
        return self._holder_of(numbers[-1]) if numbers else None

    def acquire(self) -> int:
        """Take the folder for this process and return the number of the lock.

        Raises
        ------
        RunError
            If a living process holds it; the text names that process.
        StorageError
            If the lock cannot be written.
        """
        while True:
            numbers = self._numbers()
            if numbers and (holder := self._holder_of(numbers[-1])) is not None:
                raise _in_use(self._folder, holder)
            number = numbers[-1] + 1 if numbers else 1
            if self._make(number) and self._numbers()[-1:] in ([number], []):
                break
        for old in self._numbers()[:-1]:
            with contextlib.suppress(OSError):
                self._path(old).unlink()
        return number

    def release(self, number: int) -> None:
        """Mark the folder as free; where that fails, the lock ends with its process."""
        # In place: Windows does not replace a file that a watcher has open. Written before the rest
        # is cut off: an empty lock would look as if it were just being made.
        with contextlib.suppress(OSError), self._path(number).open("r+") as file:
            file.write("{}")
            file.truncate()

    def _path(self, number: int) -> Path:
        return self._folder / f"lock.{number}"

    def _numbers(self) -> list[int]:
        """Return the numbers of the row, ascending."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        tails = (name.removeprefix("lock.") for name in names if name.startswith("lock."))
        return sorted(int(tail) for tail in tails if tail.isdecimal())

    def _holder_of(self, number: int) -> Holder | None:
        """Return the living holder of one lock file, None if it is free or its process is dead."""
        path = self._path(number)
        try:
            text = path.read_text("utf-8")
            age = time.time() - path.stat().st_mtime
        except (OSError, ValueError):
            return None
        if not text:
            return Holder(0, 0.0, "", time.time()) if age < _EMPTY_GRACE else None
        try:
            holder = Holder(**json.loads(text))
            return holder if self._lives(holder, age) else None
        except (TypeError, ValueError):
            return None

    def _lives(self, holder: Holder, age: float) -> bool:
        """Return whether the process that a lock names is still there."""
        if holder.machine == socket.gethostname():
            return Identity(holder.pid, holder.started).is_alive()
        with contextlib.suppress(OSError):
            age = min(age, time.time() - self._heartbeat.stat().st_mtime)
        return age < _FOREIGN_SILENCE

    def _make(self, number: int) -> bool:
        """Make one lock file for this process; return False if another was quicker."""
        me = own_identity()
        holder = Holder(me.pid, me.started, socket.gethostname(), time.time())
        text = json.dumps(asdict(holder))
        passing = self._folder / f".lock.{me.pid}.{number}.{time.monotonic_ns()}"
        try:
            write_whole(passing, text)
            try:
                os.link(passing, self._path(number))
            finally:
                passing.unlink()
        except FileExistsError:
            return False
        except OSError:
            return self._make_without_links(number, text)
        return True

    def _make_without_links(self, number: int, text: str) -> bool:
        """Make one lock file where the file system has no hard links."""
        try:
            with self._path(number).open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            return False
        except OSError as exc:
            raise storage_error(self._path(number), exc) from exc
        return True


def _in_use(folder: Path, holder: Holder) -> RunError:
    """Return the error for a folder that another process holds."""
    if not holder.pid:
        return RunError(f"Another process is just starting in the run folder {folder}; try again.")
    where = "" if holder.machine == socket.gethostname() else f" on {holder.machine}"
    return RunError(
        f"The run folder {folder} is in use by process {holder.pid}{where}; "
        "stop that training first or choose another folder."
    )
