"""Train one variant of `palette` for a short while, to see what each part of it brings.

::

    python recipes/ablation.py VARIANT PHOTOGRAPHS VALIDATION RUNS

Every variant sees the same crops in the same order, or trains for about as long, and prints its
score card on 150 photographs. `docs/models.md` has the table. Encoders start as `start.py` says.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from start import write_start
from torch.nn import functional

from napari_colorize.api import evaluate, train_here
from napari_colorize.networks.palette import CELL
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
    "encoder from scratch": {"init": None, "encoder_rate": 1},
    "encoder as fast": {"encoder_rate": 1},
    "encoder frozen": {"encoder_rate": 0},
    "rebalanced": {"rebalance": 4},
    "no tone": {"tone": 0},
    "nothing pasted": {},
    "hints in half": {},
    "wider, for as long": {"photographs": 7_000},
    "deeper, for as long": {"photographs": 7_000},
    "128 px, for as long": {"photographs": 6_000, "crop": 128, "working_size": 160},
}
NETWORKS: dict[str, dict[str, Any]] = {
    "wider, for as long": {"widths": [96, 144, 256]},
    "deeper, for as long": {"blocks": [2, 2, 2]},
}


def main() -> None:
    """Train the variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("variant", choices=SETTINGS)
    parser.add_argument("photographs")
    parser.add_argument("validation")
    parser.add_argument("runs", type=Path)
    asked = parser.parse_args()

    name = asked.variant.replace(" ", "-").replace(",", "")
    start = asked.runs / f"{name}.safetensors"
    write_start(start, NETWORKS.get(asked.variant, {}))
    if asked.variant == "nothing pasted":
        pasting.PASTED = 0.0
    if asked.variant == "hints in half":
        DistributionObjective.learn = _learn_from_half  # type: ignore[method-assign]
    settings = {
        "folder": asked.photographs, "validation": asked.validation, "network": "palette",
        "photographs": 10_000, "epochs": 1, "crop": 96, "working_size": 128, "threads": 1,
        "learning_rate": 1e-3, "encoder_rate": 0.15, "rehearsal": 0, "init": str(start),
    } | SETTINGS[asked.variant]  # fmt: skip
    run = RunFolder(asked.runs / name)
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
