"""How much less a movie flickers when colour is carried from plane to plane, and at what price.

Run ``python benchmarks/flicker.py PHOTOGRAPHS [--limit 5] [--planes 16] [--model MODEL]``. Over
each photograph it makes movies whose true colours are known: a pan, a zoom, a turn, grain, an
exposure that flickers, and a cut to the next photograph. It prints, carried beside alone,

- flicker: the mean distance in ab between a plane and the one before, brought along the motion
  of the true lightness, less that of the true colours; and how many times less it is. The grain
  and the exposure of a real camera change the true ab too, so that less than nothing is possible;
- PSNR of the colours against the true ones;
- for the cut: the mean distance in ab between the first plane behind it and that plane coloured
  without any before it, which is 0 where nothing goes over;
- the time of a plane, and its ratio to plane by plane, taken in turns in one run.

With ``--stack`` it judges grey stacks instead, which have no true colours: files, or names of
scikit-image's, such as ``--stack cells3d nickel_solidification``, which are downloaded. Of these it
prints the flicker alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import affine_transform, map_coordinates
from skimage import data
from skimage.color import rgb2lab
from skimage.registration import optical_flow_ilk
from skimage.transform import resize

from napari_colorize.files.pictures import find_pictures, read_picture
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.stack_files import open_stack
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.stacks.coloring import colored_planes
from napari_colorize.stacks.job import StackJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Movie = NDArray[np.uint8]  # (t, SIDE, SIDE, 3)

SIDE = 256
SCENE = 320  # short side of a photograph over which the camera moves
RIM = 8  # pixels of each edge at which motion is not judged
KINDS = ("pan", "zoom", "turn", "grain", "exposure")


def main() -> None:
    """Read the options, make the movies, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path, nargs="?")
    parser.add_argument("--stack", nargs="+", default=[])
    parser.add_argument("--limit", type=int, default=5)
    parser.add_argument("--planes", type=int, default=16)
    parser.add_argument("--model")
    options = parser.parse_args()
    colorizer = Colorizer(options.model, "cpu")
    for name in options.stack:
        judge_grey(name, options.planes, colorizer)
    if options.photographs is not None:
        judge_movies(options, colorizer)


def judge_grey(name: str, planes: int, colorizer: Colorizer) -> None:
    """Print the flicker of a stack without true colours."""
    grey = grey_stack(name, planes)
    seen = np.repeat(grey[..., None], 3, axis=-1)
    alone, _ = colored(seen, colorizer, coherent=False)
    carried, _ = colored(seen, colorizer, coherent=True)
    values = flicker(alone, seen), flicker(carried, seen)
    less = f"{values[0] / values[1]:.1f} x" if values[1] > 0 else "-"
    shape = " x ".join(map(str, grey.shape))
    print(f"{name} ({shape}): flicker alone {values[0]:.2f}, carried {values[1]:.2f}, less {less}")


def grey_stack(name: str, planes: int) -> NDArray[np.uint8]:
    """Return the middle planes of a stack, (t, SIDE, SIDE), 1st to 99.8th percentile."""
    if Path(name).exists():
        opened = open_stack(Path(name))
        length = opened.axes.outer[-1]
        first = (length - min(planes, length)) // 2
        rest = (0,) * (len(opened.axes.outer) - 1)
        chosen = range(first, first + min(planes, length))
        values = np.stack([np.asarray(opened.data[(*rest, t)], np.float32) for t in chosen])
    else:
        values = np.asarray(getattr(data, name)(), np.float32)
        if values.ndim == 4:  # z, channel, y, x
            values = values[:, -1]
        first = max(0, (len(values) - planes) // 2)
        values = values[first : first + planes]
    low, high = np.percentile(values, (1, 99.8))
    shown = np.clip((values - low) / (high - low), 0, 1)
    return (resize(shown, (len(shown), SIDE, SIDE), order=1) * 255).astype(np.uint8)


def judge_movies(options: argparse.Namespace, colorizer: Colorizer) -> None:
    """Print the tables of movies over photographs."""
    scenes = list(photographs(options.photographs, options.limit))
    rows = {kind: [] for kind in KINDS}
    cuts, seconds = [], []
    for number, scene in enumerate(scenes):
        for kind in KINDS:
            movie = filmed(scene, kind, options.planes)
            alone, alone_time = colored(movie, colorizer, coherent=False)
            carried, carried_time = colored(movie, colorizer, coherent=True)
            seconds.append((alone_time, carried_time))
            true = flicker(movie, movie)
            rows[kind].append(
                (
                    flicker(alone, movie) - true,
                    flicker(carried, movie) - true,
                    psnr(alone, movie),
                    psnr(carried, movie),
                )
            )
        following = filmed(scenes[number - 1], "pan", 4)
        cuts.append(over_the_cut(filmed(scene, "pan", 4), following, colorizer))
    print(f"{len(scenes)} photographs, {options.planes} planes of {SIDE} x {SIDE} px")
    print("              flicker alone  carried    less    PSNR alone  carried")
    for kind, values in rows.items():
        alone, carried, psnr_alone, psnr_carried = np.mean(values, axis=0)
        less = f"{alone / carried:5.1f} x" if alone > 0 and carried > 0 else "      -"
        print(
            f"  {kind:10} {alone:12.2f} {carried:9.2f} {less} {psnr_alone:13.2f} "
            f"{psnr_carried:8.2f}"
        )
    print(f"  over a cut {np.mean(cuts):12.3f}")
    ratios = [alone / carried for alone, carried in seconds]
    print(
        f"a plane: alone {1000 * statistics.median(a for a, _ in seconds):.0f} ms, carried "
        f"{1000 * statistics.median(c for _, c in seconds):.0f} ms; planes/s carried against "
        f"alone {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def photographs(folder: Path, limit: int) -> Iterator[NDArray[np.float32]]:
    """Yield colour photographs, the short side `SCENE`, as float32 0..255."""
    for path in find_pictures(folder)[:limit]:
        picture = Image.fromarray(read_picture(path).pixels).convert("RGB")
        scale = SCENE / min(picture.size)
        size = [round(side * scale) for side in picture.size]
        yield np.asarray(picture.resize(size, Image.Resampling.LANCZOS), np.float32)


def filmed(scene: NDArray[np.float32], kind: str, planes: int) -> Movie:
    """Return a movie over a scene."""
    centre = np.array(scene.shape[:2]) / 2
    noise = np.random.default_rng(0)
    movie = []
    for t in range(planes):
        angle = np.deg2rad(0.8 * t) if kind == "turn" else 0.0
        scale = 1 / (1 + 0.012 * t) if kind == "zoom" else 1.0
        moved = np.array([4 * np.sin(t / 4), 3.0 * (t - planes / 2)]) if kind == "pan" else 0.0
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        offset = centre + moved - turn @ np.array([SIDE / 2, SIDE / 2])
        plane = np.stack(
            [
                affine_transform(scene[..., c], turn, offset, (SIDE, SIDE), order=1, mode="reflect")
                for c in range(3)
            ],
            axis=-1,
        )
        if kind == "grain":
            plane = plane + noise.normal(0, 6, (SIDE, SIDE, 1))
        if kind == "exposure":
            plane = plane * (1 + 0.08 * np.sin(1.7 * t))
        movie.append(plane.clip(0, 255).astype(np.uint8))
    return np.stack(movie)


def colored(movie: Movie, colorizer: Colorizer, *, coherent: bool) -> tuple[Movie, float]:
    """Return a movie in colour by its lightness alone, and seconds for a plane."""
    axes = Axes("tyxs", movie.shape)
    started = time.perf_counter()
    planes = [
        plane.pixels
        for plane in colored_planes(StackJob(movie, axes, coherent=coherent), colorizer)
    ]
    return np.stack(planes), (time.perf_counter() - started) / len(movie)


def flicker(movie: Movie, truth: Movie) -> float:
    """Return the mean distance in ab between planes and those before, along the true motion."""
    distances = []
    for t in range(1, len(movie), 2):
        now, before = (rgb2lab(truth[i])[..., 0].astype(np.float32) / 100 for i in (t, t - 1))
        flow = optical_flow_ilk(now, before, radius=7, num_warp=5)
        places = np.mgrid[:SIDE, :SIDE] + flow
        inside = ((places >= RIM) & (places <= SIDE - 1 - RIM)).all(axis=0)
        ab, last = (rgb2lab(movie[i])[..., 1:] for i in (t, t - 1))
        moved = np.stack([map_coordinates(last[..., c], places, order=1) for c in (0, 1)], axis=-1)
        distances.append(np.linalg.norm(ab - moved, axis=-1)[inside].mean())
    return float(np.mean(distances))


def psnr(movie: Movie, truth: Movie) -> float:
    """Return the mean PSNR of the planes in dB."""
    errors = ((movie.astype(np.float64) - truth) ** 2).mean(axis=(1, 2, 3))
    return float((10 * np.log10(255**2 / errors)).mean())


def over_the_cut(movie: Movie, following: Movie, colorizer: Colorizer) -> float:
    """Return how far the first plane behind a cut is from what it is without what came before."""
    joined, _ = colored(np.concatenate((movie, following)), colorizer, coherent=True)
    alone, _ = colored(following, colorizer, coherent=True)
    ab = (rgb2lab(joined[len(movie)])[..., 1:], rgb2lab(alone[0])[..., 1:])
    return float(np.linalg.norm(ab[0] - ab[1], axis=-1).mean())


if __name__ == "__main__":
    main()
