"""What a training learns from and what it only looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_colorize.errors import DataError
from napari_colorize.files.cache import Photographs, open_photographs
from napari_colorize.files.division import FEWEST, Division, divide
from napari_colorize.training.validation import ValidationSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_colorize.runs.config import TrainingConfig


@dataclass(frozen=True)
class TrainingData:
    """The photographs of a training.

    Attributes
    ----------
    photographs : Photographs
    indices : list of int
        Those of `photographs` to train on.
    validation : ValidationSet
    identity : str
        Equal when the photographs are: a run is only gone on with on those that it began with.
    """

    photographs: Photographs
    indices: list[int]
    validation: ValidationSet
    identity: str


def open_data(
    config: TrainingConfig,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> TrainingData:
    """Return the photographs to train on and to look at; decode them if that was not yet done.

    Raises
    ------
    DataError
        If there are too few.
    StorageError
        If the cache of decoded photographs cannot be written.
    Cancelled
        If the user wanted out.
    """

    def opened(folder: str) -> Photographs:
        return open_photographs(folder, cache_dir=config.cache, progress=progress, cancel=cancel)

    photographs = opened(config.folder)
    source = photographs if config.validation is None else opened(config.validation)
    apart = None if config.validation is None else source
    division = divide(photographs, apart, config.seed)
    if division.usable < FEWEST:
        raise DataError(_too_few(config.folder, photographs, division))
    indices = _some(division.train, config.photographs or len(division.train), config.seed)
    kept = division.validation
    return TrainingData(
        photographs,
        indices,
        ValidationSet(source, kept, config.working_size),
        f"{photographs.identity} {len(indices)}, {source.identity} {len(kept)}",
    )


def _too_few(folder: str, photographs: Photographs, division: Division) -> str:
    """Return how many there are, how many are needed, and where the others are."""
    count = "1 photograph" if division.usable == 1 else f"{division.usable} photographs"
    lines = f"Only {count} in {folder} can be trained on, and at least {FEWEST} are needed."
    if division.doubles:
        verb = "is" if division.doubles == 1 else "are"
        lines += f" {division.doubles} more {verb} in the validation folder too."
    left_out = any(photographs.examination.left_out.values())
    return f"{lines} {photographs.examination.summary()}" if left_out else lines


def _some(indices: list[int], limit: int, seed: int) -> list[int]:
    """Return at most `limit` of the indices, drawn by the seed."""
    if limit >= len(indices):
        return indices
    return sorted(map(int, np.random.default_rng(seed).permutation(indices)[:limit]))
