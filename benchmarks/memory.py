"""Show that memory does not grow with the number of photographs: 21,000 under 2 GB.

``python benchmarks/memory.py [--photographs 21000] [--batches 700]`` makes a folder of
small synthetic photographs, lets the cache decode them, cuts batches from it at random places,
and prints the highest anonymous memory of the process on the way: what the process itself holds,
without the pages of the memory-mapped file, which the system takes back when it needs them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from napari_colorize.files.cache import Photographs, open_photographs

LIMIT = 2e9
SIDE = 256


def anonymous_bytes() -> int:
    """Return the memory that this process holds for itself: RssAnon on Linux, else its USS."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                return 1024 * int(line.split()[1])
    return int(psutil.Process().memory_full_info().uss)


class Peak:
    """Looks at the memory 50 times a second while a block runs, and keeps the highest."""

    def __init__(self) -> None:
        self.bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.bytes = max(self.bytes, anonymous_bytes())

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._done.set()
        self._thread.join()
        self.bytes = max(self.bytes, anonymous_bytes())


def make_photographs(folder: Path, count: int) -> None:
    """Write different colourful JPEG pictures, 256 px high and 256 to 339 px wide."""
    rng = np.random.default_rng(0)
    for number in range(count):
        small = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        size = (int(rng.integers(SIDE, 340)), SIDE)
        picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        place = folder / f"{number // 1000:03d}"
        place.mkdir(exist_ok=True)
        picture.save(place / f"{number:06d}.jpg", quality=70)


def cut_batches(photographs: Photographs, batches: int, size: int = 32, crop: int = 128) -> float:
    """Copy random crops of random photographs into batches; returns photographs a second."""
    rng = np.random.default_rng(0)
    batch = np.empty((size, crop, crop, 3), dtype=np.uint8)
    start = time.perf_counter()
    for _ in range(batches):
        for place, index in enumerate(rng.integers(0, len(photographs), size)):
            pixels = photographs[int(index)]
            top = int(rng.integers(0, pixels.shape[0] - crop + 1))
            left = int(rng.integers(0, pixels.shape[1] - crop + 1))
            batch[place] = pixels[top : top + crop, left : left + crop]
    return batches * size / (time.perf_counter() - start)


def main() -> int:
    """Print the figures; 1 when they are above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=21_000)
    parser.add_argument("--batches", type=int, default=700)
    parser.add_argument("--workers", type=int, default=None)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photographs"
        folder.mkdir()
        make_photographs(folder, chosen.photographs)
        before = anonymous_bytes()
        with Peak() as opening:
            photographs = open_photographs(
                folder, cache_dir=Path(place) / "cache", workers=chosen.workers
            )
        with Peak() as cutting:
            rate = cut_batches(photographs, chosen.batches)
        pixels = sum(photographs[i].nbytes for i in range(len(photographs)))
        print(f"{len(photographs)} photographs, {pixels / 1e9:.2f} GB of pixels in the cache")
        print(f"anonymous memory at the start          {before / 1e6:7.0f} MB")
        print(f"peak while the photographs are decoded {opening.bytes / 1e6:7.0f} MB")
        print(f"peak while batches are cut             {cutting.bytes / 1e6:7.0f} MB")
        print(f"{rate:.0f} photographs/s into batches of 32 crops of 128 px")
        del photographs
    return int(max(opening.bytes, cutting.bytes) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
