"""Changes of a batch: the same everywhere, colours kept, only what the network sees is toned."""

from __future__ import annotations

import torch

from napari_colorize.color.lab import rgb_to_lab
from napari_colorize.training.augmentation import Augmentation, augment, draw_augmentation, to_lab


def changes(flip: bool, gamma: float, contrast: float, brightness: float) -> Augmentation:
    """Return the changes of one picture."""
    numbers = [torch.tensor(x).reshape(1, 1, 1, 1) for x in (flip, gamma, contrast, brightness)]
    return Augmentation(*numbers)


def some_lab(count: int = 1) -> torch.Tensor:
    """Return (count, 3, 4, 5) of Lab of random colours."""
    rgb = torch.rand(count, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    return rgb_to_lab(rgb)


def test_crops_become_lab() -> None:
    """(B, H, W, 3) uint8 become (B, 3, H, W): white is L 100, grey has no colour."""
    lab = to_lab(torch.tensor([255, 119], dtype=torch.uint8).reshape(2, 1, 1, 1).expand(2, 4, 5, 3))
    assert lab.shape == (2, 3, 4, 5)
    assert torch.allclose(lab[0, 0], torch.tensor(100.0))
    assert torch.allclose(lab[1, 0], torch.tensor(50.03), atol=0.01)
    assert lab[:, 1:].abs().max() < 1e-3


def test_no_change() -> None:
    """Gamma 1, contrast 1, brightness 0 and no flip leave a picture as it is."""
    lab = some_lab()
    lightness, ab = augment(lab, changes(False, 1.0, 1.0, 0.0))
    assert torch.allclose(lightness, lab[:, :1], atol=1e-4)
    assert torch.equal(ab, lab[:, 1:])


def test_a_change_by_hand() -> None:
    """L 25 with gamma 2, contrast 1.1, brightness 0.05: (0.0625 - 0.5) * 1.1 + 0.55 = 0.06875."""
    lab = some_lab()
    lab[:, 0] = 25
    lightness, ab = augment(lab, changes(True, 2.0, 1.1, 0.05))
    assert torch.allclose(lightness, torch.tensor(6.875))
    assert torch.equal(ab, lab[:, 1:].flip(-1))


def test_lightness_stays_in_its_range() -> None:
    """0..100 at the ends of every change; black has no infinite gamma."""
    lab = some_lab(64)
    lab[0, 0], lab[1, 0] = 0, 100
    lightness, _ = augment(lab, draw_augmentation(64, seed=3, step=0))
    assert lightness.min() >= 0
    assert lightness.max() <= 100
    assert torch.isfinite(lightness).all()


def test_changes_are_a_function_of_seed_and_step() -> None:
    """Drawn anew they are the same; another step or seed has others; a share is a share."""
    one, same = draw_augmentation(8, 1, 2), draw_augmentation(8, 1, 2)
    assert torch.equal(one.gamma, same.gamma)
    assert torch.equal(one.flip, same.flip)
    assert not torch.equal(one.gamma, draw_augmentation(8, 1, 3).gamma)
    assert not torch.equal(one.gamma, draw_augmentation(8, 2, 2).gamma)
    assert torch.equal(one.of(slice(1, 8, 2)).brightness, one.brightness[1::2])
    many = draw_augmentation(4000, 0, 0)
    assert 0.45 < many.flip.float().mean() < 0.55
    assert abs(many.brightness.mean()) < 0.005
