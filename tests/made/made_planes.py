"""Planes that tests write, and a process that writes them and is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.plane_store import open_store
from napari_colorize.files.stacks.scale import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.files.stacks.plane_store import PlaneStore

RECORD = {"model": "palette", "source": "made"}
SCALE = {
    "t": Step(0.5, "second"),
    "z": Step(2.0, "micrometer"),
    "y": Step(0.25, "micrometer"),
    "x": Step(0.25, "micrometer"),
}


def plane_at(place: Place, axes: Axes) -> NDArray[np.uint8]:
    """Return pixels that no other plane has."""
    random = np.random.default_rng([7, *place])
    return random.integers(1, 256, (*axes.plane, 3), dtype=np.uint8)


def written(path: Path, axes: Axes, **options: object) -> Path:
    """Write a whole result."""
    store = open_store(path, axes, RECORD, **options)  # type: ignore[arg-type]
    write_rest(store)
    return store.finish()


def write_rest(store: PlaneStore) -> None:
    """Write the planes that are not done."""
    for place, _ in store.axes.places():
        if place not in store.done:
            store.write(place, plane_at(place, store.axes))


def kill_while_writing(path: Path, axes: Axes, after: int) -> None:
    """Write in a process that is killed while the plane behind the given number is written."""
    command = [sys.executable, __file__, str(path), axes.names, *map(str, axes.shape)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline().strip() == "plane"
        process.kill()


def _main() -> None:
    path, names, *shape = sys.argv[1:]
    axes = Axes(names, tuple(map(int, shape)))
    store = open_store(Path(path), axes, RECORD)
    for place, _ in axes.places():
        if place not in store.done:
            store.write(place, plane_at(place, axes))
            print("plane", flush=True)
    # It never comes to its end by itself.
    sys.stdin.read()


if __name__ == "__main__":
    _main()
