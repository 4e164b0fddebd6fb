"""The settings of one training: checked when made, written to a run's ``config.json``."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from dataclasses import dataclass
from typing import Any, Self

from napari_colorize.errors import TrainingError

CONFIG_VERSION = 1
# What `napari_colorize.networks.weights.NETWORKS` can build, named here without torch.
NETWORKS = ("palette", "plain")
LOSSES = ("huber", "squared")
PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed")
LOGGERS = ("none", "tensorboard")

DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of a training; every value is checked, so a config that exists is a good one.

    Parameters
    ----------
    folder
        Folder with the colour photographs to learn from.
    validation
        Folder with photographs that are only looked at; None keeps a tenth of ``folder`` aside.
    network
        Name of the network.
    loss
        ``"huber"`` or ``"squared"``, the error of ab that is made small.
    rebalance
        Largest weight of a rare colour where a network learns a distribution; 1 for none.
    tone
        How often the lightness is changed as old, soft and noisy photographs are, 0 to 1.
    epochs
        How often every photograph is seen.
    batch_size
        Crops in one step, over all devices together.
    crop
        Side of a training crop in pixels.
    working_size
        Short side in pixels at which the network looks at a picture.
    learning_rate
        Highest learning rate, reached after ``warmup`` steps; it falls along a cosine.
    encoder_rate
        Share of it at which the encoder of a network learns; 0 leaves the encoder as it is.
    weight_decay
        Weight decay of AdamW.
    warmup
        Steps in which the learning rate rises.
    ema
        Decay of the moving average of the weights, 0 for none.
    patience
        Epochs without improvement after which the training stops early, 0 for never.
    seed
        Seed of all random numbers.
    device
        ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:1"``.
    precision
        ``"auto"`` or a precision of Lightning Fabric, such as ``"bf16-mixed"``.
    init
        Model, by name or file, whose weights are the start.
    rehearsal
        How much a network that starts from `init` is held to what it knew; 0 lets it forget. Of
        the old weights r / (r + 3) are kept.
    photographs
        Use at most so many photographs.
    threads
        Processor threads; None lets torch choose.
    processes, nodes
        Processes on a machine and machines that train together.
    checkpoint_every
        Seconds between two checkpoints.
    cache
        Folder for the decoded photographs; None for the user's cache folder.
    name
        Name of the model; None takes the name of the run folder.
    logger
        ``"tensorboard"`` writes the curves and previews for TensorBoard too, ``"none"`` does not.
    version
        Version of this format.

    Raises
    ------
    TrainingError
        If a value has the wrong type or lies outside its range.
    """

    folder: str
    validation: str | None = None
    network: str = "palette"
    loss: str = "huber"
    rebalance: float = 1.0
    tone: float = 1.0
    epochs: int = 20
    batch_size: int = 32
    crop: int = 96
    working_size: int = 128
    learning_rate: float = 1e-3
    encoder_rate: float = 1.0
    weight_decay: float = 0.01
    warmup: int = 200
    ema: float = 0.999
    patience: int = 0
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    init: str | None = None
    rehearsal: float = 3.0
    photographs: int | None = None
    threads: int | None = None
    processes: int = 1
    nodes: int = 1
    checkpoint_every: float = 60.0
    cache: str | None = None
    name: str | None = None
    logger: str = "none"
    version: int = CONFIG_VERSION

    def __post_init__(self) -> None:
        """Bring every value to its type and check it."""
        for field in dataclasses.fields(self):
            value = _typed(field.name, str(field.type), getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        _check_choices(self)
        _check_ranges(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the settings that `to_dict` described.

        Parameters
        ----------
        values
            Settings by name; those left out take their default.

        Raises
        ------
        TrainingError
            If a name is unknown, the folder is missing, the version is newer, or a value is wrong.
        """
        version = values.get("version", CONFIG_VERSION)
        if isinstance(version, int) and version > CONFIG_VERSION:
            raise TrainingError(
                f"These training settings have version {version}, this program knows up to "
                f"{CONFIG_VERSION}; update napari-colorize."
            )
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(str(name) for name in values if name not in known)
        if unknown:
            raise TrainingError(
                f"Unknown training setting {', '.join(map(repr, unknown))}; "
                f"the known ones are {', '.join(sorted(known))}."
            )
        if "folder" not in values:
            raise TrainingError("The training settings name no folder; set 'folder'.")
        return cls(**values)


def _typed(name: str, kind: str, value: Any) -> Any:
    """Return the value in its declared type, or raise TrainingError."""
    if value is None and kind.endswith("| None"):
        return None
    wanted = kind.removesuffix(" | None")
    if wanted == "str" and isinstance(value, (str, os.PathLike)):
        return str(os.fspath(value))
    if isinstance(value, bool):
        raise _wrong(name, f"a value of type {wanted}", value)
    if wanted == "int" and isinstance(value, int):
        return value
    if wanted == "float" and isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    raise _wrong(name, f"a value of type {wanted}", value)


def _check_choices(config: TrainingConfig) -> None:
    """Raise TrainingError if a word is not one of those that are allowed."""
    choices = {"network": NETWORKS, "loss": LOSSES, "precision": PRECISIONS, "logger": LOGGERS}
    for name, words in choices.items():
        if getattr(config, name) not in words:
            raise _wrong(name, f"one of {', '.join(words)}", getattr(config, name))
    if not DEVICE.fullmatch(config.device):
        raise _wrong("device", "auto, cpu, mps, cuda or cuda:NUMBER", config.device)
    if not config.folder.strip():
        raise _wrong("folder", "a text that is not empty", config.folder)
    if config.version < 1:
        raise _wrong("version", "1 or more", config.version)


_AT_LEAST = {
    "epochs": 1,
    "rebalance": 1,
    "tone": 0,
    "rehearsal": 0,
    "encoder_rate": 0,
    "batch_size": 1,
    "crop": 16,
    "working_size": 16,
    "weight_decay": 0,
    "warmup": 0,
    "ema": 0,
    "patience": 0,
    "seed": 0,
    "photographs": 2,
    "threads": 1,
    "processes": 1,
    "nodes": 1,
    "checkpoint_every": 0,
}


def _check_ranges(config: TrainingConfig) -> None:
    """Raise TrainingError if a number lies outside its range."""
    for name, low in _AT_LEAST.items():
        value = getattr(config, name)
        if value is not None and value < low:
            raise _wrong(name, f"{low} or more", value)
    if config.learning_rate <= 0:
        raise _wrong("learning_rate", "more than 0", config.learning_rate)
    if config.tone > 1:
        raise _wrong("tone", "1 or less", config.tone)
    if config.ema >= 1:
        raise _wrong("ema", "less than 1", config.ema)
    if config.seed >= 2**32:
        raise _wrong("seed", "less than 2**32", config.seed)


def _wrong(name: str, wanted: str, got: Any) -> TrainingError:
    """Return the error for a setting with a wrong value."""
    return TrainingError(f"The training setting {name!r} has to be {wanted}, got {got!r}.")
