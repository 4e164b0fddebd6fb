"""Hashes of files, remembered by size and times so that an unchanged file is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING

from napari_colorize.errors import Cancelled, StorageError
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_colorize.files.reading import Readers
    from napari_colorize.files.shards import Pictures

DIGEST = 16
"""Length of a hash in bytes."""
Digests = dict[str, bytes | None]
"""Hash of each file by its relative path; None when it cannot be read."""
Table = dict[str, list[int | str]]
_PIECE = 1 << 20
_OFTEN = 128  # files between two looks at the cancel; each is a walk to a perhaps slow disk
# A file that was written a moment ago could be written again within the same tick of its clock.
_TICK = 2 * 10**9  # nanoseconds


def digest_of(data: bytes) -> bytes:
    """Return the hash of a file's bytes."""
    return hashlib.blake2b(data, digest_size=DIGEST).digest()


def hash_files(
    pictures: Pictures,
    root: Path,
    readers: Readers,
    progress: Callable[[int], None],
) -> Digests:
    """Return the hash of each file, None for a file that cannot be read.

    Parameters
    ----------
    pictures
        The files, and members of shards.
    root
        Folder of the cache, where the table of known hashes lies.
    readers
        The threads that read.
    progress
        Told how many are done.
    """
    label = hashlib.blake2b(os.fsencode(pictures.folder.resolve()), digest_size=8).hexdigest()
    table = root / f"seen-{label}.json"
    known = readers.run(lambda: _load(table))
    now = time.time_ns()
    marks: dict[str, list[int]] = {}
    digests: Digests = {}
    names = pictures.names
    for number, name in enumerate(names):
        marks[name] = mark = pictures.mark(name)
        row = known.get(name)
        digests[name] = bytes.fromhex(str(row[3])) if row and row[:3] == mark else None
        if number % _OFTEN == 0:
            readers.check()
    missing = [name for name, mark in marks.items() if mark and digests[name] is None]
    progress(len(names) - len(missing))
    hashed = readers.map(lambda name: _hash(pictures, name, readers), missing)
    for done, (name, digest) in enumerate(zip(missing, hashed, strict=True), 1):
        digests[name] = digest
        progress(len(names) - len(missing) + done)
    readers.run(lambda: _save(table, known, marks, digests, now - _TICK))
    return digests


def _save(
    table: Path, known: Table, marks: dict[str, list[int]], digests: Digests, before: int
) -> None:
    fresh = {
        name: [*mark, digest.hex()]
        for name, mark in marks.items()
        if mark and (digest := digests[name]) is not None and mark[1] < before
    }
    if fresh != known:
        # Without the table the files are read once more, that is all.
        with contextlib.suppress(StorageError), written_whole(table) as file:
            file.write(json.dumps(fresh).encode())


def _load(table: Path) -> Table:
    try:
        known = json.loads(table.read_bytes())
        return {str(name): row for name, row in known.items() if _is_row(row)}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_row(row: object) -> bool:
    if not (isinstance(row, list) and len(row) == 4 and isinstance(row[3], str)):
        return False
    with contextlib.suppress(ValueError):
        return len(bytes.fromhex(row[3])) == DIGEST
    return False


def _hash(pictures: Pictures, name: str, readers: Readers) -> bytes | None:
    total = hashlib.blake2b(digest_size=DIGEST)
    path = pictures.path(name)
    try:
        if path is None:
            return digest_of(b"" if readers.stopped.is_set() else pictures.read(name))
        with open(path, "rb") as file:
            for piece in _pieces(file.read, readers):
                total.update(piece)
    except OSError:
        return None
    return total.digest()


def _pieces(read: Callable[[int], bytes], readers: Readers) -> Iterator[bytes]:
    while piece := read(_PIECE):
        if readers.stopped.is_set():
            raise Cancelled("Cancelled while the photographs were read.")
        yield piece
