"""What the docks remember from one day to the next, in napari's preferences of the plugin."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

log = logging.getLogger(__name__)

_PLUGIN = "napari-colorize"
_SECTION = "training"
Scalar = TypeVar("Scalar", str, int, float, bool)


def remembered(key: str, default: Scalar, section: str = _SECTION) -> Scalar:
    """Return what was remembered, or the default where nothing was or it is of another type.

    Parameters
    ----------
    key
        A property of the section.
    default
        A scalar; what is remembered has its type.
    section
        One of the manifest's ``configurations``.
    """
    value = getattr(_section(section), key, default)
    return value if type(value) is type(default) else default


def remember(key: str, value: Scalar, section: str = _SECTION) -> None:
    """Remember a scalar; does nothing where napari keeps no preferences of plugins.

    Parameters
    ----------
    key
        A property of the section.
    value
        Of the type that the manifest says.
    section
        One of the manifest's ``configurations``.
    """
    kept = _section(section)
    if kept is None or getattr(kept, key, value) == value:
        return
    try:
        setattr(kept, key, value)  # napari writes it to its file at once
    except (OSError, ValueError) as error:
        log.warning("The preference %s could not be kept: %s", key, error)


def _section(name: str) -> Any:
    """Return napari's object of our preferences, None where there is none."""
    from napari.settings import get_plugin_settings

    try:
        return getattr(get_plugin_settings(_PLUGIN), name, None)
    except (KeyError, OSError, ValueError) as error:  # not installed, or its file is broken
        log.debug("No preferences of %s: %s", _PLUGIN, error)
        return None
