"""Make the pictures of docs/gallery.md from scikit-image's pictures.

::

    python docs/gallery.py [--model MODEL] [--out docs/images]

Nothing is downloaded: all pictures lie in scikit-image's wheel and are in the public domain or have
no known copyright restrictions.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from skimage import data
from tiles import FONT, INK, grey, laid_out, tile, write

from napari_colorize.color.hints import Hint
from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOX = (310, 310)  # of a tile, pixels
SMALL_BOX = (250, 250)  # where five stand in a row
ALTERNATIVES = 3
SEED = 1
HINT_SHARE = 1 / 40  # side of a hint over the picture's short side
RING = 7  # radius of the ring that shows a hint, pixels
BAR = (110, 10)  # of the legend, pixels
# The colour map in which napari shows the confidence, at even steps (viridis).
MAP = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
VIVIDNESS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Subject:
    """A picture of the gallery, and two hints on it.

    Attributes
    ----------
    source : str
        Name of the function of `skimage.data`.
    hints : tuple of (y, x, colour)
        Place in pixels and colour as "#rrggbb".
    """

    source: str
    hints: tuple[tuple[int, int, str], ...]

    def grey(self) -> NDArray[np.uint8]:
        """Return the picture without its colours, (H, W)."""
        return grey(getattr(data, self.source)())

    def placed_hints(self, shape: tuple[int, int]) -> list[Hint]:
        """Return the hints for a picture of shape (H, W)."""
        size = min(shape) * HINT_SHARE
        return [Hint(y, x, _rgb(color), size) for y, x, color in self.hints]


SUBJECTS = {
    # suit, backdrop
    "astronaut": Subject("astronaut", ((400, 90, "#d8702a"), (50, 330, "#5f86b8"))),
    # fur, iris
    "cat": Subject("chelsea", ((60, 200, "#c07a45"), (118, 148, "#6f9a3a"))),
    # saucer, table
    "coffee": Subject("coffee", ((245, 118, "#2f5fb0"), (330, 560, "#9a6a3a"))),
    # sky, horizon
    "rocket": Subject("rocket", ((40, 320, "#3f5f9f"), (335, 560, "#e09050"))),
    # sky, meadow
    "camera": Subject("camera", ((60, 400, "#d89a6a"), (460, 420, "#6f8f3a"))),
    # gland, what lies between
    "tissue": Subject("immunohistochemistry", ((100, 100, "#8a5a2a"), (256, 256, "#8f9fc8"))),
}


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of the gallery.")
    parser.add_argument("--model", help="name or file of a palette; the default model otherwise")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    settings = parser.parse_args()
    plain, palette = Colorizer("plain"), Colorizer(settings.model)
    if not palette.has_distribution:
        parser.error(f"{palette.model_name} takes no hints: name a palette with --model")
    for name, subject in SUBJECTS.items():
        write(overview(subject, plain, palette), settings.out / f"gallery-{name}.jpg")
    write(vividness_strip("astronaut", palette), settings.out / "gallery-vividness.jpg")
    write(reference_strip("coffee", "astronaut", palette), settings.out / "gallery-reference.jpg")


def overview(subject: Subject, plain: Colorizer, palette: Colorizer) -> Image.Image:
    """Return what the models make of a picture, in two rows."""
    pixels = subject.grey()
    hints = subject.placed_hints(pixels.shape)
    plain.set_picture(pixels)
    palette.set_picture(pixels)
    hinted = tile(palette.colorize(hints), "palette, two hints", BOX)
    draw_hints(hinted.picture, hints, pixels.shape)
    alternatives = palette.alternatives(ALTERNATIVES, seed=SEED)
    sure = tile(in_colors(palette.confidence()), "confidence", BOX)
    draw_legend(sure.picture)
    return laid_out(
        [
            [
                tile(pixels, "grey", BOX),
                tile(plain.colorize(), "plain", BOX),
                tile(palette.colorize(), "palette", BOX),
                hinted,
            ],
            [
                *(
                    tile(picture, f"alternative {number}", BOX)
                    for number, picture in enumerate(alternatives, start=1)
                ),
                sure,
            ],
        ]
    )


def vividness_strip(name: str, palette: Colorizer) -> Image.Image:
    """Return a picture at several values of vividness."""
    palette.set_picture(SUBJECTS[name].grey())
    return laid_out(
        [
            [
                tile(palette.colorize(vividness=value), f"vividness {value:g}", SMALL_BOX)
                for value in VIVIDNESS
            ]
        ]
    )


def reference_strip(reference: str, name: str, palette: Colorizer) -> Image.Image:
    """Return a picture without and with the palette of another."""
    mood = getattr(data, SUBJECTS[reference].source)()
    palette.set_picture(SUBJECTS[name].grey())
    return laid_out(
        [
            [
                tile(palette.colorize(), "without a reference", BOX),
                tile(mood, "reference", BOX),
                tile(palette.colorize(reference=mood), "with the reference", BOX),
            ]
        ]
    )


def draw_hints(image: Image.Image, hints: list[Hint], shape: tuple[int, int]) -> None:
    """Draw a disc of each hint's colour, ringed in white and black, at its place."""
    draw = ImageDraw.Draw(image)
    for hint in hints:
        x, y = (hint.x + 0.5) * image.width / shape[1], (hint.y + 0.5) * image.height / shape[0]
        fill = tuple(map(int, hint.color))
        for radius, color in ((RING + 1, (0, 0, 0)), (RING, (255, 255, 255)), (RING - 2, fill)):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), color)


def draw_legend(image: Image.Image) -> None:
    """Draw the colours of a confidence from 0 to 1 into a corner."""
    draw = ImageDraw.Draw(image, "RGBA")
    width, height = BAR
    left, top = image.width - width - 26, image.height - height - 10
    draw.rectangle((left - 20, top - 5, image.width, image.height), (255, 255, 255, 220))
    steps = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    image.paste(Image.fromarray(in_colors(steps)), (left, top))
    draw.text((left - 10, top + height / 2), "0", INK, FONT, anchor="mm")
    draw.text((left + width + 12, top + height / 2), "1", INK, FONT, anchor="mm")


def in_colors(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return values of 0..1, (H, W), in the colours of the map, (H, W, 3)."""
    stops = np.array([_rgb(color) for color in MAP], float)
    places = np.linspace(0, 1, len(MAP))
    channels = [np.interp(values, places, stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


if __name__ == "__main__":
    main()
