"""Photographs decoded once: a memory-mapped file of pixels on disk, keyed by content.

The folder of the cache holds

::

    photographs-<key>/  pixels.u8   all pixels, one photograph after the other
                        index.npz   where each begins, its height, width, hash; what was left out
    seen-<folder>.json  which file (size, times) has which hash, so that it is not read again
    building-*/         a cache that is being written, or whose writer was killed
    lock                held for a moment while names come and go

The key is a hash of the hashes of all files and of the settings: a folder that was moved or
whose files were renamed finds its cache again, a changed file does not. Within a cache the order
is that of the hashes, so it is the same wherever the files lie.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from napari_colorize.errors import DataError, StorageError
from napari_colorize.files import shelf
from napari_colorize.files.building import Teller, build
from napari_colorize.files.decoding import calm_pillow
from napari_colorize.files.duplicates import like_any
from napari_colorize.files.entries import Entry, open_entry
from napari_colorize.files.photographs import (
    EXACT_DUPLICATE,
    REASONS,
    UNREADABLE,
    Examination,
)
from napari_colorize.files.reading import Readers
from napari_colorize.files.seen import DIGEST, Digests, hash_files
from napari_colorize.files.shards import Pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray


FORMAT = 3
"""Raised whenever the files or what is thought of a picture change: old caches are not used."""
_ATTEMPTS = 3


def cache_folder() -> Path:
    """Return the folder of the cache: ``NAPARI_COLORIZE_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("NAPARI_COLORIZE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    try:
        import platformdirs
    except ModuleNotFoundError:
        return Path.home() / ".cache" / "napari-colorize"
    return Path(platformdirs.user_cache_dir("napari-colorize", appauthor=False))


def cache_size() -> int:
    """Return how many bytes the cache takes on the disk."""
    return shelf.cache_bytes(cache_folder())


def clear_cache() -> int:
    """Delete all that is not in use from the cache; returns how many bytes were freed."""
    return shelf.clear(cache_folder())


class Names(Sequence[str]):
    """Many strings in one block of bytes, for which Python makes no objects before it has to."""

    def __init__(self, names: Sequence[str]) -> None:
        encoded = [os.fsencode(name) for name in names]
        self._block = b"".join(encoded)
        self._ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        return os.fsdecode(self._block[int(self._ends[index]) : int(self._ends[index + 1])])


class Photographs:
    """The usable photographs of a folder, reduced, in a memory-mapped file.

    Their order is that of the hashes of their files: as good as drawn at random, and always the
    same. A copy that is sent to another process opens the file there.

    Attributes
    ----------
    folder
        Where they come from.
    names
        Relative path of each, with ``/``.
    identity
        Hash of the content that is used: equal for equal photographs at an equal size.
    """

    def __init__(self, folder: Path, entry: Entry, digests: Digests) -> None:
        self.folder = folder
        self._entry = entry
        reasons = entry.reasons()
        first: dict[bytes, str] = {}
        left_out: dict[str, list[str]] = {reason: [] for reason in REASONS}
        for name, digest in digests.items():
            if digest is None:
                left_out[UNREADABLE].append(name)
            elif digest in reasons:
                left_out[reasons[digest]].append(name)
            elif digest in first:
                left_out[EXACT_DUPLICATE].append(name)
            else:
                first[digest] = name
        self.names: Sequence[str] = Names([first[bytes(digest)] for digest in entry.digests])
        self._left_out = {reason: Names(names) for reason, names in left_out.items() if names}
        content = entry.digests.tobytes() + entry.sizes.tobytes()
        self.identity = hashlib.blake2b(content, digest_size=DIGEST).hexdigest()

    def __len__(self) -> int:
        return len(self._entry)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self._entry.pixels(index)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return map(self._entry.pixels, range(len(self)))

    @property
    def examination(self) -> Examination:
        """What the folder doctor found; put together anew at each call."""
        left_out = {reason: tuple(names) for reason, names in self._left_out.items()}
        used = tuple(sorted(self.names))
        return Examination(str(self.folder), used, left_out, self._entry.near)

    def without_duplicates_of(self, other: Photographs) -> list[int]:
        """List the photographs that are not in another folder, not even nearly.

        Parameters
        ----------
        other
            For example those to validate with: what is left can be trained on.

        Returns
        -------
        list of int
            Indices, ascending.
        """
        mine, theirs = self._entry, other._entry
        known = {digest.tobytes() for digest in theirs.digests}
        double = np.array([digest.tobytes() in known for digest in mine.digests], dtype=bool)
        if mine.near and theirs.near:
            double |= like_any(mine.likeness, theirs.likeness)
        return [int(i) for i in np.flatnonzero(~double)]

    def split(self, share: float = 0.1, seed: int = 0) -> tuple[list[int], list[int]]:
        """Divide the photographs into those to train on and those to validate with.

        The lot of a photograph is drawn by its content: neither its name nor the others matter.

        Parameters
        ----------
        share
            Part to validate with, 0..1; at least one photograph, and all but one at most.
        seed
            Another seed gives another draw.

        Returns
        -------
        train, validation
            Lists of indices, ascending. A single photograph is trained on.
        """
        key = str(seed).encode()
        lots = [
            hashlib.blake2b(digest.tobytes(), digest_size=8, key=key).digest()
            for digest in self._entry.digests
        ]
        order = sorted(range(len(self)), key=lots.__getitem__)
        count = min(max(1, round(share * len(self))), len(self) - 1)
        return sorted(order[count:]), sorted(order[:count])


def open_photographs(
    folder: str | os.PathLike[str],
    *,
    short_side: int = 256,
    cache_dir: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    workers: int | None = None,
    gentle: bool = False,
    allow_empty: bool = False,
) -> Photographs:
    """Open the usable photographs of a folder; decode them if that was not yet done.

    Parameters
    ----------
    folder
        Looked through with its sub-folders and its shards (``.tar``).
    short_side
        Larger photographs are reduced to this short side, in pixels; none is enlarged.
    cache_dir
        Folder of the cache, by default `cache_folder`.
    limit
        Bytes that all caches together may take, by default `building.LIMIT`. Those that were not
        used for the longest time go, never one that is in use.
    progress
        Called with (photographs done, photographs in all), ten times a second at most.
    cancel
        Returns True when the user wants out; looked at ten times a second at least.
    workers
        Threads that decode, by default one a processor.
    gentle
        Whether the threads make way for all others, such as a window's.
    allow_empty
        Return what the folder doctor found also when nothing of it can be used.

    Raises
    ------
    DataError
        When there is no such folder, no picture in it, or none that can be used.
    StorageError
        When the cache cannot be written, or has no room on the disk or under its limit.
    Cancelled
        When the user wanted out; nothing half-done is left.
    """
    folder = Path(folder)
    root = Path(cache_dir) if cache_dir is not None else cache_folder()
    teller = Teller(progress)
    with Readers(workers, cancel, gentle=gentle) as readers, calm_pillow():
        pictures = readers.run(lambda: Pictures(folder, readers.stopped.is_set))
        teller.start(len(pictures.names))
        digests = hash_files(pictures, root, readers, teller.hashed)
        near = _can_hash_likeness()
        place = root / f"{shelf.WHOLE}{_key(digests, short_side, near)}"
        entry = open_entry(place)
        for _ in range(_ATTEMPTS):
            if entry is not None:
                break
            # More than once only if another process clears the cache at this very moment.
            shelf.remove(root, place)
            build(pictures, place, digests, short_side, near, limit, readers, teller)
            entry = open_entry(place)
        if entry is None:
            raise StorageError(f"The cache in {root} vanishes while it is made. {shelf.ADVICE}")
        photographs = Photographs(folder, entry, digests)
    teller.finish()
    if not len(photographs) and not allow_empty:
        summary = photographs.examination.summary()
        raise DataError(f"No photograph in {folder} can be used. {summary}")
    return photographs


def _can_hash_likeness() -> bool:
    try:
        import imagehash  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def _key(digests: Digests, short_side: int, near: bool) -> str:
    key = hashlib.blake2b(digest_size=DIGEST)
    key.update(json.dumps([FORMAT, short_side, near]).encode())
    for digest in sorted({digest for digest in digests.values() if digest is not None}):
        key.update(digest)
    return key.hexdigest()
