"""Tests of finding and reading picture files."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from made_pictures import ORIENTATION, camera_exif, deep_slopes, slopes
from PIL import Image

from napari_colorize.errors import PictureError
from napari_colorize.files import pictures
from napari_colorize.files.decoding import calm_pillow, turned
from napari_colorize.files.pictures import (
    PICTURE_SUFFIXES,
    find_pictures,
    read_picture,
    write_picture,
)

if TYPE_CHECKING:
    from pathlib import Path


def refusal(path: Path) -> str:
    """Return why a file cannot be read."""
    with pytest.raises(PictureError) as caught:
        read_picture(path)
    assert str(path) not in str(caught.value)
    return str(caught.value)


# --- finding


def test_find_pictures_is_recursive_sorted_and_skips_what_is_no_picture(tmp_path: Path) -> None:
    """Hidden files, folders named like pictures, other suffixes and broken links are left out."""
    names = ["b.JPG", "a/z.png", "a/ä ü 日本.tif", "c.webp", "a.b/x.avif"]
    for name in [*names, ".hidden.png", ".git/x.png", "notes.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere.jpg")
    found = [path.relative_to(tmp_path).as_posix() for path in find_pictures(tmp_path)]
    assert found == ["a/z.png", "a/ä ü 日本.tif", "a.b/x.avif", "b.JPG", "c.webp"]


def test_find_pictures_follows_links_once_and_survives_loops(tmp_path: Path) -> None:
    """A link to a parent ends; a linked folder elsewhere is looked through; no file comes twice."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "deep").mkdir(parents=True)
    outside.mkdir()
    (inside / "deep" / "x.png").write_bytes(b"x")
    (outside / "y.png").write_bytes(b"y")
    (inside / "deep" / "loop").symlink_to(inside)
    (inside / "again").symlink_to(inside / "deep")
    (inside / "other").symlink_to(outside)
    found = [path.relative_to(inside).as_posix() for path in find_pictures(inside)]
    assert found == ["deep/x.png", "other/y.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a matter of Unix")
def test_find_pictures_leaves_pipes_alone(tmp_path: Path) -> None:
    """A pipe named like a picture would never end when read."""
    os.mkfifo(tmp_path / "pipe.jpg")
    assert find_pictures(tmp_path) == []


def test_find_pictures_stops_when_told(tmp_path: Path) -> None:
    """The cancel is looked at before each folder."""
    (tmp_path / "x.png").write_bytes(b"x")
    assert find_pictures(tmp_path, lambda: True) == []


# --- reading


@pytest.mark.parametrize("suffix", sorted(PICTURE_SUFFIXES))
def test_every_suffix_can_be_written_and_read(tmp_path: Path, suffix: str) -> None:
    """Colours come back; exactly where the format loses nothing."""
    write_picture(tmp_path / f"x{suffix}", slopes())
    back = read_picture(tmp_path / f"x{suffix}").pixels
    lossy = suffix in (".jpg", ".jpeg", ".avif")
    assert np.abs(back.astype(int) - slopes()).mean() <= (3 if lossy else 0)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_pillow_does(tmp_path: Path, orientation: int) -> None:
    """All eight orientations, of 8 bits by EXIF and of 16 bits by our own turning."""
    Image.fromarray(slopes()).save(tmp_path / "x.png", exif=camera_exif(orientation))
    upright = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(upright.pixels, turned(slopes(), orientation))
    assert upright.pixels[0].size == (64 * 3 if orientation < 5 else 48 * 3)
    tag = (ORIENTATION, 3, 1, orientation, True)
    tifffile.imwrite(tmp_path / "x.tif", deep_slopes(), photometric="rgb", extratags=[tag])
    np.testing.assert_array_equal(
        read_picture(tmp_path / "x.tif").pixels, turned(deep_slopes(), orientation)
    )


def test_grey_stays_grey_and_bits_are_kept(tmp_path: Path) -> None:
    """Grey files give (H, W); 16 bits stay 16; one bit becomes black and white."""
    deep = deep_slopes()[..., 0]
    Image.fromarray(slopes()[..., 0]).save(tmp_path / "8.png")
    Image.fromarray(deep).save(tmp_path / "16.png")
    tifffile.imwrite(tmp_path / "16.tif", deep)
    tifffile.imwrite(tmp_path / "negative.tif", deep, photometric="miniswhite")
    Image.fromarray(slopes()[..., 0] > 128).save(tmp_path / "1.tif", compression="group4")
    np.testing.assert_array_equal(read_picture(tmp_path / "8.png").pixels, slopes()[..., 0])
    np.testing.assert_array_equal(read_picture(tmp_path / "16.png").pixels, deep)
    np.testing.assert_array_equal(read_picture(tmp_path / "16.tif").pixels, deep)
    np.testing.assert_array_equal(read_picture(tmp_path / "negative.tif").pixels, 65535 - deep)
    bits = read_picture(tmp_path / "1.tif").pixels
    np.testing.assert_array_equal(bits, np.where(slopes()[..., 0] > 128, 255, 0))


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_sixteen_bit_colour_tiff_is_read_whole(tmp_path: Path, planar: str) -> None:
    """Both layouts of channels."""
    deep = deep_slopes()
    data = deep if planar == "contig" else np.moveaxis(deep, -1, 0)
    tifffile.imwrite(tmp_path / "x.tif", data, photometric="rgb", planarconfig=planar)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.tif").pixels, deep)


def test_floating_point_tiff_between_0_and_1_becomes_sixteen_bits(tmp_path: Path) -> None:
    """Other values have no agreed black and white, so they are refused."""
    values = slopes()[..., 0].astype(np.float32) / 255
    tifffile.imwrite(tmp_path / "x.tif", values)
    pixels = read_picture(tmp_path / "x.tif").pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(pixels / 65535, values, atol=1e-5)
    tifffile.imwrite(tmp_path / "y.tif", values * 300)
    assert "contrast limits" in refusal(tmp_path / "y.tif")
    tifffile.imwrite(tmp_path / "z.tif", values.astype(np.int32))
    assert "int32" in refusal(tmp_path / "z.tif")
    values[0, :3] = np.nan, np.inf, -np.inf
    tifffile.imwrite(tmp_path / "n.tif", values)
    assert read_picture(tmp_path / "n.tif").pixels[0, :3].tolist() == [0, 65535, 0]


def test_transparent_pictures_lie_on_white(tmp_path: Path) -> None:
    """Of 8 and 16 bits, with grey, colour and a palette."""
    alpha = np.zeros((48, 64, 1), dtype=np.uint8)
    alpha[:, 32:] = 255
    Image.fromarray(np.dstack([slopes(), alpha])).save(tmp_path / "rgba.png")
    Image.fromarray(np.dstack([slopes()[..., :1], alpha])).save(tmp_path / "la.png")
    palette = Image.fromarray(slopes()).quantize(16)
    palette.save(tmp_path / "p.png", transparency=palette.getpixel((0, 0)))
    deep = np.dstack([deep_slopes(), alpha.astype(np.uint16) * 257])
    (tmp_path / "deep.png").write_bytes(bytes(imagecodecs.png_encode(deep)))
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", extrasamples=["unassalpha"])
    for name, top in [("rgba.png", 255), ("la.png", 255), ("deep.png", 65535), ("a.tif", 65535)]:
        pixels = read_picture(tmp_path / name).pixels
        assert (pixels[:, :32] == top).all(), name
        assert (pixels[:, 32:] < top).any(), name
    assert (read_picture(tmp_path / "p.png").pixels[0, 0] == 255).all()


def test_multiplied_opacity_is_not_multiplied_again(tmp_path: Path) -> None:
    """Half black of a TIFF with associated opacity is middle grey on white."""
    pixels = np.zeros((8, 8, 4), dtype=np.uint16)
    pixels[..., 3] = 32768
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", extrasamples=["assocalpha"])
    assert read_picture(tmp_path / "x.tif").pixels == pytest.approx(32767)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    """Print colours are close to what they were on the screen."""
    Image.fromarray(slopes()).convert("CMYK").save(tmp_path / f"x{suffix}")
    pixels = read_picture(tmp_path / f"x{suffix}").pixels
    assert np.abs(pixels.astype(int) - slopes()).mean() < 6


def test_palettes_of_all_kinds(tmp_path: Path) -> None:
    """Palette PNG, BMP and TIFF give the colours of their palette."""
    palette = Image.fromarray(slopes()).quantize(32)
    for suffix in ("png", "bmp", "tif"):
        palette.save(tmp_path / f"x.{suffix}")
        pixels = read_picture(tmp_path / f"x.{suffix}").pixels
        np.testing.assert_array_equal(pixels, np.asarray(palette.convert("RGB")))


def test_lab_tiff_becomes_srgb(tmp_path: Path) -> None:
    """A neutral grey of L*a*b* is a neutral grey."""
    Image.new("LAB", (16, 16), (128, 128, 128)).save(tmp_path / "x.tif")
    pixels = read_picture(tmp_path / "x.tif").pixels.astype(int)
    assert np.ptp(pixels, axis=-1).max() <= 2
    assert 100 < pixels.mean() < 140


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty file"), (b"hello" * 99, "known kind"), (b"II*\0" + b"\xff" * 40, "TIFF")],
)
def test_files_that_are_no_pictures_say_so(tmp_path: Path, content: bytes, reason: str) -> None:
    """Empty, something else, a TIFF that is nothing but its first bytes."""
    (tmp_path / "x.jpg").write_bytes(content)
    assert reason in refusal(tmp_path / "x.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", ".bmp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.8])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, share: float) -> None:
    """Wherever a file ends too early, nothing but a PictureError comes out."""
    write_picture(
        tmp_path / f"x{suffix}",
        np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8),
    )
    whole = (tmp_path / f"x{suffix}").read_bytes()
    (tmp_path / f"x{suffix}").write_bytes(whole[: int(share * len(whole))])
    assert refusal(tmp_path / f"x{suffix}")


def test_missing_files_folders_and_forbidden_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's errors are told in words."""
    assert refusal(tmp_path / "nothing.jpg") == "no such file"
    if sys.platform != "win32":
        assert "folder" in refusal(tmp_path)
    (tmp_path / "x.jpg").write_bytes(b"x")

    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "no")

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", forbidden)
        assert refusal(tmp_path / "x.jpg") == "may not be read"


def test_stacks_and_animations_are_refused_but_thumbnails_are_not(tmp_path: Path) -> None:
    """A page that says of itself that it is a smaller copy is no second picture."""
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((5, 48, 64), np.uint8), photometric="minisblack")
    assert "5 pages" in refusal(tmp_path / "s.tif")
    tifffile.imwrite(tmp_path / "i.tif", np.zeros((4, 48, 64), np.uint16), imagej=True)
    assert "4 pages" in refusal(tmp_path / "i.tif")
    with tifffile.TiffWriter(tmp_path / "t.tif") as tiff:
        tiff.write(deep_slopes(), photometric="rgb")
        tiff.write(slopes()[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(read_picture(tmp_path / "t.tif").pixels, deep_slopes())
    frames = [Image.fromarray(slopes()), Image.fromarray(255 - slopes())]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    assert "animation of 2" in refusal(tmp_path / "a.webp")


def test_too_many_pixels_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow's own limit is lifted, ours holds, and Pillow's is back afterwards."""
    before = Image.MAX_IMAGE_PIXELS
    write_picture(tmp_path / "x.png", slopes())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_picture(tmp_path / "x.png").pixels.shape == (48, 64, 3)
    assert Image.MAX_IMAGE_PIXELS == 10
    monkeypatch.undo()
    assert before == Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(pictures, "LARGEST", 1000)
    assert "64 x 48" in refusal(tmp_path / "x.png")


def test_pillow_is_calm_only_while_it_is_used() -> None:
    """The filter of warnings goes with the last user."""
    import warnings

    before = list(warnings.filters)
    with calm_pillow():
        with calm_pillow():
            pass
        assert len(warnings.filters) > len(before)
    assert list(warnings.filters) == before
