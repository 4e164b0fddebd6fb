"""Vividness: from the safe average to the likeliest colours, out of one prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_colorize.color.gamut import annealed_mean

if TYPE_CHECKING:
    from torch import Tensor

    from napari_colorize.color.guided import Guide
    from napari_colorize.networks.interface import Prediction

# Vividness at which the mean of the distribution has taken over from the safe average.
TAKEN_OVER = 0.25
# Temperature and logit adjustment when it has, and at vividness 1.
TEMPERATURE = (1.0, 0.5)
ADJUSTMENT = (0.0, 1.0)
# L from which less of the prior is taken out, and the share that is left of it at L = 100: the rare
# colours of bright things are mostly yellow, and white things would become so.
BRIGHT, LEFT = 60.0, 0.25
# Share of even odds in what counts as common: the rarest colours are not driven without bound.
EVEN = 0.1
# Half the side of the windows in which what is vivid is made even, in cells.
EVENED = 5


def vivid_ab(
    prediction: Prediction, bins: Tensor, log_prior: Tensor, vividness: float, cells: Guide
) -> Tensor:
    """Return a and b of the cells of one picture, (1, 2, h, w).

    0 is the safe average. Up to `TAKEN_OVER` the mean of the distribution is blended in; from there
    to 1 its likelier and rarer colours count more and more. How rare a colour is says the prior,
    mixed with even odds (Zhang, Isola and Efros 2016 mix it half and half); in bright cells it is
    taken out less. What this adds to the
    average is made even between the edges of L, since each cell is decided by itself and parts
    of one thing would come out in different colours.

    Parameters
    ----------
    prediction : Prediction
        Of the cells of the picture, on the CPU; `ab` is the safe average.
    bins : Tensor of shape (Q, 2)
    log_prior : Tensor of shape (Q,)
    vividness : float
        0..1.
    cells : Guide
        L of the cells, windows of `EVENED`.
    """
    assert prediction.logits is not None
    if vividness == 0:
        return prediction.ab
    rest = max(0.0, (vividness - TAKEN_OVER) / (1 - TAKEN_OVER))
    temperature = TEMPERATURE[0] * (TEMPERATURE[1] / TEMPERATURE[0]) ** rest
    adjustment = ADJUSTMENT[0] + (ADJUSTMENT[1] - ADJUSTMENT[0]) * rest
    bright = ((cells.lightness - BRIGHT) / (100 - BRIGHT)).clamp(0, 1)
    common = ((1 - EVEN) * log_prior.exp() + EVEN / len(bins)).log()
    vivid = annealed_mean(
        prediction.logits, bins, common, temperature, adjustment * (1 - (1 - LEFT) * bright)
    )
    added = cells.evened((vivid - prediction.ab)[0])
    return prediction.ab + min(1.0, vividness / TAKEN_OVER) * added
