"""What a training makes small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

# ab is divided by this, so that losses and gradients are near one whatever the loss.
AB_SCALE = 110.0
# Where Huber's loss turns from a square into a line, in scaled ab: 11 units of ab.
HUBER_DELTA = 0.1
# What the distance of ab counts beside that of distributions.
REGRESSION_WEIGHT = 10.0


def squared(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the mean squared distance of ab, (B, 2, H, W) each, scaled by 1 / 110."""
    return functional.mse_loss(predicted / AB_SCALE, true / AB_SCALE)


def huber(predicted: Tensor, true: Tensor) -> Tensor:
    """Return Huber's loss of ab, (B, 2, H, W) each, divided by its delta: about the mean |ab|."""
    loss = functional.huber_loss(predicted / AB_SCALE, true / AB_SCALE, delta=HUBER_DELTA)
    return loss / HUBER_DELTA


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"huber": huber, "squared": squared}
