"""Pictures worked on strip by strip, in threads that do not wait for one another."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from napari_colorize.color.recombination import recombine
from napari_colorize.prediction.guards import Cancel, leave_if

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.color.guided import GuidedColor
    from napari_colorize.color.lightness import Lightness

Progress = Callable[[int, int], None]
Result = TypeVar("Result")


class Threads:
    """Lends pools of as many threads as torch may use, in each of which torch uses no other.

    Strips do not wait for one another. torch's own threads do, at every operation, and become very
    slow as soon as the computer does anything else. What a thread tells torch also becomes
    the number for threads that start later; hence it is put back, also when pools overlap.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools = 0
        self._count = 1
        self._local = threading.local()

    @contextlib.contextmanager
    def pool(self) -> Iterator[Executor]:
        """Lend a pool while the block runs; a thread of a pool is its own."""
        if getattr(self._local, "is_lent", False):
            yield _Here()
            return
        with self._lock:
            if not self._pools:
                self._count = _number_for_new_threads()
            self._pools += 1
            torch.set_num_threads(self._count)
        try:
            with ThreadPoolExecutor(self._count, initializer=self._begin) as pool:
                yield pool
        finally:
            with self._lock:
                self._pools -= 1
                torch.set_num_threads(self._count)

    def alone(self, work: Callable[[], Result]) -> Result:
        """Return what small work gives, done in a thread in which torch uses no other.

        While a window is drawn at the same time that is several times faster than many threads,
        which wait for one another at every operation.
        """
        with self.pool() as pool:
            return pool.submit(work).result()

    def _begin(self) -> None:
        self._local.is_lent = True
        torch.set_num_threads(1)


class _Here(Executor):
    """Does at once, in the thread that asks, what it is given."""

    def submit(
        self, work: Callable[..., Result], /, *arguments: Any, **named: Any
    ) -> Future[Result]:
        """Return the future of work that is done."""
        future: Future[Result] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except BaseException as error:
            future.set_exception(error)
        return future


def _number_for_new_threads() -> int:
    """Return how many threads torch may use.

    A thread that began to use torch inside the pool of another would remember that pool's one.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


threads = Threads()


def recombined(
    lightness: Lightness,
    color: GuidedColor,
    dtype: np.dtype[np.generic],
    cancel: Cancel | None,
    progress: Progress | None,
    *,
    blend: float = 0.0,
    fitted: NDArray[np.bool_] | None = None,
) -> NDArray[np.generic]:
    """Return the pixels, strip by strip in as many threads as torch may use.

    `blend` of the picture's own colours, 0..1, is mixed in; `fitted`, (H, W), becomes which pixels
    lay outside the gamut.
    """
    result = np.empty((*lightness.shape, 3), dtype=dtype)
    strips = lightness.strips()

    def fill(strip: tuple[int, int]) -> None:
        leave_if(cancel)
        with torch.inference_mode():
            rows = lightness.rows(*strip)
            ab = color.rows(*strip, rows)
            if blend:
                own = lightness.ab_rows(*strip)
                ab = ab * (1 - blend) if own is None else torch.lerp(ab, own, blend)
            outside = recombine(rows, ab, result[slice(*strip)])
            if fitted is not None:
                fitted[slice(*strip)] = outside.numpy()

    with threads.pool() as pool:
        filling = pool.map(fill, strips)
        try:
            for done, _ in enumerate(filling, start=1):
                if progress is not None:
                    progress(done, len(strips))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return result
