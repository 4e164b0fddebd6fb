"""Models on disk: listing, finding, importing and exporting them, without torch."""

from __future__ import annotations

import os
import re
import shutil
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import ModelError, StorageError
from napari_colorize.files.cards import damaged, default_vividness, opened, payload_hash, read_card
from napari_colorize.files.locking import alone
from napari_colorize.files.rewriting import named, rewrite_card
from napari_colorize.files.writing import written_whole
from napari_colorize.runs.storage import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_MODEL = "palette"
SUFFIX = ".safetensors"
LONGEST_NAME = 180  # bytes: file systems allow 255, and a suffix and a number come on top
BUNDLED = Path(__file__).parents[1] / "weights"

_FRESH = 3.0  # seconds; some file systems count times in steps of two
_read: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}


@dataclass(frozen=True)
class ModelInfo:
    """One model that can be used: its name, its file, its card, and whether it came along."""

    name: str
    path: Path
    card: dict[str, Any]
    bundled: bool

    @property
    def vividness(self) -> float | None:
        """Vividness unless one is asked for; None when the model knows none."""
        return default_vividness(self.card)


def models_folder() -> Path:
    """Return the folder of one's own models; it need not exist yet.

    ``NAPARI_COLORIZE_DATA`` moves it, for tests and shared machines.
    """
    return data_folder() / "models"


def list_models() -> list[ModelInfo]:
    """Return all usable models by name, those that came along first.

    A file that cannot be used is not among them, and does not hide the others;
    :func:`unusable_models` tells about it.
    """
    return survey_models()[0]


def unusable_models() -> dict[Path, str]:
    """Return the model files that :func:`list_models` leaves out, each with the reason."""
    return survey_models()[1]


def survey_models() -> tuple[list[ModelInfo], dict[Path, str]]:
    """Return all usable models, and the files that are none with the reasons, in one look."""
    models: dict[str, ModelInfo] = {}
    unusable: dict[Path, str] = {}
    for folder, bundled in ((BUNDLED, True), (models_folder(), False)):
        for path in _files_of(folder):
            if path.stem in models:
                unusable[path] = f"{path.name} has the name of a bundled model. Rename the file."
                continue
            try:
                models[path.stem] = ModelInfo(path.stem, path, _card_of(path), bundled)
            except ModelError as error:
                unusable[path] = str(error)
    return list(models.values()), unusable


def _card_of(path: Path) -> dict[str, Any]:
    """Return the card of a listed file; one that was read before is not read again.

    Cards are long, and lists are read anew whenever a dock is shown.
    """
    try:
        stat = path.stat()
    except OSError:
        return read_card(path)  # tells why not
    stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    if path in _read and _read[path][0] == stamp:
        return dict(_read[path][1])
    card = read_card(path)
    # A file of this moment may change once more without a newer time.
    if time.time() - stat.st_mtime > _FRESH:
        _read[path] = stamp, card
    else:
        _read.pop(path, None)
    return dict(card)


def find_model(name_or_path: str | Path | None = None) -> Path:
    """Return the file of a model given by name or by path; None means the default model.

    Raises
    ------
    ModelError
        When no model has this name, with the list of those there are, or no file this path.
    """
    if name_or_path is None:
        name_or_path = DEFAULT_MODEL
    if not isinstance(name_or_path, (str, Path)):
        raise ModelError(f"A model is named by its name or its file, got {name_or_path!r}.")
    if _looks_like_a_path(name_or_path):
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            what = "is a folder, not a model file" if path.is_dir() else "does not exist"
            raise ModelError(f"The model file {str(path)!r} {what}.")
        return path
    models, unusable = survey_models()
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
    with alone():
        models = list_models()
        if name is None:
            for model in models:
                if model.card["hash"] == card["hash"]:
                    return model
        by_name = {model.name: model for model in models}
        taken = names_taken()
        for free in _numbered(sanitised(name or card["name"])):
            if free in by_name and by_name[free].card["hash"] == card["hash"]:
                return by_name[free]
            target = models_folder() / f"{free}{SUFFIX}"
            if free.casefold() not in taken and not target.exists():
                break
        card = _copy_as_own(path, target, card)
    return ModelInfo(free, target, card, bundled=False)


def duplicate_model(name: str | Path) -> ModelInfo:
    """Copy a model among one's own, where it can be changed, and return the copy.

    Raises
    ------
    ModelError
        When there is no such model, or it is broken.
    StorageError
        When the folder cannot be written or the disk is full.
    """
    source = find_model(name)
    card = read_card(source)
    with alone():
        target = free_place(f"{source.stem}-copy")
        card = _copy_as_own(source, target, card)
    return ModelInfo(target.stem, target, card, bundled=False)


def free_place(name: str) -> Path:
    """Return the file that an own model of this name gets, numbered where the name is taken."""
    taken = names_taken()
    places = (models_folder() / f"{one}{SUFFIX}" for one in _numbered(sanitised(name)))
    return next(
        place for place in places if place.stem.casefold() not in taken and not place.exists()
    )


def names_taken() -> set[str]:
    """Return the names of all model files, usable or not, as `str.casefold` gives them.

    Some file systems know no difference between upper and lower case.
    """
    models, unusable = survey_models()
    return {path.stem.casefold() for path in [*unusable, *(model.path for model in models)]}


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
            raise StorageError(f"{target.name} exists already; choose another name.")
    _copy(source, target)
    return target


def sanitised(name: str) -> str:
    """Return a name that is a plain file name on every system; ``model`` where nothing is left.

    Letters of every script, digits, ``-``, ``_`` and ``.`` are kept.
    """
    letters = unicodedata.normalize("NFC", name.removesuffix(SUFFIX))
    kept = "".join(letter if _is_plain(letter) else "-" for letter in letters)
    plain = re.sub(r"-{2,}", "-", kept).strip("-._")[:80]
    plain = plain.encode()[:LONGEST_NAME].decode(errors="ignore").strip("-._")
    reserved = re.fullmatch(r"(?i)(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(\..*)?", plain)
    return f"model-{plain}" if reserved else plain or "model"


def _is_plain(letter: str) -> bool:
    """Return whether a letter may stand in the name of a model: letters, their marks, digits."""
    return letter in "-._" or unicodedata.category(letter)[0] in "LMN"


def _files_of(folder: Path) -> list[Path]:
    """Return the model files of a folder by name; none when it cannot be read."""
    try:
        files = [path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(files, key=lambda path: (path.stem.casefold(), path.stem))


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


def _copy_as_own(source: Path, target: Path, card: dict[str, Any]) -> dict[str, Any]:
    """Copy a model whose card has the name of its file afterwards; return that card."""
    if card["name"] != target.stem:
        return rewrite_card(source, named(target.stem), target)
    _copy(source, target)
    return card


def _copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all."""
    with opened(source) as reader, written_whole(target) as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
