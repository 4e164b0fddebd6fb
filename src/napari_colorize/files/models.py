"""Models on disk: reading their cards, listing, importing and exporting them.

A model is one safetensors file. Its header holds the *card* as JSON: which network the weights
belong to, what it was trained on and on which terms, its score card, its licence and the hash of
its weights. Everything here works on the header alone and needs no torch; the weights themselves
are read and written in :mod:`napari_colorize.networks.weights`.

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
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from napari_colorize.errors import ModelError, StorageError
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD_VERSION = 1
DEFAULT_MODEL = "plain"
SUFFIX = ".safetensors"
BUNDLED = Path(__file__).parents[1] / "weights"
# What a card must tell, with the type of each.
CARD_KEYS: dict[str, type] = {
    "version": int,
    "name": str,
    "network": str,
    "settings": dict,
    "working_size": int,
    "hash": str,
}
# The safetensors library refuses longer headers too.
_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True)
class ModelInfo:
    """One model that can be used: its name, its file, its card, and whether it came along."""

    name: str
    path: Path
    card: dict[str, Any]
    bundled: bool


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
    with _open(path) as file:
        header, _ = _read_header(file, path.name)
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
    with _open(path) as file:
        _, start = _read_header(file, path.name)
        file.seek(start)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def models_folder() -> Path:
    """Return the folder of one's own models; it need not exist yet.

    ``NAPARI_COLORIZE_DATA`` moves it, for tests and shared machines.
    """
    return _data_folder() / "models"


def list_models() -> list[ModelInfo]:
    """Return all usable models by name, those that came along first.

    A file that cannot be used is not among them, and does not hide the others;
    :func:`unusable_models` tells about it.
    """
    return _survey()[0]


def unusable_models() -> dict[Path, str]:
    """Return the model files that :func:`list_models` leaves out, each with the reason."""
    return _survey()[1]


def find_model(name_or_path: str | Path | None = None) -> Path:
    """Return the file of a model given by name or by path; None means the default model.

    Raises
    ------
    ModelError
        When no model has this name, with the list of those there are, or no file this path.
    """
    if name_or_path is None:
        name_or_path = DEFAULT_MODEL
    if _looks_like_a_path(name_or_path):
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            what = "is a folder, not a model file" if path.is_dir() else "does not exist"
            raise ModelError(f"The model file {str(path)!r} {what}.")
        return path
    models, unusable = _survey()
    for model in models:
        if model.name == name_or_path:
            return model.path
    for path, reason in unusable.items():
        if path.stem == name_or_path:
            raise ModelError(reason)
    known = ", ".join(model.name for model in models) or "none"
    raise ModelError(f"There is no model called {str(name_or_path)!r}; known models: {known}.")


def import_model(path: str | Path, name: str | None = None) -> ModelInfo:
    """Copy a model file into the folder of one's own models and return what it became.

    Nothing is overwritten: a model that is there already is returned as it is, and a different
    model of the same name makes this one ``name-2``, ``name-3`` and so on.

    Parameters
    ----------
    path : str or Path
        The file to import.
    name : str or None
        The name it gets; letters, digits, ``-``, ``_`` and ``.`` are kept. None takes the name on
        its card.

    Raises
    ------
    ModelError
        When the file is not a whole model of this version.
    StorageError
        When the folder cannot be written or the disk is full.
    """
    path = Path(path)
    card = read_card(path)
    if payload_hash(path) != card["hash"]:
        raise ModelError(damaged(path.name))
    models, unusable = _survey()
    if name is None:
        for model in models:
            if model.card["hash"] == card["hash"]:
                return model
    wanted = sanitised(name or card["name"])
    by_name = {model.name: model for model in models}
    taken = by_name.keys() | {broken.stem for broken in unusable}
    for free in _numbered(wanted):
        if free in by_name and by_name[free].card["hash"] == card["hash"]:
            return by_name[free]
        target = models_folder() / f"{free}{SUFFIX}"
        if free not in taken and not target.exists():
            break
    _copy(path, target)
    return ModelInfo(free, target, card, bundled=False)


def export_model(name: str | Path, path: str | Path, force: bool = False) -> Path:
    """Copy a model to a file of one's own and return that file.

    Parameters
    ----------
    name : str or Path
        The model, by name or file.
    path : str or Path
        Where to: a folder, or a file (``.safetensors`` is added where it lacks).
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    ModelError
        When there is no such model.
    StorageError
        When the file exists and `force` is False, or it cannot be written.
    """
    source = find_model(name)
    read_card(source)
    target = Path(path).expanduser()
    if target.is_dir():
        target = target / source.name
    elif target.suffix != SUFFIX:
        target = target.with_name(target.name + SUFFIX)
    if target.exists():
        if target.samefile(source):
            return target
        if not force:
            raise StorageError(f"{target.name} exists already; choose another name or use force.")
    _copy(source, target)
    return target


def sanitised(name: str) -> str:
    """Return a name that is a plain file name on every system; ``model`` where nothing is left."""
    plain = re.sub(r"[^\w.-]+", "-", name.removesuffix(SUFFIX), flags=re.ASCII).strip("-._")[:80]
    reserved = re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", plain)
    return f"model-{plain}" if reserved else plain or "model"


def damaged(label: str) -> str:
    """Return the sentence about a model whose weights are not those its card speaks of."""
    return f"{label} is damaged: its weights do not match the hash on its card. Get it again."


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
        When there is no card, it lacks something, or it is of a newer version.
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
    return dict(card)


def _survey() -> tuple[list[ModelInfo], dict[Path, str]]:
    """Return all usable models, and the files that are none with the reasons."""
    models: dict[str, ModelInfo] = {}
    unusable: dict[Path, str] = {}
    for folder, bundled in ((BUNDLED, True), (models_folder(), False)):
        for path in _files_of(folder):
            if path.stem in models:
                unusable[path] = f"{path.name} has the name of a bundled model. Rename the file."
                continue
            try:
                models[path.stem] = ModelInfo(path.stem, path, read_card(path), bundled)
            except ModelError as error:
                unusable[path] = str(error)
    return list(models.values()), unusable


def _files_of(folder: Path) -> list[Path]:
    """Return the model files of a folder by name; none when it cannot be read."""
    try:
        return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))
    except OSError:
        return []


def _looks_like_a_path(name_or_path: str | Path) -> bool:
    """Return whether a file is meant: a Path, a suffix, or a separator of folders."""
    if isinstance(name_or_path, Path):
        return True
    separators = [os.sep, os.altsep or os.sep, "/"]
    return name_or_path.endswith(SUFFIX) or any(mark in name_or_path for mark in separators)


def _numbered(name: str) -> Iterator[str]:
    """Yield name, name-2, name-3 and so on."""
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all."""
    with _open(source) as reader, written_whole(target) as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Open a model file for reading; what goes wrong is a ModelError."""
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


def _read_header(file: IO[bytes], label: str) -> tuple[dict[str, Any], int]:
    """Return the header of an open model file, and where its payload starts."""
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


def _data_folder() -> Path:
    """Return the folder of this user's data, moved by ``NAPARI_COLORIZE_DATA``."""
    if moved := os.environ.get("NAPARI_COLORIZE_DATA"):
        return Path(moved)
    try:
        from platformdirs import user_data_path
    except ImportError:  # a bare machine for training has Python, numpy and torch, hardly more
        return Path.home() / ".local" / "share" / "napari-colorize"
    return user_data_path("napari-colorize", appauthor=False)
