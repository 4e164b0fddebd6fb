"""Results that grow: killed and gone on with, in use, of another kind, on a full disk."""

from __future__ import annotations

import errno
import json
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made_planes import RECORD, kill_while_writing, plane_at, write_rest, written

from napari_colorize.errors import StorageError
from napari_colorize.files.stacks import growing_store
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.plane_store import open_store
from napari_colorize.files.stacks.stack_files import open_stack

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["movie.ome.zarr", "movie.tif", "frames"]
AXES = Axes("tyx", (5, 40, 60))
each_kind = pytest.mark.parametrize("name", NAMES)


def content_of(path: Path) -> dict[str, bytes]:
    """Return all files of a result."""
    if path.is_file():
        return {"": path.read_bytes()}
    files = (file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


@each_kind
def test_a_killed_run_goes_on_to_the_same_result(tmp_path: Path, name: str) -> None:
    """Killed twice while it writes; what comes out is that of a run that was let be."""
    target = tmp_path / name
    for after in (1, 2):
        kill_while_writing(target, AXES, after)
        assert not target.exists()
    with closing(open_store(target, AXES, RECORD)) as store:
        assert 3 <= len(store.done) <= 5
        write_rest(store)
        store.finish()
    whole = written(tmp_path / "whole" / name, AXES)
    assert content_of(target) == content_of(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "whole"])


@each_kind
def test_nothing_has_the_final_name_before_the_end(tmp_path: Path, name: str) -> None:
    """Not while it is written, not after it was left; what is done is known again."""
    with closing(open_store(tmp_path / name, AXES, RECORD)) as store:
        store.write((3,), plane_at((3,), AXES))
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.part"]
    with closing(open_store(tmp_path / name, AXES, RECORD)) as store:
        assert store.done == {(3,)}


@each_kind
def test_a_run_that_wrote_nothing_leaves_nothing(tmp_path: Path, name: str) -> None:
    """No folder of a run that was cancelled at once stays."""
    open_store(tmp_path / name, AXES, RECORD).close()
    assert list(tmp_path.iterdir()) == []


@each_kind
def test_planes_that_were_not_written_are_black(tmp_path: Path, name: str) -> None:
    """The others lie where they belong."""
    store = open_store(tmp_path / name, AXES, RECORD)
    store.write((3,), plane_at((3,), AXES))
    opened = open_stack(store.finish())
    assert opened.axes == Axes("tyxs", (5, 40, 60, 3))
    np.testing.assert_array_equal(opened.data[3], plane_at((3,), AXES))
    assert not any(opened.data[number].any() for number in (0, 1, 2, 4))


@each_kind
def test_two_runs_at_once_are_refused(tmp_path: Path, name: str) -> None:
    """The first goes on undisturbed; when it let go, another may come."""
    with closing(open_store(tmp_path / name, AXES, RECORD)) as store:
        store.write((0,), plane_at((0,), AXES))
        with pytest.raises(StorageError, match="being written by another run"):
            open_store(tmp_path / name, AXES, RECORD, overwrite=True)
        store.write((1,), plane_at((1,), AXES))
    with closing(open_store(tmp_path / name, AXES, RECORD)) as store:
        assert store.done == {(0,), (1,)}


@each_kind
def test_a_result_is_replaced_only_on_demand_and_at_the_end(tmp_path: Path, name: str) -> None:
    """The old one is whole until the new one is."""
    old = content_of(written(tmp_path / name, AXES))
    with pytest.raises(StorageError, match="there already"):
        open_store(tmp_path / name, AXES, RECORD)
    store = open_store(tmp_path / name, AXES, RECORD, overwrite=True)
    store.write((0,), plane_at((1,), AXES))
    assert content_of(tmp_path / name) == old
    opened = open_stack(store.finish())
    np.testing.assert_array_equal(opened.data[0], plane_at((1,), AXES))
    assert not opened.data[1].any()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@each_kind
def test_a_folder_of_a_person_is_never_overwritten(tmp_path: Path, name: str) -> None:
    """Only results are: a slip of the pen with --force costs nobody their documents."""
    letters = tmp_path / name / "letters"
    letters.mkdir(parents=True)
    (letters / "one.txt").write_text("dear")
    with pytest.raises(StorageError, match="folder of something else, which is not overwritten"):
        open_store(tmp_path / name, AXES, RECORD, overwrite=True)
    assert (letters / "one.txt").read_text() == "dear"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_result_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """The work stays for another try."""
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        write_rest(store)
        (tmp_path / "a.tif").write_bytes(b"another's")
        with pytest.raises(StorageError, match="there already"):
            store.finish()
        assert (tmp_path / "a.tif").read_bytes() == b"another's"
        (tmp_path / "a.tif").unlink()
        assert store.finish().stat().st_size > 5 * 40 * 60 * 3


def test_what_a_kill_at_the_very_end_left_is_swept_up(tmp_path: Path) -> None:
    """The result had its name already, the folder of the work was still there."""
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        store.write((0,), plane_at((0,), AXES))
    (tmp_path / "a.tif.part" / "a.tif").rename(tmp_path / "a.tif")
    with pytest.raises(StorageError, match="there already"):
        open_store(tmp_path / "a.tif", AXES, RECORD)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_an_empty_folder_may_be_the_target(tmp_path: Path) -> None:
    """As one that a dialog made."""
    (tmp_path / "frames").mkdir()
    assert len(list(written(tmp_path / "frames", AXES).iterdir())) == 5


@pytest.mark.parametrize(
    ("axes", "record", "said"),
    [
        (AXES, RECORD | {"model": "plain"}, "another model"),
        (Axes("zyx", (5, 40, 60)), RECORD, "another axes"),
        (Axes("tyx", (6, 40, 60)), RECORD, "another shape"),
    ],
)
def test_work_of_another_kind_is_not_gone_on_with(
    tmp_path: Path, axes: Axes, record: dict[str, Any], said: str
) -> None:
    """It is told what differs; on demand it is begun anew."""
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        store.write((0,), plane_at((0,), AXES))
    with pytest.raises(StorageError, match=said):
        open_store(tmp_path / "a.tif", axes, record)
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        assert store.done == {(0,)}
    with closing(open_store(tmp_path / "a.tif", axes, record, overwrite=True)) as store:
        assert store.done == set()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Not one file in it is touched."""
    (tmp_path / "a.tif.part").mkdir()
    (tmp_path / "a.tif.part" / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="holds something else"):
        open_store(tmp_path / "a.tif", AXES, RECORD, overwrite=True)
    assert (tmp_path / "a.tif.part" / "notes.txt").read_text() == "mine"


@each_kind
def test_a_full_disk_keeps_what_is_done(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence; when there is room again the same run, and the next, goes on."""
    full, sync = [False], os.fsync

    def refuse(handle: int) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    with closing(open_store(tmp_path / name, AXES, RECORD)) as store:
        store.write((0,), plane_at((0,), AXES))
        full[0] = True
        for _ in range(2):
            with pytest.raises(StorageError, match=r"no space left on device\. Free some"):
                store.write((1,), plane_at((1,), AXES))
        full[0] = False
        store.write((2,), plane_at((2,), AXES))
    with closing(open_store(tmp_path / name, AXES, RECORD)) as store:
        assert store.done == {(0,), (2,)}
        write_rest(store)
        store.finish()
    assert content_of(tmp_path / name) == content_of(written(tmp_path / "whole" / name, AXES))


def test_half_a_line_of_the_journal_is_no_plane(tmp_path: Path) -> None:
    """What a crash of the system left at its end is cut off, and the next line is whole."""
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        store.write((0,), plane_at((0,), AXES))
    journal = tmp_path / "a.tif.part" / "done.txt"
    journal.write_bytes(journal.read_bytes() + b"1")
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        assert store.done == {(0,)}
        store.write((2,), plane_at((2,), AXES))
    assert journal.read_bytes() == b"0\n2\n"


def test_a_name_is_put_back_when_the_new_result_cannot_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old folder never goes for a new one that does not come."""
    old = content_of(written(tmp_path / "frames", AXES))
    replace = os.replace

    def refuse(source: Path, target: Path) -> None:
        if source == tmp_path / "frames.part" / "frames":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    with closing(open_store(tmp_path / "frames", AXES, RECORD, overwrite=True)) as store:
        write_rest(store)
        monkeypatch.setattr(growing_store.os, "replace", refuse)
        with pytest.raises(StorageError):
            store.finish()
        assert content_of(tmp_path / "frames") == old


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the permissions of Unix")
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file where the folder should be, as root may write everywhere."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Cannot write"):
        open_store(tmp_path / "file" / "a.tif", AXES, RECORD)


def test_an_unknown_suffix_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    """Nothing is made."""
    with pytest.raises(StorageError, match=r"ends in \.ome\.zarr"):
        open_store(tmp_path / "a.jpg", AXES, RECORD)
    assert list(tmp_path.iterdir()) == []


def test_planes_that_do_not_belong_are_an_error_of_the_program(tmp_path: Path) -> None:
    """Wrong size, type or place."""
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        with pytest.raises(ValueError, match="plane of"):
            store.write((0,), np.zeros((40, 61, 3), np.uint8))
        with pytest.raises(ValueError, match="plane of"):
            store.write((0,), np.zeros((40, 60, 3)))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="no plane"):
            store.write((5,), plane_at((5,), AXES))


def test_the_work_says_what_it_is(tmp_path: Path) -> None:
    """For people who find it."""
    with closing(open_store(tmp_path / "a.tif", AXES, RECORD)) as store:
        store.write((0,), plane_at((0,), AXES))
    told = json.loads((tmp_path / "a.tif.part" / "work.json").read_text())
    assert told == {"version": 1, "axes": "tyx", "shape": [5, 40, 60], "record": RECORD}
