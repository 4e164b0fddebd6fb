"""Slabs of dask arrays: the same pixels, without a look at every chunk."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from dask.highlevelgraph import HighLevelGraph

from napari_colorize.stacks.slabs import Slabs

VALUES = np.arange(1200 * 2 * 4 * 5, dtype=np.uint16).reshape(1200, 2, 4, 5)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 2, 0, 3)])
def test_pixels_are_those_of_the_array(order: tuple[int, ...]) -> None:
    """Along whichever axis the chunks lie, at both ends, and where planes lie along that axis."""
    values = VALUES.transpose(order)
    chunks = tuple(1 if side == 1200 else side for side in values.shape)
    slabs = Slabs(da.from_array(values, chunks=chunks) + 1)
    long = order.index(0)
    for index in (0, 511, 512, 700, 1199, 3):
        key: list[int | slice] = [slice(None)] * 4
        key[long] = index
        np.testing.assert_array_equal(slabs.read(tuple(key)), values[tuple(key)] + 1)
    other: tuple[int | slice, ...] = tuple(1 if side == 2 else slice(None) for side in values.shape)
    np.testing.assert_array_equal(slabs.read(other), values[other] + 1)


def test_neighbours_are_read_without_a_look_at_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes 0.1 s for 100,000 chunks, and the window stands still meanwhile."""
    slabs = Slabs(da.from_array(VALUES, chunks=(1, 2, 4, 5)))
    slabs.read((600, 0, slice(None), slice(None)))
    looked: list[int] = []
    cull = HighLevelGraph.cull

    def counted(self: HighLevelGraph, keys: Any) -> Any:
        looked.append(len(self.get_all_external_keys()))
        return cull(self, keys)

    monkeypatch.setattr(HighLevelGraph, "cull", counted)
    for place in range(601, 605):
        slabs.read((place, 0, slice(None), slice(None)))
    assert looked
    assert max(looked) < len(VALUES)


def test_what_is_no_dask_array_is_read_as_it_is() -> None:
    """Also a dask array of few chunks."""
    for array in (VALUES, da.from_array(VALUES[:9], chunks=(1, 2, 4, 5))):
        slabs = Slabs(array)
        np.testing.assert_array_equal(slabs.read((4, 1)), VALUES[4, 1])
        assert not slabs._slabs
