"""Batches of crops, each a pure function of the seed and the step."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

# Random zoom and change of aspect of a crop, as the largest natural logarithm.
ZOOM = 0.25
ASPECT = 0.1
# Batches that are cut ahead of the step that needs them.
AHEAD = 3


class PhotographSource(Protocol):
    """A numbered set of photographs, (H, W, 3) uint8 sRGB each."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> NDArray[np.uint8]: ...


@dataclass(frozen=True)
class Batches:
    """The batches of a training.

    A batch depends on the seed and the step alone, so a training that was interrupted goes on with
    the very batches that it would have had.

    Parameters
    ----------
    source : PhotographSource
    indices : sequence of int
        The photographs of `source` to train on.
    batch_size : int
        Pictures a step, over all processes.
    crop : int
        Side of a crop in pixels, after the photograph's short side was brought to `working_size`.
    working_size : int
    seed : int
    rank, processes : int
        Which share of every batch this process takes.
    """

    source: PhotographSource
    indices: Sequence[int]
    batch_size: int
    crop: int
    working_size: int
    seed: int
    rank: int = 0
    processes: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every photograph is seen once; the last batch is filled up."""
        return -(-len(self.indices) // self.batch_size)

    def photographs_of(self, step: int) -> list[int]:
        """Return the numbers of the photographs of this process's share of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.indices))
        places = np.arange(place * self.batch_size, (place + 1) * self.batch_size) % len(order)
        share = places[self.rank :: self.processes]
        return [int(self.indices[i]) for i in order[share]]

    def cut(self, step: int) -> Tensor:
        """Return the crops of a step, (B, crop, crop, 3) uint8."""
        rng = np.random.default_rng([self.seed, step, self.rank])
        crops = [
            random_crop(self.source[i], self.crop, self.working_size, rng)
            for i in self.photographs_of(step)
        ]
        return torch.from_numpy(np.stack(crops))

    def from_step(self, first: int, end: int) -> Iterator[Tensor]:
        """Yield the crops of the steps `first` to `end` (left out), cut ahead in a thread."""
        ready: queue.Queue[Tensor | Exception] = queue.Queue(maxsize=AHEAD)
        done = threading.Event()

        def deliver(item: Tensor | Exception) -> bool:
            while not done.is_set():
                try:
                    ready.put(item, timeout=0.1)
                except queue.Full:
                    continue
                return True
            return False

        def cut_ahead() -> None:
            for step in range(first, end):
                try:
                    item: Tensor | Exception = self.cut(step)
                except Exception as error:  # carried to the training's thread
                    item = error
                if not deliver(item):
                    return

        thread = threading.Thread(target=cut_ahead, name="crops", daemon=True)
        thread.start()
        try:
            for _ in range(first, end):
                item = ready.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            done.set()
            thread.join()


def random_crop(
    photograph: NDArray[np.uint8], crop: int, working_size: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a random window of a photograph, (crop, crop, 3) uint8.

    The window is `crop` pixels of a photograph whose short side is `working_size`, a little nearer
    or farther, a little squeezed, and never larger than the photograph.
    """
    height, width = photograph.shape[:2]
    zoom, aspect = rng.uniform(-ZOOM, ZOOM), rng.uniform(-ASPECT, ASPECT)
    side = crop * min(height, width) / working_size * np.exp(zoom)
    window_height = min(height, side * np.exp(aspect))
    window_width = min(width, side * np.exp(-aspect))
    top = rng.uniform(0, height - window_height)
    left = rng.uniform(0, width - window_width)
    box = (left, top, left + window_width, top + window_height)
    return _resize(photograph, crop, box)


def centre_crop(photograph: NDArray[np.uint8], crop: int) -> NDArray[np.uint8]:
    """Return the largest centred square of a photograph, as (crop, crop, 3) uint8."""
    height, width = photograph.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    return _resize(photograph, crop, (left, top, left + side, top + side))


def _resize(
    photograph: NDArray[np.uint8], crop: int, box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    # Only the rows of the window are copied out of the memory map.
    rows = slice(int(box[1]), int(np.ceil(box[3])))
    inside = (box[0], box[1] - rows.start, box[2], box[3] - rows.start)
    picture = Image.fromarray(np.ascontiguousarray(photograph[rows]))
    resized = picture.resize((crop, crop), Image.Resampling.BILINEAR, box=inside)
    return np.asarray(resized)
