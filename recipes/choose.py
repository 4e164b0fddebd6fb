"""Choose the working size and the default vividness of a model, on photographs kept aside.

::

    python recipes/choose.py MODEL VALIDATION --sizes 96 128 160 --vividness 0 0.5 1 --limit 150

Prints a line for each working size and vividness: figures over grey, as on the score card
(`napari_colorize.evaluation`), and over the truth's: colourfulness, and the gradients of ab
at edges and flat places of L.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import numpy as np
from over_grey import HEAD, figures, some

from napari_colorize.color.scores import Scores, Truth
from napari_colorize.evaluation import read_truth
from napari_colorize.prediction.colorizer import Colorizer


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128])
    parser.add_argument("--vividness", type=float, nargs="+", default=[0, 0.25, 0.5, 0.75, 1])
    parser.add_argument("--limit", type=int, default=150)
    asked = parser.parse_args()

    paths = some(asked.validation, asked.limit)
    rows = {(size, value): Scores() for size in asked.sizes for value in asked.vividness}
    grey = Scores()
    with closing(Colorizer(asked.model, "cpu")) as colorizer:
        for path in paths:
            truth = Truth(read_truth(path))
            grey.add(truth.colorless, truth)
            for size in asked.sizes:
                colorizer.card["working_size"] = size
                colorizer.set_picture(truth.grey)
                for value in asked.vividness:
                    result = np.asarray(colorizer.colorize(vividness=value), np.uint8)
                    rows[size, value].add(result, truth)

    print(f"{len(paths)} photographs; size, vividness: {HEAD}")
    for (size, value), scores in rows.items():
        print(f"{size:4d} {value:5.2f}: {figures(scores, grey)}")


if __name__ == "__main__":
    main()
