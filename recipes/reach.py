"""Measure how far hints of a surprising colour reach: what should turn, and what should not.

::

    python recipes/reach.py MODEL VALIDATION [--limit 70]

In each photograph all that has the hue of one chosen place is turned to another hue, as if that
thing had another colour. One hint there, or four on it, tell. Printed are PSNR over the photograph
coloured without hints, and by how much ab moves in what was turned and in what was not.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from over_grey import some

from napari_colorize.color.hints import Hint
from napari_colorize.color.lab import lab_to_rgb
from napari_colorize.color.metrics import lab_of, psnr
from napari_colorize.color.random_hints import PATCH
from napari_colorize.color.scores import Truth
from napari_colorize.evaluation import read_truth
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.training.hints import likeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

HINTS = (1, 4)
# Chroma from which a place has a hue, likeness from which a pixel is of a thing, and up to which it
# is of another; shares of the picture that both have to have.
CHROMA, SAME, OTHER, ENOUGH = 15.0, 0.9, 0.05, 0.02


class Turned(NamedTuple):
    """A photograph in which one thing has another colour.

    Attributes
    ----------
    rgb : ndarray of shape (H, W, 3), uint8
    alike : ndarray of shape (H, W)
        How much of the turn each pixel took, 0..1.
    hints : list of Hint
        On the thing, of its new colour.
    """

    rgb: NDArray[np.uint8]
    alike: NDArray[np.float32]
    hints: list[Hint]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model")
    parser.add_argument("validation", type=Path)
    parser.add_argument("--limit", type=int, default=70)
    asked = parser.parse_args()

    rows: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
    with closing(Colorizer(asked.model, "cpu")) as colorizer:
        for place, path in enumerate(some(asked.validation, asked.limit)):
            truth = Truth(read_truth(path))
            turned = turned_thing(truth, np.random.default_rng((place, 7)))
            if turned is None:
                continue
            colorizer.set_picture(truth.grey)
            plain = np.asarray(colorizer.colorize(vividness=0), np.uint8)
            for count in HINTS:
                result = np.asarray(colorizer.colorize(turned.hints[:count], vividness=0), np.uint8)
                moved = np.linalg.norm(lab_of(result)[..., 1:] - lab_of(plain)[..., 1:], axis=-1)
                gain = psnr(result, turned.rgb) - psnr(plain, turned.rgb)
                inside, outside = turned.alike > SAME, turned.alike < OTHER
                rows[count].append((gain, moved[inside].mean(), moved[outside].mean()))
    print(f"{len(rows[1])} photographs: PSNR over no hints, ab moved in the thing and elsewhere")
    for count, figures in rows.items():
        gain, inside, outside = np.mean(figures, axis=0)
        print(
            f"{count} hints: {gain:+.2f} dB, {inside:.1f}, {outside:.1f} ({outside / inside:.2f})"
        )


def turned_thing(truth: Truth, rng: np.random.Generator) -> Turned | None:
    """Return a photograph with one thing turned; None where nothing has a hue of its own."""
    lab = torch.from_numpy(truth.lab.copy())
    height, width = lab.shape[:2]
    chroma = lab[..., 1:].norm(dim=-1)
    places = [
        (int(y), int(x)) for y, x in rng.integers(0, (height - PATCH, width - PATCH), (100, 2))
    ]
    first = next((place for place in places if chroma[place] > CHROMA), None)
    if first is None:
        return None
    hue = torch.atan2(lab[..., 2], lab[..., 1])
    alike = likeness(hue[None], torch.tensor([first]))[0]
    if min((alike > SAME).float().mean(), (alike < OTHER).float().mean()) < ENOUGH:
        return None
    angle = alike * rng.uniform(1, 2 * math.pi - 1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    a, b = lab[..., 1], lab[..., 2]
    other = torch.stack((lab[..., 0], cos * a - sin * b, sin * a + cos * b))
    rgb = (lab_to_rgb(other) * 255).round().clamp(0, 255).permute(1, 2, 0).byte().numpy()
    on_it = [first, *(place for place in places if alike[place] > SAME and chroma[place] > CHROMA)]
    return Turned(rgb, alike.numpy(), [hint_at(rgb, *place) for place in on_it[: max(HINTS)]])


def hint_at(rgb: NDArray[np.uint8], y: int, x: int) -> Hint:
    """Return the mean colour of a patch, as a person would give it."""
    color = rgb[y : y + PATCH, x : x + PATCH].mean(axis=(0, 1))
    return Hint(y + PATCH / 2 - 0.5, x + PATCH / 2 - 0.5, tuple(color.tolist()), PATCH)


if __name__ == "__main__":
    main()
