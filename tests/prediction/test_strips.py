"""Pictures worked on in strips and threads."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_colorize.color import lightness
from napari_colorize.errors import Cancelled
from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Scene = Callable[[int, int], NDArray[np.uint8]]


def colored(model: Path, picture: NDArray[np.uint8]) -> NDArray[np.generic]:
    """Return a picture coloured by a colorizer of its own."""
    colorizer = Colorizer(model, "cpu")
    colorizer.set_picture(picture)
    return colorizer.colorize()


def pool_of_threads_later() -> int:
    """Return how many threads torch would use in a thread that starts now."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def test_strips_give_the_same_pixels_as_one_piece(
    colorizer: Colorizer, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However high the strips are."""
    colorizer.set_picture(scene(150, 90))
    whole = colorizer.colorize()
    for pixels in (90, 90 * 7, 90 * 64):
        monkeypatch.setattr(lightness, "STRIP_PIXELS", pixels)
        assert np.array_equal(colorizer.colorize(), whole)


def test_overlapping_pictures_leave_the_threads_as_they_were(
    plain_model: Path, scene: Scene
) -> None:
    """Several colourings at once give the same pixels, and torch its number of threads back."""
    before, picture = torch.get_num_threads(), scene(120, 90)
    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _: colored(plain_model, picture), range(8)))
        assert torch.get_num_threads() == 3
        assert pool_of_threads_later() == 3
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(result, results[0]) for result in results)


def test_progress(colorizer: Colorizer, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips done rise to all strips."""
    monkeypatch.setattr(lightness, "STRIP_PIXELS", 20 * 4)
    told: list[tuple[int, int]] = []
    colorizer.set_picture(scene(20, 20))
    colorizer.colorize(progress=lambda *counts: told.append(counts))
    assert told == [(n, 5) for n in range(1, 6)]


def test_cancel_between_strips(
    colorizer: Colorizer, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wish that comes in the middle of a picture ends it."""
    monkeypatch.setattr(lightness, "STRIP_PIXELS", 20)
    turns, told = itertools.count(1), []
    colorizer.set_picture(scene(300, 20))
    with pytest.raises(Cancelled):
        colorizer.colorize(
            progress=lambda *counts: told.append(counts), cancel=lambda: next(turns) > 200
        )
    assert len(told) < 300
