"""Find, read and write picture files."""

from __future__ import annotations

import os
from pathlib import Path

PICTURE_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif", ".bmp"}
)


def find_pictures(folder: str | os.PathLike[str]) -> list[Path]:
    """Paths of all picture files below a folder, sorted; hidden ones and links to folders skipped.

    Parameters
    ----------
    folder
        The folder to look through, with its sub-folders.

    Returns
    -------
    list of Path
        Files whose suffix is one of `PICTURE_SUFFIXES`, in the order of their relative paths.
        Empty when the folder does not exist.
    """
    found: list[Path] = []
    # followlinks stays False: a link to a parent folder would never end.
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found.extend(
            Path(place, name)
            for name in files
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES
        )
    return sorted(path for path in found if path.is_file())
