"""Run by the processes of a test that train together: ``python processes.py RUN [--resume]``.

Each writes a hash of its weights beside the run. RANK_SHORT_OF_MEMORY names one that has memory
for one photograph only, RANK_BROKEN one that fails.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_colorize.networks.interface import ColorNetwork, Prediction
from napari_colorize.networks.weights import NETWORKS
from napari_colorize.training import __main__ as module
from napari_colorize.training.loop import Training

sys.path.insert(0, str(Path(__file__).parents[1] / "made"))
from made_networks import small_palette

run = Training.run
forward = ColorNetwork.forward


def watched(training: Training) -> Any:
    """Train, and write the hash of the weights at the end."""
    yield from run(training)
    digest = hashlib.sha256()
    for tensor in training.network.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    rank, pieces = training.batches.rank, training.progress.micro_batch
    beside = Path(sys.argv[1]).with_suffix(f".{rank}")
    beside.write_text(f"{digest.hexdigest()} {pieces} {rank}", "utf-8")


def hungry(network: ColorNetwork, lightness: Tensor, *others: Any, **more: Any) -> Prediction:
    """Return colours, if this process has the memory."""
    rank = os.environ.get("LOCAL_RANK", "0")
    if network.training and len(lightness) > 1 and os.environ.get("RANK_SHORT_OF_MEMORY") == rank:
        raise torch.OutOfMemoryError("out of memory")
    if network.training and os.environ.get("RANK_BROKEN") == rank:
        raise ValueError("broken on purpose")
    return forward(network, lightness, *others, **more)


if __name__ == "__main__":
    Training.run = watched  # type: ignore[method-assign]
    NETWORKS["palette"] = small_palette  # type: ignore[assignment]
    ColorNetwork.forward = hungry  # type: ignore[method-assign]
    sys.exit(module.main())
