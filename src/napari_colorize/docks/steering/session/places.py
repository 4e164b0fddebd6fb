"""Where the data of a layer lie in the picture that is steered, found through the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_colorize.docks.layers import Source

GEOMETRY = ("scale", "translate", "rotate", "shear", "affine", "units")
"""Names of a layer's events that tell that it lies elsewhere."""


@dataclass(frozen=True)
class Passage:
    """The way from the data of one layer to the data of another of as many axes.

    Attributes
    ----------
    matrix : ndarray, (axes of the other, axes of the one)
    offset : ndarray, (axes of the other,)
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def between(cls, one: Layer, other: Layer) -> Passage:
        """Return the way from the data of `one` to the data of `other`, as both lie now."""
        corners = [np.zeros(one.ndim), *np.eye(one.ndim)]
        there = [np.asarray(other.world_to_data(one.data_to_world(c)), float) for c in corners]
        offset, *ends = there
        return cls(np.stack([end - offset for end in ends], axis=1), offset)

    def __call__(self, places: Any) -> NDArray[np.float64]:
        """Return the places, (N, axes), in the other layer."""
        moved: NDArray[np.float64] = np.asarray(places, float) @ self.matrix.T + self.offset
        return moved

    def back(self) -> Passage:
        """Return the way back."""
        inverse = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return Passage(inverse, -inverse @ self.offset)

    @property
    def is_none(self) -> bool:
        """Whether nothing moves, within a ten thousandth of a pixel."""
        still = np.allclose(self.matrix, np.eye(len(self.offset)), atol=1e-8)
        return bool(still and np.allclose(self.offset, 0, atol=1e-4))

    def growth(self, axes: tuple[int, ...]) -> float:
        """Return how many times longer lengths along `axes` become."""
        block = self.matrix[np.ix_(axes, axes)]
        return float(abs(np.linalg.det(block)) ** (1 / len(axes)))


@dataclass(frozen=True)
class Plane:
    """The plane of a picture that is steered.

    Attributes
    ----------
    whole : tuple of int
        Shape of all the picture's data, without colours.
    axes : (int, int)
        The two axes of the plane.
    place : tuple of int
        Index of the plane, 0 along its axes.
    """

    whole: tuple[int, ...]
    axes: tuple[int, int]
    place: tuple[int, ...]

    @classmethod
    def of(cls, source: Source) -> Plane:
        """Return the plane that a source stands for."""
        place = source.place or (0,) * len(source.shape)
        return cls(source.shape, source.axes, place)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.whole[self.axes[0]], self.whole[self.axes[1]]

    @property
    def others(self) -> list[int]:
        """The axes that are not in the plane."""
        return [axis for axis in range(len(self.whole)) if axis not in self.axes]

    def planes(self, places: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the nearest plane of each place, (N, axes), 0 along the axes of a plane."""
        planes = np.zeros(places.shape, np.int64)
        inner = np.nan_to_num(places[:, self.others], nan=-1, posinf=-1, neginf=-1)
        planes[:, self.others] = np.round(np.clip(inner, -1e9, 1e9))
        return planes

    def inside(self, places: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which of the places, (N, axes), lie on a pixel of the picture, in any plane."""
        last = np.asarray(self.whole) - 0.5
        with np.errstate(invalid="ignore"):
            return np.asarray(((places >= -0.5) & (places <= last)).all(axis=1))

    def filled(self, flat: NDArray[np.float64], place: tuple[int, ...]) -> NDArray[np.float64]:
        """Return places (N, 2) of a plane as places (N, axes) of the whole picture."""
        places = np.tile(np.asarray(place, float), (len(flat), 1))
        places[:, list(self.axes)] = flat
        return places
