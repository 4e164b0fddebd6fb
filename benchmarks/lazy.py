"""Show that a stack far larger than the memory opens at once in colour, and how looking at it is.

``python benchmarks/lazy.py [--planes 100000] [--side 1024] [--every 1.0]`` makes a virtual stack of
100 GB, whose planes are computed on demand, opens it in a viewer as a layer that is coloured as one
looks, and travels through it: in one direction at a steady pace, and back and forth. On a machine
without a screen: ``xvfb-run -s "-screen 0 1280x1024x24 +extension GLX" python benchmarks/lazy.py``.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

import dask.array as da
import napari
import numpy as np
import psutil
from memory import Peak
from qtpy.QtWidgets import QApplication
from scipy.ndimage import gaussian_filter, zoom

from napari_colorize.docks.layers import take_source
from napari_colorize.docks.lazy.opening import add_lazy_layer, lazy_planes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.stacks.lazy_planes import LazyPlanes

SECONDS, MEMORY = 1.0, 1.5e9  # asked for: to the layer, resident
VISITS = 60


class Scene:
    """Planes that pan over a soft scene, made when they are read, as a file would be read."""

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(self, planes: int, side: int) -> None:
        noise = np.random.default_rng(0).random((128, 128))
        soft = gaussian_filter(noise, 2) + gaussian_filter(noise, 6) * 3
        whole = zoom((soft - soft.min()) / np.ptp(soft) * 255, side / 128, order=1)
        self._scene = whole.astype(np.uint8)
        self.shape = (planes, side, side)

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[np.uint8]:
        """Return one plane, or what is picked out of it."""
        place = key[0].start if isinstance(key[0], slice) else key[0]
        plane = np.roll(self._scene, 3 * place, axis=1)[key[1:]]
        return plane[None] if isinstance(key[0], slice) else plane


def work_for(seconds: float) -> None:
    """Let the window work for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.002)


def is_there(planes: LazyPlanes, place: int) -> bool:
    """Return whether a plane has its colours."""
    return any(part.place[0] == place for part in list(planes.kept._values))


def travel(viewer: Any, planes: LazyPlanes, places: list[int], every: float) -> tuple[float, float]:
    """Return the share of planes that had their colours when asked for, and the longest step."""
    there, slowest = 0, 0.0
    for place in places:
        there += is_there(planes, place)
        start = time.perf_counter()
        viewer.dims.set_point(0, place)
        QApplication.processEvents()
        slowest = max(slowest, time.perf_counter() - start)
        work_for(max(0.0, every - (time.perf_counter() - start)))
    return there / len(places), slowest


def main() -> int:
    """Print the figures; 1 when one of them misses what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planes", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--every", type=float, default=1.0, help="seconds for a plane")
    parser.add_argument("--steps", type=int, default=20, help="planes in one direction")
    chosen = parser.parse_args()
    scene = Scene(chosen.planes, chosen.side)
    stack = da.from_array(scene, chunks=(1, chosen.side, chosen.side))
    viewer = napari.Viewer()
    layer = viewer.add_image(stack, name="virtual", contrast_limits=(0, 255))
    middle = chosen.planes // 2
    viewer.dims.set_point(0, middle)
    work_for(1)
    resident = psutil.Process().memory_info
    print(f"{stack.nbytes / 1e9:.0f} GB, {chosen.planes} planes of {chosen.side} px")
    print(f"resident before                          {resident().rss / 1e6:7.0f} MB")
    with Peak() as peak:
        start = time.perf_counter()
        lazy = add_lazy_layer(viewer, take_source(viewer, layer, whole=True))
        opened = time.perf_counter() - start
        QApplication.processEvents()
        drawn = time.perf_counter() - start
        planes = lazy_planes_of(lazy)
        assert planes is not None
        print(f"to the layer, and on the screen in grey  {opened:7.2f} s, {drawn:.2f} s")
        while not planes.idle():
            work_for(0.02)
        print(f"to its first colours, PyTorch and model  {time.perf_counter() - start:7.1f} s")
        start = time.perf_counter()
        viewer.dims.set_point(0, middle + 1)
        while not is_there(planes, middle + 1):
            work_for(0.005)
        print(f"to the colours of another plane          {time.perf_counter() - start:7.2f} s")
        way = list(range(middle + 2, middle + 2 + chosen.steps))
        share, slowest = travel(viewer, planes, way, chosen.every)
        print(f"there when asked for, every {chosen.every:4.1f} s        {100 * share:7.0f} %")
        there_and_back = [middle + 100 + abs((n % 40) - 20) for n in range(VISITS)]
        _, slower = travel(viewer, planes, there_and_back, chosen.every / 4)
        print(f"longest step of the slider               {1e3 * max(slowest, slower):7.0f} ms")
        rss = resident().rss
    print(f"resident after {VISITS} planes there and back   {rss / 1e6:7.0f} MB")
    print(f"peak of anonymous memory on the way      {peak.bytes / 1e6:7.0f} MB")
    print(f"coloured planes that are kept            {planes.kept.bytes / 1e6:7.0f} MB")
    thread = planes._thread
    viewer.close()
    work_for(0.1)
    if thread is not None:
        thread.join(10)
    return int(drawn > SECONDS or max(rss, peak.bytes) > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
