"""Make the animations of docs/stacks.md: a movie without and with colour that holds still.

::

    python docs/movies.py [--out docs/images]

The movies are made of scikit-image's pictures, with grain as old film has it, so that the colours
have something to flicker by. Takes some minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import affine_transform
from skimage import data

from napari_colorize import Hint, colorize_stack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Movie = NDArray[np.uint8]  # (t, SIDE, SIDE) or (t, SIDE, SIDE, 3)

SIDE = 240
PLANES = 28
PACE = 90  # milliseconds a plane
BAR = 26  # pixels above each picture, for its name
QUALITY = 60
GRAIN = 7  # of 255, standard deviation
# Coffee, saucer and rim, on the first plane of the second movie.
HINTS = (
    Hint(105, 125, (120, 72, 40), 20),
    Hint(170, 20, (60, 40, 30), 16),
    Hint(40, 60, (235, 230, 220), 10),
)
INK, GROUND = "#f0f1f2", "#101418"


def main() -> None:
    """Make the animations."""
    parser = argparse.ArgumentParser(description="Make the animations of docs/stacks.md.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    out = parser.parse_args().out
    cat = filmed(data.chelsea(), 1.2)
    alone, still = colorize_stack(cat, "tyx", coherent=False), colorize_stack(cat, "tyx")
    write(
        out / "stack-still.webp",
        {"grey": cat, "each plane by itself": alone, "colours held still": still},
    )
    coffee = filmed(data.coffee(), 2.0)
    still = colorize_stack(coffee, "tyx")
    led = colorize_stack(coffee, "tyx", hints={0: HINTS})
    write(
        out / "stack-hints.webp",
        {"grey": coffee, "no hint": still, "three hints on the first plane": led},
    )


def filmed(scene: NDArray[np.uint8], speed: float) -> Movie:
    """Return a grey, grainy movie: a pan that also comes nearer."""
    grey = (scene[..., :3] @ np.array([0.2126, 0.7152, 0.0722])).astype(np.float32)
    random = np.random.default_rng(0)
    middle = np.array(grey.shape) / 2
    planes = []
    for t in range(PLANES):
        scale = 1.1 - 0.004 * t
        moved = middle + np.array([6 * np.sin(t / 5), speed * (t - PLANES / 2)])
        offset = moved - scale * SIDE / 2
        plane = affine_transform(grey, np.eye(2) * scale, offset, (SIDE, SIDE), order=1)
        planes.append(plane + random.normal(0, GRAIN, plane.shape))
    return np.stack(planes).clip(0, 255).astype(np.uint8)


def write(path: Path, movies: dict[str, Movie]) -> None:
    """Write movies side by side, with their names, as an animated WebP."""
    font = ImageFont.load_default(size=15)
    frames = []
    for t in range(PLANES):
        frame = Image.new("RGB", (len(movies) * SIDE, SIDE + BAR), GROUND)
        pen = ImageDraw.Draw(frame)
        for number, (name, movie) in enumerate(movies.items()):
            frame.paste(Image.fromarray(movie[t]), (number * SIDE, BAR))
            pen.text((number * SIDE + 8, BAR / 2), name, INK, font, anchor="lm")
        frames.append(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = frames
    first.save(
        path, save_all=True, append_images=others, duration=PACE, loop=0, quality=QUALITY, method=6
    )
    print(f"{path}  {path.stat().st_size // 1000} kB, {len(frames)} planes")


if __name__ == "__main__":
    main()
