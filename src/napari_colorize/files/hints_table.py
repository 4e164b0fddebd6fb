"""Hints in a table as spreadsheets write it: one a line, with names in the first line."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from napari_colorize.color.hints import SIZE
from napari_colorize.errors import PictureError
from napari_colorize.files.steering_parts import color_from_json, named_hint, shortened

if TYPE_CHECKING:
    from napari_colorize.color.hints import Hint

_HEADERS = ({"y", "x", "color"}, {"y", "x", "r", "g", "b"})


def hints_of_table(text: str) -> tuple[Hint, ...]:
    """Return the hints of a table; columns in any order, parted by commas, semicolons or tabs.

    Raises
    ------
    PictureError
        When the first line names other columns, or a line is no hint; the text tells its number.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        _check_header(names)
        lines = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as exc:
        raise PictureError(f"line {rows.line_num} is no line of a table ({exc})") from exc
    return tuple(_hint(names, row, f"line {number}") for number, row in lines)


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _check_header(names: list[str]) -> None:
    if len(set(names)) < len(names) or set(names) - {"size"} not in _HEADERS:
        raise PictureError(
            "the first line has to be y,x,color,size or y,x,r,g,b,size (size may lack), got "
            f"{shortened(','.join(names))}"
        )


def _hint(names: list[str], row: list[str], what: str) -> Hint:
    if len(row) != len(names):
        raise PictureError(f"{what} has {len(row)} columns where the first line has {len(names)}")
    cells = dict(zip(names, (cell.strip() for cell in row), strict=True))
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
