"""What holds of a coloured picture whatever its colours are: its lightness is the picture's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari_colorize.color.lightness import Lightness
from napari_colorize.errors import PictureError
from napari_colorize.prediction.guards import Cancel, leave_if
from napari_colorize.prediction.strips import threads

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Trust(NamedTuple):
    """How far the lightness of a result lies from that of its picture, in units of L (0..100).

    Attributes
    ----------
    mean, largest : float
        Of |dL| over all pixels. Rounding to 8 bits alone gives about 0.1 and 0.4.
    """

    mean: float
    largest: float


def lightness_error(lightness: Lightness, pixels: NDArray[Any], cancel: Cancel | None) -> Trust:
    """Return how far the lightness of pixels (H, W, 3) lies from what it should be."""
    if pixels.shape != (*lightness.shape, 3):
        raise PictureError(
            f"The result has the shape {pixels.shape}, the picture {lightness.shape}."
        )
    coloured = Lightness(pixels)

    def measure(strip: tuple[int, int]) -> tuple[float, float]:
        leave_if(cancel)
        away = (coloured.rows(*strip) - lightness.rows(*strip)).abs_()
        return float(away.double().sum()), float(away.max())

    with threads.pool() as pool:
        sums, largest = zip(*pool.map(measure, lightness.strips()), strict=True)
    height, width = lightness.shape
    return Trust(sum(sums) / (height * width), max(largest))
