"""Writing files whole or not at all, and the folder where the user's data live."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import IO, TYPE_CHECKING

from napari_colorize.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def data_folder() -> Path:
    """Return the folder of the user's own models and known runs; it need not exist yet.

    The environment variable ``NAPARI_COLORIZE_DATA`` overrides the place of the platform.
    """
    wanted = os.environ.get("NAPARI_COLORIZE_DATA")
    if wanted:
        return Path(wanted)
    try:
        import platformdirs
    except ModuleNotFoundError:
        return Path.home() / ".local" / "share" / "napari-colorize"
    return Path(platformdirs.user_data_dir("napari-colorize", appauthor=False))


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader finds the old text or the new one, never a part.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    with replacing(path) as file:
        file.write(text.encode())


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that becomes ``path`` when the block ends, and goes when it fails.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written; ``path`` is then as it was.
    """
    # Only the beginning of the name: a whole one may be as long as names can be.
    passing = path.with_name(f".{path.name[:50]}.{secrets.token_hex(4)}.part")
    try:
        with passing.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        passing.replace(path)
    except OSError as exc:
        raise storage_error(path, exc) from exc
    finally:
        with contextlib.suppress(OSError):
            passing.unlink()


def storage_error(path: Path, exc: OSError) -> StorageError:
    """Return the error for a file or folder that cannot be written, with the system's reason."""
    reason = exc.strerror or type(exc).__name__
    return StorageError(
        f"Cannot write {path}: {reason[:1].lower()}{reason[1:]}. "
        "Free some space or choose another folder."
    )
