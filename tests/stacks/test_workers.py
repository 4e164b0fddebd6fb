"""Parts of a stack coloured by several workers at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorize.errors import Cancelled, ModelError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.stacks import workers
from napari_colorize.stacks.cluster import Workers
from napari_colorize.stacks.coloring import colored_planes
from napari_colorize.stacks.job import StackJob
from napari_colorize.stacks.workers import planes_by_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

    Pan = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def pool() -> Iterator[Workers]:
    """Return two threads to work."""
    with ThreadPoolExecutor(2) as pool:
        yield Workers(pool, 2)


@pytest.mark.parametrize("axes", ["cyx", "tyx"])
def test_same_as_alone(pan: Pan, painter: Colorizer, model: Path, pool: Workers, axes: str) -> None:
    """What one worker does in a row, several do in parts."""
    movie = pan(5)
    job = StackJob(movie, Axes(axes, movie.shape), model=model, device="cpu")
    wanted = {plane.place: plane.pixels for plane in colored_planes(job, painter)}
    found = {plane.place: plane.pixels for plane in planes_by_workers(job, pool)}
    assert set(found) == set(wanted)
    for place, pixels in wanted.items():
        assert np.array_equal(found[place], pixels)


def test_parts_join_unseen(
    pan: Pan,
    painter: Colorizer,
    model: Path,
    pool: Workers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A part that begins anew, led in by the planes before it, is nearly as the row went on."""
    monkeypatch.setattr(workers, "LONGEST", 20)
    monkeypatch.setattr(workers, "PART", 1)
    movie = pan(24, step=1, noise=4)
    job = StackJob(movie, Axes("tyx", movie.shape), model=model, device="cpu")
    wanted = {plane.place: plane.pixels for plane in colored_planes(job, painter)}
    found = {plane.place: plane.pixels for plane in planes_by_workers(job, pool)}
    behind = [(t,) for t in range(16, 24)]
    differences = [np.abs(found[p].astype(int) - wanted[p]).mean() for p in behind]
    assert max(differences) < 2
    assert np.array_equal(found[(3,)], wanted[(3,)])


def test_a_gap_is_told(pan: Pan, model: Path, pool: Workers) -> None:
    """A plane that cannot be read is read nowhere else either, and the rest is done."""

    class Broken:
        """A stack that fails at one plane."""

        data = pan(4)

        def __getitem__(self, place: tuple[int, ...]) -> NDArray[np.uint8]:
            """Return a plane, or fail."""
            if place == (1,):
                raise OSError("bad sector")
            return self.data[place]

    job = StackJob(Broken(), Axes("tyx", (4, 96, 96)), model=model, device="cpu")
    planes = {plane.place: plane for plane in planes_by_workers(job, pool)}
    assert len(planes) == 4
    assert planes[(1,)].pixels is None
    assert planes[(1,)].reason == "it cannot be read (OSError: bad sector)"
    assert planes[(2,)].pixels is not None


def test_cancel_and_errors(pan: Pan, pool: Workers, model: Path) -> None:
    """A cancel ends it; a model that is missing is told as everywhere."""
    axes: Any = Axes("tyx", (3, 96, 96))
    job = StackJob(pan(3), axes, model=model, device="cpu")
    with pytest.raises(Cancelled):
        list(planes_by_workers(job, pool, cancel=lambda: True))
    missing = StackJob(pan(3), axes, model="missing", device="cpu")
    with pytest.raises(ModelError, match="missing"):
        list(planes_by_workers(missing, pool))
