"""Train one variant of `palette` for a short while, to see what each part of it brings.

::

    python recipes/ablation.py VARIANT PHOTOGRAPHS VALIDATION RUNS

Every variant sees the same crops in the same order, and prints its score card on 150 photographs.
`docs/models.md` has the table.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from napari_colorize.api import evaluate, train_here
from napari_colorize.networks.palette import CELL, Palette
from napari_colorize.networks.weights import NETWORKS
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.training import pasting
from napari_colorize.training.hints import draw_guidance
from napari_colorize.training.objectives import COMPARED_CELLS, DistributionObjective

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from napari_colorize.networks.interface import Prediction

SETTINGS: dict[str, dict[str, Any]] = {
    "base": {},
    "rebalanced": {"rebalance": 4},
    "no tone": {"tone": 0},
    "no attention": {},
    "nothing pasted": {},
    "hints in half": {},
    "wider, for as long": {"photographs": 16_000},
    "96 px, for as long": {"photographs": 9_000, "crop": 96, "working_size": 112},
}


def main() -> None:
    """Train the variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("variant", choices=SETTINGS)
    parser.add_argument("photographs")
    parser.add_argument("validation")
    parser.add_argument("runs", type=Path)
    asked = parser.parse_args()

    if asked.variant == "no attention":
        NETWORKS["palette"] = partial(Palette, attention=False)  # type: ignore[assignment]
    if asked.variant == "wider, for as long":
        NETWORKS["palette"] = partial(Palette, widths=(96, 192, 320))  # type: ignore[assignment]
    if asked.variant == "nothing pasted":
        pasting.PASTED = 0.0
    if asked.variant == "hints in half":
        DistributionObjective.learn = _learn_from_half  # type: ignore[method-assign]
    settings = {
        "folder": asked.photographs, "validation": asked.validation, "network": "palette",
        "photographs": 20_000, "epochs": 1, "crop": 64, "working_size": 80, "threads": 1,
        "learning_rate": 1e-3,
    } | SETTINGS[asked.variant]  # fmt: skip
    run = RunFolder(asked.runs / asked.variant.replace(" ", "-"))
    run.create(TrainingConfig(**settings))
    print(train_here(run))
    # In this process, where a variant's network can be built.
    card = evaluate(asked.validation, model=run.best_model, device="cpu", limit=150)
    print(card.table())


def _learn_from_half(
    self: DistributionObjective, network: Callable[..., Prediction], lightness: Tensor, lab: Tensor
) -> Tensor:
    """Return the loss where each picture is answered once, half of them with hints."""
    lightness, lab, inside = pasting.paste(lightness, lab)
    guidance = draw_guidance(lab, inside, self._network.bins)
    hinted = torch.rand(len(lab)) < 0.5
    chosen = hinted.to(lab.device).view(-1, 1, 1, 1)
    prediction = network(lightness, guidance.hints * chosen, guidance.reference * chosen[..., 0, 0])
    ab = torch.where(chosen, guidance.ab, lab[:, 1:])
    return self._of(prediction, functional.avg_pool2d(ab, CELL), COMPARED_CELLS)


if __name__ == "__main__":
    main()
