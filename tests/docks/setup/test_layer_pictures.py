"""Layers and regions as files: the right pixels, read one plane at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image, Labels, Shapes

from napari_colorize.docks.setup.layer_pictures import (
    OUTSIDE,
    as_shown,
    is_colour,
    put_into,
    take_pictures,
    write_pictures,
)
from napari_colorize.errors import Cancelled, StorageError
from napari_colorize.files.photographs import TOO_SMALL, UNREADABLE
from napari_colorize.files.pictures import read_picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def box(top: float, left: float, bottom: float, right: float) -> NDArray[np.float64]:
    """Return the corners of a rectangle, in pixels."""
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], dtype=float)


def written(folder: Path) -> dict[str, NDArray[Any]]:
    """Return the pixels of all files in a folder by their names."""
    return {path.name: read_picture(path).pixels for path in sorted(folder.iterdir())}


def test_each_plane_becomes_a_file(make_photograph: Callable[..., Any], tmp_path: Path) -> None:
    """A stack gives one file a plane, named after layer and plane, with the same pixels."""
    stack = np.stack([make_photograph(i) for i in range(3)])
    told: list[tuple[int, int]] = []
    layers = [
        take_pictures(Image(stack, rgb=True, name="my flowers/1")),
        take_pictures(Image(stack[0], rgb=True, name="one")),
    ]
    left_out = write_pictures(layers, tmp_path / "new", progress=lambda *at: told.append(at))
    files = written(tmp_path / "new")
    assert list(files) == [
        "01-my-flowers-1-plane-0000.png",
        "01-my-flowers-1-plane-0001.png",
        "01-my-flowers-1-plane-0002.png",
        "02-one.png",
    ]
    for pixels, plane in zip(files.values(), [*stack, stack[0]], strict=True):
        np.testing.assert_array_equal(pixels, plane)
    assert left_out == {}
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_values_of_every_type_are_shown_alike(make_photograph: Callable[..., Any]) -> None:
    """Floats, 16 bits and signs give the colours that napari shows."""
    pixels = make_photograph(1)
    deep = pixels.astype(np.uint16) * 257
    for other in (
        pixels / 255,
        (pixels / 255).astype(np.float32),
        deep,
        (deep >> 1).astype(np.int16),
        deep.astype(np.uint32) << 16,
        pixels.astype(np.int64),
    ):
        difference = as_shown(other).astype(int) - pixels
        assert np.abs(difference).max() <= 1, other.dtype
    assert as_shown(np.ones((2, 2, 3), bool)).min() == 255


def test_transparent_pixels_lie_on_white(make_photograph: Callable[..., Any]) -> None:
    """Of RGBA what is opaque stays, what is transparent is white."""
    rgba = np.dstack([make_photograph(1), np.full((80, 96), 255, np.uint8)])
    rgba[:10, :, 3] = 0
    for pixels in (rgba, rgba / 255):
        shown = as_shown(pixels)
        assert (shown[:10] == 255).all()
        np.testing.assert_array_equal(shown[10:], rgba[10:, :, :3])


def test_what_is_no_number_is_black(make_photograph: Callable[..., Any]) -> None:
    """NaN is black and infinity white; the rest of the picture stays."""
    pixels = make_photograph(1) / 255
    pixels[0], pixels[1], pixels[2] = np.nan, np.inf, -np.inf
    shown = as_shown(pixels)
    assert [int(row.mean()) for row in shown[:3]] == [0, 255, 0]
    np.testing.assert_array_equal(shown[3:], make_photograph(1)[3:])


def test_lazy_planes_are_read_one_at_a_time(tmp_path: Path) -> None:
    """Taking reads nothing, writing reads each plane once, never two together."""
    reading, most, reads = 0, 0, 0
    lock = threading.Lock()

    def plane(block_info: Any = None) -> NDArray[np.uint8]:
        nonlocal reading, most, reads
        with lock:
            reading, reads = reading + 1, reads + 1
            most = max(most, reading)
        place = block_info[None]["chunk-location"][0]
        with lock:
            reading -= 1
        return np.full((1, 64, 64, 3), place, np.uint8)

    lazy = da.map_blocks(plane, chunks=((1,) * 5, 64, 64, 3), dtype=np.uint8, meta=np.empty(0))
    layer = Image(lazy, rgb=True, name="lazy", contrast_limits=(0, 255))
    before = reads
    shapes = Shapes([box(0, 0, 32, 32), box(16, 16, 48, 48)])
    layers = [take_pictures(layer, shapes)]
    assert reads == before
    write_pictures(layers, tmp_path)
    assert (reads - before, most) == (5, 1)
    assert [int(pixels.max()) for pixels in written(tmp_path).values()] == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
    ]


def test_regions_are_cut_where_they_are_seen(
    make_photograph: Callable[..., Any], tmp_path: Path
) -> None:
    """Scale, place and turn of both layers are reckoned with."""
    picture = make_photograph(3)
    for geometry in (
        {},
        {"scale": (2, 3), "translate": (40, -7)},
        {"rotate": 90, "translate": (5, 5), "scale": (0.5, 0.25)},
        {"affine": [[0, 1, 3], [-1, 0, 4], [0, 0, 1]]},
    ):
        image = Image(picture, rgb=True, **geometry)
        corners = np.array([image.data_to_world(p) for p in box(10, 20, 50, 70)])
        shapes = Shapes([corners / (0.5, 2) - (1, 2)], scale=(0.5, 2), translate=(0.5, 4))
        (region,) = take_pictures(image, shapes).regions
        assert (region.rows, region.columns) == (slice(10, 50), slice(20, 70))
    write_pictures([take_pictures(image, shapes)], tmp_path)
    (pixels,) = written(tmp_path).values()
    np.testing.assert_array_equal(pixels, picture[10:50, 20:70])


def test_region_in_another_unit_is_found(make_photograph: Callable[..., Any]) -> None:
    """A region drawn in millimetres is cut out of a picture in micrometres."""
    image = Image(make_photograph(3), rgb=True, scale=(100, 100), units=("um", "um"))
    shapes = Shapes([box(10, 20, 50, 70)], scale=(0.1, 0.1), units=("mm", "mm"))
    (region,) = take_pictures(image, shapes).regions
    assert (region.rows, region.columns) == (slice(10, 50), slice(20, 70))


def test_region_belongs_to_its_plane(make_photograph: Callable[..., Any], tmp_path: Path) -> None:
    """A shape with all axes is cut out of its plane, a flat one out of every plane."""
    stack = np.stack([make_photograph(i) for i in range(3)])
    image = Image(stack, rgb=True, name="s", scale=(5, 1, 1), translate=(2, 0, 0))
    deep = np.insert(box(0, 0, 40, 40), 0, 7, axis=1)
    beyond = np.insert(box(0, 0, 40, 40), 0, 70, axis=1)
    pictures = take_pictures(image, Shapes([deep, beyond]))
    assert len(pictures) == 1
    assert pictures.left_out == {OUTSIDE: ("s region-002",)}
    write_pictures([pictures], tmp_path / "one")
    files = written(tmp_path / "one")
    assert list(files) == ["01-s-plane-0001-region-001.png"]
    np.testing.assert_array_equal(files.popitem()[1], stack[1, :40, :40])
    everywhere = take_pictures(image, Shapes([box(0, 0, 40, 40)]))
    assert len(everywhere) == 3
    write_pictures([everywhere], tmp_path / "all")
    for pixels, plane in zip(written(tmp_path / "all").values(), stack, strict=True):
        np.testing.assert_array_equal(pixels, plane[:40, :40])


def test_useless_regions_are_told(make_photograph: Callable[..., Any], tmp_path: Path) -> None:
    """Regions outside and tiny ones are left out, one that juts out is cut off."""
    image = Image(make_photograph(3), rgb=True, name="p")
    drawn = [box(-50, 0, -2, 40), box(0, 0, 15, 40), box(-20, 60, 40, 200), box(5, 5, 5, 5)]
    pictures = take_pictures(image, Shapes(drawn))
    (region,) = pictures.regions
    assert (region.rows, region.columns) == (slice(0, 40), slice(60, 96))
    left_out = write_pictures([pictures], tmp_path)
    assert left_out == {OUTSIDE: ("p region-001", "p region-004"), TOO_SMALL: ("p region-002",)}


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(*[st.floats(-30, 130)] * 4),
    st.floats(0.1, 10),
    st.floats(-180, 180),
)
def test_region_is_always_inside(
    sides: tuple[float, float, float, float], scale: float, turn: float
) -> None:
    """Whatever is drawn, what is cut lies in the picture and is large enough, or is told."""
    image = Image(np.zeros((80, 96, 3), np.uint8), rgb=True, scale=(scale, 1), rotate=turn)
    pictures = take_pictures(image, Shapes([box(*sides)]))
    assert len(pictures) + sum(map(len, pictures.left_out.values())) == 1
    for region in pictures.regions:
        assert 0 <= region.rows.start <= region.rows.stop - 16 <= 80 - 16
        assert 0 <= region.columns.start <= region.columns.stop - 16 <= 96 - 16


def test_large_picture_is_reduced(make_photograph: Callable[..., Any], tmp_path: Path) -> None:
    """What is larger than the training sees is brought down before it is written."""
    large = make_photograph(3).repeat(10, axis=0).repeat(10, axis=1)
    write_pictures([take_pictures(Image(large, rgb=True))], tmp_path)
    (pixels,) = written(tmp_path).values()
    assert pixels.shape == (512, 614, 3)


def test_broken_plane_is_left_out(make_photograph: Callable[..., Any], tmp_path: Path) -> None:
    """A plane that cannot be read is told by its name; the others are written."""
    good = make_photograph(3)

    class Breaking:
        """Two planes, of which the second lies on a disk that is gone."""

        shape, dtype, ndim = (2, 80, 96, 3), np.dtype(np.uint8), 4

        def __getitem__(self, key: Any) -> Any:
            if key[0] == 1:
                raise OSError("no disk")
            return good[key[1:]]

    pictures = take_pictures(Image(np.stack([good, good]), rgb=True, name="b"))
    object.__setattr__(pictures, "data", Breaking())
    left_out = write_pictures([pictures], tmp_path)
    assert left_out == {UNREADABLE: ("01-b-plane-0001.png",)}
    assert list(written(tmp_path)) == ["01-b-plane-0000.png"]


def test_full_resolution_of_a_pyramid_is_taken(make_photograph: Callable[..., Any]) -> None:
    """Of a multiscale layer the first level counts."""
    picture = make_photograph(3)
    layer = Image([picture, picture[::2, ::2]], rgb=True, multiscale=True)
    (region,) = take_pictures(layer).regions
    assert (region.rows.stop, region.columns.stop) == (80, 96)


def test_only_colours_of_a_camera_are_offered(make_photograph: Callable[..., Any]) -> None:
    """Neither grey layers nor what a network coloured are learned from."""
    picture = make_photograph(3)
    assert is_colour(Image(picture, rgb=True))
    assert not is_colour(Image(picture[..., 0]))
    assert not is_colour(Labels(picture[..., 0]))
    assert not is_colour(Image(picture, rgb=True, metadata={"napari_colorize": {}}))


def test_writing_can_be_cancelled(make_photograph: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing more is written once the user wants out."""
    pictures = take_pictures(Image(np.stack([make_photograph(3)] * 4), rgb=True))
    with pytest.raises(Cancelled):
        write_pictures([pictures], tmp_path, cancel=lambda: len(list(tmp_path.iterdir())) == 2)
    assert len(written(tmp_path)) == 2


def test_files_are_put_into_a_new_folder(tmp_path: Path) -> None:
    """What is there already stays as it is, and of what could not be put nothing stays."""
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.mkdir()
    (source / "a.png").write_bytes(b"new")
    put_into(source, target)
    assert (target / "a.png").read_bytes() == b"new"
    (target / "a.png").write_bytes(b"mine")
    for place in (target, tmp_path / "deep" / "target" / "a.png"):
        with pytest.raises(StorageError, match="Cannot write"):
            put_into(source, place)
    assert [path.name for path in target.iterdir()] == ["a.png"]
    with pytest.raises(StorageError):
        put_into(tmp_path / "gone", tmp_path / "other")
    assert not (tmp_path / "other").exists()
