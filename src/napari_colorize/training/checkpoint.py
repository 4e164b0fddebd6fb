"""The checkpoint of a run: everything to go on from, in one file that is replaced whole."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch

from napari_colorize.errors import RunError
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from pathlib import Path

    from napari_colorize.training.loop import Training

# Settings that a run cannot change on its way and still end where it would have ended.
LASTING = (
    "network", "loss", "rebalance", "tone", "epochs", "batch_size", "crop", "working_size",
    "learning_rate", "encoder_rate", "weight_decay", "warmup", "ema", "seed",
)  # fmt: skip

ADVICE = "Start a new run; --init with this run's best.safetensors keeps what was learned."


def save_checkpoint(path: Path, training: Training, data_identity: str) -> None:
    """Write the checkpoint; the earlier one stays until this one is whole.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    settings = {name: getattr(training.config, name) for name in LASTING}
    state = {"training": training.state_dict(), "settings": settings, "data": data_identity}
    whole = io.BytesIO()  # torch hides the reason when the disk is full
    torch.save(state, whole)
    with written_whole(path) as file:
        file.write(whole.getbuffer())


def load_checkpoint(path: Path, training: Training, data_identity: str) -> None:
    """Go on from a checkpoint. Only numbers, texts and tensors are read, never a program.

    Raises
    ------
    RunError
        If the file is damaged or foreign, or the settings or photographs are others.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        settings, data = state["settings"], state["data"]
    except Exception as error:
        raise RunError(
            f"The checkpoint {path.name} is damaged or not from this program. {ADVICE}"
        ) from error
    for name in LASTING:
        now = getattr(training.config, name)
        if settings.get(name) != now:
            raise RunError(
                f"The run went on with {name} {settings.get(name)!r} so far, and its settings now "
                f"say {now!r}. {ADVICE}"
            )
    if data != data_identity:
        raise RunError(f"The photographs are not those that the run began with. {ADVICE}")
    try:
        training.load_state_dict(state["training"])
    except Exception as error:
        raise RunError(f"The checkpoint {path.name} does not fit the network. {ADVICE}") from error
