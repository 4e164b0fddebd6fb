"""Writing files whole: under a temporary name first, so that nobody ever sees half a file."""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING

from napari_colorize.runs.storage import replacing, storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that becomes `path` when the block ends; its folder is made.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written; `path` is then as it was.
    """
    try:
        os.makedirs(path.parent, exist_ok=True)
    except OSError as error:
        raise storage_error(path.parent, error) from error
    with replacing(path) as file:
        yield file
