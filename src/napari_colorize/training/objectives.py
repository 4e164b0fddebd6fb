"""What a training asks of a network: a loss for learning and one for looking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional

from napari_colorize.color.gamut import encode_softly, rebalancing_weights
from napari_colorize.color.kriging import Kriging
from napari_colorize.networks.interface import Prediction
from napari_colorize.networks.palette import CELL, Palette
from napari_colorize.training.hints import draw_guidance
from napari_colorize.training.losses import LOSSES, REGRESSION_WEIGHT
from napari_colorize.training.pasting import paste
from napari_colorize.training.rehearsal import Rehearsed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_colorize.networks.interface import ColorNetwork
    from napari_colorize.runs.config import TrainingConfig

# Cells of a batch at which distributions are compared; all of them would cost as much as the
# network and teach hardly more.
COMPARED_CELLS = 4096
# Hinted cells of a picture from which keys learn.
HINTED_CELLS = 128


class Objective(Protocol):
    """How far a network is from what is wanted of it."""

    def learn(self, network: Callable[..., Prediction], lightness: Tensor, lab: Tensor) -> Tensor:
        """Return the loss of a batch: L (B, 1, H, W) as the network sees it, true CIELAB."""

    def look(self, prediction: Prediction, lab: Tensor) -> Tensor:
        """Return the loss of a prediction without hints; nothing is drawn at random."""


def objective_of(config: TrainingConfig, network: ColorNetwork) -> Objective:
    """Return what a training with these settings asks of this network."""
    loss = LOSSES[config.loss]
    objective: Objective = RegressionObjective(loss)
    if isinstance(network, Palette):
        objective = DistributionObjective(network, loss, config.rebalance)
    if config.init is None or not config.rehearsal:
        return objective
    return Rehearsed(objective, network, loss, config.rehearsal)


class RegressionObjective:
    """The distance of ab alone."""

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._loss = loss

    def learn(self, network: Callable[..., Prediction], lightness: Tensor, lab: Tensor) -> Tensor:
        """Return the loss of a batch."""
        return self.look(network(lightness), lab)

    def look(self, prediction: Prediction, lab: Tensor) -> Tensor:
        """Return the loss of a prediction."""
        return self._loss(prediction.ab, lab[:, 1:])


class DistributionObjective:
    """Cross-entropy of the ab bins, a little of the distance of ab, and that of ab with hints.

    Hints do not enter the network; its keys alone learn from them. A reference does, in some of
    the pictures.

    Parameters
    ----------
    network : Palette
        Gives the bins and the prior.
    loss : callable
        Distance of ab for the regression.
    rebalance : float
        Largest weight of a rare colour; 1 leaves all alike.
    """

    def __init__(
        self, network: Palette, loss: Callable[[Tensor, Tensor], Tensor], rebalance: float
    ) -> None:
        self._network, self._loss, self._rebalance = network, loss, rebalance

    def learn(self, network: Callable[..., Prediction], lightness: Tensor, lab: Tensor) -> Tensor:
        """Return the loss of a batch."""
        lightness, lab, inside = paste(lightness, lab)
        guidance = draw_guidance(lab, inside, self._network.bins)
        prediction = network(lightness, guidance.reference)
        referred = guidance.reference.any(dim=1).view(-1, 1, 1, 1)
        true, hinted = (functional.avg_pool2d(ab, CELL) for ab in (lab[:, 1:], guidance.ab))
        alone = self._of(prediction, torch.where(referred, hinted, true), COMPARED_CELLS)
        return alone + REGRESSION_WEIGHT * self._loss(
            carried(prediction, guidance.hints, hinted.shape[-2:]), hinted
        )

    def look(self, prediction: Prediction, lab: Tensor) -> Tensor:
        """Return the loss of a prediction without hints."""
        return self._of(prediction, functional.avg_pool2d(lab[:, 1:], CELL), None)

    def _of(self, prediction: Prediction, ab: Tensor, cells: int | None) -> Tensor:
        """Return the loss; of the distributions at so many random cells, None for all."""
        logits = cast("Tensor", prediction.logits)
        height, width = ab.shape[-2:]
        logits, mean = logits[..., :height, :width], prediction.ab[..., :height, :width]
        wanted = ab.permute(0, 2, 3, 1).reshape(-1, 2)
        guessed = logits.permute(0, 2, 3, 1).reshape(len(wanted), -1)
        if cells is not None and cells < len(wanted):
            chosen = torch.randint(len(wanted), (cells,)).to(ab.device)
            wanted, guessed = wanted[chosen], guessed[chosen]
        return self._cross_entropy(guessed, wanted) + REGRESSION_WEIGHT * self._loss(mean, ab)

    def _cross_entropy(self, logits: Tensor, ab: Tensor) -> Tensor:
        """Return the mean over cells, (N, Q) and (N, 2), a piece at a time to save memory."""
        weights = rebalancing_weights(self._network.log_prior.exp(), self._rebalance)
        total = logits.new_zeros(())
        for guessed, wanted in zip(
            logits.split(COMPARED_CELLS), ab.split(COMPARED_CELLS), strict=True
        ):
            target = encode_softly(wanted, self._network.bins)
            each = -(target * guessed.log_softmax(dim=1)).sum(dim=1)
            total = total + (each * (target @ weights)).sum()
        return total / len(ab)


def carried(prediction: Prediction, hints: Tensor, shape: Sequence[int]) -> Tensor:
    """Return ab of (h, w) cells as hints change it; what learns from it are the keys alone."""
    height, width = shape
    keys, ab, hints = (
        part[..., :height, :width]
        for part in (cast("Tensor", prediction.keys), prediction.ab.detach(), hints)
    )
    kind = ab.device.type
    if kind == "mps":  # Metal has no Cholesky decomposition to learn through
        return carried(Prediction(ab.cpu(), keys=keys.cpu()), hints.cpu(), shape).to(ab)
    with torch.autocast(kind, enabled=False):
        return Kriging(keys, hints, HINTED_CELLS).carry(ab)
