"""The bin of models: what was removed stays there until it is emptied, and can come back.

Each removed model has a folder of its own, ``bin/<seconds since 1970>-<letters>``, with the file
under the name that it had.
"""

from __future__ import annotations

import contextlib
import errno
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_colorize.errors import ModelError
from napari_colorize.files.changing import own_file
from napari_colorize.files.locking import alone
from napari_colorize.files.models import SUFFIX, free_place
from napari_colorize.files.rewriting import named, rewrite_card
from napari_colorize.files.writing import written_whole
from napari_colorize.runs.storage import data_folder, storage_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LONG = 30  # days after which one is told that a model still lies in the bin
_DAY = 86_400.0


@dataclass(frozen=True)
class Removed:
    """A model in the bin: its name, its file there, when it was removed (seconds since 1970)."""

    name: str
    path: Path
    since: float
    size: int

    @property
    def days(self) -> int:
        """For how many days it has been there."""
        return int(max(0.0, time.time() - self.since) // _DAY)


def bin_folder() -> Path:
    """Return the folder of removed models; it need not exist."""
    return data_folder() / "bin"


def removed_models() -> list[Removed]:
    """Return what is in the bin, the last removed first."""
    found = [_removed(path) for path in bin_folder().glob(f"*/*{SUFFIX}")]
    return sorted((one for one in found if one), key=lambda one: one.since, reverse=True)


def remove_model(name: str | Path) -> Removed:
    """Put one of one's own models into the bin and return what is there now.

    A file among one's own models that cannot be used is removed alike.

    Raises
    ------
    ModelError
        When there is no such model, or it came along.
    StorageError
        When the folder cannot be written; the model is then where it was.
    """
    with alone():
        source = own_file(name)
        # Later than all that lies there, even where clocks are coarse: undo takes the last.
        since = max([time.time(), *(one.since + 0.001 for one in removed_models())])
        place = bin_folder() / f"{since:.3f}-{secrets.token_hex(3)}"
        try:
            place.mkdir(parents=True)
            _move(source, place / source.name)
        except FileNotFoundError as error:
            _drop(place)
            raise ModelError(f"{source.name} is gone: it was removed elsewhere.") from error
        except OSError as error:
            _drop(place)
            raise storage_error(source, error) from error
        except BaseException:
            _drop(place)
            raise
    removed = _removed(place / source.name)
    if removed is None:
        raise ModelError(f"{source.name} was put into the bin and is gone from there.")
    return removed


def restore_model(name: str | Path | None = None) -> Path:
    """Take a model out of the bin and return its file; it is numbered where its name is taken.

    Parameters
    ----------
    name : str, Path or None
        The model by its name, the last removed of that name, or its file in the bin. None is the
        last removed of all.

    Raises
    ------
    ModelError
        When the bin has no such model.
    StorageError
        When the folder cannot be written; the model then stays in the bin.
    """
    with alone():
        removed = _find(name)
        target = free_place(removed.name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _put_back(removed, target)
        except FileNotFoundError as error:
            raise ModelError(f"{removed.name} is gone from the bin.") from error
        except OSError as error:
            raise storage_error(target, error) from error
        _drop(removed.path.parent)
    return target


def empty_bin(only: Sequence[Removed] | None = None) -> tuple[int, int]:
    """Delete what is in the bin for good; return how many models it was and how many bytes.

    Parameters
    ----------
    only : sequence of Removed or None
        What was agreed to; None is all.

    Raises
    ------
    StorageError
        When something cannot be deleted.
    """
    with alone():
        gone = [one for one in removed_models() if only is None or one in only]
        for one in gone:
            try:
                one.path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(one.path, error) from error
            _drop(one.path.parent)
    return len(gone), sum(one.size for one in gone)


def _find(name: str | Path | None) -> Removed:
    """Return what is in the bin under a name."""
    lying = removed_models()
    for one in lying:
        if name is None or name in (one.name, one.path):
            return one
    known = ", ".join(one.name for one in lying)
    if name is None or not known:
        raise ModelError("The bin is empty.")
    raise ModelError(f"The bin has no model called {str(name)!r}; it has: {known}.")


def _removed(path: Path) -> Removed | None:
    """Return what a file in the bin is; None if it was not put there by us, or is gone."""
    since = re.match(r"(\d+\.\d+)-", path.parent.name)
    if since is None:
        return None
    try:
        return Removed(path.stem, path, float(since[1]), path.stat().st_size)
    except OSError:
        return None


def _put_back(removed: Removed, target: Path) -> None:
    """Move a model out of the bin; under another name than it had, its card gets that name."""
    if target.stem != removed.name:
        with contextlib.suppress(ModelError):  # what cannot be used comes back as it is
            rewrite_card(removed.path, named(target.stem), target)
            removed.path.unlink()
            return
    _move(removed.path, target)


def _move(source: Path, target: Path) -> None:
    """Move a file whole, to another disk too."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with written_whole(target) as writer, source.open("rb") as reader:
            shutil.copyfileobj(reader, writer, 1 << 20)
        source.unlink()


def _drop(folder: Path) -> None:
    """Remove a folder of the bin if it is empty."""
    with contextlib.suppress(OSError):
        folder.rmdir()
