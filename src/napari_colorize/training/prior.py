"""How common each colour is in the photographs that are trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_colorize.color.gamut import histogram, smoothed_prior
from napari_colorize.errors import Cancelled
from napari_colorize.training.augmentation import to_lab
from napari_colorize.training.batches import centre_crop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_colorize.networks.palette import Palette
    from napari_colorize.training.batches import PhotographSource

# So many photographs are looked at, at so many pixels a side: the shares no longer move then.
PHOTOGRAPHS, SIDE = 2000, 32
# Photographs at once.
BATCH = 20


def measure_prior(
    network: Palette,
    source: PhotographSource,
    indices: Sequence[int],
    seed: int,
    *,
    remember: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> None:
    """Write the share of each bin into the network: that of photographs drawn by the seed.

    With `remember` it is the mean of theirs and of what the network had.

    Raises
    ------
    Cancelled
        When `cancel` says so, which is asked before each batch; the network is then as it was.
    """
    drawn = np.random.default_rng([seed, 2]).permutation(indices)[:PHOTOGRAPHS]
    bins, total = network.bins.cpu(), torch.zeros(len(network.bins))
    for start in range(0, len(drawn), BATCH):
        if cancel is not None and cancel():
            raise Cancelled
        crops = [centre_crop(source[int(i)], SIDE) for i in drawn[start : start + BATCH]]
        total += histogram(to_lab(torch.from_numpy(np.stack(crops)))[:, 1:], bins).sum(dim=0)
    prior = smoothed_prior(total / len(drawn), bins)
    if remember:
        prior = (prior + network.log_prior.exp().to(prior)) / 2
    network.log_prior.copy_(prior.log())
