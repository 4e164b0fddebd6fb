"""What the axes of a layer are taken as: time, depth, or planes that stand alone."""

from __future__ import annotations

import re
from string import ascii_lowercase
from typing import TYPE_CHECKING

from napari_colorize.files.stacks.axes import DEPTH, SAMPLES, TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Layer

ALONE = "i"
MEANINGS = {TIME: "time", DEPTH: "depth", ALONE: "independent"}
# In the metadata of a layer: what a person said of its axes, a letter for each axis of the data.
KEY = "napari_colorize axes"
_WORDS = {
    TIME: {"t", "time", "times", "timepoint", "frame", "frames"},
    DEPTH: {"z", "depth", "slice", "slices", "section", "sections", "plane", "level"},
}
# napari's own labels, which say nothing: '-3', 'axis -3', '0'.
_UNNAMED = re.compile(r"(axis[ _]?)?-?\d*", re.IGNORECASE)
_SPARE = [letter for letter in ascii_lowercase if letter not in "tzyxs"]


def meanings_of(layer: Layer, plane: tuple[int, int]) -> tuple[str, ...]:
    """Return what each axis that is no plane axis is taken as: what was said of it, or a guess.

    Parameters
    ----------
    layer : napari.layers.Layer
    plane : (int, int)
        The two axes of a plane.

    Returns
    -------
    tuple of str
        Keys of `MEANINGS`, in the order of the data.
    """
    others = [axis for axis in range(layer.ndim) if axis not in plane]
    said = layer.metadata.get(KEY, "")
    if (
        isinstance(said, str)
        and len(said) == layer.ndim
        and {said[a] for a in others} <= {*MEANINGS}
    ):
        return tuple(said[axis] for axis in others)
    return guessed([layer.axis_labels[axis] for axis in others])


def remember(layer: Layer, plane: tuple[int, int], meanings: Sequence[str]) -> None:
    """Keep for a layer what its axes mean, in its metadata."""
    said = iter(meanings)
    layer.metadata[KEY] = "".join(
        "-" if axis in plane else next(said) for axis in range(layer.ndim)
    )


def guessed(labels: Sequence[str]) -> tuple[str, ...]:
    """Return what axes mean by their labels, else by their order: time, then depth.

    Of more than two axes without a name the last two are these, as is usual.
    """
    meanings = [_by_word(label) for label in labels]
    for meaning in (TIME, DEPTH):  # each of them once
        first = meanings.index(meaning) if meaning in meanings else len(meanings)
        meanings[first + 1 :] = [ALONE if m == meaning else m for m in meanings[first + 1 :]]
    unnamed = [axis for axis, meaning in enumerate(meanings) if not meaning]
    left = [meaning for meaning in (TIME, DEPTH) if meaning not in meanings]
    for axis, meaning in zip(unnamed[-len(left) :] if left else [], left, strict=False):
        meanings[axis] = meaning
    return tuple(meaning or ALONE for meaning in meanings)


def changed(meanings: Sequence[str], axis: int, meaning: str) -> tuple[str, ...]:
    """Return the meanings with that of one axis changed; time and depth are given once only."""
    others = [ALONE if m == meaning != ALONE else m for m in meanings]
    others[axis] = meaning
    return tuple(others)


def letters(meanings: Sequence[str], *, rgb: bool) -> str:
    """Return the names of all axes, as `files.axes.Axes` has them, the plane at the end."""
    spare = iter(_SPARE)
    return "".join(next(spare) if m == ALONE else m for m in meanings) + "yx" + SAMPLES * rgb


def _by_word(label: str) -> str:
    """Return what a label says: a key of `MEANINGS`, or nothing."""
    word = label.strip().lower()
    if _UNNAMED.fullmatch(word):
        return ""
    return next((meaning for meaning, words in _WORDS.items() if word in words), ALONE)
