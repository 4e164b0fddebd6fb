"""A part of a picture, and how finely it is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from napari_colorize.errors import PictureError


@dataclass(frozen=True)
class Window:
    """Which pixels of a picture are wanted: in a rectangle, every `step`-th of a row and a column.

    Attributes
    ----------
    top, left : int
        The first row and column.
    bottom, right : int
        One behind the last.
    step : int
        1 for every pixel.

    Raises
    ------
    PictureError
        If there is no pixel in it.
    """

    top: int
    left: int
    bottom: int
    right: int
    step: int = 1

    def __post_init__(self) -> None:
        """Check that something is inside."""
        if not (0 <= self.top < self.bottom and 0 <= self.left < self.right and self.step >= 1):
            raise PictureError(f"There is no pixel in {self}.")

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns of pixels are wanted."""
        rows, columns = self.bottom - self.top, self.right - self.left
        return -(-rows // self.step), -(-columns // self.step)

    @property
    def slices(self) -> tuple[slice, slice]:
        """What picks the pixels out of an array of the whole picture."""
        return (
            slice(self.top, self.bottom, self.step),
            slice(self.left, self.right, self.step),
        )

    def check(self, shape: tuple[int, int]) -> None:
        """Raise PictureError if it reaches beyond a picture of shape (H, W)."""
        if self.bottom > shape[0] or self.right > shape[1]:
            raise PictureError(f"{self} reaches beyond the picture of {shape[0]} x {shape[1]} px.")
