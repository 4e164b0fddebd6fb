"""Hints, strokes, areas and palettes as JSON can hold them, and back; areas stay runs.

::

    hint       {"y": 120, "x": 80, "color": [30, 90, 200], "size": 6}    color also "#1e5ac8"
    strokes    {"areas": <area>, "colors": [[1, [30, 90, 200]], ...]}
    area       {"shape": [H, W], "runs": [label, length, label, length, ...]}
    reference  {"name": "mood.png", "strength": 1, "count": 313, "bins": [7, ...], "shares": [...]}

Every reader takes what may come from anywhere and raises `PictureError` with what is wrong.
"""

from __future__ import annotations

import math
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from napari_colorize.color.hints import SIZE, Hint
from napari_colorize.color.steering import Reference
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_colorize.color.steering import AnyHint

_COLOR = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
# What a picture and its labels can be at most; a few bytes could else ask for all memory.
_MOST_PIXELS = 1_000_000_000
_HIGHEST_LABEL = 2**63 - 1
_MOST_BINS = 10_000


def hints_to_json(hints: Iterable[AnyHint]) -> list[dict[str, Any]]:
    """Return hints and strokes as a list that JSON can hold."""
    return [_strokes_to_json(one) if isinstance(one, Strokes) else _hint(one) for one in hints]


def hints_from_json(value: Any) -> tuple[AnyHint, ...]:
    """Return the hints and strokes of a list."""
    return tuple(
        _hint_from_json(entry, f"hint {number}")
        for number, entry in enumerate(list_of(value, "the list of hints"), start=1)
    )


def area_to_json(area: LabelMap) -> dict[str, Any]:
    """Return a map of labels with its runs as one flat list."""
    flat = list(map(int, chain.from_iterable(area.runs)))
    return {"shape": [int(side) for side in area.shape], "runs": flat}


def area_from_json(value: Any, what: str) -> LabelMap:
    """Return the map of labels; `what` names it in errors."""
    told = table_of(value, what, {"shape", "runs"})
    shape = list_of(told.get("shape"), f"the shape of {what}")
    runs = list_of(told.get("runs"), f"the list of runs of {what}")
    if len(shape) != 2 or len(runs) % 2 or not all(type(n) is int for n in (*shape, *runs)):
        raise PictureError(f"{what} has no shape of two whole numbers, or runs that are none")
    if max(shape) > _MOST_PIXELS or shape[0] * shape[1] > _MOST_PIXELS:
        raise PictureError(
            f"{what} has {shape[0]} x {shape[1]} pixels, at most 1,000,000,000 are possible"
        )
    labels, lengths = runs[::2], runs[1::2]
    if max(labels, default=0) > _HIGHEST_LABEL:
        raise PictureError(f"{what} has a label that is too large")
    return LabelMap((shape[0], shape[1]), tuple(zip(labels, lengths, strict=True)))


def reference_to_json(reference: Reference) -> dict[str, Any]:
    """Return a palette with only the bins that have a share."""
    held = {index: float(share) for index, share in enumerate(reference.shares) if share}
    return {
        "name": reference.name,
        "strength": reference.strength,
        "count": len(reference.shares),
        "bins": list(held),
        "shares": list(held.values()),
    }


def reference_from_json(value: Any) -> Reference:
    """Return the palette."""
    what = "the reference"
    told = table_of(value, what, {"name", "strength", "count", "bins", "shares"})
    count, bins = told.get("count"), list_of(told.get("bins"), "the list of bins of the reference")
    shares = list_of(told.get("shares"), "the list of shares of the reference")
    if type(count) is not int or not 0 < count <= _MOST_BINS or len(bins) != len(shares):
        raise PictureError("the reference has no usable palette")
    if not all(type(index) is int and 0 <= index < count for index in bins):
        raise PictureError(f"the reference has a bin that is none of its {count}")
    full = [0.0] * count
    for index, share in zip(bins, shares, strict=True):
        full[index] = number_of(share, "a share of the reference")
    strength = number_of(told.get("strength", 1.0), "the strength of the reference")
    return Reference(
        text_of(told.get("name", ""), "the name of the reference"), tuple(full), strength
    )


def color_from_json(value: Any, what: str) -> tuple[float, float, float]:
    """Return (r, g, b) of a list of three numbers or of "#rrggbb"; `what` names it in errors."""
    color = color_from_text(value.strip()) if isinstance(value, str) else None
    if isinstance(value, list) and len(value) == 3:
        red, green, blue = (number_of(channel, what) for channel in value)
        color = (red, green, blue)
    if color is None:
        raise PictureError(f'{what} has to be "#rrggbb" or three numbers, got {shortened(value)}')
    return color


def color_from_text(text: str) -> tuple[float, float, float] | None:
    """Return (r, g, b), 0..255, of "#rrggbb" or "rrggbb"; None if it is no such text."""
    found = _COLOR.fullmatch(text)
    if found is None:
        return None
    red, green, blue = (float(int(channel, 16)) for channel in found.groups())
    return red, green, blue


def table_of(value: Any, what: str, known: set[str]) -> dict[str, Any]:
    """Return a dict without unknown keys."""
    if not isinstance(value, dict):
        raise PictureError(f"{what} has to be an object in braces, got {shortened(value)}")
    unknown = sorted(value.keys() - known)
    if unknown:
        names = ", ".join(sorted(known))
        raise PictureError(
            f"{what} has an unknown entry {shortened(unknown[0])}; known are {names}"
        )
    return value


def list_of(value: Any, what: str) -> list[Any]:
    """Return a list."""
    if not isinstance(value, list):
        raise PictureError(f"{what} has to be a list in brackets, got {shortened(value)}")
    return value


def text_of(value: Any, what: str) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise PictureError(f"{what} has to be a text in quotes, got {shortened(value)}")
    return value


def number_of(value: Any, what: str) -> float:
    """Return a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PictureError(f"{what} has to be a number, got {shortened(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise PictureError(f"{what} has to be finite, got {shortened(value)}")
    return number


def shortened(value: Any) -> str:
    """Return a value as people may read it in one line."""
    if value is None:
        return "nothing"
    if isinstance(value, list | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a huge number"
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:57]}..."


def _hint(hint: Hint) -> dict[str, Any]:
    return {"y": hint.y, "x": hint.x, "color": list(hint.color), "size": hint.size}


def _strokes_to_json(strokes: Strokes) -> dict[str, Any]:
    colors = [[int(label), [float(one) for one in color]] for label, color in strokes.colors]
    return {"areas": area_to_json(strokes.areas), "colors": colors}


def _hint_from_json(entry: Any, what: str) -> AnyHint:
    if isinstance(entry, dict) and "areas" in entry:
        return _strokes_from_json(entry, what)
    told = table_of(entry, what, {"y", "x", "color", "size"})
    y, x = (number_of(told.get(name), f"{name} of {what}") for name in ("y", "x"))
    color = color_from_json(told.get("color"), f"the colour of {what}")
    size = number_of(told.get("size", SIZE), f"the size of {what}")
    return named_hint(y, x, color, size, what)


def named_hint(
    y: float, x: float, color: tuple[float, float, float], size: float, what: str
) -> Hint:
    """Return a hint; PictureError begins with which one it is."""
    try:
        return Hint(y, x, color, size)
    except PictureError as error:
        raise PictureError(f"{what}: {str(error).rstrip('.')}") from error


def _strokes_from_json(entry: Any, what: str) -> Strokes:
    told = table_of(entry, what, {"areas", "colors"})
    area = area_from_json(told.get("areas"), f"the area of {what}")
    colors = []
    for pair in list_of(told.get("colors"), f"the list of colours of {what}"):
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not int:
            raise PictureError(f"the colours of {what} have to be pairs [label, colour]")
        colors.append((pair[0], color_from_json(pair[1], f"a colour of {what}")))
    return Strokes(area, tuple(colors))
