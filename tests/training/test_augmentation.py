"""Changes of a batch: the same everywhere, colours kept, only what the network sees is changed."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from napari_colorize.training.augmentation import (
    BLUR,
    EYE,
    NOISE,
    QUALITY,
    SHARES,
    Augmentation,
    _compressed,
    augment,
    draw_augmentation,
    to_lab,
)


def changes(*met: str, count: int = 1, flip: bool = False, **numbers: float) -> Augmentation:
    """Return changes that leave `count` pictures as they are, but for those that are named."""

    def each(value: Any) -> Tensor:
        return torch.full((count, 1, 1, 1), value)

    quiet = {"gamma": 1.0, "contrast": 1.0, "brightness": 0.0, "amount": 0.5} | numbers
    return Augmentation(
        flip=each(flip),
        **{name: each(value) for name, value in quiet.items()},
        mix=torch.tensor(EYE).view(1, 3, 1, 1).repeat(count, 1, 1, 1),
        seed=torch.arange(count) * 2,
        meets={name: each(name in met) for name in SHARES},
    )


def flat(*color: int, side: int = 16) -> Tensor:
    """Return a picture of one colour, (1, side, side, 3) uint8."""
    return torch.tensor(color, dtype=torch.uint8).expand(1, side, side, 3)


def some_crops(count: int = 1, height: int = 16, width: int = 16) -> Tensor:
    """Return random colours, (count, height, width, 3) uint8."""
    generator = torch.Generator().manual_seed(0)
    shape = (count, height, width, 3)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def seen(crops: Tensor, what: Augmentation) -> Tensor:
    """Return the lightness that the network sees, (B, H, W)."""
    return augment(crops, what)[0][:, 0]


def test_crops_become_lab() -> None:
    """(B, H, W, 3) uint8 become (B, 3, H, W): white is L 100, grey has no colour."""
    lab = to_lab(torch.tensor([255, 119], dtype=torch.uint8).reshape(2, 1, 1, 1).expand(2, 4, 5, 3))
    assert lab.shape == (2, 3, 4, 5)
    assert torch.allclose(lab[0, 0], torch.tensor(100.0))
    assert torch.allclose(lab[1, 0], torch.tensor(50.03), atol=0.01)
    assert lab[:, 1:].abs().max() < 1e-3


def test_no_change() -> None:
    """Pictures that no change meets are seen as they are."""
    crops = some_crops()
    lightness, lab = augment(crops, changes())
    assert torch.equal(lab, to_lab(crops))
    assert torch.allclose(lightness, lab[:, :1], atol=1e-4)


def test_a_flip() -> None:
    """Both sides are exchanged, of what is seen and of what is true."""
    crops = some_crops()
    lightness, lab = augment(crops, changes(flip=True))
    assert torch.equal(lab, to_lab(crops).flip(-1))
    assert torch.allclose(lightness, lab[:, :1], atol=1e-4)


def test_a_tone_by_hand() -> None:
    """L 50.03, gamma 2, contrast 1.1, brightness 0.05: (0.2503 - 0.5) * 1.1 + 0.55 = 0.2753."""
    toned = changes("tone", gamma=2.0, contrast=1.1, brightness=0.05)
    assert torch.allclose(seen(flat(119, 119, 119), toned), torch.tensor(27.53), atol=0.02)
    dark = changes("tone", brightness=-0.1)
    assert (seen(flat(0, 0, 0), dark) == 0).all()


@pytest.mark.parametrize(("shares", "lightness"), [((1, 0, 0), 100), ((0, 1, 0), 0)])
def test_a_mix_by_hand(shares: tuple[float, ...], lightness: float) -> None:
    """Red is white to who sees red alone, and black to who sees green alone; greys stay."""
    mixed = replace(changes("mix"), mix=torch.tensor(shares).view(1, 3, 1, 1).float())
    assert torch.allclose(seen(flat(255, 0, 0), mixed), torch.tensor(float(lightness)), atol=1e-3)
    grey = flat(80, 80, 80)
    assert torch.allclose(seen(grey, mixed), seen(grey, changes()), atol=1e-3)


def test_a_blur_by_hand() -> None:
    """A bright pixel spreads as a Gaussian and keeps its sum; the smallest blur is none."""
    crops = flat(0, 0, 0).clone()
    crops[0, 8, 8] = 255
    blurred = seen(crops, changes("blur", amount=1.0))[0]
    assert blurred.sum() == pytest.approx(100, abs=0.01)
    ratio = (blurred[8, 9] / blurred[8, 8]).item()
    assert ratio == pytest.approx(math.exp(-1 / (2 * BLUR**2)), rel=1e-4)
    assert torch.allclose(blurred, blurred.T, atol=1e-5)
    crops = some_crops()
    none = seen(crops, changes("blur", amount=0.0))
    assert torch.allclose(none, seen(crops, changes()), atol=1e-3)


@pytest.mark.parametrize(("seed", "strength"), [(2, NOISE), (3, NOISE)])
def test_noise_has_its_strength(seed: int, strength: float) -> None:
    """Noise of 4 L at most; grain, of odd seeds, is coarser and as strong; both vanish."""
    grey = flat(119, 119, 119, side=128)
    noise, none = (
        seen(grey, replace(changes("noise", amount=amount), seed=torch.tensor([seed])))
        - seen(grey, changes())
        for amount in (0.0, 1.0)
    )
    assert noise.mean().abs() < 0.2
    assert noise[0, 1:-1, 1:-1].std().item() == pytest.approx(strength, rel=0.05)
    beside = (noise[0, :, 1:] * noise[0, :, :-1]).mean() / noise.square().mean()
    assert beside.item() == pytest.approx(seed % 2 * 2 / 3, abs=0.05)
    assert none.abs().max() < 1e-4


def test_jpeg_is_that_of_pillow() -> None:
    """At quality 50 the pictures differ by rounding alone."""
    ramp = np.add.outer(np.arange(24) * 4, np.arange(24) * 5)
    grey = (ramp + 20 * np.random.default_rng(0).random((24, 24))).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=50)
    with Image.open(file) as picture:
        theirs = torch.from_numpy(np.asarray(picture).copy()).float()
    amount = torch.full((1, 1, 1, 1), (50 - QUALITY[0]) / (QUALITY[1] - QUALITY[0]))
    ours = _compressed(torch.from_numpy(grey).float()[None, None] / 2.55, amount)[0, 0] * 2.55
    assert (ours.clamp(0, 255) - theirs).abs().max() < 1.5
    assert (theirs - torch.from_numpy(grey).float()).abs().max() > 5


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_jpeg_of_a_flat_picture_is_flat(amount: float, level: int) -> None:
    """Also where the picture ends within a block; at the best quality L stays nearly the same."""
    crops = flat(level, level, level, side=13)
    pressed = seen(crops, changes("jpeg", amount=amount))
    assert pressed.std() < 1e-3
    moved = (pressed - seen(crops, changes())).abs().max().item()
    assert moved < (0.1 if amount == 1 else 1.1)


def test_jpeg_of_good_quality_is_nearly_the_picture() -> None:
    """Of a smooth slope; bad quality loses more."""
    slope = torch.arange(32, dtype=torch.uint8).mul(7).view(1, 1, 32, 1).expand(1, 32, 32, 3)
    true = seen(slope, changes())
    lost = [(seen(slope, changes("jpeg", amount=q)) - true).abs().max() for q in (1.0, 0.0)]
    assert lost[0] < 1.0
    assert lost[1] > 2 * lost[0]


def everything(count: int) -> Augmentation:
    """Return random changes of which each meets each picture."""
    drawn = draw_augmentation(count, seed=3, step=0)
    return replace(drawn, meets={name: which | True for name, which in drawn.meets.items()})


@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 16), (13, 21)])
@pytest.mark.parametrize("picture", ["black", "white", "colours"])
def test_lightness_stays_in_its_range(picture: str, height: int, width: int) -> None:
    """0..100 and a number, whatever meets what; the true colours are those of the crops."""
    crops = some_crops(32, height, width)
    if picture != "colours":
        crops = torch.full_like(crops, 255 if picture == "white" else 0)
    what = everything(32)
    lightness, lab = augment(crops, what)
    assert lightness.shape == (32, 1, height, width)
    assert torch.isfinite(lightness).all()
    assert lightness.min() >= 0
    assert lightness.max() <= 100
    true = to_lab(crops)
    assert torch.equal(lab, torch.where(what.flip, true.flip(-1), true))


def test_pieces_are_the_whole() -> None:
    """Pictures meet the same changes, the same noise too, whatever is changed beside them."""
    crops = some_crops(9)
    for what in (everything(9), draw_augmentation(9, 5, 7)):
        whole = augment(crops, what)
        for piece in (slice(0, 4), slice(4, 9), slice(1, 9, 2), slice(8, 9)):
            parts = augment(crops[piece], what.of(piece))
            assert torch.allclose(parts[0], whole[0][piece], atol=1e-4)
            assert torch.equal(parts[1], whole[1][piece])
        for one, other in zip(whole, augment(crops, what), strict=True):
            assert torch.equal(one, other)


def test_without_tone_only_the_flip_is_left() -> None:
    """Tone 0 meets no picture; tone 1/2 half as many as tone 1."""
    crops = some_crops(64)
    none = draw_augmentation(64, 0, 0, tone=0)
    lightness, lab = augment(crops, none)
    assert torch.equal(lightness, lab[:, :1].clamp(0, 100))
    assert 10 < none.flip.sum() < 54
    for name, share in SHARES.items():
        for tone in (1.0, 0.5):
            met = draw_augmentation(4000, 1, 0, tone).meets[name]
            assert met.float().mean().item() == pytest.approx(share * tone, abs=0.03)


def test_changes_are_a_function_of_seed_and_step() -> None:
    """Drawn anew they are the same; another step or seed has others; a share is a share."""
    one, same = draw_augmentation(8, 1, 2), draw_augmentation(8, 1, 2)
    for name in ("flip", "gamma", "contrast", "brightness", "amount", "mix", "seed"):
        assert torch.equal(getattr(one, name), getattr(same, name))
    assert not torch.equal(one.gamma, draw_augmentation(8, 1, 3).gamma)
    assert not torch.equal(one.seed, draw_augmentation(8, 2, 2).seed)
    share = one.of(slice(1, 8, 2))
    assert torch.equal(share.brightness, one.brightness[1::2])
    assert torch.equal(share.meets["blur"], one.meets["blur"][1::2])
    many = draw_augmentation(4000, 0, 0)
    assert 0.45 < many.flip.float().mean() < 0.55
    assert abs(many.brightness.mean()) < 0.005
    assert torch.allclose(many.mix.sum(dim=1), torch.tensor(1.0), atol=1e-3)
    assert (many.mix >= 0).all()
