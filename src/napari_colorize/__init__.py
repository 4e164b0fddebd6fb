"""Colour for grey pictures, in napari, the shell and Python.

Every public name is listed here and brought in when it is first asked for, so that
``import napari_colorize`` stays quick and loads neither torch nor Qt.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_colorize import errors

if TYPE_CHECKING:
    from napari_colorize.api import (
        alternatives,
        colorize,
        confidence,
        evaluate,
        list_models,
        load_model,
        suggest,
        train,
    )
    from napari_colorize.color.hints import Hint
    from napari_colorize.color.steering import Adjustments, Steering
    from napari_colorize.color.strokes import LabelMap, Strokes
    from napari_colorize.prediction.colorizer import Colorizer
    from napari_colorize.stacks.api import colorize_stack

    __version__: str

__all__ = [
    "Adjustments",
    "Colorizer",
    "Hint",
    "LabelMap",
    "Steering",
    "Strokes",
    "__version__",
    "alternatives",
    "colorize",
    "colorize_stack",
    "confidence",
    "errors",
    "evaluate",
    "list_models",
    "load_model",
    "suggest",
    "train",
]

_HOMES = {
    "Adjustments": "napari_colorize.color.steering",
    "Colorizer": "napari_colorize.prediction.colorizer",
    "Hint": "napari_colorize.color.hints",
    "LabelMap": "napari_colorize.color.strokes",
    "Steering": "napari_colorize.color.steering",
    "Strokes": "napari_colorize.color.strokes",
    "alternatives": "napari_colorize.api",
    "colorize": "napari_colorize.api",
    "colorize_stack": "napari_colorize.stacks.api",
    "confidence": "napari_colorize.api",
    "evaluate": "napari_colorize.api",
    "list_models": "napari_colorize.api",
    "load_model": "napari_colorize.api",
    "suggest": "napari_colorize.api",
    "train": "napari_colorize.api",
}


def __getattr__(name: str) -> Any:
    """Return a public name, brought from its module on first use."""
    if name == "__version__":
        from importlib.metadata import version

        return version("napari-colorize")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, sorted, for completion in a console."""
    return sorted(__all__)
