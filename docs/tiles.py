"""Small pictures with captions, laid out in rows, for the gallery and for contact sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.color import lab2rgb, rgb2lab

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

GAP = 8  # pixels between tiles
LINE = 22  # pixels of a caption
FONT = ImageFont.load_default(14)
PAPER, INK = "white", "#333333"


class Tile(NamedTuple):
    """A picture, grey or in colour, and the words under it."""

    picture: Image.Image
    caption: str = ""


def grey(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture without its colours and with its lightness, (H, W)."""
    lab = rgb2lab(pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1))
    lab[..., 1:] = 0
    lightness: NDArray[np.uint8] = (lab2rgb(lab)[..., 0] * 255).round().astype(np.uint8)
    return lightness


def tile(pixels: NDArray[np.uint8], caption: str, box: tuple[int, int]) -> Tile:
    """Return a picture reduced to fit into a box of (width, height) pixels."""
    image = Image.fromarray(pixels).convert("RGB")
    scale = min(box[0] / image.width, box[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return Tile(image.resize(size, Image.Resampling.LANCZOS), caption)


def laid_out(rows: Sequence[Sequence[Tile]]) -> Image.Image:
    """Return tiles in rows, in columns of one width, each row as high as its highest tile."""
    width = max(tile.picture.width for row in rows for tile in row)
    heights = [max(tile.picture.height for tile in row) for row in rows]
    lines = [LINE if any(tile.caption for tile in row) else GAP for row in rows]
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, sum(heights) + sum(lines)), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = 0
    for row, height, line in zip(rows, heights, lines, strict=True):
        for column, (picture, caption) in enumerate(row):
            left = column * (width + GAP)
            sheet.paste(picture, (left + (width - picture.width) // 2, top))
            place = (left + width // 2, top + height + line // 2)
            draw.text(place, caption, INK, FONT, anchor="mm")
        top += height + line
    return sheet


def write(sheet: Image.Image, path: Path, quality: int = 70) -> None:
    """Write a JPEG and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, "JPEG", quality=quality, optimize=True, progressive=True)
    print(f"{path}  {sheet.width} x {sheet.height}  {path.stat().st_size / 1000:.0f} kB")
