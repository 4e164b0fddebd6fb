"""What a trained model says about itself."""

from __future__ import annotations

import datetime
import math
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from napari_colorize.runs.config import TrainingConfig
    from napari_colorize.runs.events import Validated
    from napari_colorize.runs.folder import RunFolder
    from napari_colorize.training.loop import Training

# Settings that name places on this computer: a card travels, they do not.
PRIVATE = {"folder", "validation", "cache", "name"}


def model_card(
    run: RunFolder,
    config: TrainingConfig,
    network: dict[str, Any],
    training: Training,
    validated: Validated,
) -> dict[str, Any]:
    """Return the card of the model of an epoch; `save_network` adds version and hash.

    `network` is the settings that the network was built with.
    """
    settings = {key: value for key, value in config.to_dict().items() if key not in PRIVATE}
    if config.init is not None:
        settings["init"] = Path(config.init).stem
    return {
        "name": config.name or run.path.name,
        "network": config.network,
        "settings": network,
        "working_size": config.working_size,
        "license": "not stated; the terms of the photographs it was trained on apply",
        "training": {
            "photographs": len(training.batches.indices),
            "epoch": validated.epoch,
            "steps": training.progress.step,
            "seconds": round(training.progress.seconds),
            "device": _device_name(training.fabric.device),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "finished": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "settings": settings,
        },
        "score_card": {
            "validation": {
                "loss": _number(validated.loss),
                "psnr": _number(validated.psnr),
                "psnr_grey": _number(validated.psnr_grey),
            }
        },
    }


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()})"


def _number(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
