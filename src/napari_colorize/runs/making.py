"""Making a run folder for a training, or seeing that the run in it can go on as asked."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import DataError, RunError, TrainingError
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Failed

if TYPE_CHECKING:
    from napari_colorize.runs.folder import RunFolder

# Settings that are paths: the same place may be written in many ways.
PLACES = ("folder", "validation", "cache", "init")


def make_or_resume(run: RunFolder, settings: dict[str, Any], *, resume: bool) -> None:
    """Make a run folder, or see that the run in it can go on as asked.

    Parameters
    ----------
    run
        The folder.
    settings
        Those that were given, ``"folder"`` among them; the others have their defaults, or what
        they are in the run that is resumed.
    resume
        Go on with the run that is in the folder, if there is one. One without a checkpoint starts
        anew; what it had been given stays, unless given anew.

    Raises
    ------
    DataError
        If there is no such folder of photographs.
    RunError
        If the folder is in use, holds something else, or lies among the photographs, or if a
        setting differs from the run's.
    StorageError
        If the folder cannot be written.
    TrainingError
        If a setting is unknown or wrong, or TensorBoard is wanted and not installed.
    """
    places = {name: _absolute(name, settings[name]) for name in PLACES if name in settings}
    given = settings | places
    if not (resume and run.exists()):
        config = TrainingConfig.from_dict(given)
        _check_logger(config)
        _check_folders(run, config)
        run.create(config, force=_failed_before_it_began(run))
        return
    run.refuse_if_in_use()
    before = run.read_config().to_dict()
    config = TrainingConfig.from_dict(before | given)
    _check_logger(config)
    if not run.last_checkpoint.exists():
        _check_folders(run, config)
        run.create(config, force=True)
        return
    for name, value in before.items():
        wanted = getattr(config, name)
        if wanted != value and not (name in PLACES and _is_same_place(wanted, value)):
            raise RunError(
                f"The run has {name} {value!r}, not {wanted!r}: leave that out to go on, "
                "or start another run with --init and its best.safetensors."
            )
    run.clear_stop()


def logger_problem(logger: str) -> str:
    """Return why a training cannot be logged so, the empty text if it can."""
    if logger != "tensorboard" or find_spec("tensorboard") is not None:
        return ""
    return (
        "TensorBoard is not installed: install it (pip install tensorboard), or train with the "
        "logger 'none'."
    )


def _check_logger(config: TrainingConfig) -> None:
    """Raise TrainingError where the logger is missing: before anything is made."""
    problem = logger_problem(config.logger)
    if problem:
        raise TrainingError(problem)


def _check_folders(run: RunFolder, config: TrainingConfig) -> None:
    """Raise an error where a folder is missing, or holds the run: its previews would be learned."""
    for place in (config.folder, config.validation):
        if place is None:
            continue
        if not Path(place).is_dir():
            raise DataError(f"There is no folder {place}: choose a folder of colour photographs.")
        if run.path.resolve().is_relative_to(Path(place).resolve()):
            raise RunError(
                f"The run folder {run.path} lies among the photographs in {place}; "
                "choose one outside of them."
            )


def _failed_before_it_began(run: RunFolder) -> bool:
    """Return whether the run in the folder failed without having learned anything."""
    learned = run.last_checkpoint.exists() or run.best_model.exists()
    return not learned and isinstance(run.last_event(), Failed)


def _absolute(name: str, value: Any) -> Any:
    """Return a path that means the same wherever the training runs; other values as they are."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        return value
    path = Path(value).expanduser().absolute()
    if ".." in path.parts:
        path = path.resolve()
    # A model may be given by its name.
    return value if name == "init" and not path.exists() else str(path)


def _is_same_place(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and Path(one).resolve() == Path(other).resolve()
