"""Batches of crops, each a pure function of the seed and the step."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

# Random zoom and change of aspect of a crop, as the largest natural logarithm.
ZOOM = 0.25
ASPECT = 0.1
# Batches that are cut ahead of the step that needs them, and threads that cut them.
AHEAD = 4
THREADS = max(1, min(AHEAD, (os.cpu_count() or 1) // 2))


class PhotographSource(Protocol):
    """A numbered set of photographs, (H, W, 3) uint8 sRGB each."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> NDArray[np.uint8]: ...


@dataclass(frozen=True)
class Batches:
    """The batches of a training.

    A batch depends on the seed and the step alone, so a training that was interrupted goes on with
    the very batches that it would have had, and several processes cut the same ones as one.

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

    @property
    def share(self) -> slice:
        """What of a batch is this process's."""
        return slice(self.rank, self.batch_size, self.processes)

    def photographs_of(self, step: int) -> list[int]:
        """Return the numbers of the photographs of this process's share of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.indices))
        places = np.arange(place * self.batch_size, (place + 1) * self.batch_size) % len(order)
        return [int(self.indices[i]) for i in order[places[self.share]]]

    def cut(self, step: int) -> Tensor:
        """Return the crops of this process's share of a step, (B, crop, crop, 3) uint8."""
        chance = np.random.default_rng([self.seed, step, 1]).random((self.batch_size, 4))
        crops = [
            random_crop(self.source[i], self.crop, self.working_size, numbers)
            for i, numbers in zip(self.photographs_of(step), chance[self.share], strict=True)
        ]
        return torch.from_numpy(np.stack(crops))

    def from_step(self, first: int, end: int) -> Generator[Future[Tensor]]:
        """Yield the crops of the steps `first` to `end` (left out), cut ahead in threads."""
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="crops")
        ahead: deque[Future[Tensor]] = deque()
        try:
            for step in range(first, end):
                ahead.append(pool.submit(self.cut, step))
                if len(ahead) == AHEAD:
                    yield ahead.popleft()
            while ahead:
                yield ahead.popleft()
        finally:
            pool.shutdown(cancel_futures=True)


def random_crop(
    photograph: NDArray[np.uint8], crop: int, working_size: int, chance: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return a random window of a photograph, (crop, crop, 3) uint8.

    The window is `crop` pixels of a photograph whose short side is `working_size`, a little nearer
    or farther, a little squeezed, and never larger than the photograph. `chance` is four numbers,
    0..1: zoom, aspect, and how far down and to the right.
    """
    height, width = photograph.shape[:2]
    zoom, aspect = (2 * chance[0] - 1) * ZOOM, (2 * chance[1] - 1) * ASPECT
    side = crop * min(height, width) / working_size * np.exp(zoom)
    window_height = min(height, side * np.exp(aspect))
    window_width = min(width, side * np.exp(-aspect))
    top = chance[2] * (height - window_height)
    left = chance[3] * (width - window_width)
    # The sums may be a last digit too large.
    bottom, right = min(height, top + window_height), min(width, left + window_width)
    return _resize(photograph, crop, (left, top, right, bottom))


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
