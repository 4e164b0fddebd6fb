"""How fast this machine trains: ``python -m napari_colorize.training.speed [options]``.

Does real steps on made-up pictures for a few seconds and prints one line of JSON: ``rate`` in
photographs a second, ``device``, the ``reason`` why there, and in ``advice`` the command that lets
a GPU be used which is there and is not, if that is so.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import ColorizeError
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import find_model
from napari_colorize.networks.devices import choose_device
from napari_colorize.networks.weights import build_network
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Step
from napari_colorize.training.batches import Batches
from napari_colorize.training.launch import launched
from napari_colorize.training.loop import Training
from napari_colorize.training.validation import ValidationSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Seconds of steps that are measured, after as many that are not: the first ones prepare much.
WARM, MEASURED = 1.0, 3.0
# Made-up pictures, about as large as photographs are when they are decoded.
PICTURES, HEIGHT, WIDTH = 16, 256, 320
# Steps of an epoch; nothing is to be validated before the end.
STEPS = 500
# A processor is as fast with smaller batches, and one of these takes a second or two.
MOST_ON_CPU = 16


def measure(config: TrainingConfig, model: str | None = None) -> dict[str, Any]:
    """Return photographs a second, the device, the reason why there, and what mends it.

    Parameters
    ----------
    config : TrainingConfig
        Its network, crop, batch size, device, precision and threads count.
    model : str, optional
        The model that is to be fine-tuned: its network may have settings of its own.

    Raises
    ------
    ColorizeError
        If these settings cannot be trained with here.
    """
    choice = choose_device(config.device)
    settings = {} if model is None else read_card(find_model(model))["settings"]
    network = build_network(config.network, settings, model or "The training")
    pictures = _pictures()
    size = min(config.batch_size, MOST_ON_CPU) if choice.device == "cpu" else config.batch_size
    batches = Batches(
        pictures,
        [number % PICTURES for number in range(size * STEPS)],
        batch_size=size,
        crop=config.crop,
        working_size=config.working_size,
        seed=config.seed,
    )
    with launched(config, choice) as fabric:
        validation = ValidationSet(pictures, [0], config.working_size)
        training = Training(config, network, batches, validation, fabric)
        with closing(training.run()) as events:
            times = _times(time.perf_counter() for event in events if isinstance(event, Step))
    steps = len(times) - 1
    return {
        "rate": steps * size / (times[-1] - times[0]),
        "device": choice.device,
        "reason": choice.reason,
        "advice": choice.remedy,
    }


def _times(ends: Iterator[float]) -> list[float]:
    """Return when the steps ended that are measured, and before them the one that began them."""
    began = time.perf_counter()
    first = next(ends)
    while first - began < WARM:
        first = next(ends)
    times = [first, next(ends)]
    while times[-1] - first < MEASURED:
        times.append(next(ends))
    return times


def _pictures() -> list[NDArray[np.uint8]]:
    chance = np.random.default_rng(0)
    shape = (HEIGHT, WIDTH, 3)
    return [chance.integers(0, 256, shape, dtype=np.uint8) for _ in range(PICTURES)]


def main() -> int:
    """Measure and print; return 1 when that is not possible, with the reason on stderr."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default=TrainingConfig.network)
    parser.add_argument("--crop", type=int, default=TrainingConfig.crop)
    parser.add_argument("--batch-size", type=int, default=TrainingConfig.batch_size)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model")
    settings = vars(parser.parse_args())
    model = settings.pop("model")
    try:
        answer = measure(TrainingConfig(folder="-", epochs=1000, **settings), model)
    except ColorizeError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
