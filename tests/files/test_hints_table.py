"""Hints from tables as spreadsheets write them, and the line that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_colorize.color.hints import Hint
from napari_colorize.errors import PictureError
from napari_colorize.files.steering_file import read_hints

if TYPE_CHECKING:
    from pathlib import Path

WANTED = (Hint(120, 80.5, (30, 90, 200), 6), Hint(1, 2, (255, 0, 0), 12))


@pytest.mark.parametrize(
    "text",
    [
        "y,x,color,size\n120,80.5,#1e5ac8,\n1,2,#ff0000,12\n",
        "y,x,r,g,b,size\r\n120,80.5,30,90,200,6\r\n1,2,255,0,0,12\r\n",
        "\ufeffY; X; Color; Size\n120; 80.5; 1E5AC8; 6\n\n1; 2; #FF0000; 12",
        'size\tb\tg\tr\tx\ty\n6\t200\t90\t30\t80.5\t120\n"12"\t0\t0\t255\t2\t1\n;\n'[:-2],
    ],
)
def test_tables(tmp_path: Path, text: str) -> None:
    """Commas, semicolons or tabs, columns in any order, empty lines and sizes."""
    path = tmp_path / "hints.CSV"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_hints(path) == WANTED


def test_a_table_without_sizes_or_lines(tmp_path: Path) -> None:
    """The size is then that of every hint; no line is no hint."""
    path = tmp_path / "hints.csv"
    path.write_text("y,x,color\n1,2,#030405\n")
    assert read_hints(path) == (Hint(1, 2, (3, 4, 5), 6),)
    path = tmp_path / "hints.txt"
    path.write_text("y,x,color\n")
    assert read_hints(path) == ()


def test_thousands_of_hints(tmp_path: Path) -> None:
    """All of them, in order."""
    path = tmp_path / "hints.csv"
    path.write_text("y,x,color\n" + "".join(f"{y},{y % 7},#0a0b0c\n" for y in range(5000)))
    hints = read_hints(path)
    assert len(hints) == 5000
    assert hints[-1] == Hint(4999, 1, (10, 11, 12))


def test_a_table_in_utf_16(tmp_path: Path) -> None:
    """What some spreadsheets call Unicode text is told."""
    path = tmp_path / "hints.csv"
    path.write_text("y,x,color\n", encoding="utf-16")
    with pytest.raises(PictureError, match="it is no text in UTF-8; save it as that"):
        read_hints(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line has to be y,x,color,size or y,x,r,g,b,size (size may lack), got ''"),
        ("1,2,#030405\n", "got '1,2,#030405'"),
        ("y,x,color,color\n", "got 'y,x,color,color'"),
        ("y,x,r,g\n", "got 'y,x,r,g'"),
        ("y,x,color\n1,2,#030405\n1,2\n", "line 3 has 2 columns where the first line has 3"),
        ("y,x,color\n1,b,#030405\n", "x in line 2 has to be a number, got 'b'"),
        ("y,x,color\n\n1,nan,#030405\n", "line 3: x of a hint has to be finite, got nan"),
        ("y,x,color\n1,2,red\n", "the colour in line 2 has to be"),
        ("y,x,r,g,b\n1,2,3,4,256\n", "line 2: The colour of a hint has to be three numbers"),
        ("y,x,color,size\n1,2,#030405,-1\n", "line 2: The size of a hint has to be more than 0"),
        ('y,x,color\n1,2,"#030405\n', "line 2 is no line of a table"),
        ("y,x,color\n1,2," + "9" * 200_000, "line 2 is no line of a table"),
    ],
)
def test_broken_tables(tmp_path: Path, text: str, message: str) -> None:
    """The file and the line are named."""
    path = tmp_path / "hints.csv"
    path.write_text(text)
    with pytest.raises(PictureError) as caught:
        read_hints(path)
    told = str(caught.value)
    assert told.startswith(f"{path} cannot be used: ")
    assert message in told
    assert "\n" not in told
