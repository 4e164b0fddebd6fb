"""A model file with a changed card: the header is written anew, the weights stay bit for bit.

The new file takes the place of the old one when it is whole; no weight is decoded.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import ModelError
from napari_colorize.files.cards import card_of_header, opened, read_header
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    Card = dict[str, Any]

_ALIGNMENT = 8  # of the payload, as the safetensors library writes it
_BLOCK = 1 << 20


def rewrite_card(path: Path, change: Callable[[Card], Card], target: Path | None = None) -> Card:
    """Give a model file a changed card and return it; the weights stay bit for bit.

    Parameters
    ----------
    path : Path
        The model file.
    change : callable
        Takes the card and returns the new one, which JSON can hold.
    target : Path or None
        The file that gets it; None is `path`, otherwise `path` stays as it is.

    Raises
    ------
    ModelError
        When the file is missing or broken, or the new card is none.
    StorageError
        When it cannot be written; what was there is then as it was.
    """
    # The reader ends first: Windows replaces no file that is open.
    with written_whole(target or path) as writer, opened(path) as reader:
        header, start = read_header(reader, path.name)
        card = change(card_of_header(header, path.name))
        # ASCII: any text comes back, and the safetensors library reads the header too.
        header["__metadata__"] = header["__metadata__"] | {"card": json.dumps(card)}
        card = card_of_header(header, path.name)
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % _ALIGNMENT)
        writer.write(len(text).to_bytes(8, "little") + text)
        _copy_payload(reader, start, writer, path.name)
    return card


def named(name: str) -> Callable[[Card], Card]:
    """Return the change that writes a name."""
    return lambda card: card | {"name": name}


def _copy_payload(reader: IO[bytes], start: int, writer: IO[bytes], label: str) -> None:
    """Copy all that lies behind the header."""
    reader.seek(0, 2)
    left = reader.tell() - start
    reader.seek(start)
    while block := reader.read(_BLOCK):
        left -= len(block)
        writer.write(block)
    if left:
        raise ModelError(f"{label} changed while it was copied; try again.")
