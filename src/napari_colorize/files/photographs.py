"""The folder doctor: which pictures of a folder can be trained on, and why the others cannot."""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

UNREADABLE = "unreadable"
GREY = "grey or sepia"
TOO_SMALL = "too small"
EXACT_DUPLICATE = "exact duplicate"
NEAR_DUPLICATE = "near duplicate"
REASONS = (UNREADABLE, GREY, TOO_SMALL, EXACT_DUPLICATE, NEAR_DUPLICATE)

SMALLEST_SIDE = 64
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "BMP")


@dataclass(frozen=True)
class Examination:
    """What the folder doctor found in a folder.

    Attributes
    ----------
    folder
        The folder that was examined.
    used
        Relative paths (with ``/``) of the pictures that can be trained on, sorted.
    left_out
        Relative paths of the others, by reason (one of `REASONS`).
    near_duplicates_sought
        False when the package ``imagehash`` is missing.
    """

    folder: str
    used: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    near_duplicates_sought: bool = True

    def summary(self) -> str:
        """Several lines for people: how many are used, how many are left out and why."""
        left_out = sum(map(len, self.left_out.values()))
        total = len(self.used) + left_out
        share = f" ({100 * len(self.used) / total:.1f} %)" if total else ""
        lines = [f"{len(self.used)} of {total} pictures are used{share}."]
        for reason in REASONS:
            names = self.left_out.get(reason, ())
            if names:
                lines.append(f"  {len(names)} left out: {reason}, for example {names[0]}")
        if not self.near_duplicates_sought:
            lines.append("  Near duplicates were not looked for: imagehash is not installed.")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON types."""
        return {
            "folder": self.folder,
            "used": list(self.used),
            "left_out": {reason: list(names) for reason, names in self.left_out.items()},
            "near_duplicates_sought": self.near_duplicates_sought,
        }


@dataclass(frozen=True)
class Finding:
    """What was found in one picture: why it is left out, or its pixels.

    Attributes
    ----------
    reason
        Why the picture is left out, or None.
    pixels
        ``(H, W, 3)`` uint8, reduced; None when left out.
    side
        Short side of the picture in its file, in pixels.
    likeness
        Perceptual hash of 64 bits; pictures that look alike differ in few bits. 0 without imagehash.
    """

    reason: str | None
    pixels: NDArray[np.uint8] | None = None
    side: int = 0
    likeness: int = 0


def examine_bytes(data: bytes, short_side: int, likeness: bool = True) -> Finding:
    """What is in the file's bytes.

    Parameters
    ----------
    data
        The whole file.
    short_side
        Larger pictures are reduced to this short side, in pixels.
    likeness
        Whether to work out the perceptual hash.
    """
    try:
        image = _open(data, short_side)
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError, Image.DecompressionBombError):
        return Finding(UNREADABLE)
    side, image = image
    if side < SMALLEST_SIDE:
        return Finding(TOO_SMALL, side=side)
    thumbnail = image.resize((64, 64), Image.Resampling.BOX)
    if is_grey(np.asarray(thumbnail)):
        return Finding(GREY, side=side)
    return Finding(None, np.asarray(image), side, _likeness(image) if likeness else 0)


def _open(data: bytes, short_side: int) -> tuple[int, Image.Image]:
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    side = min(image.size)
    if image.format == "JPEG":
        image.draft(None, (2 * short_side, 2 * short_side))
    image = ImageOps.exif_transpose(image)
    if image.mode != "RGB":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    scale = short_side / min(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return side, image


_STEPS = np.arange(256) / 255
_LINEAR = np.where(_STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4)
# Linear sRGB to X/Xn, Y/Yn, Z/Zn of D65 (IEC 61966-2-1), rows scaled so that white is 1, 1, 1.
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_TO_XYZ /= _TO_XYZ.sum(axis=1, keepdims=True)


def ab_of(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The a and b of CIELAB (D65) of sRGB pixels ``(..., 3)``, as ``(..., 2)``."""
    xyz = _LINEAR[rgb] @ _TO_XYZ.T
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * 24389 / 27 + 16) / 116)
    return np.stack([500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def is_grey(rgb: NDArray[np.uint8]) -> bool:
    """Whether a small picture ``(H, W, 3)`` has hardly any colour, or only one tint."""
    ab = ab_of(rgb).reshape(-1, 2)
    strong = float(np.percentile(np.hypot(ab[:, 0], ab[:, 1]), 99))
    if strong < 6:
        return True
    across = float(np.sqrt(max(0.0, np.linalg.eigvalsh(np.cov(ab.T))[0])))
    return strong < 30 and across < 1.0


def _likeness(image: Image.Image) -> int:
    import imagehash

    bits = imagehash.phash(image).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about odd files from reaching the user."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
