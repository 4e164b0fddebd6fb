"""OME-Zarr as others read it: the words of NGFF 0.5, pixels by zarr alone, colours in napari."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest
import zarr
from made_planes import RECORD, SCALE, plane_at, written

from napari_colorize.files.stacks import ome_zarr
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.plane_store import open_store

if TYPE_CHECKING:
    from pathlib import Path


def attributes_of(path: Path) -> dict[str, Any]:
    """Return the attributes of a group, from its file."""
    told = json.loads((path / "zarr.json").read_text())
    assert (told["zarr_format"], told["node_type"]) == (3, "group")
    return dict(told["attributes"])


@pytest.mark.parametrize(
    ("names", "wanted"),
    [("yx", "cyx"), ("tyx", "tcyx"), ("zyxs", "czyx"), ("tzyx", "tczyx"), ("ztyx", "tczyx")],
)
def test_metadata_are_in_the_words_of_the_specification(
    tmp_path: Path, names: str, wanted: str
) -> None:
    """What "multiscales" and "omero" MUST and SHOULD have, in NGFF 0.5."""
    sides = {"t": 2, "z": 3, "y": 300, "x": 521, "s": 3}
    axes = Axes(names, tuple(sides[name] for name in names))
    path = written(tmp_path / "scan.ome.zarr", axes, scale=SCALE)
    ome = attributes_of(path)["ome"]
    assert ome["version"] == "0.5"
    (multiscale,) = ome["multiscales"]
    assert multiscale["name"] == "scan"
    assert multiscale["type"] == "mean"
    assert "description" in multiscale["metadata"]
    kinds = {"t": "time", "c": "channel"}
    units = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
    assert multiscale["axes"] == [
        {"name": name, "type": kinds.get(name, "space")}
        | ({"unit": units[name]} if name in units else {})
        for name in wanted
    ]
    assert [level["path"] for level in multiscale["datasets"]] == ["0", "1", "2"]
    for number, level in enumerate(multiscale["datasets"]):
        check_level(path / level["path"], level, wanted, 2**number)
    channels = ome["omero"]["channels"]
    assert [channel["color"] for channel in channels] == ["FF0000", "00FF00", "0000FF"]
    assert all(
        channel["window"] == {"min": 0, "max": 255, "start": 0, "end": 255} for channel in channels
    )
    assert ome["omero"]["rdefs"]["model"] == "color"


def check_level(array: Path, level: dict[str, Any], names: str, times: int) -> None:
    """Check what is told of a level, and its array."""
    told = json.loads((array / "zarr.json").read_text())
    assert told["dimension_names"] == list(names)
    scale, *moved = level["coordinateTransformations"]
    steps = {"t": 0.5, "c": 1.0, "z": 2.0, "y": 0.25 * times, "x": 0.25 * times}
    assert scale == {"type": "scale", "scale": [steps[name] for name in names]}
    shift = (times - 1) / 2 * 0.25
    wanted = [shift if name in "yx" else 0 for name in names]
    assert moved == [{"type": "translation", "translation": wanted}] * (times > 1)
    sides = {"t": 2, "c": 3, "z": 3, "y": -(-300 // times), "x": -(-521 // times)}
    assert told["shape"] == [sides[name] for name in names]
    chunk = sides | {"t": 1, "z": 1}
    assert told["chunk_grid"]["configuration"]["chunk_shape"] == [chunk[name] for name in names]


def test_the_pixels_are_read_by_zarr_alone(tmp_path: Path) -> None:
    """Each plane at its place, each level the mean of the one before."""
    axes = Axes("ztyx", (2, 3, 21, 600))
    path = written(tmp_path / "a.ome.zarr", axes)
    full, half = (zarr.open_array(path / level, mode="r")[:] for level in "01")
    for place, _ in axes.places():
        pixels = plane_at(place, axes)
        depth, time = place
        np.testing.assert_array_equal(np.moveaxis(full[time, :, depth], 0, -1), pixels)
        means = pixels[:20].reshape(10, 2, 300, 2, 3).mean(axis=(1, 3))
        smaller = np.moveaxis(half[time, :, depth], 0, -1).astype(float)
        assert abs(smaller[:10] - means).max() <= 0.5
        last = pixels[20].reshape(300, 2, 3).mean(axis=1)
        assert abs(smaller[10] - last).max() <= 0.5


def test_napari_makes_a_picture_of_its_colours(tmp_path: Path) -> None:
    """By napari's own reader of zarr, free of our code."""
    from napari_builtins.io import magic_imread

    axes = Axes("tyx", (2, 30, 40))
    path = written(tmp_path / "a.ome.zarr", axes)
    data = np.asarray(magic_imread([str(path / "0")], use_dask=False))
    np.testing.assert_array_equal(np.moveaxis(data[1], 0, -1), plane_at((1,), axes))


def test_other_axes_become_images_of_a_collection(tmp_path: Path) -> None:
    """As the words "bioformats2raw.layout" say: NGFF has no more than five axes."""
    axes = Axes("ptqyx", (2, 3, 2, 30, 40))
    path = written(tmp_path / "a.ome.zarr", axes)
    top = attributes_of(path)
    assert top["ome"] == {"version": "0.5", "bioformats2raw.layout": 3}
    assert top["napari-colorize"] == {
        "axes": "ptqyxs",
        "shape": [2, 3, 2, 30, 40, 3],
        "record": RECORD,
    }
    series = attributes_of(path / "OME")["ome"]["series"]
    assert series == ["0", "1", "2", "3"]
    names = [attributes_of(path / name)["ome"]["multiscales"][0]["name"] for name in series]
    assert names == ["p=0, q=0", "p=0, q=1", "p=1, q=0", "p=1, q=1"]
    xml = ElementTree.parse(path / "OME" / "METADATA.ome.xml").getroot()
    space = {"": "http://www.openmicroscopy.org/Schemas/OME/2016-06"}
    assert [image.get("ID") for image in xml.findall("Image", space)] == [
        f"Image:{name}" for name in series
    ]
    pixels = xml.find("Image/Pixels", space)
    assert pixels is not None
    assert [pixels.get(f"Size{axis}") for axis in "XYZCT"] == ["40", "30", "1", "3", "3"]
    assert len(pixels.findall("Channel", space)) == 3
    assert pixels.find("MetadataOnly", space) is not None
    image = zarr.open_array(path / "2" / "0", mode="r")[:]
    np.testing.assert_array_equal(np.moveaxis(image[2], 0, -1), plane_at((1, 2, 0), axes))


def test_channels_of_a_microscope_are_images_too(tmp_path: Path) -> None:
    """The axis c of a result is red, green, blue; the planes of each channel have their own."""
    axes = Axes("ctyx", (2, 3, 30, 40))
    path = written(tmp_path / "a.ome.zarr", axes)
    image = zarr.open_array(path / "1" / "0", mode="r")[:]
    assert image.shape == (3, 3, 30, 40)
    np.testing.assert_array_equal(np.moveaxis(image[2], 0, -1), plane_at((1, 2), axes))


def test_a_large_plane_is_cut_into_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on after a break."""
    monkeypatch.setattr(ome_zarr, "CHUNK", 16)
    axes = Axes("tyx", (2, 40, 50))
    with closing(open_store(tmp_path / "a.zarr", axes, RECORD)) as store:
        store.write((0,), plane_at((0,), axes))
    path = written(tmp_path / "a.zarr", axes)
    assert zarr.open_array(path / "0", mode="r").chunks == (1, 3, 16, 16)
    image = zarr.open_array(path / "0", mode="r")[:]
    for number in range(2):
        np.testing.assert_array_equal(np.moveaxis(image[number], 0, -1), plane_at((number,), axes))


def test_what_a_kill_left_half_written_is_swept_up(tmp_path: Path) -> None:
    """The files that zarr writes before it renames them."""
    axes = Axes("tyx", (2, 40, 50))
    with closing(open_store(tmp_path / "a.zarr", axes, RECORD)) as store:
        store.write((0,), plane_at((0,), axes))
    left = tmp_path / "a.zarr.part" / "a.zarr" / "0" / "c" / "0" / "x.partial"
    left.write_bytes(b"half")
    written(tmp_path / "a.zarr", axes)
    assert not list(tmp_path.rglob("*.partial"))
