"""Stacks opened: their axes as the file says, planes lazily, bad files in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
import zarr
from made_planes import SCALE, plane_at, written
from PIL import Image

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.scale import Step
from napari_colorize.files.stacks.stack_files import open_stack

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.opened import OpenStack


def greys(*shape: int, dtype: str = "uint16") -> NDArray[Any]:
    """Return noise."""
    return np.random.default_rng(3).integers(0, 250, shape).astype(dtype)


def whole(stack: OpenStack) -> NDArray[Any]:
    """Return all planes."""
    pixels = np.zeros(stack.axes.shape, stack.data.dtype)
    for place, _ in stack.axes.places():
        pixels[place] = stack.data[place]
    return pixels


@pytest.mark.parametrize("name", ["a.ome.zarr", "a.tif"])
@pytest.mark.parametrize("names", ["yx", "tyx", "tzyx", "ptzyx", "ptqyx"])
def test_what_we_write_is_opened_with_its_axes(tmp_path: Path, name: str, names: str) -> None:
    """Also axes that the format has no word for, and the steps along all."""
    sides = {"p": 2, "t": 3, "z": 2, "q": 2, "y": 20, "x": 30}
    axes = Axes(names, tuple(sides[axis] for axis in names))
    stack = open_stack(written(tmp_path / name, axes, scale=SCALE))
    tiff_knows_no_q = names.replace("q", "z") if name == "a.tif" else names
    assert stack.axes == Axes(tiff_knows_no_q + "s", (*axes.shape, 3))
    assert (stack.name, stack.data.shape, stack.data.dtype) == ("a", stack.axes.shape, np.uint8)
    assert stack.frames_per_second == (2.0 if "t" in names else None)
    assert stack.scale == {axis: SCALE[axis] for axis in names if axis in SCALE}
    for place, _ in axes.places():
        np.testing.assert_array_equal(stack.data[place], plane_at(place, axes))


@pytest.mark.parametrize(
    ("options", "shape", "names"),
    [
        ({}, (3, 20, 30), "tyx"),
        ({"compression": "zlib"}, (3, 20, 30), "tyx"),
        ({"imagej": True, "metadata": {"axes": "ZYX"}}, (3, 20, 30), "zyx"),
        ({"imagej": True, "metadata": {"axes": "TZCYX"}}, (2, 3, 2, 20, 30), "tzcyx"),
        ({"ome": True, "metadata": {"axes": "TCYX"}}, (3, 2, 20, 30), "tcyx"),
        ({"ome": True, "compression": "zlib", "metadata": {"axes": "ZYX"}}, (3, 20, 30), "zyx"),
        ({"bigtiff": True, "metadata": {"axes": "PTYX"}}, (2, 3, 20, 30), "ptyx"),
        ({"byteorder": ">", "metadata": None}, (3, 20, 30), "tyx"),
    ],
)
def test_axes_of_a_tiff_are_those_that_it_tells(
    tmp_path: Path, options: dict[str, Any], shape: tuple[int, ...], names: str
) -> None:
    """Of every kind; pixels come in the byte order of the machine."""
    pixels = greys(*shape)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", **options)
    stack = open_stack(tmp_path / "a.tif")
    assert stack.axes == Axes(names, shape)
    assert stack.data[(0,) * (len(shape) - 2)].dtype == np.dtype("=u2")
    np.testing.assert_array_equal(whole(stack), pixels)


def test_a_large_imagej_stack_has_one_page_and_all_planes(tmp_path: Path) -> None:
    """As ImageJ writes what is larger than 4 GB: the pixels lie behind the first page."""
    pixels, path = greys(4, 20, 30), tmp_path / "a.tif"
    said = "ImageJ=1.11a\nimages=4\nslices=4\n"
    tifffile.imwrite(path, pixels[0], description=said, metadata=None, byteorder="<")
    path.write_bytes(path.read_bytes() + pixels[1:].astype("<u2").tobytes())
    stack = open_stack(path)
    assert stack.axes == Axes("zyx", (4, 20, 30))
    np.testing.assert_array_equal(whole(stack), pixels)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PictureError, match="cut short"):
        open_stack(path)


def test_colours_before_the_rows_come_behind_them(tmp_path: Path) -> None:
    """TIFF may hold red, green and blue one after the other."""
    pixels = greys(4, 3, 20, 30, dtype="uint8")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", planarconfig="separate")
    stack = open_stack(tmp_path / "a.tif")
    assert stack.axes == Axes("tyxs", (4, 20, 30, 3))
    np.testing.assert_array_equal(whole(stack), np.moveaxis(pixels, 1, -1))


def test_where_white_is_zero_it_is_turned(tmp_path: Path) -> None:
    """As scanners write it."""
    pixels = greys(2, 20, 30, dtype="uint8")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(whole(open_stack(tmp_path / "a.tif")), 255 - pixels)


def test_steps_of_imagej_are_read(tmp_path: Path) -> None:
    """Frames a second too."""
    tifffile.imwrite(
        tmp_path / "a.tif",
        greys(2, 3, 20, 30),
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": "TZYX", "unit": "um", "spacing": 2.5, "fps": 20.0},
    )
    stack = open_stack(tmp_path / "a.tif")
    assert stack.frames_per_second == 20
    assert stack.scale == {
        "t": Step(0.05, "second"),
        "z": Step(2.5, "micrometer"),
        "y": Step(0.5, "micrometer"),
        "x": Step(0.25, "micrometer"),
    }


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", [{}, {"imagej": True}, {"ome": True}])
def test_a_tiff_that_is_cut_short_is_told(
    tmp_path: Path, kind: dict[str, Any], compression: str | None
) -> None:
    """Wherever it ends, in one sentence; no part is taken for the whole."""
    if kind == {"imagej": True} and compression:
        pytest.skip("ImageJ packs no pixels")
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, greys(4, 20, 30), photometric="minisblack", compression=compression, **kind
    )
    data = path.read_bytes()
    for left in (len(data) // 2, 300, 6):
        path.write_bytes(data[:left])
        with pytest.raises(PictureError, match=r"a\.tif is (cut short|a broken TIFF)"):
            open_stack(path)


def test_a_page_that_is_broken_raises_only_when_it_is_read(tmp_path: Path) -> None:
    """The pages before and behind are read."""
    pixels = greys(3, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        offset = tiff.pages[1].dataoffsets[0]
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 20)
    stack = open_stack(tmp_path / "a.tif")
    with pytest.raises(PictureError, match="page 1 is broken"):
        stack.data[1]
    np.testing.assert_array_equal(stack.data[2], pixels[2])


def test_pictures_of_several_sizes_are_no_stack(tmp_path: Path) -> None:
    """In a TIFF as in a folder."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(greys(20, 30))
        tiff.write(greys(10, 30))
    with pytest.raises(PictureError, match="2 pictures or stacks of several sizes"):
        open_stack(tmp_path / "a.tif")
    for number, width in enumerate((30, 31)):
        Image.fromarray(greys(20, width, dtype="uint8")).save(tmp_path / f"{number}.png")
    with pytest.raises(PictureError, match=r"0\.png is 30 x 20 pixels, 1\.png is 31 x 20"):
        open_stack(tmp_path)


@pytest.mark.parametrize(
    ("shape", "told", "names"),
    [
        ((3, 20, 30), None, "tyx"),
        ((3, 20, 30, 3), None, "tyxs"),
        ((3, 2, 20, 30), ["time", "depth", "y", "x"], "tzyx"),
        ((3, 2, 20, 30), ["z", "c", "y", "x"], "zcyx"),
        ((2, 3, 2, 2, 20, 30), None, "tzpqyx"),
    ],
)
@pytest.mark.parametrize("version", [2, 3])
def test_arrays_of_zarr_are_stacks(
    tmp_path: Path, shape: tuple[int, ...], told: list[str] | None, names: str, version: int
) -> None:
    """Of both formats; names of axes are used where they are told."""
    pixels = greys(*shape)
    array = zarr.create_array(
        tmp_path / "a.zarr",
        shape=shape,
        dtype="uint16",
        zarr_format=version,
        dimension_names=told if version == 3 else None,
        attributes={"_ARRAY_DIMENSIONS": told} if version == 2 and told else {},
    )
    array[:] = pixels
    stack = open_stack(tmp_path / "a.zarr")
    assert stack.axes == Axes(names, shape)
    np.testing.assert_array_equal(whole(stack), pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_ome_zarr_0_4_is_opened(tmp_path: Path, dtype: str) -> None:
    """Three channels of 8 bits are colours, all others stand alone."""
    kinds = {"t": "time", "c": "channel"}
    axes = [
        {"name": name, "type": kinds.get(name, "space")}
        | ({"unit": "micrometer"} if name in "zyx" else {})
        for name in "tczyx"
    ]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 2.0, 0.5, 0.5]}]
    levels = [{"path": "full", "coordinateTransformations": scale}]
    group = zarr.create_group(
        tmp_path / "a.zarr",
        zarr_format=2,
        attributes={"multiscales": [{"version": "0.4", "axes": axes, "datasets": levels}]},
    )
    pixels = greys(2, 3, 2, 20, 30, dtype=dtype)
    group.create_array("full", shape=pixels.shape, dtype=dtype)[:] = pixels
    stack = open_stack(tmp_path / "a.zarr")
    if dtype == "uint8":
        assert stack.axes == Axes("tzyxs", (2, 2, 20, 30, 3))
        np.testing.assert_array_equal(whole(stack), np.moveaxis(pixels, 1, -1))
    else:
        assert stack.axes == Axes("tczyx", pixels.shape)
        np.testing.assert_array_equal(whole(stack), pixels)
    assert stack.scale == {
        "z": Step(2.0, "micrometer"),
        "y": Step(0.5, "micrometer"),
        "x": Step(0.5, "micrometer"),
    }


def test_a_broken_chunk_raises_only_when_it_is_read(tmp_path: Path) -> None:
    """The planes before and behind are read."""
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(3, 20, 30), chunks=(1, 20, 30), dtype="uint16"
    )
    array[:] = pixels = greys(3, 20, 30)
    (tmp_path / "a.zarr" / "c" / "1" / "0" / "0").write_bytes(b"no")
    stack = open_stack(tmp_path / "a.zarr")
    with pytest.raises(PictureError, match="it is broken"):
        stack.data[1]
    np.testing.assert_array_equal(stack.data[2], pixels[2])


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """All in colour if one is; a broken one raises when it is read; other files are passed over."""
    pixels = greys(4, 20, 30, dtype="uint8")
    for number, name in enumerate(["f1.png", "f2.png", "f10.png"]):
        Image.fromarray(pixels[number]).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("mine")
    stack = open_stack(tmp_path)
    assert stack.axes == Axes("tyx", (3, 20, 30))
    np.testing.assert_array_equal(whole(stack), pixels[:3])
    (tmp_path / "f3.png").write_bytes(b"no picture")
    Image.fromarray(np.repeat(pixels[3][..., None], 3, 2)).save(tmp_path / "f11.bmp")
    stack = open_stack(tmp_path)
    assert stack.axes == Axes("tyxs", (5, 20, 30, 3))
    np.testing.assert_array_equal(stack.data[1], np.repeat(pixels[1][..., None], 3, 2))
    np.testing.assert_array_equal(stack.data[4][..., 1], pixels[3])
    with pytest.raises(PictureError, match=r"f3\.png: not a picture"):
        stack.data[2]


def test_what_is_no_stack_is_told(tmp_path: Path) -> None:
    """Missing, empty, of another kind, without pictures."""
    (tmp_path / "empty.tif").write_bytes(b"")
    (tmp_path / "text.tif").write_bytes(b"some text that is no picture")
    (tmp_path / "folder").mkdir()
    (tmp_path / "hollow.zarr").mkdir()
    (tmp_path / "broken.zarr").mkdir()
    (tmp_path / "broken.zarr" / "zarr.json").write_text("{")
    zarr.create_group(tmp_path / "group.zarr")
    for name, said in {
        "missing.tif": "no file or folder",
        "empty.tif": "is empty",
        "text.tif": "no stack of a known kind",
        "folder": "no picture in",
        "hollow.zarr": "does not say what it holds",
        "broken.zarr": "is a broken zarr",
        "group.zarr": "no OME-Zarr, and holds 0 arrays",
    }.items():
        with pytest.raises(PictureError, match=said):
            open_stack(tmp_path / name)


def test_a_place_that_is_not_there_is_an_error_of_the_program(tmp_path: Path) -> None:
    """As of any array."""
    tifffile.imwrite(tmp_path / "a.tif", greys(3, 20, 30), photometric="minisblack")
    data = open_stack(tmp_path / "a.tif").data
    np.testing.assert_array_equal(data[-1], data[2])
    for place in (3, (0, 0)):
        with pytest.raises(IndexError):
            data[place]


def test_other_names_may_be_given_to_the_axes(tmp_path: Path) -> None:
    """Where the file does not know better."""
    tifffile.imwrite(tmp_path / "a.tif", greys(3, 20, 30), photometric="minisblack")
    stack = open_stack(tmp_path / "a.tif")
    assert stack.called("zyx").axes == Axes("zyx", (3, 20, 30))
    with pytest.raises(PictureError, match="3 axes"):
        stack.called("tzyx")
