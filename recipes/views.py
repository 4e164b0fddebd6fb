"""See what the mean of several looks at a picture would bring, at several times the cost.

::

    python recipes/views.py MODEL VALIDATION [--limit 70]

Each photograph is looked at with several short sides, as it is and mirrored; distributions and
regressions of some looks are averaged. Prints figures over grey at vividness 0 and 0.75.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from over_grey import HEAD, figures, some

from napari_colorize.color.scores import Scores, Truth
from napari_colorize.evaluation import read_truth
from napari_colorize.networks.interface import Prediction
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.prediction.seeing import working_shape

if TYPE_CHECKING:
    from napari_colorize.prediction.look import Look

# Short side, and whether it is mirrored.
View = tuple[int, bool]
MEANS: dict[str, list[View]] = {
    "128": [(128, False)],
    "160": [(160, False)],
    "192": [(192, False)],
    "224": [(224, False)],
    "192 and its mirror image": [(192, False), (192, True)],
    "160, 224": [(160, False), (224, False)],
    "160, 224, both mirrored": [(160, False), (224, False), (160, True), (224, True)],
}
VIVIDNESS = (0.0, 0.75)


def main() -> None:
    """Print a line for each mean and vividness."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--limit", type=int, default=70)
    asked = parser.parse_args()

    paths = some(asked.validation, asked.limit)
    rows = {(name, value): Scores() for name in MEANS for value in VIVIDNESS}
    grey = Scores()
    with closing(Colorizer(asked.model, "cpu")) as colorizer, torch.inference_mode():
        for path in paths:
            truth = Truth(read_truth(path))
            grey.add(truth.colorless, truth)
            colorizer.set_picture(truth.grey)
            look = colorizer._looked()
            seen = {view: seen_as(look, *view) for views in MEANS.values() for view in views}
            for name, views in MEANS.items():
                mean = mean_of([seen[view] for view in views])
                look.steady(lambda _kind, _prediction, mean=mean: mean)  # type: ignore[misc]
                for value in VIVIDNESS:
                    result = np.asarray(colorizer.colorize(vividness=value), np.uint8)
                    rows[name, value].add(result, truth)

    print(f"{len(paths)} photographs; looks, vividness: {HEAD}")
    for (name, value), scores in rows.items():
        print(f"{name:24s} {value:.2f}: {figures(scores, grey)}")


def seen_as(look: Look, size: int, mirrored: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return shares and ab of one look, on the cells of the picture's own look."""
    network, seen = look.palette("views"), look.seen
    shape = working_shape(seen.lightness.shape, size)
    lightness = seen.lightness.reduced(*shape, None)[None, None]
    prediction = network(lightness.flip(-1) if mirrored else lightness)
    assert prediction.logits is not None
    cells = seen.cells(network.cell)
    parts = (prediction.logits.softmax(dim=1), prediction.ab)
    shares, ab = (network.enlarged(part, shape, cells) for part in parts)
    return (shares.flip(-1), ab.flip(-1)) if mirrored else (shares, ab)


def mean_of(views: list[tuple[torch.Tensor, torch.Tensor]]) -> Prediction:
    """Return the mean of looks as one answer."""
    shares, ab = (torch.stack(part).mean(dim=0) for part in zip(*views, strict=True))
    return Prediction(ab, shares.clamp_min(1e-9).log())


if __name__ == "__main__":
    main()
