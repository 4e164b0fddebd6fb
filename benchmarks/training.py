"""How much of the bare network's speed a training keeps: a ratio of photographs a second.

    python benchmarks/training.py [--network palette] [--precision bf16-mixed] [--rounds 12]

The training takes crops of photographs from the cache, augments them, turns them to Lab, follows
the average, checks and clips; the bare step is forward, backward and AdamW of the same network
on random tensors in memory, in the same precision and batch. `palette` answers each picture twice
in both; drawing hints and comparing distributions are the training's. Both take turns in one
process on one thread, so that a noisy machine disturbs both alike. The target is 0.9.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from napari_colorize.networks.devices import choose_device
from napari_colorize.networks.palette import Palette
from napari_colorize.networks.weights import build_network
from napari_colorize.runs.config import NETWORKS, TrainingConfig
from napari_colorize.runs.events import Step
from napari_colorize.training.batches import Batches
from napari_colorize.training.data import open_data
from napari_colorize.training.launch import launched, precision_of
from napari_colorize.training.loop import Training

if TYPE_CHECKING:
    from collections.abc import Iterator

PHOTOGRAPHS = 64


def make_photographs(folder: Path) -> None:
    """Write photographs of noise in many sizes: 200 x 300 pixels of colour on average."""
    rng = np.random.default_rng(0)
    for number in range(PHOTOGRAPHS):
        small = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        size = (rng.integers(250, 350), rng.integers(150, 250))
        Image.fromarray(small).resize(tuple(map(int, size))).save(folder / f"{number}.png")


def training_steps(training: Training) -> Iterator[None]:
    """Do a step of the training each time."""
    for event in training.run():
        if isinstance(event, Step):
            yield


def bare_steps(training: Training) -> Iterator[None]:
    """Do forward, backward and optimizer step of an equal network each time."""
    config, fabric = training.config, training.fabric
    network = build_network(config.network, {}).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6)
    network, optimizer = fabric.setup(network, optimizer)
    given = bare_batch(training)
    while True:
        optimizer.zero_grad(set_to_none=True)
        answers = [part for part in network(**given) if part is not None]
        fabric.backward(sum(part.square().mean() for part in answers))
        optimizer.step()
        if fabric.device.type == "cuda":
            torch.cuda.synchronize()
        yield


def bare_batch(training: Training) -> dict[str, Any]:
    """Return what the network of a training is given in a step, at random."""
    config, device = training.config, training.fabric.device
    count, crop = config.batch_size, config.crop
    lightness = torch.rand(count, 1, crop, crop, device=device) * 100
    if not isinstance(training.network, Palette):
        return {"lightness": lightness}
    bins = len(training.network.bins)
    return {"lightness": lightness, "reference": torch.rand(count, bins, device=device)}


def seconds(steps: Iterator[None], count: int) -> float:
    """Return the time of so many steps."""
    started = time.perf_counter()
    for _ in range(count):
        next(steps)
    return time.perf_counter() - started


def main() -> None:
    """Print photographs a second of both, and the ratio with its spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=NETWORKS, default="plain")
    parser.add_argument("--precision", default="bf16-mixed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--working-size", type=int, default=96)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=3, help="steps of each in a round")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        photographs = Path(place, "photographs")
        photographs.mkdir()
        make_photographs(photographs)
        config = TrainingConfig(
            folder=str(photographs),
            cache=str(Path(place, "cache")),
            network=given.network,
            epochs=10**6,
            crop=given.crop,
            working_size=given.working_size,
            batch_size=given.batch_size,
            device=given.device,
            precision=given.precision,
        )
        data = open_data(config)
        choice = choose_device(config.device)
        with launched(config, choice) as fabric:
            batches = Batches(
                data.photographs, data.indices, config.batch_size, config.crop,
                config.working_size, config.seed,
            )  # fmt: skip
            network = build_network(config.network, {})
            training = Training(config, network, batches, data.validation, fabric)
            training._owes_validation = lambda: False  # type: ignore[method-assign]
            turns = (training_steps(training), bare_steps(training))
            for steps in turns:
                seconds(steps, 2)
            times = [[seconds(steps, given.steps) for steps in turns] for _ in range(given.rounds)]
    rates = [[given.steps * given.batch_size / t for t in pair] for pair in times]
    ratios = sorted(ours / bare for ours, bare in rates)
    for name, column in zip(("training", "bare step"), zip(*rates, strict=True), strict=True):
        print(f"{name:10} {statistics.median(column):8.1f} photographs/s")
    print(
        f"ratio {statistics.median(ratios):.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f}, "
        f"{len(ratios)} rounds, {precision_of(config, choice)}, one thread, {choice.device})"
    )


if __name__ == "__main__":
    main()
