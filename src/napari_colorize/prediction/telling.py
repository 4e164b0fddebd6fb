"""What hints tell of the colours that are possible elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_colorize.color.gamut import squares_to
from napari_colorize.color.kriging import Kriging

if TYPE_CHECKING:
    from torch import Tensor

    from napari_colorize.networks.interface import Prediction

# Standard deviation, in ab, of a colour that hints tell fully: half a bin.
TOLD_SIGMA = 5.0
# Distance in ab from the network's colour up to which a hint is no surprise, and by how much
# distances of keys are multiplied for what goes beyond: keys learn from hints of which most are a
# picture's true colours, and a person who wants another says so of one thing.
SURPRISE, STRETCH = 20.0, 1.7


class Telling:
    """What hints tell of the cells of pictures: what is no surprise reaches far, the rest less far.

    Parameters
    ----------
    keys : Tensor of shape (B, 1 + K, h, w)
    planes : Tensor of shape (B, 3, h, w)
        Hints; both as in `napari_colorize.color.kriging.Kriging`.
    """

    def __init__(self, keys: Tensor, planes: Tensor) -> None:
        self._far = Kriging(keys, planes)
        self._near = self._far.stretched(STRETCH)

    @property
    def told(self) -> Tensor:
        """How much hints tell of each cell, (B, 1, h, w): 0 nothing, 1 its colour."""
        return self._far.told

    def carry(self, ab: Tensor) -> Tensor:
        """Return the colours ab, (B, 2, h, w), as the hints change them."""
        off = self._far.off(ab)
        length = off.norm(dim=1, keepdim=True)
        likely = off * (SURPRISE / length.clamp_min(SURPRISE))
        return ab + self._far.spread(likely) + self._near.spread(off - likely)


def told_logits(prediction: Prediction, telling: Telling, bins: Tensor) -> Tensor:
    """Return the logarithms of the shares of the bins where hints are known, (B, Q, h, w).

    They are the network's where hints tell nothing and a Gaussian around what hints carry there
    where they tell all; in between their logarithms are mixed (a logarithmic opinion pool, Genest
    and Zidek 1986).

    Parameters
    ----------
    prediction : Prediction
        Of the cells of pictures, without hints.
    telling : Telling
        Of the same cells.
    bins : Tensor of shape (Q, 2)
    """
    assert prediction.logits is not None
    told = -squares_to(bins, telling.carry(prediction.ab)) / (2 * TOLD_SIGMA**2)
    return torch.lerp(prediction.logits.log_softmax(dim=1), told.log_softmax(dim=1), telling.told)
