"""The folder of the cache: what lies there, what is in use, and how it stays within its limit.

Who uses a cache holds a shared lock on its pixels, who writes one an exclusive lock; the system
lets go of a lock when its process ends, however it ends. Windows has no such locks but does not
let a file be deleted that is open, which does as well.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from typing import TYPE_CHECKING

from napari_colorize.errors import StorageError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIXELS = "pixels.u8"
WHOLE, BUILDING, TABLE = "photographs-", "building-", "seen-"
ADVICE = "Choose another folder for the cache with NAPARI_COLORIZE_CACHE."
_SPARE = 200 * 10**6  # bytes that are left free on the disk


def lock(handle: int, *, shared: bool, wait: bool) -> bool:
    """Lock an open file until it is closed; False when another has it and it is not waited."""
    if sys.platform == "win32":
        return True
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a network disk that knows no locks
    return True


def cannot_write(root: Path, exc: OSError) -> StorageError:
    """Return the error for a cache that cannot be written, with the system's reason."""
    reason = exc.strerror or type(exc).__name__
    return StorageError(f"The cache cannot be written in {root}: {reason}. {ADVICE}")


def sync_folder(folder: Path) -> None:
    """Bring a new name in a folder to the disk, where the system can do that."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def guard(root: Path) -> Iterator[None]:
    """Hold the folder of the cache for a moment, while names in it come and go."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as exc:
        raise cannot_write(root, exc) from exc
    try:
        lock(handle, shared=False, wait=True)
        yield
    finally:
        os.close(handle)


def make_room(root: Path, needed: int, limit: int) -> None:
    """Clear away what killed writers left, and old caches until there is room for a new one.

    The one that was not used for the longest time goes first; one in use never goes.

    Parameters
    ----------
    root
        Folder of the cache.
    needed
        Bytes that the new one takes.
    limit
        Bytes that all together may take.

    Raises
    ------
    StorageError
        When there would still be too little room, on the disk or under the limit.
    """
    with guard(root):
        unfinished = sorted(root.glob(f"{BUILDING}*"))
    for place in unfinished:
        remove(root, place)
    total = cache_bytes(root)
    for entry in sorted(_caches(root), key=_last_used):
        free = shutil.disk_usage(root).free
        if total + needed <= limit and needed + _SPARE <= free:
            break
        total -= remove(root, entry)
    if total + needed > limit:
        raise StorageError(
            f"The photographs take {_size(needed)} in the cache; of its limit of {_size(limit)}, "
            f"{_size(total)} are in use. Set NAPARI_COLORIZE_CACHE_LIMIT to more gigabytes."
        )
    free = shutil.disk_usage(root).free
    if needed + _SPARE > free:
        raise StorageError(
            f"The photographs take {_size(needed)} in the cache, but only {_size(free)} are free "
            f"in {root}. Make room there. {ADVICE}"
        )


def clear(root: Path) -> int:
    """Delete all caches that are not in use, and the tables of hashes; returns bytes freed."""
    freed = 0
    for place in sorted([*root.glob(f"{BUILDING}*"), *_caches(root)]):
        freed += remove(root, place)
    for table in sorted(root.glob(f"{TABLE}*.json")):
        with contextlib.suppress(OSError):
            size = table.stat().st_size
            table.unlink()
            freed += size
    return freed


def cache_bytes(root: Path) -> int:
    """Return how many bytes the caches and tables in a folder take."""
    places = [*_caches(root), *root.glob(f"{BUILDING}*")]
    return sum(map(_bytes_in, places)) + sum(map(_bytes_of, root.glob(f"{TABLE}*.json")))


def _caches(root: Path) -> list[Path]:
    return [place for place in root.glob(f"{WHOLE}*") if place.is_dir()]


def _last_used(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0


def _bytes_in(place: Path) -> int:
    return sum(map(_bytes_of, place.glob("*")))


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def remove(root: Path, place: Path) -> int:
    """Delete one cache, whole or broken, unless it is in use; returns bytes freed."""
    if not place.exists():
        return 0
    size = _bytes_in(place)
    with contextlib.suppress(OSError), guard(root), _locked(place / PIXELS) as mine:
        if not mine:
            return 0
        # Renamed first: half of it gone, it must not be taken for a cache.
        gone = root / f"{BUILDING}{secrets.token_hex(8)}"
        place.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        return 0 if gone.exists() else size
    return 0


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield True  # its writer was killed before the first pixel
        return
    try:
        if sys.platform == "win32":
            os.close(handle)
            yield True
        else:
            yield lock(handle, shared=False, wait=False)
    finally:
        if sys.platform != "win32":
            os.close(handle)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**9 else f"{max(1, round(count / 1e6))} MB"
