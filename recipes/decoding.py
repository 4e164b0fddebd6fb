"""See what temperature, prior and evening out make of distributions, at one vividness.

::

    python recipes/decoding.py MODEL VALIDATION --temperatures 0.5 0.6 --adjustments 0.6 0.9 \
        --left 0.25 1 --even 0.1 0.5 --evened 0 5 [--vividness 1] [--limit 70]

Prints a line for each. So the constants of `napari_colorize.prediction.vividness` were chosen.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from itertools import product
from pathlib import Path

import numpy as np
from over_grey import HEAD, figures, some

from napari_colorize.color.scores import Scores, Truth
from napari_colorize.evaluation import read_truth
from napari_colorize.prediction import look, vividness
from napari_colorize.prediction.colorizer import Colorizer


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.5])
    parser.add_argument("--adjustments", type=float, nargs="+", default=[1.0])
    parser.add_argument("--left", type=float, nargs="+", default=[vividness.LEFT])
    parser.add_argument("--even", type=float, nargs="+", default=[0.1])
    parser.add_argument("--evened", type=int, nargs="+", default=[vividness.EVENED])
    parser.add_argument("--vividness", type=float, default=1.0)
    parser.add_argument("--limit", type=int, default=70)
    asked = parser.parse_args()

    paths = some(asked.validation, asked.limit)
    grid = list(
        product(asked.temperatures, asked.adjustments, asked.left, asked.even, asked.evened)
    )
    rows, grey = {one: Scores() for one in grid}, Scores()
    with closing(Colorizer(asked.model, "cpu")) as colorizer:
        for path in paths:
            truth = Truth(read_truth(path))
            grey.add(truth.colorless, truth)
            for one in grid:
                temperature, adjustment, left, even, evened = one
                vividness.TEMPERATURE = (1.0, temperature)
                vividness.ADJUSTMENT = (0.0, adjustment)
                vividness.LEFT, vividness.EVEN = left, even
                look.EVENED = evened
                colorizer.set_picture(truth.grey)
                result = np.asarray(colorizer.colorize(vividness=asked.vividness), np.uint8)
                rows[one].add(result, truth)

    print(f"{len(paths)} photographs; temperature, adjustment, left, even, evened: {HEAD}")
    for one, scores in rows.items():
        print(f"{' '.join(f'{value:g}' for value in one)}: {figures(scores, grey)}")


if __name__ == "__main__":
    main()
