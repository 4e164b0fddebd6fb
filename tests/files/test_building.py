"""Tests of building the cache: progress, cancel, failing disks, limits, several processes."""

from __future__ import annotations

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_photographs import blobs, decoded, make_folder, unfinished, whole

from napari_colorize.errors import Cancelled, StorageError
from napari_colorize.files import building, entries, shelf
from napari_colorize.files.cache import (
    cache_folder,
    cache_size,
    clear_cache,
    open_photographs,
)

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
    waited_for: list[bool] = []

    def slow(*_: Any) -> Any:
        started.set()
        waited_for.append(not release.wait(120))
        raise OSError("too late")

    monkeypatch.setattr(building, "examine_bytes", slow)
    with pytest.raises(Cancelled):
        open_photographs(folder, cancel=started.is_set, workers=2)
    assert not waited_for
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
