"""The word between docks that a colouring run has begun."""

from __future__ import annotations

from psygnal import Signal


class _RunEvents:
    """Holds the signal: psygnal's signals belong to an object."""

    run_started = Signal(object)


_events = _RunEvents()

run_started = _events.run_started
"""Emitted (in the main thread) with a run that was started, whoever started it."""
