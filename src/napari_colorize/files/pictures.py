"""Find, read and write picture files.

JPEG, PNG, TIFF, WebP, AVIF and BMP. What a picture file says beside its pixels (colour profile,
EXIF, resolution) is kept for the file that is written from it.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from napari_colorize.errors import PictureError
from napari_colorize.files import png, profiles, tiff, xmp
from napari_colorize.files.decoding import FORMATS, calm_pillow, plain_image, reading, turned
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from numpy.typing import NDArray

_JPEG = {"format": "JPEG", "quality": 95, "subsampling": "4:4:4"}
# Lossy WebP always halves the resolution of colour, which would smear it over edges.
_WEBP = {"format": "WEBP", "lossless": True, "quality": 50}
_SAVE: dict[str, dict[str, Any]] = {
    ".avif": {"format": "AVIF", "quality": 92, "subsampling": "4:4:4"},
    ".bmp": {"format": "BMP"},
    ".jpeg": _JPEG,
    ".jpg": _JPEG,
    ".png": {"format": "PNG"},
    ".tif": {"format": "TIFF"},
    ".tiff": {"format": "TIFF"},
    ".webp": _WEBP,
}
PICTURE_SUFFIXES: frozenset[str] = frozenset(_SAVE)
DEEP_SUFFIXES: frozenset[str] = frozenset({".png", ".tif", ".tiff"})
"""Files that can hold 16 bits."""
LONGEST = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 65_535}
"""Longest side in pixels that a format can hold."""
LARGEST = 1_000_000_000
"""Pixels above which a picture is not decoded."""

_ORIENTATION, _EXIF, _GPS = 0x0112, 0x8769, 0x8825
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_PARTS = frozenset({_EXIF, _GPS})
# What of EXIF is about the photograph. The rest of its first part is about how the old file laid
# out its pixels, or is a preview that would show the picture still grey.
_KEPT_TAGS = frozenset(
    {0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298}
    | {0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, 0x4746, 0x4749}
)

_DESCRIPTION = 0x010E
# Programs of science write there how the pixels lie, which those of the result do not.
_LAYOUTS = ('{"shape"', "ImageJ=", "<?xml", "<OME")


@dataclass(frozen=True)
class Picture:
    """A picture read from a file.

    Attributes
    ----------
    pixels
        Grey ``(H, W)`` or RGB ``(H, W, 3)``, uint8 or uint16, upright, sRGB, on white where the
        file is transparent.
    icc
        Colour profile of the file, None when it has none.
    exif
        EXIF of the file as it is to be written again (orientation 1), None when it has none.
    resolution
        Dots per inch along x and y, None when the file does not say.
    """

    pixels: NDArray[Any]
    icc: bytes | None = None
    exif: bytes | None = None
    resolution: tuple[float, float] | None = None


def find_pictures(
    folder: str | os.PathLike[str],
    cancel: Callable[[], bool] | None = None,
    suffixes: Container[str] = PICTURE_SUFFIXES,
) -> list[Path]:
    """List the paths of all picture files below a folder, sorted by their relative paths.

    Hidden files and folders are skipped, and folders that may not be read. Links to folders are
    followed, each real folder is looked through once.

    Parameters
    ----------
    folder
        The folder to look through, with its sub-folders.
    cancel
        Looked at for each folder; when it says True, what was found so far is returned.
    suffixes
        Of the files that are meant, in small letters.

    Returns
    -------
    list of Path
        Empty when there is no such folder.
    """
    found: list[Path] = []
    waiting, links, known = [Path(folder)], list[Path](), set[tuple[int, int]]()
    while waiting or links:
        # Links come last, so that a file is found under its own path where it has one here.
        place = waiting.pop() if waiting else links.pop(0)
        if cancel is not None and cancel():
            break
        with contextlib.suppress(OSError):
            stat = place.stat()
            if (stat.st_dev, stat.st_ino) in known:
                continue
            known.add((stat.st_dev, stat.st_ino))
            with os.scandir(place) as entries:
                for entry in entries:
                    _sort_in(entry, suffixes, found, waiting, links)
    return sorted(found, key=lambda path: path.parts)


def _sort_in(
    entry: os.DirEntry[str],
    suffixes: Container[str],
    found: list[Path],
    waiting: list[Path],
    links: list[Path],
) -> None:
    if entry.name.startswith("."):
        return
    with contextlib.suppress(OSError):
        if entry.is_dir():
            (links if entry.is_symlink() else waiting).append(Path(entry.path))
        elif os.path.splitext(entry.name)[1].lower() in suffixes and entry.is_file():
            found.append(Path(entry.path))


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """Read the picture in a file: upright, sRGB, 16 bits where the file has more than 8.

    Pixels of another colour profile are converted to sRGB. 16 bits are kept of PNG and TIFF;
    AVIF of 10 or 12 bits comes as 8. A TIFF of floating-point values 0..1 comes as 16 bits.

    Parameters
    ----------
    path
        A file of any name; what it is, is told by its bytes.

    Raises
    ------
    PictureError
        When the file is missing, no picture, truncated, an animation or a stack of several
        pages, or larger than `LARGEST` pixels. The text does not name the path.
    """
    with reading(path), open(path, "rb") as file:
        return _read(path, file)


def _read(path: str | os.PathLike[str], file: io.BufferedReader) -> Picture:
    head = file.read(33)
    file.seek(0)
    if head[:4] in tiff.TIFF_STARTS:
        return _read_tiff(path, file)
    with Image.open(file, formats=FORMATS) as image:
        _refuse(image)
        facts = _facts(image)
        if is_deep := png.is_deep_png(head):
            orientation = image.getexif().get(_ORIENTATION, 1)
        else:
            pixels = np.asarray(plain_image(image))
    if is_deep:
        file.seek(0)
        raw = profiles.deep_to_srgb(png.read_png(file.read()), facts["icc"])
        pixels = turned(raw, int(orientation))
    return Picture(pixels, **facts)


def _read_tiff(path: str | os.PathLike[str], file: io.BufferedReader) -> Picture:
    """Read a TIFF with tifffile, which loses no bits; CMYK and the like with Pillow."""
    told = tiff.read_facts(path)
    facts = {"icc": told["icc"], "exif": None, "resolution": told["resolution"]}
    with contextlib.suppress(UnidentifiedImageError), Image.open(file, formats=("TIFF",)) as image:
        _refuse(image)
        facts["exif"] = _exif(image)
        if not told["plain"]:
            return Picture(np.asarray(plain_image(image)), **facts)
    pixels = turned(tiff.read_tiff(path)[0], told["orientation"])
    if pixels.dtype == np.uint16:
        pixels = profiles.deep_to_srgb(pixels, told["icc"])
    else:
        pixels = np.asarray(profiles.to_srgb(Image.fromarray(pixels), told["icc"]))
    return Picture(pixels, **facts)


def _refuse(image: Image.Image) -> None:
    if image.width * image.height > LARGEST:
        raise PictureError(
            f"{image.width} x {image.height} pixels; at most {LARGEST:,} pixels can be read"
        )
    # MPO is the JPEG of phones: the second picture is a preview or a depth map.
    pages = 1 if image.format in ("MPO", "TIFF") else getattr(image, "n_frames", 1)
    if pages > 1:
        raise PictureError(f"an animation of {pages} pictures, not one picture")


def _facts(image: Image.Image) -> dict[str, Any]:
    resolution = image.info.get("dpi")
    if resolution is not None:
        resolution = (float(resolution[0]), float(resolution[1]))
        if not all(math.isfinite(dots) and dots > 0 for dots in resolution):
            resolution = None
    icc = image.info.get("icc_profile")
    return {"icc": bytes(icc) if icc else None, "exif": _exif(image), "resolution": resolution}


def _exif(image: Image.Image) -> bytes | None:
    try:
        told, exif = image.getexif(), Image.Exif()
        for tag in _KEPT_TAGS.intersection(told):
            exif[tag] = told[tag]
        if str(exif.get(_DESCRIPTION, "")).startswith(_LAYOUTS):
            del exif[_DESCRIPTION]
        for part in _PARTS.intersection(told):
            exif.get_ifd(part).update(told.get_ifd(part))
        shot = exif.get_ifd(_EXIF)
        if told.get(_ORIENTATION, 1) in (5, 6, 7, 8) and {_PIXEL_WIDTH, _PIXEL_HEIGHT} <= set(shot):
            shot[_PIXEL_WIDTH], shot[_PIXEL_HEIGHT] = shot[_PIXEL_HEIGHT], shot[_PIXEL_WIDTH]
        if not len(exif) and not any(map(exif.get_ifd, _PARTS)):
            return None
        exif[_ORIENTATION] = 1
        return exif.tobytes()
    # Cameras write all kinds of EXIF; a picture without it is better than none.
    except Exception:
        return None


def write_picture(
    path: str | os.PathLike[str],
    rgb: NDArray[Any],
    *,
    like: Picture | None = None,
    record: dict[str, Any] | None = None,
) -> None:
    """Write sRGB pixels to a picture file; the suffix of its name decides on the format.

    JPEG and AVIF keep the full resolution of colour, WebP is without loss. The file is there
    whole or not at all.

    XMP of the picture it was made from is not kept: it would tell of the grey picture, of its
    edits and previews. The packet of a coloured picture holds our record and nothing else.

    Parameters
    ----------
    path
        Where to; an older file of that name is replaced.
    rgb
        ``(H, W, 3)`` uint8, or uint16 for ``.png``, ``.tif`` and ``.tiff``; sRGB.
    like
        The picture it was made from: its EXIF, resolution and colour profile are kept. With an
        RGB profile the pixels are converted to it; a grey or CMYK profile cannot stand in an
        RGB file and becomes sRGB.
    record
        What made the colours, as JSON can hold it: written as XMP, with the mark that a trained
        model had a part in the picture. BMP has no place for it.

    Raises
    ------
    PictureError
        When the suffix is unknown, or the format cannot hold such pixels.
    StorageError
        When the disk is full or the folder cannot be written.

    See Also
    --------
    read_picture : the inverse.
    napari_colorize.files.record.read_record : the inverse for the record.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    _check(rgb, suffix)
    rgb = np.ascontiguousarray(rgb)
    icc, exif, resolution = None, None, None
    if like is not None:
        icc, exif, resolution = like.icc, like.exif, like.resolution
        if suffix == ".bmp":
            icc = None  # it cannot hold one
        elif icc is not None and profiles.space_of(icc) != "RGB":
            icc = profiles.srgb()
    with written_whole(path) as file:
        if rgb.dtype == np.uint16 and icc is not None:
            converted = profiles.deep_from_srgb(rgb, icc)
            rgb, icc = (rgb, profiles.srgb()) if converted is None else (converted, icc)
        elif icc is not None:
            rgb = np.asarray(profiles.from_srgb(Image.fromarray(rgb), icc))
        packet = None if record is None else xmp.packet(record)
        if suffix in (".tif", ".tiff"):
            tiff.write_tiff(file, rgb, icc, resolution, exif, packet)
        elif rgb.dtype == np.uint16:
            png.write_png(file, rgb, icc, resolution, exif, packet)
        else:
            told = {"icc_profile": icc, "exif": exif, "dpi": resolution}
            options = {name: value for name, value in told.items() if value is not None}
            if record is not None:
                options |= xmp.pillow_options(_SAVE[suffix]["format"], record)
            file.write(_encode(rgb, suffix, options))


def _check(rgb: NDArray[Any], suffix: str) -> None:
    if suffix not in _SAVE:
        known = ", ".join(sorted(_SAVE))
        raise PictureError(f"unknown suffix {suffix!r} for a picture file; there are {known}")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise PictureError(f"pixels of shape {rgb.shape} cannot be written; give (H, W, 3)")
    if rgb.dtype not in (np.uint8, np.uint16):
        raise PictureError(f"pixels of type {rgb.dtype} cannot be written; give uint8 or uint16")
    if rgb.dtype == np.uint16 and suffix not in DEEP_SUFFIXES:
        known = ", ".join(sorted(DEEP_SUFFIXES))
        raise PictureError(f"{suffix} cannot hold 16 bits; choose one of {known}, or uint8")
    kind = _SAVE[suffix]["format"]
    if max(rgb.shape) > LONGEST.get(kind, max(rgb.shape)):
        raise PictureError(
            f"{kind} holds at most {LONGEST[kind]} pixels a side, not {max(rgb.shape)}; "
            "choose .png or .tif"
        )


def _encode(rgb: NDArray[Any], suffix: str, options: dict[str, Any]) -> bytes:
    # In memory first: of a full disk Pillow's encoders only tell that they failed.
    file = io.BytesIO()
    with calm_pillow():
        Image.fromarray(rgb).save(file, **_SAVE[suffix], **options)
    return file.getvalue()
