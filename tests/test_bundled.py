"""The bundled palette on pictures: hints are obeyed, doubt is honest, colour holds together."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage
from skimage import data
from skimage.transform import resize

from napari_colorize import Colorizer, Hint
from napari_colorize.color.metrics import lab_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIDE = 192
RED, BLUE, GREEN = (200, 30, 40), (40, 70, 200), (40, 140, 50)


@pytest.fixture(scope="module")
def colorizer() -> Iterator[Colorizer]:
    """Lend the bundled default model."""
    one = Colorizer("palette", "cpu")
    yield one
    one.close()


def photograph(name: str) -> NDArray[np.uint8]:
    """Return a photograph of scikit-image, its short side SIDE px."""
    pixels = getattr(data, name)()
    scale = SIDE / min(pixels.shape[:2])
    shape = tuple(round(side * scale) for side in pixels.shape[:2])
    return (resize(pixels, shape, anti_aliasing=True) * 255).round().astype(np.uint8)


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the lightness of a photograph as 8-bit grey, nearly."""
    return (lab_of(pixels)[..., 0] * 2.55).round().astype(np.uint8)


def disc() -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return a bright noisy disc on a dark ground, what lies in it and what lies well outside."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    radius = np.hypot(y, x)
    noise = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE))
    picture = np.where(radius < 45, 170, 70) + noise
    return picture.astype(np.uint8), radius < 40, radius > 52


def ab_of(result: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return a and b, (H, W, 2), of an sRGB picture."""
    return lab_of(np.asarray(result, np.uint8))[..., 1:]


@pytest.mark.parametrize("color", [RED, BLUE, GREEN])
def test_a_hint_fills_its_object(colorizer: Colorizer, color: tuple[int, int, int]) -> None:
    """The disc takes the hue and the even ground less of it; grey hints hold it back."""
    picture, inside, outside = disc()
    colorizer.set_picture(picture)
    before = ab_of(colorizer.colorize(vividness=0))
    hints = [Hint(SIDE / 2 + 8, SIDE / 2 - 12, color, size=8)]
    after = ab_of(colorizer.colorize(hints, vividness=0))
    wanted = ab_of(np.full((1, 1, 3), color, np.uint8))[0, 0]
    towards = ((after - before) @ wanted) / np.linalg.norm(wanted)
    assert towards[inside].mean() > 30
    moved = np.linalg.norm(after - before, axis=-1)
    assert moved[outside].mean() < moved[inside].mean() * 0.22
    hints += [Hint(y, x, (70, 70, 70), size=8) for y, x in ((20, 20), (170, 170), (20, 170))]
    held = np.linalg.norm(ab_of(colorizer.colorize(hints, vividness=0)), axis=-1)
    assert held[outside].mean() < held[inside].mean() / 6


def test_a_hint_on_a_real_thing_stops_at_its_border(colorizer: Colorizer) -> None:
    """The saucer under the coffee turns green or blue, cup and table far less."""
    truth = photograph("coffee")
    _, a, b = np.moveaxis(lab_of(truth), -1, 0)
    dark = lab_of(truth)[..., 0] < 45
    saucer = dark & (np.hypot(a, b) > 45) & (np.degrees(np.arctan2(b, a)) < 50)
    inside = ndimage.binary_erosion(saucer, iterations=5)
    outside = ~ndimage.binary_dilation(saucer, iterations=5)
    places = np.argwhere(inside)
    y, x = places[len(places) // 2]
    colorizer.set_picture(grey(truth))
    before = ab_of(colorizer.colorize(vividness=0))
    for color in (BLUE, GREEN):
        after = ab_of(colorizer.colorize([Hint(y, x, color, size=8)], vividness=0))
        moved = np.linalg.norm(after - before, axis=-1)
        assert moved[inside].mean() > 10
        assert moved[outside].mean() < moved[inside].mean() * 0.28


def test_a_hint_outweighs_belief(colorizer: Colorizer) -> None:
    """A cat may be blue."""
    picture = grey(photograph("chelsea"))
    colorizer.set_picture(picture)
    height, width = picture.shape
    places = [(0.5, 0.45), (0.62, 0.55), (0.4, 0.6), (0.75, 0.4), (0.3, 0.45)]
    hints = [Hint(y * height, x * width, BLUE) for y, x in places]
    result = ab_of(colorizer.colorize(hints, vividness=0))
    middle = result[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
    assert middle[..., 1].mean() < -10


def test_contradicting_hints_break_nothing(colorizer: Colorizer) -> None:
    """Three hundred colours at random give a picture with its own lightness, and its hints."""
    picture = grey(photograph("astronaut"))
    random = np.random.default_rng(0)
    places, colors = random.random((300, 2)) * SIDE - 0.5, random.integers(0, 256, (300, 3))
    hints = [Hint(*place, tuple(color)) for place, color in zip(places, colors, strict=True)]
    colorizer.set_picture(picture)
    result = np.asarray(colorizer.colorize(hints), np.uint8)
    plain = np.repeat(picture[..., None], 3, axis=-1)
    assert np.abs(lab_of(result)[..., 0] - lab_of(plain)[..., 0]).max() < 1


def test_the_error_falls_with_confidence(colorizer: Colorizer) -> None:
    """Where the model is surest it errs less than where it doubts most."""
    errors, sure = [], []
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        truth = photograph(name)
        colorizer.set_picture(grey(truth))
        off = ab_of(colorizer.colorize(vividness=0)) - ab_of(truth)
        errors.append(np.linalg.norm(off, axis=-1).ravel())
        sure.append(colorizer.confidence().ravel())
    order = np.argsort(np.concatenate(sure))
    third = len(order) // 3
    error = np.concatenate(errors)
    assert error[order[-third:]].mean() < error[order[:third]].mean()


def test_alternatives_differ_and_hold_together(colorizer: Colorizer) -> None:
    """Any two differ; none is rougher than three times the single colouring."""
    colorizer.set_picture(grey(photograph("coffee")))
    single = ab_of(colorizer.colorize())
    several = [ab_of(one) for one in colorizer.alternatives(3)]

    def roughness(ab: NDArray[np.float32]) -> float:
        return float(np.abs(np.diff(ab, axis=0)).mean())

    for one, other in combinations(several, 2):
        assert np.linalg.norm(one - other, axis=-1).mean() > 2
    assert max(map(roughness, several)) < 3 * roughness(single)


def test_colour_does_not_depend_on_size(colorizer: Colorizer) -> None:
    """The same picture twice as large has the same colours."""
    picture = grey(photograph("astronaut"))
    large = np.kron(picture, np.ones((2, 2), np.uint8))
    colors = []
    for one in (picture, large):
        colorizer.set_picture(one)
        colors.append(ab_of(colorizer.colorize()))
    assert np.linalg.norm(colors[1][::2, ::2] - colors[0], axis=-1).mean() < 1.5


def test_vividness_is_colourfulness(colorizer: Colorizer) -> None:
    """From 0 to 1 colour grows."""
    colorizer.set_picture(grey(photograph("coffee")))
    chroma = [
        np.linalg.norm(ab_of(colorizer.colorize(vividness=v)), axis=-1).mean() for v in (0, 0.5, 1)
    ]
    assert chroma[0] < chroma[1] < chroma[2]
