"""How long the first picture takes from a cold start, and how much memory a large one.

Run ``python benchmarks/first_call.py [--rounds 5]``. Each round starts Python anew for each case,
which imports the package, PyTorch among it, opens the bundled model and colours one picture:

- 512 x 512 from Python, at most 3 s;
- 12 megapixels (4000 x 3000) from Python, at most 1.2 GB resident, all of Python included;
- nothing but ``import torch``, for scale.

It returns 1 when a limit is passed. Use a quiet machine: the time is that of the machine too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

SECONDS, BYTES = 3.0, 1.2e9
COLOR = """
import numpy as np
from napari_colorize import colorize
picture = np.random.default_rng(0).integers(0, 256, ({height}, {width}), np.uint8)
assert colorize(picture, device="cpu").shape == ({height}, {width}, 3)
"""
CASES = {
    "import torch": "import torch",
    "512 x 512": COLOR.format(height=512, width=512),
    "4000 x 3000": COLOR.format(height=3000, width=4000),
}


def main() -> int:
    """Print the figures; return 1 when a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    measured: dict[str, list[tuple[float, int]]] = {name: [] for name in CASES}
    for _ in range(rounds):
        for name, program in CASES.items():
            measured[name].append(run(program))
    print("case            seconds, median (least to most)    resident at most, MB")
    medians, peaks = {}, {}
    for name, runs in measured.items():
        seconds, sizes = zip(*runs, strict=True)
        medians[name], peaks[name] = statistics.median(seconds), max(sizes)
        spread = f"{medians[name]:.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"{name:15s} {spread:34s} {peaks[name] / 1e6:.0f}")
    return int(medians["512 x 512"] > SECONDS or peaks["4000 x 3000"] > BYTES)


def run(program: str) -> tuple[float, int]:
    """Run a program in a new Python; return seconds and the most bytes that were resident."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", program])
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"The program ended with {status}.")
    scale = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * scale


if __name__ == "__main__":
    sys.exit(main())
