"""Photographs decoded once: a memory-mapped file of pixels on disk, keyed by content.

The cache folder holds

::

    photographs-<key>/  pixels.u8   all pixels, one photograph after the other
                        index.npz   where each begins, its height, width, hash; what was left out
    seen-<folder>.json  which file (size, times) has which hash, so that it is not read again
    building-*/         a cache that is being written, or whose writer was killed

The key is a hash of the hashes of all files and of the settings: a folder that was moved or
whose files were renamed finds its cache again, a changed file does not.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_colorize.errors import Cancelled, DataError, StorageError
from napari_colorize.files.photographs import (
    EXACT_DUPLICATE,
    NEAR_DUPLICATE,
    REASONS,
    UNREADABLE,
    Examination,
    Finding,
    examine_bytes,
    quiet_pillow,
)
from napari_colorize.files.pictures import find_pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

Progress = Callable[[int, int], None]
Cancel = Callable[[], bool]
T = TypeVar("T")
R = TypeVar("R")

FORMAT = 1
_DIGEST = 16


def cache_folder() -> Path:
    """The folder of the cache: ``NAPARI_COLORIZE_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("NAPARI_COLORIZE_CACHE")
    if chosen:
        return Path(chosen)
    try:
        import platformdirs
    except ModuleNotFoundError:
        return Path.home() / ".cache" / "napari-colorize"
    return Path(platformdirs.user_cache_dir("napari-colorize", appauthor=False))


class _Names(Sequence[str]):
    """Relative paths by index, worked out from one block of bytes when asked for."""

    def __init__(self, names: Sequence[str]) -> None:
        encoded = [os.fsencode(name) for name in names]
        self._bytes = b"".join(encoded)
        self._ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        start = int(self._ends[index - 1]) if index else 0
        return os.fsdecode(self._bytes[start : int(self._ends[index])])


class Photographs(Sequence["NDArray[np.uint8]"]):
    """The usable photographs of a folder, reduced, in a memory-mapped file."""

    def __init__(self, folder: Path, place: Path, digests: dict[str, bytes | None]) -> None:
        self.folder = folder
        self._place = place
        with np.load(place / "index.npz", allow_pickle=False) as index:
            self._digests: NDArray[np.uint8] = index["digests"]
            self._offsets: NDArray[np.int64] = index["offsets"]
            self._sizes: NDArray[np.int32] = index["sizes"]
            self._likeness: NDArray[np.uint64] = index["likeness"]
            left_out = {bytes(d): REASONS[r] for d, r in zip(index["left"], index["why"])}
            sought = bool(index["near"])
        self._pixels = np.memmap(place / "pixels.u8", dtype=np.uint8, mode="r")
        self._name_all(digests, left_out, sought)
        content = hashlib.blake2b(self._digests.tobytes(), digest_size=_DIGEST)
        content.update(self._sizes.tobytes())
        self.identity = content.hexdigest()

    def _name_all(
        self, digests: dict[str, bytes | None], left_out: dict[bytes, str], sought: bool
    ) -> None:
        first: dict[bytes, str] = {}
        reasons: dict[str, list[str]] = {}
        for name, digest in digests.items():
            if digest is None:
                reasons.setdefault(UNREADABLE, []).append(name)
            elif digest in left_out:
                reasons.setdefault(left_out[digest], []).append(name)
            elif digest in first:
                reasons.setdefault(EXACT_DUPLICATE, []).append(name)
            else:
                first[digest] = name
        self.names: Sequence[str] = _Names([first[bytes(d)] for d in self._digests])
        self.examination = Examination(
            str(self.folder),
            tuple(sorted(first.values())),
            {reason: tuple(names) for reason, names in reasons.items()},
            sought,
        )

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: Any) -> Any:
        height, width = map(int, self._sizes[index])
        start = int(self._offsets[index])
        return self._pixels[start : start + 3 * height * width].reshape(height, width, 3)

    def __reduce__(self) -> Any:
        return _reopen, (self.folder, self._place, dict(self._known()))

    def _known(self) -> Iterator[tuple[str, bytes | None]]:
        for name, digest in zip(self.names, self._digests, strict=True):
            yield name, bytes(digest)

    def without_duplicates_of(self, other: Photographs) -> list[int]:
        """Indices of the photographs that are not in another folder, not even nearly."""
        from napari_colorize.files.duplicates import like_any

        known = {bytes(digest) for digest in other._digests}
        same = np.array([bytes(digest) in known for digest in self._digests], dtype=bool)
        same |= like_any(self._likeness, other._likeness)
        return [int(i) for i in np.flatnonzero(~same)]

    def split(self, share: float = 0.1, seed: int = 0) -> tuple[list[int], list[int]]:
        """Indices to train on and to validate with, drawn by content."""
        salt = seed.to_bytes(8, "little", signed=True)
        ranks = [
            hashlib.blake2b(bytes(digest), digest_size=8, salt=salt).digest()
            for digest in self._digests
        ]
        order = sorted(range(len(self)), key=lambda i: ranks[i])
        count = max(1, round(share * len(self)))
        return sorted(order[count:]), sorted(order[:count])


def _reopen(folder: Path, place: Path, digests: dict[str, bytes | None]) -> Photographs:
    return Photographs(folder, place, digests)


def open_photographs(
    folder: str | os.PathLike[str],
    *,
    short_side: int = 256,
    cache_dir: str | os.PathLike[str] | None = None,
    limit: int = 20 * 10**9,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    workers: int | None = None,
) -> Photographs:
    """The usable photographs of a folder, decoded once and kept in the cache."""
    folder = Path(folder)
    root = Path(cache_dir) if cache_dir is not None else cache_folder()
    paths = find_pictures(folder)
    if not paths:
        raise DataError(f"No pictures in {folder}.")
    workers = workers or max(1, min(16, os.cpu_count() or 1))
    root.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers) as pool, quiet_pillow():
        digests = _hash_all(folder, paths, root, pool, cancel)
        near = _have_imagehash()
        key = _key(digests, short_side, near)
        place = root / f"photographs-{key}"
        if not place.is_dir():
            _build(place, folder, digests, short_side, near, pool, workers, progress, cancel)
    photographs = Photographs(folder, place, digests)
    if not len(photographs):
        raise DataError(
            f"No usable photographs in {folder}.\n{photographs.examination.summary()}"
        )
    return photographs


def _have_imagehash() -> bool:
    try:
        import imagehash  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def _key(digests: dict[str, bytes | None], short_side: int, near: bool) -> str:
    key = hashlib.blake2b(digest_size=_DIGEST)
    key.update(json.dumps([FORMAT, short_side, near]).encode())
    for digest in sorted({d for d in digests.values() if d is not None}):
        key.update(digest)
    return key.hexdigest()


def _in_order(
    pool: ThreadPoolExecutor,
    work: Callable[[T], R],
    items: Sequence[T],
    ahead: int,
    cancel: Cancel | None,
) -> Iterator[R]:
    """Results in the order of the items, few at a time in memory; cancel is looked at often."""
    pending: list[Future[R]] = []
    coming = iter(items)
    try:
        while True:
            while len(pending) < ahead and (item := next(coming, None)) is not None:
                pending.append(pool.submit(work, item))
            if not pending:
                return
            while not pending[0].done():
                wait(pending[:1], timeout=0.1, return_when=FIRST_COMPLETED)
                if cancel is not None and cancel():
                    raise Cancelled("Cancelled while photographs were read.")
            yield pending.pop(0).result()
            if cancel is not None and cancel():
                raise Cancelled("Cancelled while photographs were read.")
    finally:
        for future in pending:
            future.cancel()


def _hash_all(
    folder: Path, paths: list[Path], root: Path, pool: ThreadPoolExecutor, cancel: Cancel | None
) -> dict[str, bytes | None]:
    names = [path.relative_to(folder).as_posix() for path in paths]
    table = root / f"seen-{hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()}.json"
    try:
        seen = json.loads(table.read_bytes())
    except (OSError, ValueError):
        seen = {}
    digests: dict[str, bytes | None] = {}
    now = time.time_ns()
    fresh = {}

    def digest_of(path: Path) -> tuple[list[int], bytes | None]:
        try:
            stat = path.stat()
            mark = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
            known = seen.get(path.relative_to(folder).as_posix())
            if known and known[:3] == mark:
                return mark, bytes.fromhex(known[3])
            return mark, hashlib.blake2b(path.read_bytes(), digest_size=_DIGEST).digest()
        except OSError:
            return [0, now, now], None

    for name, (mark, digest) in zip(
        names, _in_order(pool, digest_of, paths, 64, cancel), strict=True
    ):
        digests[name] = digest
        if digest is not None and mark[1] < now - 2 * 10**9:
            fresh[name] = [*mark, digest.hex()]
    if fresh != seen:
        temporary = table.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(fresh))
        os.replace(temporary, table)
    return digests


def _build(
    place: Path,
    folder: Path,
    digests: dict[str, bytes | None],
    short_side: int,
    near: bool,
    pool: ThreadPoolExecutor,
    workers: int,
    progress: Progress | None,
    cancel: Cancel | None,
) -> None:
    from napari_colorize.files.duplicates import nearly_the_same

    first: dict[bytes, str] = {}
    for name, digest in digests.items():
        if digest is not None:
            first.setdefault(digest, name)

    def examine(name: str) -> Finding:
        try:
            return examine_bytes((folder / name).read_bytes(), short_side, near)
        except OSError:
            return Finding(UNREADABLE)

    used, left, why = [], [], []
    offsets, sizes, likeness, sides = [], [], [], []
    building = Path(tempfile.mkdtemp(prefix="building-", dir=place.parent))
    try:
        with open(building / "pixels.u8", "wb") as file:
            findings = _in_order(pool, examine, list(first.values()), 4 * workers, cancel)
            for done, (digest, finding) in enumerate(zip(first, findings, strict=True)):
                if progress is not None:
                    progress(done, len(first))
                if finding.pixels is None:
                    left.append(digest)
                    why.append(REASONS.index(finding.reason or UNREADABLE))
                    continue
                used.append(digest)
                offsets.append(file.tell())
                sizes.append(finding.pixels.shape[:2])
                likeness.append(finding.likeness)
                sides.append(finding.side)
                file.write(np.ascontiguousarray(finding.pixels).data)
            if not used:
                file.write(b"\0")
            file.flush()
            os.fsync(file.fileno())
        order = sorted(range(len(used)), key=lambda i: (-sides[i], used[i]))
        alike = set()
        if near:
            marks = np.array(likeness, dtype=np.uint64)[order]
            alike = {order[i] for i in nearly_the_same(marks)}
        keep = sorted(set(range(len(used))) - alike, key=lambda i: used[i])
        left += [used[i] for i in alike]
        why += [REASONS.index(NEAR_DUPLICATE)] * len(alike)
        np.savez(
            building / "index.npz",
            digests=_as_array([used[i] for i in keep]),
            offsets=np.array([offsets[i] for i in keep], dtype=np.int64),
            sizes=np.array([sizes[i] for i in keep], dtype=np.int32).reshape(-1, 2),
            likeness=np.array([likeness[i] for i in keep], dtype=np.uint64),
            left=_as_array(left),
            why=np.array(why, dtype=np.uint8),
            near=np.array(near),
        )
        with contextlib.suppress(OSError):
            os.replace(building, place)
        if progress is not None:
            progress(len(first), len(first))
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(f"The disk is full: {place.parent}.") from exc
        raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _as_array(digests: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, _DIGEST)
