"""Tests of the folder doctor and of finding pictures that look alike."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from skimage import data
from skimage.color import rgb2lab

from napari_colorize.files.decoding import calm_pillow
from napari_colorize.files.duplicates import NEAR, like_any, nearly_the_same
from napari_colorize.files.photographs import (
    GREY,
    REASONS,
    TOO_SMALL,
    UNREADABLE,
    Examination,
    Finding,
    examine_bytes,
    is_grey,
    lab_of,
    likeness_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def photograph(seed: int = 0, height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """Return soft blobs of many colours, as different as photographs for another seed."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def encoded(pixels: NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a file of these pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def examine(content: bytes, short_side: int = 256) -> Finding:
    """Examine as the cache does."""
    with calm_pillow():
        return examine_bytes(content, short_side)


def toned(grey: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a grey picture from black over a colour to white."""
    powers = [np.log(middle / 255) / np.log(0.5) for middle in colour]
    return np.stack([255 * (grey / 255) ** power for power in powers], axis=-1).astype(np.uint8)


GREYS = {
    "grey": np.repeat(data.camera()[..., None], 3, axis=-1),
    "sepia": toned(data.camera(), (150, 120, 90)),
    "clipped sepia": np.clip(data.camera()[..., None] * [1.35, 1.2, 0.94], 0, 255).astype(np.uint8),
    "cyanotype": toned(data.camera(), (60, 120, 160)),
    "one colour": np.full((100, 100, 3), (200, 30, 40), np.uint8),
    "black": np.zeros((100, 100, 3), np.uint8),
}
COLOURFUL = {
    "astronaut": data.astronaut(),
    "coffee": data.coffee(),
    "cat": data.chelsea(),
    "rocket": data.rocket(),
    "stained tissue": data.immunohistochemistry(),
    "blobs": photograph(),
}


@pytest.mark.parametrize("name", GREYS)
@pytest.mark.parametrize("quality", [None, 40])
def test_grey_and_toned_pictures_are_told(name: str, quality: int | None) -> None:
    """Also when JPEG has added noise to their colours."""
    content = encoded(GREYS[name]) if quality is None else encoded(GREYS[name], "JPEG", quality=40)
    assert examine(content).reason == GREY


@pytest.mark.parametrize("name", COLOURFUL)
def test_colour_photographs_are_used(name: str) -> None:
    """Even a strong cast over many colours is no sepia."""
    finding = examine(encoded(COLOURFUL[name]))
    assert finding.reason is None
    assert finding.pixels is not None
    cast = (COLOURFUL[name] * np.array([0.9, 1, 0.8])).astype(np.uint8)
    assert examine(encoded(cast)).reason is None


def test_one_small_spot_of_colour_is_not_enough_but_a_part_is() -> None:
    """A red ball on a grey street is a photograph, a red pixel is not."""
    pixels = GREYS["grey"].copy()
    pixels[:5, :5] = (255, 0, 0)
    assert examine(encoded(pixels)).reason == GREY
    pixels[100:250, 100:250] = (200, 40, 30)
    assert examine(encoded(pixels)).reason is None


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_grey_modes_are_grey(mode: str) -> None:
    """Files that hold no colour at all."""
    file = io.BytesIO()
    Image.fromarray(photograph()).convert(mode).save(file, "PNG")
    assert examine(file.getvalue()).reason == GREY


def test_sixteen_bits_are_read_and_judged() -> None:
    """Colour of 16 bits is used, in either layout; grey of 16 bits is grey."""
    deep = photograph().astype(np.uint16) * 257
    for planar in ("contig", "separate"):
        file = io.BytesIO()
        pixels = deep if planar == "contig" else np.moveaxis(deep, -1, 0)
        tifffile.imwrite(file, pixels, photometric="rgb", planarconfig=planar)
        finding = examine(file.getvalue())
        assert finding.pixels is not None
        assert np.abs(finding.pixels.astype(int) - photograph()).max() <= 1
    assert examine(encoded(deep[..., 0])).reason == GREY


@pytest.mark.parametrize(
    ("height", "width", "reason"),
    [(63, 400, TOO_SMALL), (400, 63, TOO_SMALL), (64, 400, None), (1, 1, TOO_SMALL)],
)
def test_too_small_is_a_short_side_below_64(height: int, width: int, reason: str | None) -> None:
    """At 64 pixels a picture is used."""
    assert examine(encoded(photograph(0, height, width))).reason == reason


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP"])
def test_broken_files_are_unreadable(kind: str) -> None:
    """Empty, cut off or something else: a finding, never an error."""
    whole = encoded(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8), kind)
    assert examine(whole).reason is None or kind in ("JPEG", "WEBP", "AVIF")
    for content in (b"", whole[:9], whole[: len(whole) // 2], b"hello" * 40):
        assert examine(content).reason == UNREADABLE


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0"]))
def test_any_bytes_give_a_finding(content: bytes, start: bytes) -> None:
    """Whatever a file holds behind the first bytes of a known kind."""
    assert examine(start + content).reason == UNREADABLE


@settings(max_examples=30, deadline=None)
@given(height=st.integers(64, 300), width=st.integers(64, 300), side=st.integers(64, 256))
def test_reducing_keeps_proportions_and_never_enlarges(height: int, width: int, side: int) -> None:
    """The short side is what was asked for, or smaller because the file is."""
    finding = examine(encoded(photograph(0, height, width), "BMP"), side)
    assert finding.pixels is not None
    got = finding.pixels.shape[:2]
    assert min(got) == min(side, height, width)
    assert got[0] / got[1] == pytest.approx(height / width, rel=0.02)
    assert finding.side == min(height, width)


def test_jpeg_reduced_while_it_is_decoded_is_close_to_a_true_reduction() -> None:
    """The short cut through the DCT differs by about a grey level from the long way."""
    large = photograph(3, 1200, 1600)
    noise = np.random.default_rng(0).normal(0, 12, large.shape)
    content = encoded(np.clip(large + noise, 0, 255).astype(np.uint8), "JPEG", quality=90)
    short = examine(content, 128).pixels
    with Image.open(io.BytesIO(content)) as image:
        long = np.asarray(image.resize((171, 128), Image.Resampling.LANCZOS))
    assert short is not None
    assert np.abs(short.astype(int) - long).mean() < 1


def test_orientation_and_transparency_are_seen_to() -> None:
    """A sideways photograph stands upright; what is transparent is white."""
    exif = Image.Exif()
    exif[0x0112] = 6
    finding = examine(encoded(photograph(), "JPEG", exif=exif))
    assert finding.pixels is not None
    assert finding.pixels.shape == (160, 120, 3)
    alpha = np.zeros((120, 160, 1), np.uint8)
    alpha[:, 80:] = 255
    finding = examine(encoded(np.dstack([photograph(), alpha])))
    assert finding.pixels is not None
    assert (finding.pixels[:, :80] == 255).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_lab_agrees_with_scikit_image(seed: int) -> None:
    """The doctor's own few lines against the library's."""
    rgb = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    np.testing.assert_allclose(lab_of(rgb), rgb2lab(rgb), atol=0.02)


def test_is_grey_of_a_single_colour_has_no_warning() -> None:
    """No division by zero at black, no fit without slope."""
    for value in (0, 128, 255):
        assert is_grey(np.full((32, 32, 3), value, np.uint8))


# --- looking alike


def test_copies_look_alike_and_others_do_not() -> None:
    """Smaller, JPEG, blurred, brighter copies stay near; different pictures are far away."""

    def bits(image: Image.Image) -> int:
        return likeness_of(image)

    for name, pixels in COLOURFUL.items():
        image = Image.fromarray(pixels)
        half = image.resize((image.width // 2, image.height // 2))
        jpeg = Image.open(io.BytesIO(encoded(pixels, "JPEG", quality=50)))
        bright = image.point(lambda v: min(255, round(v * 1.1)))
        copies = [half, jpeg, image.filter(ImageFilter.GaussianBlur(1)), bright]
        far = [(bits(image) ^ bits(copy)).bit_count() for copy in copies]
        assert max(far) <= NEAR, name
    all_bits = [bits(Image.fromarray(pixels)) for pixels in COLOURFUL.values()]
    pairs = [(a ^ b).bit_count() for i, a in enumerate(all_bits) for b in all_bits[:i]]
    assert min(pairs) > 3 * NEAR


def near_hashes(seed: int, count: int) -> NDArray[np.uint64]:
    """Return random hashes, many of which differ in few bits from another."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2**64, max(1, count // 3), dtype=np.uint64)
    chosen = rng.choice(values, count)
    for _ in range(4):
        flip = np.uint64(1) << rng.integers(0, 64, count, dtype=np.uint64)
        chosen = np.where(rng.random(count) < 0.6, chosen ^ flip, chosen)
    return chosen


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(0, 60))
def test_near_duplicates_are_those_that_a_plain_search_finds(seed: int, count: int) -> None:
    """The search in bands misses nothing and finds nothing else."""
    values = near_hashes(seed, count)
    kept: list[int] = []
    gone: list[int] = []
    for i, value in enumerate(values):
        near = any((int(value) ^ int(values[j])).bit_count() <= NEAR for j in kept)
        (gone if near else kept).append(i)
    assert nearly_the_same(values).tolist() == gone


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(0, 40), other=st.integers(0, 40))
def test_like_any_is_what_a_plain_search_finds(seed: int, count: int, other: int) -> None:
    """Of two sets, those of the first that are near one of the second."""
    values = near_hashes(seed, count + other)
    these, those = values[:count], values[count:]
    wanted = [any((int(a) ^ int(b)).bit_count() <= NEAR for b in those) for a in these]
    assert like_any(these, those).tolist() == wanted


def test_many_pictures_are_compared_quickly() -> None:
    """100,000 different ones, and 100,000 that are all the same."""
    values = np.random.default_rng(0).integers(0, 2**64, 100_000, dtype=np.uint64)
    assert len(nearly_the_same(values)) == 0
    assert len(nearly_the_same(np.zeros(100_000, np.uint64))) == 99_999


# --- what is told


def test_the_summary_tells_how_many_and_why() -> None:
    """A line for each reason, with an example; what was not looked for is said."""
    found = Examination("x", ("a.jpg", "b.jpg"), {GREY: ("c.jpg", "d.jpg"), UNREADABLE: ("e",)})
    assert found.summary().splitlines() == [
        "2 of 5 pictures are used (40.0 %).",
        "  1 left out: unreadable, for example e.",
        "  2 left out: grey or sepia, for example c.jpg.",
    ]
    assert "imagehash" in Examination("x", (), {}, near_duplicates_sought=False).summary()
    assert found.to_dict()["left_out"] == {GREY: ["c.jpg", "d.jpg"], UNREADABLE: ["e"]}
    assert set(found.left_out) <= set(REASONS)
