"""The folder doctor: which pictures of a folder can be trained on, and why the others cannot."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_colorize.files.decoding import FORMATS, plain_image, turned
from napari_colorize.files.tiff import TIFF_STARTS, is_plain, read_tiff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

UNREADABLE = "unreadable"
GREY = "grey or sepia"
TOO_SMALL = "too small"
EXACT_DUPLICATE = "exact duplicate"
NEAR_DUPLICATE = "near duplicate"
REASONS = (UNREADABLE, GREY, TOO_SMALL, EXACT_DUPLICATE, NEAR_DUPLICATE)

SMALLEST_SIDE = 64
"""Short side in pixels below which a picture is too small."""
LARGEST = 250_000_000
"""Pixels above which a photograph is not decoded: most likely a file made to fill the memory."""
THUMBNAIL = 32
"""Side in pixels at which colours are judged: the noise of JPEG and of scans is gone there."""


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
        Relative paths of the others, sorted, by reason (one of `REASONS`).
    near_duplicates_sought
        False when the package ``imagehash`` is missing.
    """

    folder: str
    used: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    near_duplicates_sought: bool = True

    def summary(self) -> str:
        """Return several lines for people: how many are used, how many are left out and why."""
        total = len(self.used) + sum(map(len, self.left_out.values()))
        share = f" ({100 * len(self.used) / total:.1f} %)" if total else ""
        lines = [f"{len(self.used)} of {total} pictures are used{share}."]
        for reason in REASONS:
            names = self.left_out.get(reason, ())
            if names:
                lines.append(f"  {len(names)} left out: {reason}, for example {names[0]}.")
        if not self.near_duplicates_sought:
            lines.append("  Near duplicates were not looked for: imagehash is not installed.")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain JSON types."""
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
        ``(H, W, 3)`` uint8 sRGB, reduced; None when left out.
    side
        Short side of the picture in its file, in pixels.
    likeness
        Perceptual hash of 64 bits; pictures that look alike differ in few. 0 if not asked for.
    """

    reason: str | None
    pixels: NDArray[np.uint8] | None = None
    side: int = 0
    likeness: int = 0


def examine_bytes(data: bytes, short_side: int, likeness: bool = True) -> Finding:
    """Tell what is in a picture file.

    Parameters
    ----------
    data
        The whole file.
    short_side
        A larger picture is reduced to this short side in pixels; a smaller one stays.
    likeness
        Whether to work out the perceptual hash (package ``imagehash``).

    See Also
    --------
    napari_colorize.files.decoding.calm_pillow : has to be around calls of this.
    """
    try:
        side, image = _decode(data, short_side)
    # A broken file can make a decoder raise anything: struct.error, KeyError, MemoryError, ...
    except Exception:
        return Finding(UNREADABLE)
    if side < SMALLEST_SIDE:
        return Finding(TOO_SMALL, side=side)
    thumbnail = image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    if image.mode == "L" or is_grey(np.asarray(thumbnail)):
        return Finding(GREY, side=side)
    return Finding(None, np.asarray(image), side, likeness_of(image) if likeness else 0)


def _decode(data: bytes, short_side: int) -> tuple[int, Image.Image]:
    """Short side in the file, and the picture as mode L or RGB, reduced."""
    image = _open_tiff(data) if data[:4] in TIFF_STARTS else None
    if image is None:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    side = min(image.size)
    # JPEG can be decoded at a half, a quarter, an eighth. Twice the size that is wanted leaves
    # an averaging for the end, which hides that this is not quite the same as a true reduction.
    image.draft(None, (2 * short_side, 2 * short_side))
    if image.width * image.height > LARGEST:
        raise ValueError("too large to be a photograph")
    if image.mode.startswith(("I", "F")):
        image.load()
        return side, Image.new("L", (1, 1))  # grey of more than 8 bits: nothing else matters
    if side < SMALLEST_SIDE:
        image.load()
        return side, image
    return side, reduce_image(plain_image(image), short_side)


def _open_tiff(data: bytes) -> Image.Image | None:
    """Return a TIFF as 8 bits; None for CMYK and the like, which Pillow reads.

    Pillow takes 16 bits in planes for pixels and gives noise.
    """
    if not is_plain(io.BytesIO(data)):
        return None
    pixels, facts = read_tiff(io.BytesIO(data))
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    image = Image.fromarray(turned(pixels, facts["orientation"]))
    image.info["icc_profile"] = facts["icc"]
    return image


def reduce_image(image: Image.Image, short_side: int) -> Image.Image:
    """Return an image of at most this short side in pixels; never enlarged."""
    scale = short_side / min(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def likeness_of(image: Image.Image) -> int:
    """Return the perceptual hash of 64 bits: signs of the low frequencies of the lightness."""
    import imagehash

    return int.from_bytes(np.packbits(imagehash.phash(image).hash).tobytes(), "big")


_STEPS = np.arange(256) / 255
# sRGB to linear light, and linear light to X/Xn, Y/Yn, Z/Zn of D65 (IEC 61966-2-1).
_LINEAR = np.where(_STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4)
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_TO_XYZ /= _TO_XYZ.sum(axis=1, keepdims=True)


def lab_of(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return CIELAB (D65) of a few sRGB pixels ``(..., 3)``, same shape.

    The doctor's own few lines, because this room imports no torch; `napari_colorize.color.lab`
    is for everything else.
    """
    xyz = _LINEAR[rgb] @ _TO_XYZ.T
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * 24389 / 27 + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def is_grey(rgb: NDArray[np.uint8]) -> bool:
    """Tell whether a thumbnail ``(H, W, 3)`` has hardly any colour, or but one tint.

    A toned picture's colour follows from its lightness: in a photograph pixels of one lightness
    differ in colour, in sepia they do not. The limits were chosen on 40 old photographs, of which
    they refuse 39, and on some 40,000 colour photographs, of which they refuse about 1 %.
    """
    lab = lab_of(rgb).reshape(-1, 3)
    ab = lab[:, 1:]
    chroma = np.hypot(ab[:, 0], ab[:, 1])
    strongest = float(np.percentile(chroma, 99))
    if strongest < 9:
        return True
    by_lightness = ab[np.argsort(lab[:, 0], kind="stable")].reshape(rgb.shape[0], -1, 2)
    rest = by_lightness - by_lightness.mean(axis=1, keepdims=True)
    spread = float(np.sqrt((rest**2).sum(axis=-1).mean()))
    one_hue = float(np.hypot(*ab.mean(axis=0))) / float(chroma.mean())
    return (
        spread < 1.5
        or (strongest < 20 and spread < 2.5 and one_hue > 0.8)
        or (strongest < 45 and spread < 2.2 and one_hue > 0.93)
    )
