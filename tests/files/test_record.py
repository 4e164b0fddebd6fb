"""A coloured file tells what made it, to us and to others, in every format that has a place."""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_pictures import ADOBE, MAKE, SHOT, TAKEN, camera_exif, deep_slopes, slopes
from PIL import Image, PngImagePlugin

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.errors import PictureError
from napari_colorize.files import tiff, xmp
from napari_colorize.files.pictures import Picture, read_picture, write_picture
from napari_colorize.files.record import make_record, program_version, read_record
from napari_colorize.files.steering_file import from_dict

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = [".png", ".tif", ".jpg", ".webp", ".avif"]
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
MARK = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
RECORD = {"model": "päl <&> ]]>\0\ud800", "hash": "ab" * 32, "steering": {"hints": [1.5, None]}}


def packet_of(path: Path) -> bytes:
    """Return the XMP of a file as Pillow or tifffile sees it."""
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as opened:
            return bytes(opened.pages.first.tags[700].value)
    with Image.open(path) as image:
        return bytes(image.info["xmp"])


def mark_of(packet: bytes) -> str | None:
    """Return the kind of source that a packet tells to any reader of XMP."""
    root = ElementTree.fromstring(packet.decode())
    return root.findtext(f"{RDF}RDF/{RDF}Description/{MARK}")


@pytest.mark.parametrize(
    ("suffix", "deep"), [*((suffix, False) for suffix in SUFFIXES), (".png", True), (".tif", True)]
)
def test_every_format_carries_it(tmp_path: Path, suffix: str, deep: bool) -> None:
    """The record comes back, the mark is where others look, profile and EXIF stay beside it."""
    path = tmp_path / f"x{suffix}"
    pixels: Any = deep_slopes() if deep else slopes()
    like = Picture(slopes(), ADOBE, camera_exif().tobytes(), (300.0, 300.0))
    write_picture(path, pixels, like=like, record=RECORD)
    assert read_record(path) == RECORD
    assert mark_of(packet_of(path)) == COMPOSITE
    back = read_picture(path)
    assert (back.icc, back.pixels.dtype) == (ADOBE, pixels.dtype)
    exif = Image.Exif()
    exif.load(back.exif or b"")
    assert exif[MAKE] == "Camera works"
    assert exif.get_ifd(SHOT)[TAKEN] == "2020:02:03 04:05:06"
    write_picture(tmp_path / f"y{suffix}", pixels, like=like)
    np.testing.assert_array_equal(back.pixels, read_picture(tmp_path / f"y{suffix}").pixels)
    assert read_record(tmp_path / f"y{suffix}") is None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_megabytes_of_strokes(tmp_path: Path, suffix: str) -> None:
    """Longer than one marker of a JPEG; the picture can still be read, and the mark too."""
    record = {"runs": list(range(400_000)), "name": "ä"}
    path = tmp_path / f"x{suffix}"
    write_picture(path, slopes(), record=record)
    assert path.stat().st_size > 2_000_000
    assert read_record(path) == record
    assert mark_of(packet_of(path)) == COMPOSITE
    assert read_picture(path).pixels.shape == (48, 64, 3)
    if suffix in (".png", ".tif"):
        write_picture(path, deep_slopes(), record=record)
        assert read_record(path) == record
        np.testing.assert_array_equal(read_picture(path).pixels, deep_slopes())


@pytest.mark.parametrize("length", range(65_150, 65_260, 10))
def test_around_the_longest_packet_of_one_marker(tmp_path: Path, length: int) -> None:
    """No length is lost between one packet and several pieces."""
    record = {"x": "a" * (length - len(xmp.packet({"x": ""})) + 300)}
    write_picture(tmp_path / "x.jpg", slopes(), record=record)
    assert read_record(tmp_path / "x.jpg") == record


@pytest.mark.parametrize("kind", [1, 2, 7])
def test_tags_of_other_programs(tmp_path: Path, kind: int) -> None:
    """A TIFF may hold its packet as bytes, as text or as anything."""
    packet = xmp.packet(RECORD)
    tags = [(700, kind, len(packet), packet, True)]
    tifffile.imwrite(tmp_path / "x.tif", slopes(), extratags=tags, metadata=None)
    assert read_record(tmp_path / "x.tif") == RECORD


def test_bigtiff(tmp_path: Path) -> None:
    """A file of more than 4 GB is laid out in another way; this one is small."""
    path = tmp_path / "x.tif"
    packet = xmp.packet(RECORD)
    tags = [(700, 1, len(packet), packet, True)]
    tifffile.imwrite(path, slopes(), bigtiff=True, extratags=tags, metadata=None)
    assert path.read_bytes()[:4] == b"II+\0"
    assert read_record(path) == RECORD


def test_bmp_has_no_place_for_it(tmp_path: Path) -> None:
    """The picture is written all the same."""
    write_picture(tmp_path / "x.bmp", slopes(), record=RECORD)
    assert read_record(tmp_path / "x.bmp") is None
    np.testing.assert_array_equal(read_picture(tmp_path / "x.bmp").pixels, slopes())


def test_xmp_of_the_source_is_replaced(tmp_path: Path) -> None:
    """What a grey picture told of itself does not stand in the coloured one."""
    packet = xmp.packet({}).replace(b"colorize:record", b"colorize:rating")
    Image.fromarray(slopes()[..., 0]).save(tmp_path / "in.jpg", xmp=packet)
    assert read_record(tmp_path / "in.jpg") is None
    write_picture(
        tmp_path / "out.jpg", slopes(), like=read_picture(tmp_path / "in.jpg"), record=RECORD
    )
    assert packet_of(tmp_path / "out.jpg").count(b":DigitalSourceType ") == 1
    assert b"rating" not in packet_of(tmp_path / "out.jpg")


def test_no_pixel_is_decoded(tmp_path: Path) -> None:
    """A file that was cut off behind its head still tells."""
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    for suffix in (".png", ".jpg"):
        path = tmp_path / f"x{suffix}"
        write_picture(path, noise, record=RECORD)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert read_record(path) == RECORD
        with pytest.raises(PictureError):
            read_picture(path)


def test_it_is_read_as_other_programs_write_it_anew() -> None:
    """As an attribute, in UTF-16, with padding and NUL behind; of two descriptions the second."""
    old = xmp.packet({"a": 1}).decode()
    start, end = old.index("<colorize:record"), old.index("</rdf:Description>")
    attribute = old[:start] + old[end:]
    attribute = attribute.replace(
        'rdf:about=""', f'xmlns:c="{xmp.NAMESPACE}" c:record=\'{{"a":1}}\' rdf:about=""'
    )
    assert xmp.record_of(attribute.encode()) == {"a": 1}
    assert xmp.record_of(old.encode("utf-16")) == {"a": 1}
    assert xmp.record_of(old.encode() + b" \n" * 50 + b"\0\0") == {"a": 1}
    two = old.replace("<rdf:Description", '<rdf:Description rdf:about="x"/><rdf:Description', 1)
    assert xmp.record_of(two.encode()) == {"a": 1}
    assert xmp.record_of(b"<a/>") is None


BOMB = """<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>"""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "its XMP is broken"),
        (b"<a>", "its XMP is broken"),
        (xmp.packet({"a": 1})[:-60], "its XMP is broken"),
        (b"\xff\xfe\xfa\xfb", "its XMP is broken"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "its XMP is broken"),
        (BOMB.encode(), "its XMP declares a document type, which no XMP has"),
        (BOMB.encode("utf-16"), "its XMP declares a document type, which no XMP has"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "its XMP declares a document type"),
        (xmp.packet({"a": 1}).replace(b'{"a":1}', b'{"a":1'), "its record is broken"),
        (xmp.packet({"a": 1}).replace(b'{"a":1}', b"[1]"), "its record is broken"),
        (xmp.packet({"a": 1}).replace(b'{"a":1}', b"[" * 100_000), "its record is broken"),
        (xmp.packet({"a": 1}).replace(b'{"a":1}', b""), "its record is broken"),
    ],
)
def test_broken_packets(tmp_path: Path, data: bytes, message: str) -> None:
    """One sentence, and no entity is expanded; in a file as well."""
    with pytest.raises(PictureError) as caught:
        xmp.record_of(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    if data:
        Image.fromarray(slopes()).save(tmp_path / "x.webp", xmp=data)
        with pytest.raises(PictureError) as caught:
            read_record(tmp_path / "x.webp")
        assert message in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.lists(st.binary(max_size=100), max_size=3))
def test_no_bytes_raise_anything_else(data: bytes, markers: list[bytes]) -> None:
    """Whatever stands there is broken, nothing or a record."""
    for packet in (data, xmp.packet({"a": 1})[:200] + data):
        with contextlib.suppress(PictureError):
            assert xmp.record_of(packet, markers) is None


def test_pieces_that_lack_are_no_record(tmp_path: Path) -> None:
    """A program that knows no extended XMP may drop it; the mark stays, the record is gone."""
    write_picture(tmp_path / "x.jpg", slopes(), record={"x": "a" * 200_000})
    with Image.open(tmp_path / "x.jpg") as image:
        markers = [body for name, body in image.applist if name == "APP1"]  # type: ignore[attr-defined]
    packet = packet_of(tmp_path / "x.jpg")
    assert xmp.record_of(packet, markers[::-1]) == {"x": "a" * 200_000}
    assert xmp.record_of(packet, markers[:2]) is None
    assert xmp.record_of(packet) is None
    head = b"http://ns.adobe.com/xmp/extension/\0"
    foreign = [one.replace(head, head + b"0") for one in markers]
    assert xmp.record_of(packet, foreign) is None
    assert mark_of(packet) == COMPOSITE


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, empty, no picture, a broken TIFF: as `read_picture` tells it."""
    with pytest.raises(PictureError, match="no such file"):
        read_record(tmp_path / "none.png")
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(PictureError, match="empty file"):
        read_record(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes(b"text that is no picture")
    with pytest.raises(PictureError, match="not a picture of a known kind"):
        read_record(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes(b"II*\0" + struct.pack("<I", 8))
    with pytest.raises(PictureError, match="broken or unknown TIFF"):
        read_record(tmp_path / "x.png")


def test_a_packed_text_of_another_program(tmp_path: Path) -> None:
    """A PNG may hold its XMP packed."""
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xmp.packet({"a": 1}).decode(), zip=True)
    Image.fromarray(slopes()).save(tmp_path / "x.png", pnginfo=texts)
    assert read_record(tmp_path / "x.png") == {"a": 1}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=5),
    st.sampled_from(SUFFIXES),
)
def test_any_words_come_back(tmp_path: Path, record: dict[str, Any], suffix: str) -> None:
    """Characters that XML cannot hold, brackets and lone surrogates."""
    path = tmp_path / f"x{suffix}"
    write_picture(path, slopes(4, 5), record=record)
    assert read_record(path) == record
    os.remove(path)


def test_a_record_gives_the_steering_back(tmp_path: Path) -> None:
    """What was wanted is what comes back; the folder of the source is not told."""
    area = LabelMap.from_array(np.eye(6, dtype=int))
    steering = Steering((Hint(1, 2, (3, 4, 5)), Strokes(area, ((1, (9.0, 8.0, 7.0)),))), 0.4)
    record = make_record(
        model="palette", model_hash="ab", steering=steering, source="cat.png", alternative=2
    )
    write_picture(tmp_path / "x.tif", slopes(), record=record)
    back = read_record(tmp_path / "x.tif")
    assert back == record
    assert from_dict(back["steering"]) == steering
    assert {key: back[key] for key in back if key != "steering"} == {
        "model": "palette",
        "hash": "ab",
        "version": program_version(),
        "source": "cat.png",
        "alternative": 2,
    }


def test_a_tiff_tells_its_packet(tmp_path: Path) -> None:
    """From a path; None where there is none."""
    write_picture(tmp_path / "x.tif", slopes(), record={"a": 1})
    assert tiff.read_xmp(tmp_path / "x.tif") == xmp.packet({"a": 1})
    write_picture(tmp_path / "x.tif", slopes())
    assert tiff.read_xmp(tmp_path / "x.tif") is None
