"""What was chosen for the last training: kept when it begins, and where the next one sets out."""

from __future__ import annotations

import os
from pathlib import Path

from napari_colorize.docks.preferences import remember, remembered
from napari_colorize.docks.setup.photographs_field import PhotographsField
from napari_colorize.docks.setup.run_place import runs_home
from napari_colorize.docks.setup.task_choice import FINE_TUNE, FRESH
from napari_colorize.docks.setup.task_field import TaskField
from napari_colorize.errors import ColorizeError
from napari_colorize.files.cards import read_card
from napari_colorize.runs.folder import RunFolder

_TASKS = (FINE_TUNE, FRESH)


def keep_choices(photographs: PhotographsField, task: TaskField, run: RunFolder) -> None:
    """Keep for the next time what was chosen for a run that has begun.

    The next run is suggested beside this one.
    """
    choice, home = task.choice, run.path.parent
    remember("task", choice.task)
    remember("preset", task.presets.key)
    remember("model", choice.model.currentData() or "")
    remember("network", choice.network.currentData())
    remember("device", task.advanced.values()["device"])
    remember("runs", "" if home == runs_home() else str(home))
    task.place.suggest_in(home)
    if photographs.folder is not None:
        validation = photographs.validation
        remember("folder", str(photographs.folder))
        remember("validation", "" if validation is None else str(validation))


def recall_choices(photographs: PhotographsField, task: TaskField) -> None:
    """Choose what was kept; what is gone or not known any more is passed over."""
    keys = ("task", "preset", "model", "network", "device", "runs", "folder", "validation")
    kept = {key: remembered(key, "") for key in keys}
    _recall_start(task, kept["model"], kept["network"])
    if kept["task"] in _TASKS:
        task.choice.choose(kept["task"])
    if kept["preset"] in task.presets.buttons:
        task.presets.choose(kept["preset"])
    task.advanced.show_device(kept["device"])
    if os.path.isdir(kept["runs"]) and os.access(kept["runs"], os.W_OK):
        task.place.suggest_in(Path(kept["runs"]))
    if os.path.isdir(kept["folder"]):
        checked = kept["validation"]
        validation = Path(checked) if os.path.isdir(checked) else None
        photographs.show_folders(Path(kept["folder"]), validation)


def _recall_start(task: TaskField, model: str, network: str) -> None:
    """Choose the model to fine-tune, in the list or a file, and the network to begin anew with."""
    choice = task.choice
    if choice.network.findData(network) >= 0:
        choice.show_network(network)
    if choice.model.findData(model) < 0:
        if not os.path.isfile(model):
            return
        try:
            read_card(model)
        except ColorizeError:
            return
    choice.show_model(model)
