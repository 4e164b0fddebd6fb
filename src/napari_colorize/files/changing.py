"""Changing one's own models: their name, their notes and their score card.

No weight is decoded by a change; see `napari_colorize.files.rewriting`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import ModelError
from napari_colorize.files.locking import alone
from napari_colorize.files.models import (
    SUFFIX,
    ModelInfo,
    find_model,
    list_models,
    models_folder,
    names_taken,
    sanitised,
)
from napari_colorize.files.rewriting import named, rewrite_card
from napari_colorize.runs.storage import storage_error

if TYPE_CHECKING:
    Card = dict[str, Any]

LONGEST_NOTES = 100_000
# What a card need not repeat: the protocol is the same for all, samples name one's own files.
_LEFT_OUT = ("protocol", "samples")


def rename_model(name: str | Path, new_name: str) -> ModelInfo:
    """Give one of one's own models another name and return what it became.

    The file and the name on the card change together. Characters that file systems refuse become
    ``-``, so the name may be another one than was asked for.

    Raises
    ------
    ModelError
        When there is no such model, it came along, the name is taken, or nothing is left of it.
    StorageError
        When the folder cannot be written or the disk is full; all is then as it was.
    """
    if not any(letter.isalnum() for letter in new_name):
        raise ModelError(f"A name needs a letter or a digit, got {new_name!r}.")
    wanted = sanitised(new_name)
    with alone():
        source = own_model(name)
        target = source.with_name(wanted + SUFFIX)
        if target == source:
            return ModelInfo(wanted, source, rewrite_card(source, named(wanted)), bundled=False)
        if wanted.casefold() in names_taken() - {source.stem.casefold()}:
            raise ModelError(f"There is a model called {wanted!r} already; choose another name.")
        _move(source, target)
        try:
            card = rewrite_card(target, named(wanted))
        except BaseException:
            with contextlib.suppress(OSError):
                target.rename(source)
            raise
    return ModelInfo(wanted, target, card, bundled=False)


def note_model(name: str | Path, notes: str) -> ModelInfo:
    """Write one's notes into the file of a model; an empty text removes them.

    Raises
    ------
    ModelError
        When there is no such model, it came along, or the text is longer than `LONGEST_NOTES`.
    StorageError
        When the file cannot be written; it is then as it was.
    """
    if len(notes) > LONGEST_NOTES:
        raise ModelError(
            f"Notes may have {LONGEST_NOTES:,} letters, these have {len(notes):,}: shorten them."
        )

    def noted(card: Card) -> Card:
        kept = {key: value for key, value in card.items() if key != "notes"}
        return kept | {"notes": notes} if notes.strip() else kept

    with alone():
        path = own_model(name)
        return ModelInfo(path.stem, path, rewrite_card(path, noted), bundled=False)


def store_score_card(name: str | Path, measured: dict[str, Any]) -> ModelInfo:
    """Write the figures of an evaluation into the file of the model that they are of.

    The model is known again by the hash of its weights if it was renamed meanwhile.

    Parameters
    ----------
    name : str or Path
        The model as it was called when the evaluation began.
    measured : dict
        What `napari_colorize.score_card.ScoreCard.to_dict` returns.

    Raises
    ------
    ModelError
        When the model is gone, or came along.
    StorageError
        When the file cannot be written; it is then as it was.
    """
    kept = {key: value for key, value in measured.items() if key not in _LEFT_OUT}

    def scored(card: Card) -> Card:
        before = card.get("score_card")
        scores = before if isinstance(before, dict) else {}
        return card | {"score_card": scores | {"evaluation": kept}}

    with alone():
        path = _measured_model(name, measured["hash"])
        return ModelInfo(path.stem, path, rewrite_card(path, scored), bundled=False)


def own_model(name: str | Path) -> Path:
    """Return the file of one of one's own models, which may be changed.

    Raises
    ------
    ModelError
        When there is no such model, it came along, or lies elsewhere.
    """
    path = find_model(name)
    if path.parent.resolve() == models_folder().resolve() and path.suffix == SUFFIX:
        return path
    if any(model.bundled and model.path == path for model in list_models()):
        raise ModelError(
            f"{path.stem!r} came along with napari-colorize and stays as it is; "
            "duplicate it to have one of your own."
        )
    raise ModelError(f"{path.name} is not among your own models; import it first.")


def own_file(name: str | Path) -> Path:
    """Return a file among one's own models, be it usable or not.

    Raises
    ------
    ModelError
        When there is no such file, or it came along, or lies elsewhere.
    """
    try:
        return own_model(name)
    except ModelError:
        # Only a bare name: any other could lead out of the folder.
        if not isinstance(name, str) or Path(name).name != name:
            raise
        broken = models_folder() / f"{name}{SUFFIX}"
        known = {model.name for model in list_models()}
        if name not in known and broken.is_file():
            return broken
        raise


def _move(source: Path, target: Path) -> None:
    """Give a file another name; no other file is overwritten."""
    try:
        if target.exists() and not target.samefile(source):
            raise ModelError(f"There is a file {target.name} already; choose another name.")
        source.rename(target)
    except FileNotFoundError as error:
        raise ModelError(f"{source.name} is gone: it was renamed or removed elsewhere.") from error
    except OSError as error:
        raise storage_error(target, error) from error


def _measured_model(name: str | Path, digest: str) -> Path:
    """Return the file that holds the weights that were measured."""
    same = [model for model in list_models() if model.card["hash"] == digest]
    with contextlib.suppress(ModelError):
        path = find_model(name)
        if any(model.path == path for model in same) or path.parent != models_folder():
            return own_model(path)
    own = [model.path for model in same if not model.bundled]
    if not own:
        raise ModelError("The model was removed while it was measured; its figures are not kept.")
    return own_model(own[0])
