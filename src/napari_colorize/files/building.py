"""Make the cache of a folder: foretell its size, decode every picture once, write it."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING

from PIL import Image

from napari_colorize.errors import DataError, StorageError
from napari_colorize.files import shelf
from napari_colorize.files.decoding import FORMATS, calm_pillow
from napari_colorize.files.entries import EntryWriter
from napari_colorize.files.photographs import SMALLEST_SIDE, Finding, examine_bytes
from napari_colorize.files.seen import Digests, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_colorize.files.reading import Readers
    from napari_colorize.files.shards import Pictures

LIMIT = 20 * 10**9
"""Bytes that all caches together may take, unless ``NAPARI_COLORIZE_CACHE_LIMIT`` (GB) is set."""
_SAMPLE = 64  # pictures whose size is looked at to foretell the size of the cache


def build(
    pictures: Pictures,
    place: Path,
    digests: Digests,
    short_side: int,
    near: bool,
    limit: int | None,
    readers: Readers,
    teller: Teller,
) -> None:
    """Decode all pictures of a folder once and write their cache.

    Parameters
    ----------
    pictures, digests
        The pictures, and the hash of each.
    place
        The lasting name of the cache.
    short_side, near
        Short side to reduce to, in pixels; whether near duplicates are looked for.
    limit
        Bytes that all caches together may take; None for the default.
    readers, teller
        The threads, and who is told the progress.

    Raises
    ------
    DataError
        When a picture changes or vanishes meanwhile.
    """
    once = {digest: name for name, digest in reversed(digests.items()) if digest is not None}
    items = list(reversed(once.items()))
    needed = readers.run(lambda: _foretell(pictures, [name for _, name in items], short_side))
    shelf.make_room(place.parent, needed, _limit() if limit is None else limit)

    def examine(item: tuple[bytes, str]) -> Finding:
        digest, path = item[0], pictures.folder / item[1]
        try:
            data = b"" if readers.stopped.is_set() else pictures.read(item[1])
        except OSError as exc:
            why = exc.strerror or exc
            raise DataError(f"A photograph can no longer be read ({why}): {path}") from exc
        if digest_of(data) != digest:
            raise DataError(f"A photograph was changed while it was read; try again: {path}")
        with calm_pillow():
            return examine_bytes(data, short_side, near)

    with EntryWriter(place.parent) as writer:
        findings = readers.map(examine, items)
        for done, ((digest, _), finding) in enumerate(zip(items, findings, strict=True), 1):
            writer.add(digest, finding)
            teller.decoded(done, len(items))
        readers.run(lambda: writer.settle(near))
        writer.finish(place)


def _limit() -> int:
    chosen = os.environ.get("NAPARI_COLORIZE_CACHE_LIMIT")
    if not chosen:
        return LIMIT
    try:
        return int(float(chosen) * 10**9)
    except (ValueError, OverflowError) as exc:
        raise StorageError(
            f"NAPARI_COLORIZE_CACHE_LIMIT is {chosen!r}; set it to a number of gigabytes."
        ) from exc


def _foretell(pictures: Pictures, names: list[str], short_side: int) -> int:
    """Guess the bytes of a cache from the sizes of a few pictures, on the safe side."""
    step = max(1, len(names) // _SAMPLE)
    sizes = [_reduced_bytes(pictures, name, short_side) for name in names[::step]]
    return round(1.05 * len(names) * sum(sizes) / max(1, len(sizes))) + 100 * len(names)


def _reduced_bytes(pictures: Pictures, name: str, short_side: int) -> int:
    path = pictures.path(name)
    try:
        source = io.BytesIO(pictures.read(name)) if path is None else path
        with calm_pillow(), Image.open(source, formats=FORMATS) as image:
            width, height = image.size
    # As when pictures are examined: whatever a broken file raises.
    except Exception:
        return 0
    if min(width, height) < SMALLEST_SIDE:
        return 0
    scale = min(1.0, short_side / min(width, height))
    return round(3 * width * height * scale**2)


class Teller:
    """Tells the progress ten times a second at most.

    Hashing counts for a tenth of it, decoding for the rest.

    Parameters
    ----------
    progress
        Called with (photographs done, photographs in all).
    """

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self._progress = progress
        self._total = 0
        self._next = 0.0

    def start(self, total: int) -> None:
        """Begin, with so many photographs."""
        self._total = total
        self._tell(0, force=True)

    def hashed(self, done: int) -> None:
        """Tell that so many photographs have their hash."""
        self._tell(done // 10)

    def decoded(self, done: int, out_of: int) -> None:
        """Tell that so many of those to decode are decoded."""
        tenth = self._total // 10
        self._tell(tenth + (self._total - tenth) * done // out_of)

    def finish(self) -> None:
        """Tell that all is done."""
        self._tell(self._total, force=True)

    def _tell(self, done: int, force: bool = False) -> None:
        now = time.monotonic()
        if self._progress is not None and (force or now >= self._next):
            self._next = now + 0.1
            self._progress(done, self._total)
