"""The pictures of a folder, in files of their own and in shards: tar files of photographs.

Shards follow WebDataset: a member is a picture, its name a key and a suffix. They are read where
they lie; nothing is ever unpacked to the disk.
"""

from __future__ import annotations

import contextlib
import os
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from napari_colorize.errors import DataError
from napari_colorize.files.pictures import PICTURE_SUFFIXES, find_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARD = ".tar"


class Pictures:
    """All pictures below a folder, by their names, in files and in shards.

    Attributes
    ----------
    folder : Path
    names : list of str
        Relative paths with ``/``; a member is called ``shard.tar/key.jpg``. A shard that is
        broken, and a member that is no plain file, are among them and cannot be read.

    Raises
    ------
    DataError
        When there is no such folder, or no picture in it.
    """

    def __init__(self, folder: Path, cancel: Callable[[], bool] = lambda: False) -> None:
        if not folder.is_dir():
            what = "is a file, not a folder" if folder.exists() else "does not exist"
            raise DataError(f"The folder of photographs {what}: {folder}.")
        self.folder = folder
        self._members: dict[str, tuple[Path, int, int]] = {}
        self._marks: dict[Path, list[int]] = {}
        self._broken: set[str] = set()
        paths = find_pictures(folder, cancel, PICTURE_SUFFIXES | {SHARD})
        files = [path for path in paths if path.suffix.lower() != SHARD]
        self.names = [path.relative_to(folder).as_posix() for path in files]
        for shard in paths:
            if shard.suffix.lower() == SHARD and not cancel():
                self._look_into(shard)
        self.names += [*self._members, *self._broken]
        self.names.sort(key=lambda name: PurePosixPath(name).parts)
        if not self.names and not cancel():
            known = ", ".join(sorted(PICTURE_SUFFIXES))
            raise DataError(f"There are no pictures in {folder} or below it ({known}; {SHARD}).")

    def read(self, name: str) -> bytes:
        """Return the whole file of a picture.

        Raises
        ------
        OSError
            When it cannot be read.
        """
        if name in self._broken:
            raise OSError(f"{name} is no picture in a plain file")
        if name not in self._members:
            return (self.folder / name).read_bytes()
        shard, offset, size = self._members[name]
        with open(shard, "rb") as file:
            file.seek(offset)
            data = file.read(size)
        if len(data) < size:
            raise OSError(f"{shard} was cut short")
        return data

    def path(self, name: str) -> Path | None:
        """Return the file that is a picture alone; None for a member of a shard."""
        return None if name in self._members or name in self._broken else self.folder / name

    def mark(self, name: str) -> list[int]:
        """Return what changes when a file is written: size, two times. Empty if it is unseen."""
        if name in self._broken:
            return []
        if name in self._members:
            return self._marks[self._members[name][0]]
        return mark_of(self.folder / name)

    def _look_into(self, shard: Path) -> None:
        place = shard.relative_to(self.folder).as_posix()
        self._marks[shard] = mark_of(shard)
        try:
            whole = os.path.getsize(shard)
            for member in members_of(shard):
                name = f"{place}/{member.name}"
                end = member.offset_data + member.size
                if is_plain(member) and end <= whole:
                    self._members[name] = (shard, member.offset_data, member.size)
                    self._broken.discard(name)
                elif not member.isdir() and name not in self._members:
                    self._broken.add(name)
        except (OSError, tarfile.TarError, ValueError):
            self._broken.add(place)


def members_of(shard: Path) -> Iterator[tarfile.TarInfo]:
    """Yield the visible members of a tar file that are called like pictures; headers are read.

    Raises
    ------
    OSError, tarfile.TarError, ValueError
        When it is no tar file or breaks off.
    """
    with tarfile.open(shard, "r:") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith("."):
                yield member
            tar.members.clear()  # type: ignore[attr-defined] # else it keeps them all


def is_plain(member: tarfile.TarInfo) -> bool:
    """Return whether a member is a file with bytes of its own, below where the tar file lies."""
    path = PurePosixPath(member.name)
    inside = not path.is_absolute() and ".." not in path.parts
    return member.isreg() and not member.issparse() and inside


def mark_of(path: Path) -> list[int]:
    """Return what changes when a file is written: size, two times. Empty if it cannot be seen."""
    with contextlib.suppress(OSError):
        stat = path.stat()
        return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    return []
