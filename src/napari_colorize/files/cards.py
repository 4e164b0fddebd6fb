"""The card of a model: what the header of its file tells, read without touching the weights.

A model is one safetensors file. Its header holds the *card* as JSON: which network the weights
belong to, what it was trained on and on which terms, its score card, its licence and the hash of
its weights. The weights themselves are read and written in
:mod:`napari_colorize.networks.weights`.

::

    8 bytes   length of the header, little-endian
    header    JSON: {"__metadata__": {"card": "<JSON>"}, "<weight>": {dtype, shape, data_offsets}}
    payload   the weights, one after the other

Source of the layout: https://github.com/huggingface/safetensors (README, "Format").
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from napari_colorize.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD_VERSION = 1
# What a card must tell, with the type of each.
CARD_KEYS: dict[str, type] = {
    "version": int,
    "name": str,
    "network": str,
    "settings": dict,
    "working_size": int,
    "hash": str,
}
# Vividness where the card of a model with a distribution of colours names none.
VIVIDNESS = 0.75
# Networks that give one colour a place, and so know no vividness, hints or confidence.
WITHOUT_DISTRIBUTION = frozenset({"plain"})
# The safetensors library refuses longer headers too.
_LONGEST_HEADER = 100_000_000


def read_card(path: str | Path) -> dict[str, Any]:
    """Return the card of a model file; only its header is read.

    Parameters
    ----------
    path : str or Path
        A ``.safetensors`` file.

    Returns
    -------
    dict
        version, name, network, settings, working_size, hash and whatever else the card tells.

    Raises
    ------
    ModelError
        When there is no such file, or it is not a safetensors file, is cut short, has no card of
        this project, or was written by a newer version. The text tells which.
    """
    path = Path(path)
    with opened(path) as file:
        header, _ = read_header(file, path.name)
    return card_of_header(header, path.name)


def payload_hash(path: str | Path) -> str:
    """Return the SHA-256 of the weights in a model file, as 64 hexadecimal digits.

    Raises
    ------
    ModelError
        When the file is missing or is not a whole safetensors file.
    """
    path = Path(path)
    digest = hashlib.sha256()
    with opened(path) as file:
        _, start = read_header(file, path.name)
        file.seek(start)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def header_of_bytes(data: bytes, label: str) -> tuple[dict[str, Any], int]:
    """Return the header of a whole model file in memory, and where its payload starts.

    Raises
    ------
    ModelError
        When `data` is not a whole safetensors file.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    return _checked_header(data[:8], data[8:start], len(data), label), start


def card_of_header(header: dict[str, Any], label: str) -> dict[str, Any]:
    """Return the checked card in a safetensors header; `label` names the file in errors.

    Raises
    ------
    ModelError
        When there is no card, it lacks something or makes no sense, or it is of a newer version.
    """
    metadata = header.get("__metadata__")
    text = metadata.get("card") if isinstance(metadata, dict) else None
    if text is None:
        raise ModelError(
            f"{label} holds weights, but no card of napari-colorize: it was made by another "
            "program. Choose a model that was trained or exported here."
        )
    try:
        card = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"The card of {label} cannot be read. Get the file again.") from error
    version = card.get("version") if isinstance(card, dict) else None
    if isinstance(version, int) and version > CARD_VERSION:
        raise ModelError(
            f"{label} was made by a newer napari-colorize (card version {version}, this one "
            f"reads up to {CARD_VERSION}). Upgrade with: pip install -U napari-colorize"
        )
    for key, kind in CARD_KEYS.items():
        if not isinstance(card, dict) or not isinstance(card.get(key), kind):
            raise ModelError(f"The card of {label} lacks {key!r}. Get the file again.")
    if card["working_size"] < 1:
        raise ModelError(f"The card of {label} has no usable working size. Get the file again.")
    vividness = card.get("vividness", VIVIDNESS)
    if not isinstance(vividness, (int, float)) or not 0 <= vividness <= 1:
        raise ModelError(f"The card of {label} has no usable vividness. Get the file again.")
    return dict(card)


def default_vividness(card: dict[str, Any]) -> float | None:
    """Return the vividness of a model unless one is asked for; None when it knows none."""
    if card["network"] in WITHOUT_DISTRIBUTION:
        return None
    return float(card.get("vividness", VIVIDNESS))


def damaged(label: str) -> str:
    """Return the sentence about a model whose weights are not those its card speaks of."""
    return f"{label} is damaged: its weights do not match the hash on its card. Get it again."


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a model file for reading.

    Raises
    ------
    ModelError
        When it is missing, a folder, or may not be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise ModelError(f"The model file {str(path)!r} does not exist.") from error
    except OSError as error:
        if path.is_dir():
            raise ModelError(f"{str(path)!r} is a folder, not a model file.") from error
        raise ModelError(f"{path.name} cannot be read: {error.strerror}.") from error
    with file:
        yield file


def read_header(file: IO[bytes], label: str) -> tuple[dict[str, Any], int]:
    """Return the header of an open model file, and where its payload starts.

    Raises
    ------
    ModelError
        When it is not a whole safetensors file.
    """
    try:
        size = os.fstat(file.fileno()).st_size
        first = file.read(8)
        length = int.from_bytes(first, "little")
        text = file.read(length) if length <= min(size, _LONGEST_HEADER) else file.read(1)
    except OSError as error:
        raise ModelError(f"{label} cannot be read: {error.strerror}.") from error
    return _checked_header(first, text, size, label), 8 + length


def _checked_header(first: bytes, text: bytes, size: int, label: str) -> dict[str, Any]:
    """Return the parsed header if it is one and the file has the size that it speaks of."""
    length = int.from_bytes(first, "little")
    foreign = f"{label} is not a model: models of napari-colorize are safetensors files."
    if size == 0:
        raise ModelError(f"{label} is empty. Get the file again.")
    if len(first) < 8 or not 2 <= length <= _LONGEST_HEADER or text[:1] not in (b"{", b""):
        raise ModelError(foreign)
    if len(text) < length:
        raise ModelError(f"{label} is cut short at {size:,} bytes. Get the file again.")
    try:
        header = json.loads(text)
        end = max(
            (value["data_offsets"][1] for key, value in header.items() if key != "__metadata__"),
            default=0,
        )
        surplus = size - 8 - length - end
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ModelError(foreign) from error
    if surplus < 0:
        raise ModelError(
            f"{label} is cut short: {size:,} bytes of {size - surplus:,}. Get the file again."
        )
    if surplus > 0:
        raise ModelError(f"{label} has {surplus:,} bytes too many at its end. Get the file again.")
    return dict(header)
