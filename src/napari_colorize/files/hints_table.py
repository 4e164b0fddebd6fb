"""Hints in a table as spreadsheets write it: one a line, with names in the first line.

Those of a stack have further columns that tell the plane: ``time``, ``plane``, ``frame``, or the
letters of the axes.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_colorize.color.hints import SIZE
from napari_colorize.errors import PictureError
from napari_colorize.files.steering_parts import color_from_json, named_hint, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari_colorize.color.hints import Hint
    from napari_colorize.color.steering import AnyHint

_HEADERS = ({"y", "x", "color"}, {"y", "x", "r", "g", "b"})
_NUMBERS = ("plane", "frame")

Where = float | tuple[int, ...] | Mapping[str, int]
"""A plane: by the time at which it is shown in seconds, by its whole index, or axis by axis."""


@dataclass(frozen=True)
class PlacedHint:
    """A hint, and the plane that it stands on."""

    hint: AnyHint
    where: Where


def hints_of_table(text: str) -> tuple[Hint, ...]:
    """Return the hints of a table; columns in any order, parted by commas, semicolons or tabs.

    Raises
    ------
    PictureError
        When the first line names other columns, or a line is no hint; the text tells its number.
    """
    return tuple(_hint(cells, what) for cells, what in _lines(text, _check_header))


def placed_hints_of_table(text: str) -> tuple[PlacedHint, ...]:
    """Return the hints of a table, each with its plane.

    Parameters
    ----------
    text : str
        As for `hints_of_table`, with a column ``time`` (seconds, ``m:ss.s`` or ``h:mm:ss.s``),
        ``plane`` or ``frame`` (counted from 0), or one for each axis before rows and columns, named
        by its letter.

    Raises
    ------
    PictureError
        As `hints_of_table`, and when no column or several tell the plane.
    """
    return tuple(
        PlacedHint(_hint(cells, what), _where(cells, what))
        for cells, what in _lines(text, _check_placed_header)
    )


def _lines(text: str, check: Callable[[list[str]], None]) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the cells of each line by their names, and what the line is called."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        check(names)
        lines = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as exc:
        raise PictureError(f"line {rows.line_num} is no line of a table ({exc})") from exc
    for number, row in lines:
        what = f"line {number}"
        if len(row) != len(names):
            raise PictureError(
                f"{what} has {len(row)} columns where the first line has {len(names)}"
            )
        yield dict(zip(names, (cell.strip() for cell in row), strict=True)), what


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _check_header(names: list[str]) -> None:
    if len(set(names)) < len(names) or set(names) - {"size"} not in _HEADERS:
        raise PictureError(
            "the first line has to be y,x,color,size or y,x,r,g,b,size (size may lack), got "
            f"{shortened(','.join(names))}"
        )


def _check_placed_header(names: list[str]) -> None:
    told = _telling(names)
    _check_header([name for name in names if name not in told])
    if not told or (len(told) > 1 and not all(len(name) == 1 for name in told)):
        raise PictureError(
            "one column has to tell the plane: time (seconds or m:ss.s), plane or frame (counted "
            f"from 0), or one for each axis, such as t,z; got {shortened(','.join(names))}"
        )


def _telling(names: Iterable[str]) -> list[str]:
    """Return the columns that tell the plane."""
    letters = set("acdefhijklmnopqtuvwz")  # not those of rows, columns, red, green, blue, samples
    return [name for name in names if name in letters | {"time", *_NUMBERS}]


def _where(cells: dict[str, str], what: str) -> Where:
    if "time" in cells:
        return _seconds(cells["time"], what)
    told = {name: _index(cells[name], name, what) for name in _telling(cells)}
    for name in _NUMBERS:
        if name in told:
            return (told[name],)
    return told


def _index(cell: str, name: str, what: str) -> int:
    if not cell.isdecimal():
        raise PictureError(
            f"{name} in {what} has to be a whole number from 0 on, got {shortened(cell)}"
        )
    return int(cell)


def _seconds(cell: str, what: str) -> float:
    """Return the seconds of ``75.5``, ``1:15.5`` or ``0:01:15.5``."""
    parts = cell.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    whole = all(part.isdecimal() for part in parts[:-1])
    if not numbers or len(parts) > 3 or not whole or not 0 <= numbers[-1] < math.inf:
        raise PictureError(
            f"time in {what} has to be seconds, m:ss.s or h:mm:ss.s, got {shortened(cell)}"
        )
    seconds = 0.0
    for number in numbers:
        seconds = 60 * seconds + number
    return seconds


def _hint(cells: dict[str, str], what: str) -> Hint:
    y, x = (_number(cells[name], name, what) for name in ("y", "x"))
    size = _number(cells["size"], "size", what) if cells.get("size") else SIZE
    if "color" in cells:
        color = color_from_json(cells["color"], f"the colour in {what}")
    else:
        color = tuple(_number(cells[name], name, what) for name in "rgb")  # type: ignore[assignment]
    return named_hint(y, x, color, size, what)


def _number(cell: str, name: str, what: str) -> float:
    try:
        return float(cell)
    except ValueError as exc:
        raise PictureError(f"{name} in {what} has to be a number, got {shortened(cell)}") from exc
