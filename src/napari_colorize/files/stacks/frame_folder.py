"""Planes as a folder of PNG files, one a plane."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.files.pictures import write_picture
from napari_colorize.files.stacks.growing_store import sync

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Axes, Place


_FRAME = re.compile(r"plane-\d{4,}\.png")


class FrameFolder:
    """Files such as ``plane-0007.png``, numbered over all axes, the last one fastest.

    Parameters
    ----------
    axes : Axes
    record : dict
        Stands in each file.
    """

    def __init__(self, axes: Axes, record: dict[str, Any]) -> None:
        self._axes, self._record = axes, record

    def is_result(self, folder: Path) -> bool:
        """Return whether a folder holds frames alone."""
        return all(_FRAME.fullmatch(path.name) for path in folder.iterdir())

    def make(self, content: Path) -> None:
        """Make the folder."""
        content.mkdir()

    def resume(self, content: Path) -> None:
        """Remove files that a kill left half-written."""
        for path in content.glob(".plane-*.part"):
            path.unlink()

    def put(self, content: Path, place: Place, pixels: NDArray[np.uint8]) -> None:
        """Write a file."""
        write_picture(content / self.name(place), pixels, record=self._record)
        sync(content)

    def complete(self, content: Path, missing: Sequence[Place]) -> None:
        """Write black files for planes that are missing, so that the others keep their numbers."""
        black = np.zeros((*self._axes.plane, 3), np.uint8)
        for place in missing:
            write_picture(content / self.name(place), black)

    def name(self, place: Place) -> str:
        """Return the name of the file of a plane."""
        number = int(np.ravel_multi_index(place, self._axes.outer)) if place else 0
        digits = max(4, len(str(self._axes.planes - 1)))
        return f"plane-{number:0{digits}}.png"
