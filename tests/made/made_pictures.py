"""Pictures, profiles and EXIF for the tests of picture files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORIENTATION, MAKE, SHOT, TAKEN, WIDTH, HEIGHT = 0x0112, 0x010F, 0x8769, 0x9003, 0xA002, 0xA003
ADOBE = imagecodecs.cms_profile("adobergb")
GREY_18 = imagecodecs.cms_profile("gray", gamma=1.8)


def slopes(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Return a smooth colour picture without two equal corners."""
    y, x = np.mgrid[:height, :width]
    channels = [40 + 3 * x % 200, 30 + 4 * y % 200, 60 + (x + y) % 150]
    return np.stack(channels, axis=-1).astype(np.uint8)


def deep_slopes() -> NDArray[np.uint16]:
    """Return the same with bits that 8 cannot hold."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint16)
    return slopes().astype(np.uint16) * 256 + noise


def camera_exif(orientation: int = 1) -> Image.Exif:
    """Return EXIF as a camera writes it."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = orientation, "Camera works"
    exif.get_ifd(SHOT).update({TAKEN: "2020:02:03 04:05:06", WIDTH: 64, HEIGHT: 48})
    return exif
