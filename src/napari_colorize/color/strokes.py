"""Areas of a picture, kept small: a map of labels as runs, and strokes of colour made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.color.hints import Color, checked_color
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelMap:
    """A whole number for every pixel of a picture, as runs along the rows, one after the other.

    Attributes
    ----------
    shape : (H, W)
        In pixels.
    runs : tuple of (label, length)
        Neighbouring runs differ in label; their lengths sum to H x W.
    """

    shape: tuple[int, int]
    runs: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        """Check that the runs fill the picture."""
        height, width = self.shape
        if height < 1 or width < 1 or any(length < 1 or label < 0 for label, length in self.runs):
            raise PictureError(f"A map of labels has no such shape or runs: {self.shape}.")
        if sum(length for _, length in self.runs) != height * width:
            raise PictureError(
                f"The runs of a map of labels do not fill its {height} x {width} pixels."
            )

    @classmethod
    def from_array(cls, labels: Any) -> LabelMap:
        """Return the map of an array of shape (H, W), bool or whole numbers from 0."""
        array = np.asarray(labels)
        if array.ndim != 2 or array.dtype.kind not in "bui" or not array.size:
            raise PictureError(
                "Labels have to be an array (H, W) of whole numbers, got "
                f"{array.dtype} of shape {array.shape}."
            )
        flat = array.ravel()
        starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
        lengths = np.diff(np.append(starts, flat.size))
        runs = zip(flat[starts].astype(np.int64).tolist(), lengths.tolist(), strict=True)
        return cls((array.shape[0], array.shape[1]), tuple(runs))

    def to_array(self) -> NDArray[np.int64]:
        """Return the labels, (H, W) int64."""
        labels, lengths = np.array(self.runs, dtype=np.int64).T
        return np.repeat(labels, lengths).reshape(self.shape)

    def at(self, row: int, column: int) -> int:
        """Return the label of a pixel; the nearest one where the place is on the rim."""
        height, width = self.shape
        place = min(max(row, 0), height - 1) * width + min(max(column, 0), width - 1)
        labels, lengths = np.array(self.runs, dtype=np.int64).T
        return int(labels[np.searchsorted(np.cumsum(lengths), place, side="right")])

    def spans(self) -> NDArray[np.int64]:
        """Return the runs that are not 0, cut at the ends of rows, (4, N) int64.

        Row, first column, length and label of each.
        """
        height, width = self.shape
        labels, lengths = np.array(self.runs, dtype=np.int64).T
        starts = np.cumsum(lengths) - lengths
        cuts = np.union1d(starts, np.arange(height) * width)
        labels = labels[np.searchsorted(starts, cuts, side="right") - 1]
        spans = np.stack(
            (cuts // width, cuts % width, np.diff(cuts, append=height * width), labels)
        )
        return spans[:, labels > 0]

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels that occur, 0 left out, the smallest first."""
        return tuple(sorted({label for label, _ in self.runs} - {0}))


@dataclass(frozen=True)
class Strokes:
    """Areas painted by hand and the colour wanted in each: hints of any form.

    Attributes
    ----------
    areas : LabelMap
        0 where nothing is painted.
    colors : tuple of (label, (r, g, b))
        sRGB, 0..255, of every label that occurs.

    Raises
    ------
    PictureError
        If a label has no colour, or a colour is none.
    """

    areas: LabelMap
    colors: tuple[tuple[int, Color], ...]

    def __post_init__(self) -> None:
        """Check that every area has a colour."""
        for _, color in self.colors:
            checked_color(color)
        missing = set(self.areas.labels) - {label for label, _ in self.colors}
        if missing:
            raise PictureError(f"Label {min(missing)} is painted and has no colour.")
