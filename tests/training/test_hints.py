"""Drawn hints and references tell the truth of the picture that is wanted, and enough of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from napari_colorize.color.gamut import gamut_bins, histogram
from napari_colorize.color.lab import lab_to_rgb, rgb_to_lab
from napari_colorize.training import hints
from napari_colorize.training.hints import Guidance, draw_guidance

if TYPE_CHECKING:
    from collections.abc import Callable

BINS = gamut_bins()


@pytest.fixture
def lab(make_photograph: Callable[..., Any]) -> Tensor:
    """Return eight photographs of 32 pixels, four times, (32, 3, 32, 32)."""
    pictures = [torch.from_numpy(make_photograph(number, 32, 32)) for number in range(8)]
    rgb = torch.stack(pictures).permute(0, 3, 1, 2).float() / 255
    return rgb_to_lab(rgb).repeat(4, 1, 1, 1)


def guidance_of(lab: Tensor, seed: int = 0) -> Guidance:
    """Return what is drawn after a seed."""
    torch.manual_seed(seed)
    return draw_guidance(lab, torch.zeros(lab[:, 0].shape, dtype=torch.bool), BINS)


def turned(guidance: Guidance, lab: Tensor) -> Tensor:
    """Return which pictures have other colours than the true ones."""
    return (guidance.ab != lab[:, 1:]).flatten(1).any(dim=1)


def drawn(ab: Tensor, numbers: Tensor) -> Tensor:
    """Return the planes of so many hints on each picture."""
    return hints._hints(ab, *hints._patches(numbers, ab.shape[-2:]))


def told(guidance: Guidance) -> tuple[Tensor, Tensor]:
    """Return which pictures have hints, and which a reference."""
    return guidance.hints[:, 2].flatten(1).any(dim=1), guidance.reference.any(dim=1)


def test_shapes_and_seed(lab: Tensor) -> None:
    """A cell is 4 pixels wide, the last may reach beyond the picture; the seed decides all."""
    odd = lab[:, :, :30, :21]
    one, same = guidance_of(odd), guidance_of(odd)
    assert one.hints.shape == (32, 3, 8, 6)
    assert one.reference.shape == (32, len(BINS))
    assert one.ab.shape == (32, 2, 30, 21)
    for mine, again in zip(one, same, strict=True):
        assert torch.equal(mine, again)
        assert torch.isfinite(mine).all()
    assert not torch.equal(one.hints, guidance_of(odd, seed=1).hints)


def test_a_hint_tells_the_mean_of_its_patch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As large as the picture and in its middle, it tells the mean of all: a quarter 40, else 0."""
    monkeypatch.setattr(hints, "SIDES", (2.0, 2.0))
    ab = torch.zeros(1, 2, 16, 16)
    ab[:, 0, :8, :8] = 40
    ab[:, 1, 8:] = -20
    planes = drawn(ab, torch.tensor([1]))
    assert torch.allclose(planes[0, 0], torch.tensor(10.0))
    assert torch.allclose(planes[0, 1], torch.tensor(-10.0))
    assert torch.allclose(planes[0, 2], torch.tensor(1.0))


def test_a_hint_tells_the_colour_of_its_place() -> None:
    """On a slope of a across and b down, a hint's colour says where it lies."""
    torch.manual_seed(0)
    slope = torch.arange(64) + 0.5
    ab = torch.stack((slope.expand(64, 64), slope[:, None].expand(64, 64)))
    planes = drawn(ab.expand(200, 2, 64, 64), torch.ones(200, dtype=torch.long))
    share = planes[:, 2:]
    cells = torch.arange(16) * 4 + 2.0
    place = torch.stack((cells.expand(16, 16), cells[:, None].expand(16, 16)))
    area = share.sum(dim=(2, 3))
    assert (area > 0).all()
    colors = (planes[:, :2] * share).sum(dim=(2, 3)) / area
    centre = (place * share).sum(dim=(2, 3)) / area
    # A hint within a cell is told by the cell: two pixels to its border.
    assert (colors - centre).abs().max() <= 2.0
    inside = (area > 0.1).squeeze(1) & (colors > 4).all(dim=1) & (colors < 60).all(dim=1)
    assert inside.sum() > 40
    sides = (area * 16).sqrt()
    assert sides[inside].min() >= 0.99
    assert sides.max() <= 0.055 * 64 + 0.01


def test_how_many_hints() -> None:
    """An eighth of the few has none, their mean is seven; an eighth has from 10 to 150."""
    torch.manual_seed(0)
    numbers = hints._numbers(40_000)
    assert numbers.min() == 0
    assert numbers.max() <= hints.MOST
    none = (numbers == 0).float().mean().item()
    assert none == pytest.approx((1 - hints.MANY) * hints.LAST, abs=0.005)
    many = (numbers > 60).float().mean().item()
    few = 7 / 8 * (7 / 8) ** 61
    log_uniform = torch.log(torch.tensor(150 / 61)) / torch.log(torch.tensor(15.0))
    assert many == pytest.approx(few + hints.MANY * log_uniform.item(), abs=0.005)


def test_no_hints_are_empty_planes() -> None:
    """None of them is anywhere, nor does it have a colour; others do not fill its planes."""
    ab = torch.full((3, 2, 16, 16), 30.0)
    planes = drawn(ab, torch.tensor([0, 40, 0]))
    assert (planes[[0, 2]] == 0).all()
    hinted = planes[1, 2] > 0
    assert hinted.any()
    assert torch.allclose(planes[1, :2, hinted], torch.tensor(30.0), atol=1e-3)
    assert (planes[1, :2, ~hinted] == 0).all()
    assert (drawn(ab, torch.zeros(3, dtype=torch.long)) == 0).all()


def test_turned_pictures(lab: Tensor) -> None:
    """About 0.3 of them are; L is kept, and what is wanted can be shown."""
    shares = []
    for seed in range(12):
        guidance = guidance_of(lab, seed)
        which = turned(guidance, lab)
        shares.append(which.float().mean().item())
        hinted, referred = told(guidance)
        # Whoever turns a picture says so.
        assert (hinted | referred)[which].all()
        # Without a word the truth is wanted.
        assert not which[~hinted & ~referred].any()
        wanted = torch.cat((lab[:, :1], guidance.ab), dim=1)
        assert torch.allclose(rgb_to_lab(lab_to_rgb(wanted)), wanted, atol=0.05)
    assert sum(shares) / 12 == pytest.approx(hints.TURNED, abs=0.07)


def turning(after: Tensor, before: Tensor) -> Tensor:
    """Return by which angle each hue was turned, (B, places), 0..2 pi."""
    hues = [torch.atan2(x[:, 2], x[:, 1]).flatten(1) for x in (after, before)]
    return torch.remainder(hues[0] - hues[1] + 1e-3, 2 * torch.pi) - 1e-3


def test_hues_of_a_picture_turn_by_one_angle(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, or those alike; L, chroma and pictures that are not meant stay."""
    monkeypatch.setattr(hints, "ONE_OBJECT", 0.5)
    torch.manual_seed(2)
    ab = torch.tensor([[6.0, 0.0], [0.0, 8.0], [-4.0, -4.0], [5.0, 1.0]])
    lab = torch.cat((torch.full((4, 1), 60.0), ab), dim=1).T.view(1, 3, 2, 2).repeat(21, 1, 1, 1)
    meant = torch.arange(21) < 20
    places = torch.tensor([[0.5, 0.5]]).repeat(21, 1)
    after = hints._turned(lab, meant, places, torch.arange(21) != 3)
    assert torch.equal(after[20], lab[20])
    assert torch.allclose(after[:, 0], lab[:, 0], atol=1e-2)
    assert torch.allclose(after[:, 1:].norm(dim=1), lab[:, 1:].norm(dim=1), atol=0.05)
    angle = turning(after, lab)[:20]
    largest = angle.amax(dim=1, keepdim=True)
    turned = (angle - largest).abs() < 0.02
    assert (turned | (angle.abs() < 0.02)).all()
    whole = turned.all(dim=1)
    assert 4 < whole.sum() < 16
    assert whole[3]  # it has no hints
    # The hint is at the first, from which the last is 11 degrees away, the others at least 90.
    assert torch.equal(turned[~whole], torch.tensor([[True, False, False, True]] * 20)[~whole])
    assert len({round(x, 2) for x in largest.flatten().tolist()}) > 10


def test_what_is_connected() -> None:
    """Two things alike, 8 px apart: only the one under the hint, until a bridge joins them."""
    alike = torch.zeros(3, 22, 30)
    alike[:, 2:20, 2:11] = 1
    alike[:, 2:20, 20:28] = 1
    alike[2, 8:16, 8:24] = 0.5
    places = torch.tensor([[4.0, 4.0], [4.0, 25.0], [4.0, 4.0]])
    got = hints._connected(alike, places)
    assert got.shape == alike.shape
    assert torch.equal(got[0, :, :14], alike[0, :, :14])
    assert (got[0, :, 16:] == 0).all()
    assert torch.equal(got[1, :, 18:], alike[1, :, 18:])
    assert (got[1, :, :14] == 0).all()
    assert (got[2, 2:20, 2:11] == alike[2, 2:20, 2:11]).all()
    assert (got[2, 2:20, 24:28] == 0.5).all()


def test_half_of_what_is_turned_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A red patch in either corner: the other one turns along in some pictures only."""
    monkeypatch.setattr(hints, "ONE_OBJECT", 1.0)
    torch.manual_seed(3)
    lab = torch.tensor([60.0, 0.0, 30.0]).view(1, 3, 1, 1).repeat(40, 1, 32, 32)
    for corner in (slice(0, 8), slice(24, 32)):
        lab[:, 1:, corner, corner] = torch.tensor([30.0, 0.0]).view(1, 2, 1, 1)
    every = torch.ones(40, dtype=torch.bool)
    after = hints._turned(lab, every, torch.full((40, 2), 4.0), every)
    moved = (after - lab).abs().amax(dim=1) > 0.5
    assert moved[:, 4, 4].float().mean() > 0.9
    assert not moved[:, 16, 16].any()
    assert 8 < moved[:, 28, 28].sum() < 32


def test_a_pasted_object_gets_its_own_colours_and_the_first_hint(lab: Tensor) -> None:
    """All around it stays; a few hints tell of it, and of what is there now."""
    inside = torch.zeros(lab[:, 0].shape, dtype=torch.bool)
    inside[:8, 4:20, 8:28] = True
    torch.manual_seed(0)
    guidance = draw_guidance(lab, inside, BINS)
    assert turned(guidance, lab)[:8].all()
    around = ~inside[:8, None].expand(-1, 2, -1, -1)
    assert torch.equal(guidance.ab[:8][around], lab[:8, 1:][around])
    wanted = torch.cat((lab[:, :1], guidance.ab), dim=1)
    assert (guidance.hints[:8, 2, 1:5, 2:7].sum(dim=(1, 2)) > 0).all()
    shown = lab_to_rgb(wanted[:8]).movedim(1, -1)[inside[:8]]
    assert shown.min() >= 0
    assert shown.max() <= 1
    chroma = guidance.ab[:8].norm(dim=1)
    painted = [float(one[here].std()) for one, here in zip(chroma, inside, strict=False)]
    assert min(painted) < 3 < max(painted)


def test_places_lie_inside() -> None:
    """The first hint lies on a pixel of the object, wherever that is."""
    torch.manual_seed(0)
    inside = torch.rand(50, 12, 9) < 0.1
    inside[:, 5, 5] = True
    rows, columns = hints._places(inside).long().unbind(dim=1)
    assert inside[torch.arange(50), rows, columns].all()


def test_a_reference_is_the_histogram_of_what_is_wanted(lab: Tensor) -> None:
    """Turned or not; rows of zeros for none, in about three quarters of the pictures."""
    given = []
    for seed in range(6):
        guidance = guidance_of(lab, seed)
        _hinted, referred = told(guidance)
        given.append(referred.float().mean().item())
        true = histogram(functional.avg_pool2d(guidance.ab, 4), BINS)
        assert torch.allclose(guidance.reference[referred], true[referred], atol=1e-5)
        assert torch.allclose(guidance.reference[referred].sum(dim=1), torch.tensor(1.0))
    # Beside a quarter those that are turned and have no hints.
    share = hints.REFERENCES + (1 - hints.REFERENCES) * hints.TURNED * 7 / 64
    assert sum(given) / 6 == pytest.approx(share, abs=0.07)
