"""Which process: its number and its start, so that a dead one is never taken for a living one."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

import psutil

# Where the start is worked out from the time since boot, setting the clock shifts it a little.
_TOLERANCE = 2.0


@dataclass(frozen=True)
class Identity:
    """A process, by number and start (seconds since 1970)."""

    pid: int
    started: float

    def is_alive(self) -> bool:
        """Return whether this very process still runs; a zombie is dead, and is reaped if ours."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _TOLERANCE:
                return False
            if process.status() != psutil.STATUS_ZOMBIE:
                return True
        except (psutil.NoSuchProcess, ValueError, OverflowError):
            return False
        except psutil.AccessDenied:
            return True
        _reap(self.pid)
        return False


def identity_of(pid: int) -> Identity | None:
    """Return the identity of the process that has the number now, None if there is none."""
    try:
        return Identity(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def own_identity() -> Identity:
    """Return the identity of this process."""
    return Identity(os.getpid(), psutil.Process().create_time())


def _reap(pid: int) -> None:
    """Take the exit status of a child that ended, so that its number becomes free."""
    if hasattr(os, "WNOHANG"):
        with contextlib.suppress(OSError):
            os.waitpid(pid, os.WNOHANG)
