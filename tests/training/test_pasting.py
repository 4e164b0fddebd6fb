"""What is pasted comes from the neighbour, with a border that is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_colorize.training import pasting
from napari_colorize.training.pasting import paste


def batch(count: int = 16) -> tuple[Tensor, Tensor]:
    """Return lightness as seen, (B, 1, 40, 48), and true colours; each picture has its own."""
    torch.manual_seed(0)
    lab = torch.rand(count, 3, 40, 48) * 20
    lab[:, 1:] += torch.arange(count).view(-1, 1, 1, 1)
    return lab[:, :1] + 30, lab


def test_objects_come_from_the_neighbour_and_the_rest_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Colours as they were; contrast is less, about the neighbour's mean."""
    monkeypatch.setattr(pasting, "CONTRAST", (0.5, 0.5))
    lightness, lab = batch(64)
    pasted = paste(lightness, lab)
    inside = pasted.inside[:, None]
    some = inside.flatten(1).any(dim=1)
    assert some.float().mean().item() == pytest.approx(pasting.PASTED, abs=0.15)
    assert torch.equal(torch.where(inside, 0, pasted.lab), torch.where(inside, 0, lab))
    assert torch.equal(torch.where(inside, 0, pasted.lightness), torch.where(inside, 0, lightness))
    there = inside.expand_as(lab[:, 1:])
    assert torch.equal(pasted.lab[:, 1:][there], lab.roll(1, dims=0)[:, 1:][there])
    for before, after in ((lightness, pasted.lightness), (lab[:, :1], pasted.lab[:, :1])):
        neighbour = before.roll(1, dims=0)
        mean = neighbour.mean(dim=(2, 3), keepdim=True).expand_as(before)
        torch.testing.assert_close(after[inside], ((neighbour + mean) / 2)[inside])


def test_objects_are_whole_and_of_many_sizes() -> None:
    """Most cover between a hundredth and a half of a picture; none covers all of it."""
    torch.manual_seed(1)
    cover = pasting._blobs(400, 40, 48).float().mean(dim=(1, 2))
    assert cover.max() < 0.75
    assert ((cover > 0.01) & (cover < 0.5)).float().mean() > 0.9
    assert cover.std() > 0.08


def test_the_seed_decides() -> None:
    """The same seed pastes the same, another does not."""
    lightness, lab = batch()
    drawn = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        drawn.append(paste(lightness, lab).lab)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_a_single_picture_keeps_its_colours() -> None:
    """It is its own neighbour."""
    lightness, lab = batch(1)
    for _ in range(20):
        assert torch.equal(paste(lightness, lab).lab[:, 1:], lab[:, 1:])
