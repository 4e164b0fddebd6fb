"""Tests of writing picture files and of what goes along: profile, EXIF, resolution."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_pictures import (
    ADOBE,
    GREY_18,
    HEIGHT,
    MAKE,
    ORIENTATION,
    SHOT,
    TAKEN,
    WIDTH,
    camera_exif,
    deep_slopes,
    slopes,
)
from PIL import Image

from napari_colorize.errors import PictureError, StorageError
from napari_colorize.files import profiles
from napari_colorize.files.pictures import (
    Picture,
    read_picture,
    write_picture,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# --- profiles


def test_another_profile_is_converted_and_written_back(tmp_path: Path) -> None:
    """Adobe RGB is sRGB in memory and Adobe RGB again in the file."""
    muted = slopes() // 3 + 80  # strong colours of Adobe RGB are beyond sRGB
    Image.fromarray(muted).save(tmp_path / "in.png", icc_profile=ADOBE)
    picture = read_picture(tmp_path / "in.png")
    assert np.abs(picture.pixels.astype(int) - muted).max() > 5
    write_picture(tmp_path / "out.png", picture.pixels, like=picture)
    with Image.open(tmp_path / "out.png") as image:
        assert image.info["icc_profile"] == ADOBE
        assert np.abs(np.asarray(image).astype(int) - muted).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_keep_profile_exif_and_resolution(tmp_path: Path, suffix: str) -> None:
    """The way there and back changes 16-bit values by at most a few."""
    like = Picture(slopes(), ADOBE, camera_exif().tobytes(), (300.0, 150.0))
    write_picture(tmp_path / f"x{suffix}", deep_slopes(), like=like)
    back = read_picture(tmp_path / f"x{suffix}")
    assert back.pixels.dtype == np.uint16
    assert np.abs(back.pixels.astype(int) - deep_slopes()).max() <= 40
    assert back.icc == ADOBE
    assert back.resolution == pytest.approx((300, 150), abs=0.1)
    exif = Image.Exif()
    exif.load(back.exif or b"")
    assert exif[MAKE] == "Camera works"
    assert exif.get_ifd(SHOT)[TAKEN] == "2020:02:03 04:05:06"


def test_a_grey_profile_is_applied_and_not_put_into_a_colour_file(tmp_path: Path) -> None:
    """Gamma 1.8 is brighter in sRGB; the result says it is sRGB. In 8 and in 16 bits."""
    Image.fromarray(slopes()[..., 0]).save(tmp_path / "in.png", icc_profile=GREY_18)
    tifffile.imwrite(tmp_path / "in.tif", deep_slopes()[..., 0], iccprofile=GREY_18)
    for name in ("in.png", "in.tif"):
        picture = read_picture(tmp_path / name)
        assert picture.pixels.shape == (48, 64)
        scale = 255 if picture.pixels.dtype == np.uint8 else 65535
        linear = (slopes()[..., 0] / 255) ** 1.8
        wanted = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        np.testing.assert_allclose(picture.pixels / scale, wanted, atol=0.02)
        write_picture(tmp_path / f"out-{name}", slopes(), like=picture)
        with Image.open(tmp_path / f"out-{name}") as image:
            assert profiles.is_srgb(image.info["icc_profile"])


def test_a_broken_profile_is_as_good_as_none(tmp_path: Path) -> None:
    """So is one for other pixels, an RGB profile in a grey file."""
    Image.fromarray(slopes()).save(tmp_path / "x.png", icc_profile=b"junk" * 50)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").pixels, slopes())
    Image.fromarray(slopes()[..., 0]).save(tmp_path / "g.png", icc_profile=ADOBE)
    np.testing.assert_array_equal(read_picture(tmp_path / "g.png").pixels, slopes()[..., 0])


# --- writing


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_exif_goes_along_upright(tmp_path: Path, suffix: str) -> None:
    """The sideways picture comes out upright, and its EXIF says so."""
    Image.fromarray(slopes()).save(
        tmp_path / "in.jpg", exif=camera_exif(6), dpi=(300, 300), quality=95
    )
    picture = read_picture(tmp_path / "in.jpg")
    write_picture(tmp_path / f"out{suffix}", picture.pixels, like=picture)
    with Image.open(tmp_path / f"out{suffix}") as image:
        exif = image.getexif()
        assert image.size == (48, 64)
        assert exif.get(ORIENTATION, 1) == 1
        assert exif[MAKE] == "Camera works"
        shot = exif.get_ifd(SHOT)
        assert (shot[TAKEN], shot[WIDTH], shot[HEIGHT]) == ("2020:02:03 04:05:06", 48, 64)
    if suffix not in (".webp", ".avif"):  # they have no place for it but EXIF
        assert read_picture(tmp_path / f"out{suffix}").resolution == pytest.approx(
            (300, 300), abs=0.1
        )


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}])
def test_what_describes_the_grey_pixels_stays_behind(
    tmp_path: Path, options: dict[str, bool]
) -> None:
    """A TIFF of colours does not say that it holds one channel; words of people go along."""
    grey = np.arange(2000, dtype=np.uint16).reshape(40, 50)
    for name, told in (("of-a-program.tif", options), ("of-a-person.tif", {"metadata": None})):
        words = {"description": "a meadow"} if told.get("metadata", 0) is None else {}
        tifffile.imwrite(tmp_path / name, grey, **told, **words)
        picture = read_picture(tmp_path / name)
        write_picture(tmp_path / "out.tif", np.dstack([grey] * 3), like=picture)
        with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
            assert tiff.pages.first.description == words.get("description", "")
            assert tiff.series[0].shape == (40, 50, 3)


def test_jpeg_keeps_the_full_resolution_of_colour(tmp_path: Path) -> None:
    """Red and blue columns stay apart; half the resolution of colour would mix them."""
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 200
    for suffix in (".jpg", ".webp", ".avif"):
        write_picture(tmp_path / f"x{suffix}", stripes)
        back = read_picture(tmp_path / f"x{suffix}").pixels.astype(int)
        assert np.abs(back - stripes).mean() < 12, suffix


@pytest.mark.parametrize(
    ("name", "pixels", "words"),
    [
        ("x.gif", slopes(), "'.gif'.*\\.avif, \\.bmp"),
        ("x", slopes(), "unknown suffix ''"),
        ("x.jpg", deep_slopes(), "16 bits.*\\.png, \\.tif"),
        ("x.png", slopes()[..., 0], "shape"),
        ("x.png", slopes()[:0], "shape"),
        ("x.png", slopes().astype(float), "float64"),
        ("x.webp", np.zeros((1, 16_384, 3), np.uint8), "16383 pixels a side"),
    ],
)
def test_what_cannot_be_written_says_why(
    tmp_path: Path, name: str, pixels: NDArray[Any], words: str
) -> None:
    """Nothing is left on the disk."""
    with pytest.raises(PictureError, match=words):
        write_picture(tmp_path / name, pixels)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is a StorageError, there is no half file, and the old one is whole."""
    write_picture(tmp_path / "x.png", slopes())
    before = (tmp_path / "x.png").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for suffix, pixels in [(".png", slopes()), (".tif", deep_slopes())]:
        with pytest.raises(StorageError, match="no space left"):
            write_picture(tmp_path / f"x{suffix}", pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    assert (tmp_path / "x.png").read_bytes() == before


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        write_picture(tmp_path / "file" / "x.png", slopes())


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are a matter of Unix")
def test_others_may_read_what_is_written(tmp_path: Path) -> None:
    """Files get the usual rights, not those of temporary files."""
    before = os.umask(0o022)
    try:
        write_picture(tmp_path / "x.png", slopes())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.png").stat().st_mode) == 0o644


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    seed=st.integers(0, 2**16),
    deep=st.booleans(),
    suffix=st.sampled_from([".png", ".tif"]),
    dots=st.none() | st.floats(1, 2400),
)
def test_any_pixels_come_back(
    tmp_path: Path, height: int, width: int, seed: int, deep: bool, suffix: str, dots: float | None
) -> None:
    """PNG and TIFF lose nothing at any size, depth and resolution."""
    kind = np.uint16 if deep else np.uint8
    pixels = np.random.default_rng(seed).integers(
        0, np.iinfo(kind).max, (height, width, 3), dtype=kind, endpoint=True
    )
    resolution = None if dots is None else (dots, dots)
    write_picture(tmp_path / f"x{suffix}", pixels, like=Picture(pixels, resolution=resolution))
    back = read_picture(tmp_path / f"x{suffix}")
    assert back.pixels.dtype == kind
    np.testing.assert_array_equal(back.pixels, pixels)
    assert (back.resolution is None) == (dots is None)
    if dots is not None:
        assert back.resolution == pytest.approx((dots, dots), abs=0.05)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_bytes_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A file with some bytes changed is read or refused with a PictureError."""
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "TIFF", "BMP", "WEBP"]))
    file = io.BytesIO()
    Image.fromarray(slopes(16, 16)).save(file, kind, exif=camera_exif() if kind == "JPEG" else b"")
    damaged = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(damaged)
    try:
        pixels = read_picture(path).pixels
    except PictureError:
        return
    assert pixels.dtype in (np.uint8, np.uint16)
