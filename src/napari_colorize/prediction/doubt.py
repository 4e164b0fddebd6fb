"""Where a network guesses: the error to expect, and the place where a hint would help most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from napari_colorize.color.gamut import spread_of
from napari_colorize.prediction.alternatives import most_doubtful

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

# How far the colour of one hint is taken to reach, as a share of the picture's short side.
REACH = 0.1


def calibration(card: Mapping[str, Any]) -> tuple[Tensor, Tensor] | None:
    """Return confidence and the error measured there, rising in confidence; None if unmeasured."""
    try:
        bins = card["score_card"]["evaluation"]["reliability"]["bins"]
        pairs = sorted((float(bin_["confidence"]), float(bin_["error"])) for bin_ in bins)
    except (KeyError, TypeError, ValueError):
        return None
    if len(pairs) < 2 or not np.isfinite(pairs).all():
        return None
    confidence, error = torch.tensor(pairs).T
    return confidence, error


def expected_error(sure: Tensor, logits: Tensor, bins: Tensor, card: Mapping[str, Any]) -> Tensor:
    """Return the expected distance in ab from the true colour.

    It is what the model's score card measured at that confidence, between its bins linear and
    beyond them as in the last; of a model that was not measured, the mean distance that its own
    distribution tells.

    Parameters
    ----------
    sure : Tensor of shape (B, h, w)
        Confidence, 0..1.
    logits : Tensor of shape (B, Q, h, w)
    bins : Tensor of shape (Q, 2)
    card : mapping
        The model's.
    """
    measured = calibration(card)
    if measured is None:
        return spread_of(logits, bins)
    confidence, error = (part.numpy() for part in measured)
    return torch.from_numpy(np.interp(sure.cpu().numpy(), confidence, error)).float()


def best_cell(error: Tensor, known: Tensor) -> tuple[int, int]:
    """Return the cell where a hint would help most.

    It is where the expected error is largest over all that a hint there would reach, away from
    the hints that are given.

    Parameters
    ----------
    error : Tensor of shape (h, w)
    known : Tensor of shape (K, 2)
        Places of hints, in cells.
    """
    reach = max(1, round(REACH * min(error.shape)))
    window = functional.avg_pool2d(
        error[None, None], 2 * reach + 1, 1, reach, count_include_pad=True
    )[0]
    row, column = most_doubtful(window, known[None])[0].tolist()
    return int(row), int(column)
