"""Which photographs a training learns from, and which it only looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_colorize.files.cache import Photographs

FEWEST = 20
"""A folder needs so many usable photographs: with fewer, what is kept aside says nothing."""
VALIDATION_SHARE = 0.1
"""Share of the folder that is only looked at when no validation folder is given."""
VALIDATION_LIMIT = 700
"""Photographs that are looked at, at most."""


@dataclass(frozen=True)
class Division:
    """What is done with the usable photographs of a folder.

    Attributes
    ----------
    train
        Indices of the photographs to learn from, ascending.
    validation
        Indices of those that are only looked at: of the folder to check with, else of the same.
    usable
        How many count: at least `FEWEST` are needed.
    doubles
        How many are not learned from because the folder to check with has them too.
    """

    train: list[int]
    validation: list[int]
    usable: int
    doubles: int


def divide(photographs: Photographs, source: Photographs | None, seed: int = 0) -> Division:
    """Divide photographs for a training.

    Parameters
    ----------
    photographs
        Those to learn from; there is one at least.
    source
        Those to check with, or None to keep a part of `photographs` aside.
    seed
        Another seed keeps others aside.
    """
    if source is None:
        train, kept = photographs.split(VALIDATION_SHARE, seed)
        usable = len(photographs)
    else:
        train, kept = photographs.without_duplicates_of(source), list(range(len(source)))
        usable = len(train)
    kept = kept[:: -(-len(kept) // VALIDATION_LIMIT)] if kept else kept
    return Division(train, kept, usable, len(photographs) - usable)
