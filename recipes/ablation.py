"""Train one variant of `palette` for a short while, to see what each part of it brings.

::

    python recipes/ablation.py VARIANT PHOTOGRAPHS VALIDATION RUNS

Every variant sees the same crops in the same order, or trains for about as long, and prints its
score card on 150 photographs. `docs/experiments.md` has the table. Encoders start as `start.py`
says.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from start import write_start

from napari_colorize.api import evaluate, train_here
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder
from napari_colorize.training import pasting

SETTINGS: dict[str, dict[str, Any]] = {
    "base": {},
    "encoder from scratch": {"init": None, "encoder_rate": 1},
    "encoder as fast": {"encoder_rate": 1},
    "encoder frozen": {"encoder_rate": 0},
    "rebalanced": {"rebalance": 4},
    "no tone": {"tone": 0},
    "nothing pasted": {},
    "wider, for as long": {"photographs": 3_500},
    "deeper, for as long": {"photographs": 3_500},
    "128 px, for as long": {"photographs": 2_900, "crop": 128, "working_size": 160},
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
    settings = {
        "folder": asked.photographs, "validation": asked.validation, "network": "palette",
        "photographs": 4_800, "epochs": 1, "crop": 96, "working_size": 128, "threads": 1,
        "learning_rate": 1e-3, "encoder_rate": 0.15, "warmup": 20, "rehearsal": 0,
        "init": str(start),
    } | SETTINGS[asked.variant]  # fmt: skip
    run = RunFolder(asked.runs / name)
    run.create(TrainingConfig(**settings))
    print(train_here(run))
    # In this process, where a variant's network can be built.
    card = evaluate(asked.validation, model=run.best_model, device="cpu", limit=150)
    print(card.table())


if __name__ == "__main__":
    main()
