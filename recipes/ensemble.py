"""See what the mean of several models' answers would bring: the most that distilling them could.

::

    python recipes/ensemble.py VALIDATION MODEL MODEL... [--limit 150]

Prints figures over grey at vividness 0 and 0.75 for each model and for the mean of all, whose
distributions and regressions are averaged.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import torch
from over_grey import HEAD, figures, some
from views import VIVIDNESS, mean_of, seen_as

from napari_colorize.color.scores import Scores, Truth
from napari_colorize.evaluation import read_truth
from napari_colorize.prediction.colorizer import Colorizer


def main() -> None:
    """Print a line for each model and vividness, and for the mean of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("validation", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=150)
    asked = parser.parse_args()

    names = [*map(str, asked.models), "mean"]
    rows = {(name, value): Scores() for name in names for value in VIVIDNESS}
    grey = Scores()
    paths = some(asked.validation, asked.limit)
    with ExitStack() as stack, torch.inference_mode():
        models = [stack.enter_context(closing(Colorizer(each, "cpu"))) for each in asked.models]
        for path in paths:
            truth = Truth(read_truth(path))
            grey.add(truth.colorless, truth)
            answers = []
            for name, model in zip(names, models, strict=False):
                model.set_picture(truth.grey)
                answers.append(seen_as(model._looked(), int(model.card["working_size"]), False))
                add_all(rows, name, model, truth)
            mean = mean_of(answers)
            models[0]._looked().steady(lambda _kind, _prediction, mean=mean: mean)  # type: ignore[misc]
            add_all(rows, "mean", models[0], truth)

    print(f"{len(paths)} photographs; model, vividness: {HEAD}")
    for (name, value), scores in rows.items():
        print(f"{name} {value:.2f}: {figures(scores, grey)}")


def add_all(
    rows: dict[tuple[str, float], Scores], name: str, model: Colorizer, truth: Truth
) -> None:
    """Add what a model makes of a picture to its rows."""
    for value in VIVIDNESS:
        rows[name, value].add(np.asarray(model.colorize(vividness=value), np.uint8), truth)


if __name__ == "__main__":
    main()
