"""Photographs in tar files: made, gone on with, and read as a folder is."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_photographs import age, blobs, make_folder, whole
from PIL import Image

from napari_colorize.errors import Cancelled, DataError, StorageError
from napari_colorize.files import sharding
from napari_colorize.files.cache import open_photographs
from napari_colorize.files.photographs import EXACT_DUPLICATE, GREY, UNREADABLE
from napari_colorize.files.sharding import write_shards

if TYPE_CHECKING:
    from pathlib import Path


def png(seed: int) -> bytes:
    """Return a photograph as a file in memory."""
    file = io.BytesIO()
    blobs(seed).save(file, "PNG")
    return file.getvalue()


def test_a_folder_and_its_shards_are_the_same(tmp_path: Path) -> None:
    """One identity, one split, one cache, equal pixels: hence the same training."""
    folder = make_folder(tmp_path / "x", 6)
    made = write_shards(folder, tmp_path / "shards", 60_000)
    assert made.pictures == 6
    assert [path.name for path in made.paths][:2] == [
        "photographs-000000.tar",
        "photographs-000001.tar",
    ]
    assert all(path.stat().st_size <= 70_000 for path in made.paths)
    files, shards = open_photographs(folder), open_photographs(tmp_path / "shards")
    assert shards.identity == files.identity
    assert shards.split() == files.split()
    assert len(whole()) == 1
    for one, other in zip(files, shards, strict=True):
        assert np.array_equal(one, other)
    assert all(".tar/" in name for name in shards.names)
    digest = shards.names[0].split("/")[1].removesuffix(".png")
    assert len(digest) == 32


def test_what_the_doctor_leaves_out_is_not_put_in(tmp_path: Path) -> None:
    """Grey, broken and repeated pictures are told and missing; names and order do not matter."""
    folder = make_folder(tmp_path / "x", 3)
    Image.new("RGB", (90, 90), (90, 90, 90)).save(folder / "grey.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nonsense")
    (folder / "copy.png").write_bytes((folder / "001.png").read_bytes())
    made = write_shards(folder, tmp_path / "one", 10**6)
    assert (made.pictures, dict(made.left_out)) == (3, {GREY: 1, UNREADABLE: 1, EXACT_DUPLICATE: 1})
    (folder / "000.png").rename(folder / "zebra.png")
    again = write_shards(folder, tmp_path / "two", 10**6)
    assert [path.read_bytes() for path in made.paths] == [path.read_bytes() for path in again.paths]


def test_goes_on_after_a_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole shards stay, the rest follows, and all are as made at once."""
    folder = make_folder(tmp_path / "x", 6)
    at_once = write_shards(folder, tmp_path / "one", 30_000)
    assert len(at_once.paths) > 2
    real = sharding._write

    def full(path: Path, members: list[tuple[str, bytes]]) -> None:
        if "000001" in path.name:
            raise StorageError("Cannot write: no space left.")
        real(path, members)

    monkeypatch.setattr(sharding, "_write", full)
    with pytest.raises(StorageError):
        write_shards(folder, tmp_path / "two", 30_000)
    assert [path.name for path in (tmp_path / "two").glob("*.tar")] == ["photographs-000000.tar"]
    monkeypatch.setattr(sharding, "_write", real)
    told: list[tuple[int, int]] = []
    made = write_shards(folder, tmp_path / "two", 30_000, progress=lambda *done: told.append(done))
    assert told[0][0] > 1
    assert told[-1] == (6, 6)
    assert made.pictures == 6
    for one, other in zip(at_once.paths, made.paths, strict=True):
        assert one.read_bytes() == other.read_bytes()
    with pytest.raises(Cancelled):
        write_shards(folder, tmp_path / "three", 30_000, cancel=lambda: True)


def test_places_that_cannot_be(tmp_path: Path) -> None:
    """Among the photographs, of other photographs, no folder, nothing usable: one sentence."""
    folder = make_folder(tmp_path / "x", 2)
    with pytest.raises(DataError, match="lies among the photographs"):
        write_shards(folder, folder / "shards", 10**6)
    write_shards(folder, tmp_path / "out", 10**6)
    make_folder(folder, 1, first=9)
    with pytest.raises(StorageError, match="holds shards of other photographs"):
        write_shards(folder, tmp_path / "out", 10**6)
    with pytest.raises(DataError, match="does not exist"):
        write_shards(tmp_path / "missing", tmp_path / "new", 10**6)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Cannot write"):
        write_shards(folder, tmp_path / "file" / "out", 10**6)


def odd_shard(path: Path) -> None:
    """Write a tar file with a photograph, and members that want out of their place."""
    with tarfile.open(path, "w") as tar:
        for seed, name in enumerate(["good.png", "/absolute.png", "../above.png"]):
            member = tarfile.TarInfo(name)
            member.size = len(png(20 + seed))
            tar.addfile(member, io.BytesIO(png(20 + seed)))
        for name, kind in [("link.png", tarfile.SYMTYPE), ("hard.png", tarfile.LNKTYPE)]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
        member = tarfile.TarInfo("folder.png")
        member.type = tarfile.DIRTYPE
        tar.addfile(member)
        member = tarfile.TarInfo("good.txt")
        tar.addfile(member)


def test_odd_members_are_left_out(tmp_path: Path) -> None:
    """Links, places outside, broken and cut files: told; the rest is read, nothing unpacked."""
    folder = tmp_path / "x"
    folder.mkdir()
    odd_shard(folder / "odd.tar")
    (folder / "broken.tar").write_bytes(b"no tar file at all" * 100)
    write_shards(make_folder(tmp_path / "y", 3), tmp_path / "z", 10**6)
    complete = (tmp_path / "z" / "photographs-000000.tar").read_bytes()
    with tarfile.open(tmp_path / "z" / "photographs-000000.tar") as tar:
        last = tar.getmembers()[-1]
    (folder / "cut.tar").write_bytes(complete[: last.offset_data + 100])
    age(folder)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    found = open_photographs(folder).examination
    assert [name.split("/")[0] for name in found.used] == ["cut.tar", "cut.tar", "odd.tar"]
    assert set(found.left_out[UNREADABLE]) == {
        "broken.tar",
        "odd.tar//absolute.png",
        "odd.tar/../above.png",
        "odd.tar/link.png",
        "odd.tar/hard.png",
        f"cut.tar/{last.name}",
        "cut.tar",
    }
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
