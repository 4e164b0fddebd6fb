"""Folders of photographs for the tests of the cache, and a look at what it made of them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_colorize.files import building
from napari_colorize.files.cache import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def blobs(seed: int, height: int = 80, width: int = 96) -> Image.Image:
    """Return a colourful picture, quite different for another seed."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def make_folder(folder: Path, count: int, first: int = 0) -> Path:
    """Fill a folder with different photographs without loss, and make them look old."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        blobs(seed).save(folder / f"{seed:03d}.png")
    age(folder)
    return folder


def age(folder: Path) -> None:
    """Date all files a minute back, so that they count as no longer being written."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 60, time.time() - 60))


def whole() -> list[str]:
    """List the finished caches."""
    return sorted(path.name for path in cache_folder().glob("photographs-*"))


def unfinished() -> list[str]:
    """List what a build left behind."""
    return sorted(path.name for path in cache_folder().glob("building-*"))


def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count from now on how many files are decoded."""
    calls: list[int] = []
    real = building.examine_bytes

    def counted(data: bytes, *args: Any) -> Any:
        calls.append(len(data))
        return real(data, *args)

    monkeypatch.setattr(building, "examine_bytes", counted)
    return calls
