"""Which process: its number and its start, so that a dead one is never taken for a living one."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from dataclasses import dataclass

import psutil

# Where the start is worked out from the time since boot, setting the clock shifts it a little.
_TOLERANCE = 2.0
# Start and status of our children that ended: the system tells it once, to whoever reaps them.
_endings: dict[int, tuple[float, int]] = {}
# Whoever sees that a child is gone finds its status written: reaping and writing are one.
_reaping = threading.Lock()


@dataclass(frozen=True)
class Identity:
    """A process, by number and start (seconds since 1970)."""

    pid: int
    started: float

    def is_alive(self) -> bool:
        """Return whether this very process still runs; a zombie is dead, and is reaped if ours.

        A zombie of ours that cannot be reaped yet still has threads that are ending.
        """
        with _reaping:
            return self._looks_alive()

    def _looks_alive(self) -> bool:
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
        return _is_still_ending(self)

    def cause_of_death(self) -> str:
        """Return in words why the process ended, as far as this one can know."""
        if self.started < psutil.boot_time() - _TOLERANCE:
            return "the computer was restarted or switched off"
        started, code = _endings.get(self.pid, (0.0, 0))
        if abs(started - self.started) > _TOLERANCE:
            return "it was killed, ran out of memory or crashed"
        if code >= 0:
            return f"its process ended with status {code}"
        if code == -getattr(signal, "SIGKILL", 9):
            return (
                "it was killed (signal 9), by the system because the memory was full, or by someone"
            )
        with contextlib.suppress(ValueError):
            return f"it crashed (signal {-code}, {signal.Signals(-code).name})"
        return f"it crashed (signal {-code})"


def identity_of(pid: int) -> Identity | None:
    """Return the identity of the process that has the number now, None if there is none."""
    try:
        return Identity(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def own_identity() -> Identity:
    """Return the identity of this process."""
    return Identity(os.getpid(), psutil.Process().create_time())


def _is_still_ending(zombie: Identity) -> bool:
    """Take the exit status if it is a child of ours; return whether it has none to take yet."""
    if not hasattr(os, "WNOHANG"):
        return False
    try:
        reaped, status = os.waitpid(zombie.pid, os.WNOHANG)
    except OSError:
        return False
    if reaped == zombie.pid:
        _endings[reaped] = (zombie.started, os.waitstatus_to_exitcode(status))
    return reaped == 0
