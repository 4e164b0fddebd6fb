"""How quick and how small everything around the network is.

Run ``python benchmarks/prediction.py``; it prints

- the time of all that surrounds the network on a grey uint8 picture of 16 megapixels (lightness,
  reduction, guided upsampling, gamut, recombination), beside scikit-image's rgb2lab + lab2rgb on
  the same picture, in turn, and their ratio;
- the memory that colouring a 10,000 x 10,000 picture takes beyond the picture and its result;
- how long cancelling takes, at the worst of some places, on the same picture.

Use a quiet machine; the ratio is what counts.
"""

from __future__ import annotations

import statistics
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import torch
from skimage import data
from skimage.color import lab2rgb, rgb2lab
from timing import picture, seconds

from napari_colorize.errors import Cancelled
from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDS = 5


class WithoutNetwork(Colorizer):
    """A colorizer whose network answers at once, with colours that a model gave before."""

    def remember(self, image: NDArray[np.uint8]) -> None:
        """Let the network look at a picture and keep what it says."""
        self.set_picture(image)
        look, network = self._looked(), self._open()
        prediction = look.predict()
        network.encode = lambda lightness: look.seen.features  # type: ignore[method-assign]
        network.decode = lambda *_: prediction  # type: ignore[method-assign]


def compare_with_scikit_image() -> None:
    """Print the time of the surroundings and of scikit-image, and their ratio."""
    grey = picture(4096)
    colorizer = WithoutNetwork(device="cpu")
    colorizer.remember(grey)

    def ours() -> None:
        colorizer.set_picture(grey)
        colorizer.colorize()

    def theirs() -> None:
        lab2rgb(rgb2lab(np.stack([grey] * 3, axis=-1)))

    ours()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    ratios = [their / our for our, their in pairs]
    print(f"16 megapixels, {torch.get_num_threads()} threads, median of {ROUNDS} pairs")
    print(f"  around the network    {statistics.median(our for our, _ in pairs):6.2f} s")
    print(f"  scikit-image          {statistics.median(their for _, their in pairs):6.2f} s")
    print(
        f"  ratio                 {statistics.median(ratios):6.1f}"
        f"   ({min(ratios):.1f} to {max(ratios):.1f})"
    )


def measure_memory(grey: NDArray[np.uint8]) -> None:
    """Print the memory beyond the picture and its result; call it in a fresh process."""
    colorizer = Colorizer(device="cpu")
    colorizer.set_picture(grey[:256, :256])
    colorizer.colorize()
    process, highest, done = psutil.Process(), 0, threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.005):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    colorizer.set_picture(grey)
    result = colorizer.colorize()
    done.set()
    watcher.join()
    extra = highest - before - result.nbytes
    print(
        f"10,000 x 10,000 uint8: at most {highest / 1e6:.0f} MB in all, of them "
        f"{extra / 1e6:.0f} MB beyond the program, the picture and its result"
    )


def measure_cancel(grey: NDArray[np.uint8]) -> None:
    """Print the longest time from the wish to cancel to the end of the work."""
    colorizer = Colorizer(device="cpu")
    worst = 0.0
    for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9):
        asked = 0.0
        begin = time.perf_counter()
        colorizer.set_picture(grey)
        colorizer.colorize()
        whole = time.perf_counter() - begin
        begin = time.perf_counter()

        def cancel(begin: float = begin, wait: float = whole * share) -> bool:
            return time.perf_counter() - begin > wait

        try:
            colorizer.set_picture(grey, cancel=cancel)
            colorizer.colorize(cancel=cancel)
        except Cancelled:
            asked = begin + whole * share
            worst = max(worst, time.perf_counter() - asked)
    print(f"10,000 x 10,000 uint8: cancelled within {worst * 1000:.0f} ms")


if __name__ == "__main__":
    # First, while the process has asked for little memory that it could use again.
    large = np.tile(data.camera(), (20, 20))[:10000, :10000]
    measure_memory(large)
    measure_cancel(large)
    compare_with_scikit_image()
