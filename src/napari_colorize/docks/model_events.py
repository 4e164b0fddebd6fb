"""The word between docks that the list of models has changed."""

from __future__ import annotations

from psygnal import Signal


class _ModelEvents:
    """Holds the signal: psygnal's signals belong to an object."""

    models_changed = Signal()


_events = _ModelEvents()

models_changed = _events.models_changed
"""Emitted (in the main thread) after a model was added or removed; a dock reads its list anew."""
