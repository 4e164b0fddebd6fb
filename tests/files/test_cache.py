"""Tests of the cache of decoded photographs."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_colorize.errors import Cancelled, DataError, StorageError
from napari_colorize.files import building, cache, entries, shelf
from napari_colorize.files.cache import (
    Names,
    Photographs,
    cache_folder,
    cache_size,
    clear_cache,
    open_photographs,
)
from napari_colorize.files.photographs import (
    EXACT_DUPLICATE,
    GREY,
    NEAR_DUPLICATE,
    TOO_SMALL,
    UNREADABLE,
)


def blobs(seed: int, height: int = 80, width: int = 96) -> Image.Image:
    """Return a colourful picture, quite different for another seed."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def make_folder(folder: Path, count: int, first: int = 0) -> Path:
    """Fill a folder with different photographs without loss, and make them look old."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        blobs(seed).save(folder / f"{seed:03d}.png")
    age(folder)
    return folder


def age(folder: Path) -> None:
    """Date all files a minute back, so that they count as no longer being written."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 60, time.time() - 60))


def whole() -> list[str]:
    """List the finished caches."""
    return sorted(path.name for path in cache_folder().glob("photographs-*"))


def unfinished() -> list[str]:
    """List what a build left behind."""
    return sorted(path.name for path in cache_folder().glob("building-*"))


def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count from now on how many files are decoded."""
    calls: list[int] = []
    real = building.examine_bytes

    def counted(data: bytes, *args: Any) -> Any:
        calls.append(len(data))
        return real(data, *args)

    monkeypatch.setattr(building, "examine_bytes", counted)
    return calls


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


# --- progress and cancel


def test_progress_rises_to_the_number_of_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when all comes from the cache; never more often than ten times a second."""
    folder = make_folder(tmp_path / "x", 20)
    ticks = iter(range(10**6))
    monkeypatch.setattr(building.time, "monotonic", lambda: float(next(ticks)))
    told: list[tuple[int, int]] = []
    open_photographs(folder, progress=lambda *done: told.append(done))
    assert {total for _, total in told} == {20}
    steps = [done for done, _ in told]
    assert steps[0] == 0
    assert steps[-1] == 20
    assert steps == sorted(steps)
    assert len(set(steps)) > 15
    told.clear()
    open_photographs(folder, progress=lambda *done: told.append(done))
    assert told[-1] == (20, 20)


def test_cancel_is_answered_while_a_picture_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that takes its time is not waited for, and nothing half-done is left."""
    folder = make_folder(tmp_path / "x", 4)
    started, release = threading.Event(), threading.Event()

    def slow(*_: Any) -> Any:
        started.set()
        release.wait(20)
        raise OSError("too late")

    monkeypatch.setattr(building, "examine_bytes", slow)
    asked: list[float] = []

    def cancel() -> bool:
        if started.is_set() and not asked:
            asked.append(time.monotonic())
        return bool(asked)

    with pytest.raises(Cancelled):
        open_photographs(folder, cancel=cancel, workers=2)
    assert time.monotonic() - asked[0] < 0.3
    release.set()
    assert (whole(), unfinished()) == ([], [])


def test_cancel_at_every_moment_leaves_nothing_half_done(tmp_path: Path) -> None:
    """After 0, 1, 2, ... looks at the cancel; a later opening finds all photographs."""
    folder = make_folder(tmp_path / "x", 6)
    for looks in range(1, 200, 3):
        left = iter(range(looks))
        try:
            open_photographs(folder, cancel=lambda left=left: next(left, None) is None)  # type: ignore[misc]
        except Cancelled:
            assert (whole(), unfinished()) == ([], [])
        else:
            break
    else:
        pytest.fail("it never came to an end")
    assert len(open_photographs(folder)) == 6


# --- the disk


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("moment", ["pixels", "sync", "index"])
def test_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, moment: str
) -> None:
    """A StorageError that names the way out; the next attempt works."""
    folder = make_folder(tmp_path / "x", 3)

    def failing(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    class FailingFile(io.FileIO):
        def write(self, _: Any) -> int:
            raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        if moment == "pixels":
            patch.setattr(entries, "open", FailingFile, raising=False)
        elif moment == "sync":
            patch.setattr(os, "fsync", failing)
        else:
            patch.setattr(np, "savez", failing)
        with pytest.raises(StorageError, match="NAPARI_COLORIZE_CACHE"):
            open_photographs(folder)
    assert (whole(), unfinished()) == ([], [])
    assert len(open_photographs(folder)) == 3


def test_free_space_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded when the disk has no room for the outcome."""
    folder = make_folder(tmp_path / "x", 3)
    calls = decoded(monkeypatch)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shelf.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match=r"only 1 MB are free.*NAPARI_COLORIZE_CACHE"):
        open_photographs(folder)
    assert (calls, whole(), unfinished()) == ([], [], [])


def test_a_cache_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place, or no permission: the error says which variable changes it."""
    folder = make_folder(tmp_path / "x", 3)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="NAPARI_COLORIZE_CACHE"):
        open_photographs(folder, cache_dir=tmp_path / "file" / "cache")

    def forbidden(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(StorageError, match=r"Read-only.*NAPARI_COLORIZE_CACHE"):
        open_photographs(folder, cache_dir=tmp_path / "cache")


def test_a_cache_that_is_there_is_used_on_a_read_only_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be written for that."""
    folder = make_folder(tmp_path / "x", 3)
    open_photographs(folder)
    for table in cache_folder().glob("seen-*"):
        table.unlink()

    def forbidden(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("mkdir", "replace", "utime", "fsync"):
        monkeypatch.setattr(os, name, forbidden)
    assert len(open_photographs(folder)) == 3


def test_old_caches_go_and_those_in_use_stay(tmp_path: Path) -> None:
    """The one that was not used for the longest time goes first."""
    folders = [make_folder(tmp_path / f"{i}", 3, 10 * i) for i in range(4)]
    names: list[str] = []
    for i, folder in enumerate(folders[:3]):
        open_photographs(folder)
        (new,) = set(whole()) - set(names)
        names.append(new)
        os.utime(cache_folder() / new, (1000 + i, 1000 + i))
    in_use = open_photographs(folders[0])
    os.utime(cache_folder() / names[0], (900, 900))
    one = shelf._bytes_in(cache_folder() / names[0])
    open_photographs(folders[3], limit=round(3.6 * one))
    assert names[0] in whole()
    assert names[1] not in whole()
    assert names[2] in whole()
    np.testing.assert_array_equal(in_use[in_use.names.index("000.png")], np.asarray(blobs(0)))
    with pytest.raises(StorageError, match=r"limit.*NAPARI_COLORIZE_CACHE_LIMIT"):
        open_photographs(make_folder(tmp_path / "more", 3, 90), limit=one)


def test_the_limit_can_be_set_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In gigabytes; nonsense is an error that says so."""
    folder = make_folder(tmp_path / "x", 3)
    monkeypatch.setenv("NAPARI_COLORIZE_CACHE_LIMIT", "0.00001")
    with pytest.raises(StorageError, match="limit"):
        open_photographs(folder)
    monkeypatch.setenv("NAPARI_COLORIZE_CACHE_LIMIT", "lots")
    with pytest.raises(StorageError, match="'lots'"):
        open_photographs(folder)
    monkeypatch.setenv("NAPARI_COLORIZE_CACHE_LIMIT", "1")
    assert len(open_photographs(folder)) == 3


def test_size_and_clearing(tmp_path: Path) -> None:
    """Only what is ours and not in use is deleted, and what was freed is told."""
    assert (cache_size(), clear_cache()) == (0, 0)
    open_photographs(make_folder(tmp_path / "x", 3))
    (cache_folder() / "mine.txt").write_text("not of the cache")
    size = cache_size()
    assert size > 3 * 80 * 96 * 3
    in_use = open_photographs(make_folder(tmp_path / "y", 2, 50))
    assert clear_cache() >= size
    assert len(whole()) == 1
    assert (cache_folder() / "mine.txt").exists()
    del in_use
    clear_cache()
    assert cache_size() == 0


def test_the_folder_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable, by platformdirs, and without that in the home folder."""
    monkeypatch.setenv("NAPARI_COLORIZE_CACHE", "~/somewhere")
    assert cache_folder() == Path.home() / "somewhere"
    monkeypatch.delenv("NAPARI_COLORIZE_CACHE")
    assert cache_folder().name == "napari-colorize"
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert cache_folder() == Path.home() / ".cache" / "napari-colorize"


# --- other processes

BUILD = """
import sys, time
from napari_colorize.files import building
from napari_colorize.files.cache import open_photographs
real = building.examine_bytes
def slow(*args):
    time.sleep({pause})
    return real(*args)
building.examine_bytes = slow
def progress(done, total):
    print(done, flush=True)
photographs = open_photographs(sys.argv[1], workers=1, progress=progress)
print("built", photographs.identity, len(photographs), flush=True)
"""


def build_elsewhere(folder: Path, pause: float) -> subprocess.Popen[str]:
    """Build the cache of a folder in another process, slowly."""
    return subprocess.Popen(
        [sys.executable, "-c", BUILD.format(pause=pause), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_build_is_not_taken_for_whole_and_is_cleared_away(tmp_path: Path) -> None:
    """Kill -9 in the middle; while it lived, its work was left alone."""
    folder = make_folder(tmp_path / "x", 30)
    child = build_elsewhere(folder, 0.1)
    try:
        assert child.stdout is not None
        while int(child.stdout.readline()) < 8:
            pass
        (half,) = unfinished()
        other = open_photographs(make_folder(tmp_path / "y", 2, 60))
        clear_cache()
        assert unfinished() == [half]
        assert whole() != []
    finally:
        child.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        child.communicate()
    assert unfinished() == [half]
    assert len(open_photographs(folder)) == 30
    assert unfinished() == []
    assert len(other) == 2


def test_two_processes_build_the_same_cache(tmp_path: Path) -> None:
    """Both get the photographs, one cache stays."""
    folder = make_folder(tmp_path / "x", 12)
    children = [build_elsewhere(folder, 0.05) for _ in range(2)]
    told = [child.communicate()[0].splitlines()[-1] for child in children]
    assert told[0] == told[1]
    assert told[0].startswith("built")
    assert len(whole()) == 1
    assert unfinished() == []


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
