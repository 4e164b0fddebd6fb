"""Colour a folder's pictures into one contact sheet, to look at many of them.

::

    python docs/sheet.py FOLDER OUT.jpg [--model MODEL] [--count 24] [--across 2]

Each picture is shown grey and at vividness 0, the model's default, and 1 (a model without vividness
shows one result). The pictures are taken evenly from the folder, in the order of their names.
"""

from __future__ import annotations

import argparse
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tiles import Tile, grey, laid_out, tile, write

from napari_colorize.errors import ColorizeError
from napari_colorize.files.pictures import find_pictures, read_picture
from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from collections.abc import Iterator

BOX = (224, 224)  # of a tile, pixels


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", help="name or file of a model; the default one otherwise")
    parser.add_argument("--count", type=int, default=24, help="pictures")
    parser.add_argument("--across", type=int, default=2, help="pictures side by side")
    settings = parser.parse_args()
    paths = find_pictures(settings.folder)
    if not paths:
        parser.error(f"{settings.folder} holds no pictures")
    chosen = np.linspace(0, len(paths) - 1, min(settings.count, len(paths))).round().astype(int)
    colorizer = Colorizer(settings.model)
    groups = list(colored(colorizer, [paths[index] for index in chosen]))
    starts = range(0, len(groups), settings.across)
    rows = [list(chain(*groups[start : start + settings.across])) for start in starts]
    write(laid_out(rows), settings.out, quality=88)


def colored(colorizer: Colorizer, paths: list[Path]) -> Iterator[list[Tile]]:
    """Yield the tiles of each picture that can be read."""
    for path in paths:
        try:
            pixels = grey(read_picture(path).pixels)
        except ColorizeError as error:
            print(f"{path}: {error}")
            continue
        colorizer.set_picture(pixels)
        tiles = [tile(pixels, path.name[:32], BOX)]
        if not colorizer.has_distribution:
            yield [*tiles, tile(colorizer.colorize(), colorizer.model_name, BOX)]
            continue
        for vividness, name in ((0.0, "vividness 0"), (None, "default"), (1.0, "vividness 1")):
            tiles.append(tile(colorizer.colorize(vividness=vividness), name, BOX))
        yield tiles


if __name__ == "__main__":
    main()
