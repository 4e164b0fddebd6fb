"""Grey pictures to try: scikit-image's own, with their colours taken away.

All of them lie in scikit-image's wheel; nothing is downloaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    LayerData = tuple[NDArray[np.uint8], dict[str, Any], str]


def camera() -> list[LayerData]:
    """Return a photographer on a meadow (512, 512), grey from the start."""
    return [_layer("camera", "photographer")]


def cat() -> list[LayerData]:
    """Return the face of a ginger cat (300, 451)."""
    return [_layer("cat", "cat")]


def astronaut() -> list[LayerData]:
    """Return the portrait of an astronaut before a flag (512, 512)."""
    return [_layer("astronaut", "astronaut")]


def coffee() -> list[LayerData]:
    """Return a cup of coffee on a wooden table (400, 600)."""
    return [_layer("coffee", "coffee")]


def tissue() -> list[LayerData]:
    """Return stained tissue under the microscope (512, 512)."""
    return [_layer("immunohistochemistry", "tissue")]


def _layer(source: str, name: str) -> LayerData:
    """Return one of scikit-image's pictures as a grey layer that has its lightness."""
    from skimage import data
    from skimage.color import lab2rgb, rgb2lab

    picture = getattr(data, source)()
    if picture.ndim == 3:
        lab = rgb2lab(picture)  # (H, W, 3), L 0..100
        lab[..., 1:] = 0
        picture = (lab2rgb(lab)[..., 0] * 255).round().astype("uint8")
    return picture, {"name": name}, "image"
