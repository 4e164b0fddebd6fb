"""What is learned from and what is only looked at."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from made_photographs import make_folder

from napari_colorize.files import division
from napari_colorize.files.cache import open_photographs
from napari_colorize.files.division import divide

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_tenth_is_kept_aside(tmp_path: Path) -> None:
    """Without a folder to check with, a tenth is only looked at; all count."""
    photographs = open_photographs(make_folder(tmp_path / "a", 20))
    found = divide(photographs, None)
    assert (len(found.train), len(found.validation)) == (18, 2)
    assert sorted(found.train + found.validation) == list(range(20))
    assert (found.usable, found.doubles) == (20, 0)
    assert divide(photographs, None, seed=1) != found


def test_what_is_checked_with_is_not_learned_from(tmp_path: Path) -> None:
    """Photographs that are in both folders are only looked at."""
    folder = make_folder(tmp_path / "a", 5)
    other = make_folder(tmp_path / "b", 3, first=100)
    shutil.copy(folder / "001.png", other / "copy.png")
    found = divide(open_photographs(folder), open_photographs(other))
    assert (len(found.train), len(found.validation)) == (4, 4)
    assert (found.usable, found.doubles) == (4, 1)


def test_no_more_are_looked_at_than_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large folder to check with, evenly chosen ones are enough."""
    monkeypatch.setattr(division, "VALIDATION_LIMIT", 2)
    photographs = open_photographs(make_folder(tmp_path / "a", 2))
    other = open_photographs(make_folder(tmp_path / "b", 5, first=100))
    assert divide(photographs, other).validation == [0, 3]
    assert divide(open_photographs(make_folder(tmp_path / "c", 1)), None).validation == []
