"""TIFF as others read it: pages, axes, sizes of steps, BigTIFF, the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from made_planes import RECORD, SCALE, plane_at, written

from napari_colorize.files.record import read_record
from napari_colorize.files.stacks import tiff_stack
from napari_colorize.files.stacks.axes import Axes

if TYPE_CHECKING:
    from pathlib import Path


def pixels_of(axes: Axes, order: str) -> Any:
    """Return the whole stack, its outer axes in another order."""
    stack = np.zeros((*axes.outer, *axes.plane, 3), np.uint8)
    for place, _ in axes.places():
        stack[place] = plane_at(place, axes)
    outer = axes.names[: len(axes.outer)]
    count = len(outer)
    return stack.transpose([*(outer.index(axis) for axis in order), *range(count, count + 3)])


@pytest.mark.parametrize(
    ("names", "order"), [("tyx", "t"), ("zyxs", "z"), ("ztyx", "tz"), ("ctzyx", "tzc"), ("yx", "")]
)
def test_imagej_and_napari_find_planes_and_axes(tmp_path: Path, names: str, order: str) -> None:
    """A hyperstack with a page a plane; steps and units are told as ImageJ tells them."""
    from napari_builtins.io import imread

    sides = {"t": 2, "z": 3, "c": 2, "y": 20, "x": 30, "s": 3}
    axes = Axes(names, tuple(sides[name] for name in names))
    path = written(tmp_path / "a.tif", axes, scale=SCALE)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_imagej
        assert not tiff.is_bigtiff
        assert len(tiff.pages) == axes.planes
        assert all(page.photometric == 2 for page in tiff.pages)
        assert tiff.series[0].axes == order.upper() + "YXS"
        facts = tiff.imagej_metadata
        assert facts["unit"] == "micron"
        assert facts.get("spacing", 2.0) == 2.0
        assert facts.get("frames", 1) == (2 if "t" in names else 1)
        assert facts.get("slices", 1) == (3 if "z" in names else 1)
        assert tiff.pages.first.resolution == (4.0, 4.0)
        np.testing.assert_array_equal(tiff.asarray(), pixels_of(axes, order))
        for number, page in enumerate(tiff.pages):
            flat = pixels_of(axes, order).reshape(-1, 20, 30, 3)
            np.testing.assert_array_equal(page.asarray(), flat[number])
    np.testing.assert_array_equal(imread(str(path)), pixels_of(axes, order))
    assert read_record(path) == RECORD


def test_more_than_4_gb_are_a_bigtiff_with_the_words_of_ome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried by a lower limit."""
    axes = Axes("ztyx", (3, 2, 20, 30))
    monkeypatch.setattr(tiff_stack, "LARGEST", 6 * 20 * 30 * 3 - 1)
    path = written(tmp_path / "a.ome.tif", axes, scale=SCALE)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_bigtiff
        assert tiff.is_ome
        assert tiff.series[0].axes == "TZYXS"
        np.testing.assert_array_equal(tiff.asarray(), pixels_of(axes, "tz"))
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == (0.25, "µm")
    assert (pixels["PhysicalSizeZ"], pixels["PhysicalSizeZUnit"]) == (2, "µm")
    assert (pixels["TimeIncrement"], pixels["TimeIncrementUnit"]) == (0.5, "s")
    assert (pixels["SizeT"], pixels["SizeZ"], pixels["SizeC"]) == (2, 3, 3)
    assert read_record(path) == RECORD


def test_where_4_gb_begin_nothing_is_filled_that_was_not_written(tmp_path: Path) -> None:
    """The file of a stack of 5 GB takes next to nothing before its planes come."""
    from napari_colorize.files.stacks.plane_store import open_store

    store = open_store(tmp_path / "a.tif", Axes("tyx", (1700, 1000, 1000)), RECORD)
    work = tmp_path / "a.tif.part" / "a.tif"
    assert work.stat().st_size > 5_000_000_000
    if hasattr(work.stat(), "st_blocks"):
        assert work.stat().st_blocks * 512 < 5_000_000
    with work.open("rb") as file:
        assert file.read(4) == b"II+\0"
    store.write((1699,), np.full((1000, 1000, 3), 9, np.uint8))
    with tifffile.TiffFile(work) as tiff:
        assert len(tiff.pages) == 1700
        assert tiff.pages[1699].asarray().min() == 9
        assert tiff.pages[1698].asarray().max() == 0
    store.close()


@pytest.mark.parametrize("limit", [2**32, 1])
def test_other_axes_are_told_in_the_way_of_tifffile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Positions of a stage, say: neither ImageJ nor OME has a letter for them."""
    monkeypatch.setattr(tiff_stack, "LARGEST", limit)
    axes = Axes("ptyx", (2, 3, 20, 30))
    path = written(tmp_path / "a.tif", axes, scale=SCALE)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_bigtiff == (limit == 1)
        assert tiff.series[0].axes == "PTYXS"
        np.testing.assert_array_equal(tiff.asarray(), pixels_of(axes, "pt"))
