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

from napari_colorize.color.scores import Scores, Truth
from napari_colorize.evaluation import read_truth
from napari_colorize.files.pictures import find_pictures
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

    paths = find_pictures(asked.validation)
    if not paths:
        parser.error(f"{asked.validation} holds no pictures")
    paths = paths[:: max(1, len(paths) // asked.limit)]
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

    base = grey.figures().to_dict()
    print(f"{len(paths)} photographs; size, vividness: PSNR, AuC raw, half, balanced over grey")
    for (size, value), scores in rows.items():
        figures = scores.figures().to_dict()
        gains = [
            f"{(figures[name] or 0) - (base[name] or 0):+6.2f}"
            for name in ("psnr", "auc_raw", "auc_half", "auc_balanced")
        ]
        line = f"{size:4d} {value:5.2f}: {' '.join(gains)}"
        rest = (f"{name} {figures[name]:.2f}" for name in ("colorfulness", "edges", "flats"))
        print(line, *rest)


if __name__ == "__main__":
    main()
