"""One cache on the disk: written whole or not at all, and opened as a memory map."""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import shutil
import zipfile
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_colorize.files.duplicates import nearly_the_same
from napari_colorize.files.photographs import NEAR_DUPLICATE, REASONS, UNREADABLE
from napari_colorize.files.seen import DIGEST
from napari_colorize.files.shelf import BUILDING, PIXELS, cannot_write, guard, lock, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.photographs import Finding

INDEX = "index.npz"


class Entry:
    """Pixels and facts of many photographs, in the order of their hashes.

    Attributes
    ----------
    place
        Its folder.
    digests
        ``(N, 16)`` uint8, hash of each photograph's file, ascending.
    sizes
        ``(N, 2)`` int32, height and width.
    likeness
        ``(N,)`` uint64, perceptual hashes.
    left
        ``(M, 16)`` uint8, hashes of the files that are left out.
    why
        ``(M,)`` uint8, index into `photographs.REASONS` of each of those.
    near
        Whether near duplicates were looked for.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        with open(place / INDEX, "rb") as file, np.load(file, allow_pickle=False) as index:
            self.digests: NDArray[np.uint8] = index["digests"]
            self._offsets: NDArray[np.int64] = index["offsets"]
            self.sizes: NDArray[np.int32] = index["sizes"]
            self.likeness: NDArray[np.uint64] = index["likeness"]
            self.left: NDArray[np.uint8] = index["left"]
            self.why: NDArray[np.uint8] = index["why"]
            self.near = bool(index["near"])
            length = int(index["length"])
        self._pixels = _map(place / PIXELS, length)

    def __len__(self) -> int:
        return len(self._offsets)

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """Return a read-only view of one photograph, ``(H, W, 3)`` uint8."""
        height, width = map(int, self.sizes[index])
        start = int(self._offsets[index])
        return self._pixels[start : start + 3 * height * width].reshape(height, width, 3)

    def reasons(self) -> dict[bytes, str]:
        """Return why files are left out, by their hashes."""
        pairs = zip(self.left, self.why, strict=True)
        return {bytes(digest): REASONS[reason] for digest, reason in pairs}

    def __reduce__(self) -> Any:
        # To another process goes the place, not the pixels.
        return Entry, (self.place,)


def _map(path: Path, length: int) -> NDArray[np.uint8]:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        # The mapping keeps a copy of the handle, and with it the lock, for as long as it lives.
        lock(handle, shared=True, wait=True)
        if os.fstat(handle).st_size != length or not path.exists():
            raise ValueError("not whole")
        return np.frombuffer(mmap.mmap(handle, length, access=mmap.ACCESS_READ), dtype=np.uint8)
    finally:
        os.close(handle)


def open_entry(place: Path) -> Entry | None:
    """Open the cache in a folder; None when there is none, or a broken one."""
    try:
        entry = Entry(place)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    with contextlib.suppress(OSError):
        os.utime(place)  # used now
    return entry


class EntryWriter:
    """Writes a cache under a temporary name; `finish` gives it its own.

    Used in a ``with``: what was not finished at its end is deleted.

    Parameters
    ----------
    root
        Folder of the cache.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written (also from all methods).
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digests: list[bytes] = []
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._left: dict[bytes, str] = {}
        self._end = 0
        self._kept: list[int] = []
        self._near = False
        with guard(root), self._mapped():
            self._place = root / f"{BUILDING}{secrets.token_hex(8)}"
            self._place.mkdir()
            try:
                self._file = open(self._place / PIXELS, "wb")  # noqa: SIM115 - closed in __exit__
            except OSError:
                self._place.rmdir()
                raise
            lock(self._file.fileno(), shared=False, wait=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with contextlib.suppress(OSError):  # what is still to be written no longer matters
            self._file.close()
        shutil.rmtree(self._place, ignore_errors=True)

    @contextlib.contextmanager
    def _mapped(self) -> Any:
        try:
            yield
        except OSError as exc:
            raise cannot_write(self._root, exc) from exc

    def add(self, digest: bytes, finding: Finding) -> None:
        """Take in one picture, or why it is left out.

        Parameters
        ----------
        digest
            Hash of its file; each may come once.
        finding
            What was found in it.
        """
        if finding.pixels is None:
            self._left[digest] = finding.reason or UNREADABLE
            return
        height, width, _ = finding.pixels.shape
        self._digests.append(digest)
        self._rows.append((self._end, height, width, finding.likeness, finding.side))
        with self._mapped():
            self._file.write(np.ascontiguousarray(finding.pixels).data)
        self._end += finding.pixels.nbytes

    def settle(self, near: bool) -> None:
        """Leave out near duplicates and bring the pixels to the disk; can run in a thread.

        Parameters
        ----------
        near
            Whether near duplicates are to be looked for.
        """
        self._near = near
        self._kept = self._choose(near)
        with self._mapped():
            if self._end == 0:
                self._end = self._file.write(b"\0")  # nothing cannot be mapped
            self._file.flush()
            # A handle of its own: when nobody waits for this any longer, the file is closed.
            handle = os.dup(self._file.fileno())
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def finish(self, place: Path) -> None:
        """Write the index and take the lasting name, after `settle`.

        Parameters
        ----------
        place
            The name. When another process was faster, its cache stays and this one goes.
        """
        kept = self._kept
        rows = [self._rows[i] for i in kept]
        with self._mapped():
            with open(self._place / INDEX, "wb") as file:
                np.savez(
                    file,
                    digests=_joined([self._digests[i] for i in kept]),
                    offsets=np.array([row[0] for row in rows], dtype=np.int64),
                    sizes=np.array([row[1:3] for row in rows], dtype=np.int32).reshape(-1, 2),
                    likeness=np.array([row[3] for row in rows], dtype=np.uint64),
                    left=_joined(list(self._left)),
                    why=np.array([REASONS.index(r) for r in self._left.values()], dtype=np.uint8),
                    near=np.array(self._near),
                    length=np.array(self._end),
                )
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._place)
        with guard(self._root), self._mapped():
            self._file.close()  # Windows renames no folder with an open file
            try:
                os.replace(self._place, place)
            except OSError:
                if not (place / INDEX).exists():
                    raise
            sync_folder(self._root)

    def _choose(self, near: bool) -> list[int]:
        """Return the indices of what is used, by hash; of what looks alike the largest stays."""
        rank = sorted(range(len(self._rows)), key=lambda i: (-self._rows[i][4], self._digests[i]))
        if near:
            likeness = np.array([self._rows[i][3] for i in rank], dtype=np.uint64)
            for i in sorted((int(j) for j in nearly_the_same(likeness)), reverse=True):
                self._left[self._digests[rank.pop(i)]] = NEAR_DUPLICATE
        return sorted(rank, key=lambda i: self._digests[i])


def _joined(digests: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, DIGEST)
