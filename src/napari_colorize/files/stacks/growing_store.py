"""Results that grow plane by plane under another name: killed, they go on; done, they take theirs.

Beside the target lies a folder while the work lasts::

    movie.ome.zarr.part/
        work.json         axes, record and version of the format, written when the rest is there
        done.txt          a line for each plane, its place, added when the plane is on the disk
        lock              held by the run that writes
        movie.ome.zarr    what becomes the result
        replaced          an older result, for the moment in which the new one takes its name
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_colorize.errors import StorageError
from napari_colorize.files.locking import HELD, try_lock
from napari_colorize.runs.storage import storage_error, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Axes, Place

SUFFIX = ".part"
VERSION = 1
_WORK, _DONE, _LOCK, _REPLACED = "work.json", "done.txt", "lock", "replaced"


class Layout(Protocol):
    """How planes lie in a result of some kind."""

    def is_result(self, folder: Path) -> bool:
        """Return whether a folder is a result of this kind, which may be overwritten."""

    def make(self, content: Path) -> None:
        """Make a result without planes; nothing is there under this name."""

    def resume(self, content: Path) -> None:
        """Look at a result that an interrupted run left, and sweep up what lies about."""

    def put(self, content: Path, place: Place, pixels: NDArray[np.uint8]) -> None:
        """Put a plane in; it is on the disk when this returns."""

    def complete(self, content: Path, missing: Sequence[Place]) -> Path | None:
        """Do what is left to do when no more planes come; missing ones are to be black.

        Returns what takes the final name, if it is not the content itself.
        """


class GrowingStore:
    """A place to write planes to, each safe when `write` returns.

    Parameters
    ----------
    path : Path
        The final name.
    axes : Axes
        Of the stack that is coloured.
    record : dict
        What makes the result, as JSON can hold it. Work of another record is not gone on with.
    layout : Layout
    overwrite : bool
        Whether an older result is replaced at the end, and unfinished work of another record now.

    Attributes
    ----------
    path, axes
        As given.
    done : frozenset of places
        Planes that an interrupted run left.

    Raises
    ------
    StorageError
        If the result is there already, another run writes it, unfinished work is another's, or
        the place cannot be written.
    """

    def __init__(
        self,
        path: Path,
        axes: Axes,
        record: dict[str, Any],
        layout: Layout,
        *,
        overwrite: bool = False,
    ) -> None:
        self.path, self.axes = path, axes
        self._layout, self._overwrite = layout, overwrite
        self._folder = path.with_name(path.name + SUFFIX)
        self._content = self._folder / path.name
        self._journal: int | None = None
        self._written = 0
        try:
            self._refuse_result()
        except StorageError:
            self._sweep()
            raise
        with _as_storage_error(self._folder):
            self._lock: int | None = _claim(self._folder, path)
            try:
                self._begin(json.loads(json.dumps(record)))
                self._open_journal()
            except BaseException:
                self._let_go()
                raise

    def write(self, place: Place, pixels: NDArray[np.uint8]) -> None:
        """Write a plane; it is on the disk when this returns.

        Raises
        ------
        StorageError
            If the disk is full; the planes before are safe, and the same call may be tried again.
        """
        place = tuple(int(number) for number in place)
        if pixels.dtype != np.uint8 or pixels.shape != (*self.axes.plane, 3):
            raise ValueError(f"plane of {pixels.dtype} {pixels.shape} in {self.axes}")
        if not _lies_in(place, self.axes):
            raise ValueError(f"no plane {place} in {self.axes}")
        with _as_storage_error(self.path):
            self._layout.put(self._content, place, pixels)
            self._note(place)

    def finish(self) -> Path:
        """Give the result its final name; planes that were not written are black.

        Raises
        ------
        StorageError
            If that cannot be done; the work stays as it is.
        """
        if self._journal is None:
            return self.path
        self._refuse_result()
        with _as_storage_error(self.path):
            done = _places_in(self._journal, self.axes)
            missing = [place for place, _ in self.axes.places() if place not in done]
            self._take_name(self._layout.complete(self._content, missing) or self._content)
        self._let_go()
        shutil.rmtree(self._folder, ignore_errors=True)
        return self.path

    def close(self) -> None:
        """Let go; planes that are done stay for the next run."""
        if self._journal is None:
            return
        nothing = not self.done and not self._written
        self._let_go()
        if nothing:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _refuse_result(self) -> None:
        """Raise if something lies under the final name that is to stay."""
        if not os.path.lexists(self.path):
            return
        is_folder = self.path.is_dir() and not self.path.is_symlink()
        if is_folder and not any(self.path.iterdir()):
            return
        if self._overwrite and is_folder and not self._layout.is_result(self.path):
            raise StorageError(
                f"{self.path} is a folder of something else, which is not overwritten; choose "
                "another name."
            )
        if self._overwrite:
            return
        raise StorageError(
            f"{self.path} is there already; delete it or choose another name, or let it be "
            "overwritten."
        )

    def _sweep(self) -> None:
        """Remove what is left of the work when a run was killed after its result had its name."""
        with contextlib.suppress(OSError, StorageError):
            if set(os.listdir(self._folder)) <= {_WORK, _DONE, _LOCK, _REPLACED}:
                handle = _claim(self._folder, self.path)
                begun = self._content.exists()
                os.close(handle)
                if not begun:
                    shutil.rmtree(self._folder)

    def _begin(self, record: dict[str, Any]) -> None:
        """Go on with what lies there, or begin anew."""
        mine = {
            "version": VERSION,
            "axes": self.axes.names,
            "shape": list(self.axes.shape),
            "record": record,
        }
        theirs = self._read_work()
        if theirs is not None and theirs != mine:
            if not self._overwrite:
                raise StorageError(
                    f"{self._folder} is unfinished work of another kind "
                    f"({_differences(theirs, mine)}); delete it or choose another name, or let it "
                    "be overwritten."
                )
            theirs = None
        if theirs is not None and self._content.exists():
            self._layout.resume(self._content)
            return
        self._clear()
        self._layout.make(self._content)
        for path in (self._content, *self._content.rglob("*")):
            sync(path)
        write_whole(self._folder / _WORK, json.dumps(mine))

    def _read_work(self) -> dict[str, Any] | None:
        """Return what the work there is, None if none was begun, {} if that cannot be told."""
        try:
            told = json.loads((self._folder / _WORK).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    def _clear(self) -> None:
        """Remove everything but the lock; what is not ours is left, and refused."""
        names = set(os.listdir(self._folder))
        ours = {_WORK, _DONE, _LOCK, _REPLACED, self.path.name}
        ours |= {name for name in names if name.startswith(f".{_WORK}.")}
        if names - ours:
            raise StorageError(
                f"{self._folder} is where the unfinished result would lie, and holds something "
                "else; choose another name."
            )
        for name in sorted(names - {_LOCK}, key=_WORK.__ne__):  # the promise of the rest first
            _remove(self._folder / name)

    def _open_journal(self) -> None:
        self._journal = os.open(
            self._folder / _DONE, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666
        )
        self.done = frozenset(_places_in(self._journal, self.axes))
        sync(self._folder)

    def _note(self, place: Place) -> None:
        """Add a plane to those that are done."""
        assert self._journal is not None, "written after finish or close"
        end = os.lseek(self._journal, 0, os.SEEK_END)
        line = " ".join(map(str, place)) + "\n"
        try:
            if os.write(self._journal, line.encode()) < len(line):
                raise OSError(28, "No space left on device")
            os.fsync(self._journal)
        except OSError:
            with contextlib.suppress(OSError):  # half a line would spoil the next one
                os.ftruncate(self._journal, end)
            raise
        self._written += 1

    def _take_name(self, result: Path) -> None:
        """Move the result to its final name; an older one is out of the way before."""
        replaced = self._folder / _REPLACED
        sync(result)
        aside = self.path.is_dir() and not self.path.is_symlink()
        if aside:
            _remove(replaced)
            os.replace(self.path, replaced)
        try:
            os.replace(result, self.path)
        except OSError:
            if aside:
                os.replace(replaced, self.path)
            raise
        sync(self.path.parent)

    def _let_go(self) -> None:
        for handle in (self._journal, self._lock):
            if handle is not None:
                os.close(handle)
        self._journal = self._lock = None


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    folder = path.is_dir()
    # Windows opens no folders, some file systems sync none; Windows syncs no file open for reading.
    with contextlib.suppress(*[OSError] * folder):
        handle = os.open(path, os.O_RDONLY if folder or os.name != "nt" else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _as_storage_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(path, error) from error


def _claim(folder: Path, path: Path) -> int:
    """Make the folder of the work, and return its lock, which this run holds from now on."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try_lock(handle)
        except HELD as error:
            os.close(handle)
            raise StorageError(
                f"{path} is being written by another run; wait for it or choose another name."
            ) from error
        except OSError:
            return handle  # a file system without locks
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(folder / _LOCK)):
                return handle
        os.close(handle)  # the run before finished, and its folder went, as it was let go


def _places_in(journal: int, axes: Axes) -> set[Place]:
    """Return the places in a journal; what a kill left of a last line is cut off."""
    os.lseek(journal, 0, os.SEEK_SET)
    data = b"".join(iter(lambda: os.read(journal, 1 << 20), b""))
    places: set[Place] = set()
    good = 0
    for line in data.splitlines(keepends=True):
        try:
            place = tuple(int(number) for number in line.split())
        except ValueError:
            break
        if not line.endswith(b"\n") or not _lies_in(place, axes):
            break
        places.add(place)
        good += len(line)
    if good < len(data):
        os.ftruncate(journal, good)
    return places


def _lies_in(place: Place, axes: Axes) -> bool:
    return len(place) == len(axes.outer) and all(
        0 <= number < length for number, length in zip(place, axes.outer, strict=True)
    )


def _differences(theirs: dict[str, Any], mine: dict[str, Any]) -> str:
    """Return what differs, in words."""
    facts = [
        {**{key: told.get(key) for key in ("version", "axes", "shape")}, **told.get("record", {})}
        for told in (theirs, mine)
    ]
    names = [name for name in facts[0] | facts[1] if facts[0].get(name) != facts[1].get(name)]
    return "another " + ", ".join(names)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
