"""The words between docks: the list of models has changed, a model is to be chosen."""

from __future__ import annotations

from psygnal import Signal


class _ModelEvents:
    """Holds the signals: psygnal's signals belong to an object."""

    models_changed = Signal()
    model_wanted = Signal(str)


_events = _ModelEvents()

models_changed = _events.models_changed
"""Emitted (in the main thread) after a model was added or removed; a dock reads its list anew."""

model_wanted = _events.model_wanted
"""Emitted (in the main thread) with the name of a model that the Colorize dock is to choose."""
