"""The command ``shards``: what it prints, and which sizes it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer
from made_photographs import make_folder

from napari_colorize.cli import run
from napari_colorize.commands.sharding import bytes_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("size", "wanted"),
    [("256MB", 256 * 10**6), ("1.5 gb", 1_500_000_000), ("20k", 20_000), ("7", 7)],
)
def test_sizes(size: str, wanted: int) -> None:
    """A number, with or without a unit."""
    assert bytes_of(size) == wanted


@pytest.mark.parametrize("size", ["", "MB", "-1MB", "0", "1e3", "256 apples"])
def test_no_sizes(size: str) -> None:
    """Refused, with an example."""
    with pytest.raises(typer.BadParameter, match="write for example 256MB"):
        bytes_of(size)


def test_shards_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many photographs and shards, what was left out; again it is the same."""
    folder = make_folder(tmp_path / "x", 3)
    (folder / "bad.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    for _ in range(2):
        assert run(["shards", str(folder), "--out", str(out), "--size", "1MB"]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"3 photographs in 1 shard: {out}\n")
    assert sorted(path.name for path in out.iterdir()) == ["photographs-000000.tar", "shards.json"]
    assert run(["shards", str(folder), "--out", str(out), "--size", "2MB"]) == 1
    assert "holds shards of other photographs" in capsys.readouterr().err
    assert run(["shards", str(folder), "--out", str(out), "--size", "nothing"]) == 2
    assert run(["shards", str(tmp_path / "none"), "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 2
