"""Planes saved as they come: progress, gaps, cancel, and after a break."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_colorize.errors import Cancelled
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.plane_store import open_store
from napari_colorize.files.stacks.stack_files import open_stack
from napari_colorize.stacks.api import colorize_stack, stack_planes
from napari_colorize.stacks.coloring import Plane
from napari_colorize.stacks.saving import save_planes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

AXES = Axes("tyx", (4, 8, 9))


def plane(number: int) -> Plane:
    """Return a plane of one colour."""
    return Plane((number,), np.full((8, 9, 3), number + 1, np.uint8))


def test_gaps_are_named_and_black_and_the_result_has_its_name(tmp_path: Path) -> None:
    """Planes may come in any order; one that never came is a gap too."""
    told: list[tuple[int, int]] = []
    planes = [plane(2), Plane((1,), None, "it is broken"), plane(0)]
    with closing(open_store(tmp_path / "a.tif", AXES, {})) as store:
        saved = save_planes(planes, store, progress=lambda done, all_: told.append((done, all_)))
    assert saved.path == tmp_path / "a.tif"
    assert saved.written == 2
    assert saved.gaps == (((1,), "it is broken"), ((3,), "it was not coloured"))
    assert told == [(1, 4), (2, 4), (3, 4)]
    data = open_stack(saved.path).data
    assert [int(data[number].max()) for number in range(4)] == [1, 0, 3, 0]


def test_a_cancelled_run_keeps_its_planes_and_goes_on(tmp_path: Path) -> None:
    """No result has the final name before the rest is there."""

    def cancelled() -> Iterator[Plane]:
        yield plane(0)
        yield plane(1)
        raise Cancelled("The user wanted out.")

    with closing(open_store(tmp_path / "a.ome.zarr", AXES, {})) as store, pytest.raises(Cancelled):
        save_planes(cancelled(), store)
    assert not (tmp_path / "a.ome.zarr").exists()
    told: list[tuple[int, int]] = []
    with closing(open_store(tmp_path / "a.ome.zarr", AXES, {})) as store:
        assert store.done == {(0,), (1,)}
        rest = [plane(2), plane(3)]
        saved = save_planes(rest, store, progress=lambda done, all_: told.append((done, all_)))
    assert (saved.written, saved.gaps) == (2, ())
    assert told == [(3, 4), (4, 4)]
    data = open_stack(saved.path).data
    assert [int(data[number].max()) for number in range(4)] == [1, 2, 3, 4]


def test_a_stack_is_coloured_into_a_file(
    tmp_path: Path, model: Path, pan: Callable[..., NDArray[np.uint8]]
) -> None:
    """The pixels are those of an array."""
    movie = pan(planes=4, side=64)
    axes = Axes("tyx", movie.shape)
    with closing(open_store(tmp_path / "a.ome.zarr", axes, {"model": "made"})) as store:
        planes = stack_planes(movie, axes, model=model, device="cpu", done=store.done)
        saved = save_planes(planes, store)
    data = open_stack(saved.path).data
    result = np.stack([data[number] for number in range(4)])
    np.testing.assert_array_equal(result, colorize_stack(movie, "tyx", model=model, device="cpu"))
