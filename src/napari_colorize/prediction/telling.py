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
# Keys learn from hints of which most are a picture's true colours; those of people surprise more,
# and are not to reach so far.
STRETCH = 1.2


def kriging_of(keys: Tensor, planes: Tensor) -> Kriging:
    """Return what hints, as planes (B, 3, h, w), tell of cells with keys (B, 1 + K, h, w)."""
    return Kriging(keys, planes, stretch=STRETCH)


def told_logits(prediction: Prediction, kriging: Kriging, bins: Tensor) -> Tensor:
    """Return the logarithms of the shares of the bins where hints are known, (B, Q, h, w).

    They are the network's where hints tell nothing and a Gaussian around what hints carry there
    where they tell all; in between their logarithms are mixed (a logarithmic opinion pool, Genest
    and Zidek 1986).

    Parameters
    ----------
    prediction : Prediction
        Of the cells of pictures, without hints.
    kriging : Kriging
        Of the same cells.
    bins : Tensor of shape (Q, 2)
    """
    assert prediction.logits is not None
    told = -squares_to(bins, kriging.carry(prediction.ab)) / (2 * TOLD_SIGMA**2)
    return torch.lerp(prediction.logits.log_softmax(dim=1), told.log_softmax(dim=1), kriging.told)
