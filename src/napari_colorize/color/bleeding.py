"""Whether colour stops where lightness does: how steep ab is at edges of L and where L is flat.

Colour that bleeds is too gentle at the edges and too steep beside them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Length of the gradient of L, in units of L per pixel: an edge from here on ...
EDGE = 10.0
# ... and flat up to here.
FLAT = 1.0


@dataclass(frozen=True)
class Slopes:
    """How steep the colours of pictures are.

    edge and flat are mean gradient lengths of ab, in units per pixel, where L has an edge and where
    it is flat, None where there is no such place; the shares are those of such places in all.
    """

    edge: float | None
    flat: float | None
    edge_share: float
    flat_share: float

    def to_dict(self) -> dict[str, float | None]:
        """Return the figures by name."""
        return asdict(self)


def gradient_length(channels: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return how steep a picture is, in units per pixel.

    Parameters
    ----------
    channels : ndarray of shape (H, W, C)
        L, or a and b.

    Returns
    -------
    ndarray of shape (H - 1, W - 1), float32
        Root of the squared differences from the pixel to the right and from that below, summed
        over the channels.
    """
    values = np.asarray(channels, np.float32)
    here = values[:-1, :-1]
    right, below = values[:-1, 1:] - here, values[1:, :-1] - here
    length: NDArray[np.float32] = np.sqrt((right * right + below * below).sum(axis=-1))
    return length


class Relief:
    """The places of a picture where lightness has an edge, and where it is flat.

    Parameters
    ----------
    lightness : ndarray of shape (H, W)
        L, 0..100.

    Attributes
    ----------
    counts : ndarray of shape (2,)
        Number of places at an edge, and of flat ones.
    places : int
        Number of all places.
    """

    def __init__(self, lightness: NDArray[np.floating[Any]]) -> None:
        steep = gradient_length(lightness[..., None])
        self._masks = np.stack((steep >= EDGE, steep <= FLAT)).reshape(2, -1)
        self.counts = self._masks.sum(axis=1)
        self.places = steep.size

    def sums(self, ab: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the summed gradient lengths of colours (H, W, 2), at edges and flat places."""
        steep = gradient_length(ab).ravel().astype(np.float64)
        return np.array([steep[mask].sum() for mask in self._masks])
