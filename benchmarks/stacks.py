"""Planes a second of a stack, against the network and its surroundings alone.

Three ways in turns, with the bundled model: a plain loop that looks at each plane and draws it;
the planes of a stack each by itself; the same held still from plane to plane.

    python benchmarks/stacks.py
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.ndimage import gaussian_filter
from timing import seconds

from napari_colorize.color.steering import Steering
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.stacks.coloring import colored_planes
from napari_colorize.stacks.job import StackJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Movie = NDArray[np.uint8]  # (t, H, W)

BLOCK = 20  # planes that one way colours before the next has its turn


def pan(planes: int, side: int) -> Movie:
    """Return a grainy pan over a made-up scene."""
    random = np.random.default_rng(0)
    noise = random.random((side, side + planes))
    soft = sum(gaussian_filter(noise, sigma) * sigma for sigma in (1, 3, 9, 27))
    scene = (soft - soft.min()) / np.ptp(soft) * 220 + 15
    frames = np.stack([scene[:, t : t + side] for t in range(planes)])
    return (frames + random.normal(0, 2, frames.shape)).clip(0, 255).astype(np.uint8)


def loop(movie: Movie, colorizer: Colorizer) -> None:
    """Colour planes with nothing around."""
    for plane in movie:
        colorizer.set_picture(plane)
        colorizer.render(Steering())


def stack(movie: Movie, colorizer: Colorizer, *, coherent: bool) -> None:
    """Colour planes as those of a stack."""
    job = StackJob(movie, Axes("tyx", movie.shape), coherent=coherent)
    for _ in colored_planes(job, colorizer):
        pass


def main() -> None:
    """Print planes a second of each way, and what they are of the one they are measured by."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=200)
    parser.add_argument("--side", type=int, default=512)
    wishes = parser.parse_args()
    movie, colorizer = pan(wishes.planes, wishes.side), Colorizer()
    ways: dict[str, Callable[[Movie], None]] = {
        "network and surroundings alone": lambda part: loop(part, colorizer),
        "plane by plane": lambda part: stack(part, colorizer, coherent=False),
        "held still": lambda part: stack(part, colorizer, coherent=True),
    }
    for way in ways.values():
        way(movie[:3])
    took = dict.fromkeys(ways, 0.0)
    for begin in track(range(0, wishes.planes, BLOCK), "measuring"):
        block = movie[begin : begin + BLOCK]
        for name, way in ways.items():
            took[name] += seconds(partial(way, block))
    table = Table("way", "planes/s", "of alone", "of plane by plane")
    alone, by_plane, _ = took.values()
    for name, time_taken in took.items():
        rate = wishes.planes / time_taken
        table.add_row(
            name, f"{rate:.2f}", f"{alone / time_taken:.2f}", f"{by_plane / time_taken:.2f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
