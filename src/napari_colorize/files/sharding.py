"""Making shards: the photographs of a folder in tar files, in the order of their content.

The order is that of the hashes: as good as drawn at random, and always the same. So the same
photographs give the same shards, and a making that was interrupted goes on behind its last one.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import DataError, StorageError
from napari_colorize.files.cache import cache_folder
from napari_colorize.files.decoding import calm_pillow
from napari_colorize.files.photographs import EXACT_DUPLICATE, UNREADABLE, examine_bytes
from napari_colorize.files.reading import Readers
from napari_colorize.files.seen import digest_of, hash_files
from napari_colorize.files.shards import SHARD, Pictures, members_of
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from napari_colorize.files.seen import Digests

RECORD = "shards.json"
"""Tells which photographs the shards of a folder are made of."""
FORMAT = 1
_BLOCK = 512
# Pictures are only judged, at their thumbnails.
_JUDGED = 64


@dataclass(frozen=True)
class Shards:
    """What became of a folder.

    Attributes
    ----------
    paths : tuple of Path
        The tar files, those from before too.
    pictures : int
        Photographs in them.
    left_out : mapping of str to int
        How many the folder doctor left out now, by reason.
    """

    paths: tuple[Path, ...]
    pictures: int
    left_out: Mapping[str, int]


def write_shards(
    folder: Path,
    out: Path,
    size: int,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Shards:
    """Write the usable photographs of a folder into tar files, their files as they are.

    Near duplicates stay: a training leaves them out by itself.

    Parameters
    ----------
    folder : Path
        Looked through with its sub-folders and shards.
    out : Path
        Folder for ``photographs-000000.tar`` and so on; made if need be.
    size : int
        Bytes of a shard at most; a photograph that is larger has a shard for itself.
    progress : callable, optional
        Told pictures done and all.
    cancel : callable, optional
        Returns True when the user wants out; whole shards stay.

    Raises
    ------
    DataError
        When there is no such folder, it holds nothing usable, or changes meanwhile.
    StorageError
        When `out` cannot be written, is full, or holds other shards.
    Cancelled
        When the user wanted out.
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{out} lies among the photographs in {folder}: choose a folder outside.")
    with Readers(None, cancel) as readers, calm_pillow():
        pictures = readers.run(lambda: Pictures(folder, readers.stopped.is_set))
        digests = hash_files(pictures, cache_folder(), readers, lambda _: None)
        once = {digest: name for name, digest in reversed(digests.items()) if digest is not None}
        _claim(out, digests, size)
        written, keys = _written(out)
        left = sorted(digest for digest in once if not keys or digest > max(keys))
        left_out = Counter({UNREADABLE: sum(digest is None for digest in digests.values())})
        left_out[EXACT_DUPLICATE] = len(digests) - left_out[UNREADABLE] - len(once)
        found = readers.map(lambda digest: _judged(pictures, once[digest], digest), left)

        def usable() -> Iterator[tuple[str, bytes]]:
            done = len(once) - len(left)
            for name, data, reason in found:
                done += 1
                if progress is not None:
                    progress(done, len(once))
                if reason is None:
                    yield name, data
                else:
                    left_out[reason] += 1

        total = len(keys)
        numbers = count(len(written))
        for members in _portions(usable(), size):
            path = out / f"photographs-{next(numbers):06d}{SHARD}"
            _write(path, members)
            written.append(path)
            total += len(members)
    if not written:
        raise DataError(f"No photograph in {folder} can be used.")
    return Shards(tuple(written), total, {k: n for k, n in left_out.items() if n})


def _judged(pictures: Pictures, name: str, digest: bytes) -> tuple[str, bytes, str | None]:
    """Return the name of a member, its bytes, and why it is left out if so."""
    try:
        data = pictures.read(name)
    except OSError as exc:
        raise DataError(f"A photograph can no longer be read: {pictures.folder / name}") from exc
    if digest_of(data) != digest:
        raise DataError(
            f"A photograph was changed while it was read; try again: {pictures.folder / name}"
        )
    suffix = PurePosixPath(name).suffix.lower()
    return digest.hex() + suffix, data, examine_bytes(data, _JUDGED, likeness=False).reason


def _portions(members: Iterator[tuple[str, bytes]], size: int) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the members of one shard after the other."""
    portion: list[tuple[str, bytes]] = []
    taken = 0
    for name, data in members:
        needed = _BLOCK + -(-len(data) // _BLOCK) * _BLOCK
        if portion and taken + needed + 2 * _BLOCK > size:
            yield portion
            portion, taken = [], 0
        portion.append((name, data))
        taken += needed
    if portion:
        yield portion


def _write(path: Path, members: list[tuple[str, bytes]]) -> None:
    with (
        written_whole(path) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def _claim(out: Path, digests: Digests, size: int) -> None:
    """Write what the shards are made of, or see that those that are there are made of the same."""
    of = hashlib.blake2b(digest_size=16)
    for digest in sorted({digest for digest in digests.values() if digest is not None}):
        of.update(digest)
    record = {"format": FORMAT, "of": of.hexdigest(), "size": size}
    if any(out.glob(f"*{SHARD}")):
        if _record(out) != record:
            raise StorageError(
                f"{out} holds shards of other photographs or of another size: choose another "
                "folder, or empty that one."
            )
        return
    with written_whole(out / RECORD) as file:
        file.write(json.dumps(record).encode() + b"\n")


def _record(out: Path) -> Any:
    with contextlib.suppress(OSError, ValueError):
        return json.loads((out / RECORD).read_bytes())
    return None


def _written(out: Path) -> tuple[list[Path], list[bytes]]:
    """Return the shards that are there, and the hashes of what is in them."""
    paths: list[Path] = []
    keys: list[bytes] = []
    while (path := out / f"photographs-{len(paths):06d}{SHARD}").exists():
        try:
            keys += [bytes.fromhex(PurePosixPath(one.name).stem) for one in members_of(path)]
        except (OSError, tarfile.TarError, ValueError) as exc:
            raise StorageError(f"{path} is broken: delete it and those behind it.") from exc
        paths.append(path)
    return paths, keys
