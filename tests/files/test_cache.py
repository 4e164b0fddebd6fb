"""Tests of the cache of decoded photographs."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_photographs import blobs, decoded, make_folder, unfinished, whole
from PIL import Image

from napari_colorize.errors import DataError, StorageError
from napari_colorize.files import building, cache, entries, shelf
from napari_colorize.files.cache import (
    Names,
    Photographs,
    cache_folder,
    open_photographs,
)
from napari_colorize.files.photographs import (
    EXACT_DUPLICATE,
    GREY,
    NEAR_DUPLICATE,
    TOO_SMALL,
    UNREADABLE,
)

if TYPE_CHECKING:
    from pathlib import Path


# --- what is in it


def test_pixels_names_and_examination(tmp_path: Path) -> None:
    """Each photograph is there under its name, and every other file is told with its reason."""
    folder = make_folder(tmp_path / "ä 日本", 6)
    (folder / "sub").mkdir()
    blobs(90, 200, 300).save(folder / "sub" / "large.bmp")
    blobs(91, 40, 300).save(folder / "small.png")
    blobs(92).convert("L").save(folder / "grey.png")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "broken.jpg").write_bytes((folder / "000.png").read_bytes()[:200])
    shutil.copy(folder / "001.png", folder / "copy.png")
    blobs(2).resize((72, 66)).save(folder / "002 again.jpg", quality=80)
    photographs = open_photographs(folder, short_side=100)
    found = photographs.examination
    assert found.used == (*(f"{i:03d}.png" for i in range(6)), "sub/large.bmp")
    assert found.left_out == {
        UNREADABLE: ("broken.jpg", "empty.jpg"),
        GREY: ("grey.png",),
        TOO_SMALL: ("small.png",),
        EXACT_DUPLICATE: ("copy.png",),
        NEAR_DUPLICATE: ("002 again.jpg",),
    }
    assert sorted(photographs.names) == sorted(found.used)
    for name, pixels in zip(photographs.names, photographs, strict=True):
        assert pixels.dtype == np.uint8
        if name == "sub/large.bmp":
            assert pixels.shape == (100, 150, 3)
        else:
            np.testing.assert_array_equal(pixels, np.asarray(Image.open(folder / name)))


def test_pixels_cannot_be_written_and_bad_indices_are_errors(tmp_path: Path) -> None:
    """A view into a file that others read as well."""
    photographs = open_photographs(make_folder(tmp_path / "x", 3))
    assert not photographs[0].flags.writeable
    np.testing.assert_array_equal(photographs[-1], photographs[2])
    with pytest.raises(IndexError):
        photographs[3]


def test_a_copy_for_another_process_opens_the_file_there(tmp_path: Path) -> None:
    """Not the pixels are sent, only where they lie."""
    photographs = open_photographs(make_folder(tmp_path / "x", 5))
    sent = pickle.dumps(photographs)
    assert len(sent) < 10_000
    other: Photographs = pickle.loads(sent)
    assert list(other.names) == list(photographs.names)
    np.testing.assert_array_equal(other[3], photographs[3])


# --- kept and found again


def test_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time nothing is decoded, nor even read."""
    folder = make_folder(tmp_path / "x", 5)
    calls = decoded(monkeypatch)
    first = open_photographs(folder)
    assert len(calls) == 5

    def unread(*_: Any) -> None:
        raise AssertionError("an unchanged file was read again")

    monkeypatch.setattr("napari_colorize.files.seen._hash", unread)
    again = open_photographs(folder)
    assert len(calls) == 5
    assert again.identity == first.identity


def test_moved_renamed_and_touched_files_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is the key: names follow, nothing is decoded."""
    first = open_photographs(make_folder(tmp_path / "x", 5))
    calls = decoded(monkeypatch)
    (tmp_path / "y").mkdir()
    for number, path in enumerate(sorted((tmp_path / "x").iterdir(), reverse=True)):
        path.rename(tmp_path / "y" / f"new {number}.png")
    moved = open_photographs(tmp_path / "y")
    assert calls == []
    assert moved.identity == first.identity
    assert moved.split() == first.split()
    index = first.names.index("004.png")
    assert moved.names[index] == "new 0.png"
    np.testing.assert_array_equal(moved[index], np.asarray(blobs(4)))


def test_a_changed_file_or_setting_makes_a_new_cache(tmp_path: Path) -> None:
    """Even when the file keeps its size and was changed a moment after the first reading."""
    folder = make_folder(tmp_path / "x", 3)
    blobs(50).save(folder / "000.bmp")
    first = open_photographs(folder)
    blobs(51).save(folder / "000.bmp")
    second = open_photographs(folder)
    index = second.names.index("000.bmp")
    np.testing.assert_array_equal(second[index], np.asarray(blobs(51)))
    assert second.identity != first.identity
    third = open_photographs(folder, short_side=64)
    assert third.identity != second.identity
    assert min(third[0].shape[:2]) == 64
    assert len(whole()) == 3


@pytest.mark.parametrize("harm", ["no index", "half index", "short pixels", "no pixels", "junk"])
def test_a_broken_cache_is_made_anew(tmp_path: Path, harm: str) -> None:
    """Whatever happened to its files, it is not taken for whole."""
    folder = make_folder(tmp_path / "x", 3)
    open_photographs(folder)
    place = cache_folder() / whole()[0]
    index, pixels = place / entries.INDEX, place / shelf.PIXELS
    if harm == "no index":
        index.unlink()
    elif harm == "half index":
        index.write_bytes(index.read_bytes()[:300])
    elif harm == "junk":
        index.write_bytes(b"junk")
    elif harm == "short pixels":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    else:
        pixels.unlink()
    photographs = open_photographs(folder)
    assert len(photographs) == 3
    np.testing.assert_array_equal(
        photographs[photographs.names.index("001.png")], np.asarray(blobs(1))
    )
    assert len(whole()) == 1
    assert unfinished() == []


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"000.png": [1, 2]}', '{"000.png": "x"}'])
def test_a_broken_table_of_hashes_does_no_harm(tmp_path: Path, content: str) -> None:
    """Then the files are read once more."""
    folder = make_folder(tmp_path / "x", 2)
    open_photographs(folder)
    (table,) = cache_folder().glob("seen-*.json")
    assert set(json.loads(table.read_text())) == {"000.png", "001.png"}
    table.write_text(content)
    assert len(open_photographs(folder)) == 2


# --- duplicates and the split


def test_no_duplicates_between_two_folders(tmp_path: Path) -> None:
    """Neither the same file nor a smaller copy is trained on when it is to validate with."""
    train, check = make_folder(tmp_path / "train", 8), make_folder(tmp_path / "check", 2, 50)
    shutil.copy(train / "003.png", check / "same.png")
    blobs(5).resize((84, 70)).save(check / "like.jpg", quality=85)
    ours, theirs = open_photographs(train), open_photographs(check)
    left = [ours.names[i] for i in ours.without_duplicates_of(theirs)]
    assert sorted(left) == [f"{i:03d}.png" for i in (0, 1, 2, 4, 6, 7)]
    assert len(theirs.without_duplicates_of(ours)) == 2


def test_without_imagehash_near_duplicates_are_not_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examination says so; once it is installed the folder is examined anew."""
    folder = make_folder(tmp_path / "x", 3)
    blobs(1).resize((84, 70)).save(folder / "like.jpg", quality=85)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "imagehash", None)
        without = open_photographs(folder)
    assert len(without) == 4
    assert "imagehash is not installed" in without.examination.summary()
    assert len(without.without_duplicates_of(without)) == 0
    found = open_photographs(folder)
    assert len(found) == 3
    assert "imagehash" not in found.examination.summary()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), seed=st.integers(-(2**40), 2**70))
def test_the_split_divides(own_places: Path, share: float, seed: int) -> None:
    """Every photograph on one side, both sides have one, and the draw is repeatable."""
    photographs = open_photographs(_twelve(own_places))
    train, validation = photographs.split(share, seed)
    assert sorted(train + validation) == list(range(12))
    assert train
    assert validation
    assert abs(len(validation) - share * 12) <= 1
    assert (train, validation) == photographs.split(share, seed)


def _twelve(places: Path) -> Path:
    folder = places / "twelve"
    return folder if folder.exists() else make_folder(folder, 12)


def test_the_split_goes_by_content(tmp_path: Path) -> None:
    """More photographs do not move those that were there; another seed draws others."""
    few = open_photographs(make_folder(tmp_path / "few", 30))
    many = open_photographs(make_folder(tmp_path / "many", 40))
    held = {few.names[i] for i in few.split(0.2)[1]}
    assert len(held) == 6
    assert len(held & {many.names[i] for i in many.split(0.2)[1]}) >= 4
    assert few.split(0.2, seed=1) != few.split(0.2, seed=2)


def test_a_single_photograph_is_trained_on(tmp_path: Path) -> None:
    """There is nothing to validate with."""
    assert open_photographs(make_folder(tmp_path / "x", 1)).split() == ([0], [])


# --- nothing usable


def test_folders_without_photographs_say_why(tmp_path: Path) -> None:
    """No folder, a file, nothing in it, nothing usable in it."""
    with pytest.raises(DataError, match="does not exist"):
        open_photographs(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(DataError, match="is a file"):
        open_photographs(tmp_path / "file")
    (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match=r"no pictures.*\.avif"):
        open_photographs(tmp_path / "x")
    blobs(0).convert("L").save(tmp_path / "x" / "grey.png")
    for _ in range(2):  # the second time from the cache
        with pytest.raises(DataError, match="1 left out: grey or sepia"):
            open_photographs(tmp_path / "x")


def test_files_that_may_not_be_read_are_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are used."""
    folder = make_folder(tmp_path / "x", 3)
    real = open

    def forbidding(path: Any, *args: Any, **options: Any) -> Any:
        if str(path).endswith("001.png"):
            raise PermissionError(errno.EACCES, "no")
        return real(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", forbidding)
        found = open_photographs(folder).examination
    assert found.used == ("000.png", "002.png")
    assert found.left_out == {UNREADABLE: ("001.png",)}


def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash would stand for other pixels, so this is an error that says to try again."""
    folder = make_folder(tmp_path / "x", 3)
    monkeypatch.setattr(building, "digest_of", lambda _: b"another")
    with pytest.raises(DataError, match="changed while it was read"):
        open_photographs(folder)
    assert (whole(), unfinished()) == ([], [])


# --- names


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_names_are_what_was_put_in(names: list[str]) -> None:
    """One by one, in slices, from the end."""
    kept = Names(names)
    assert list(kept) == names
    assert kept[1:] == names[1:]
    if names:
        assert kept[-1] == names[-1]
    with pytest.raises(IndexError):
        kept[len(names)]


def test_open_photographs_gives_up_when_its_cache_vanishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that clears the cache again and again cannot keep it busy forever."""
    monkeypatch.setattr(cache, "open_entry", lambda _: None)
    with pytest.raises(StorageError, match="vanishes"):
        open_photographs(make_folder(tmp_path / "x", 2))


def test_folder_without_use_can_be_examined(tmp_path: Path) -> None:
    """When it is wanted, the findings come even if nothing can be used."""
    folder = tmp_path / "grey"
    folder.mkdir()
    blobs(1).convert("L").save(folder / "a.png")
    with pytest.raises(DataError, match="can be used"):
        open_photographs(folder)
    photographs = open_photographs(folder, allow_empty=True)
    assert len(photographs) == 0
    assert dict(photographs.examination.left_out) == {"grey or sepia": ("a.png",)}


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_gentle_threads_make_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have a lower priority than the thread that asked."""
    seen: list[int] = []
    real = building.examine_bytes

    def examine(*args: Any) -> Any:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return real(*args)

    monkeypatch.setattr(building, "examine_bytes", examine)
    open_photographs(make_folder(tmp_path / "a", 1), gentle=True)
    open_photographs(make_folder(tmp_path / "b", 1, first=1))
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert seen == [min(19, mine + 10), mine]
