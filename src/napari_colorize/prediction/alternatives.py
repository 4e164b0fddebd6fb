"""Coherent alternatives by self-hinting: a network takes up a few colours that it holds possible.

Drawing every pixel's colour by itself gives noise. Instead one place after the other, where the
network doubts most and which is far from the places before, gets a colour drawn from what the
network holds possible there; it goes back in as a hint, and the network spreads it over what
belongs together. Later places are drawn knowing the earlier ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_colorize.color.gamut import entropy
from napari_colorize.color.planes import coverage, hint_planes
from napari_colorize.prediction.suggestions import distinct_colors

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from napari_colorize.networks.interface import Prediction

# Places that get a colour in each alternative.
ANCHORS = 4
# Side of such a hint, in cells.
ANCHOR_SIDE = 1.5
# How far an anchor keeps others away, as a share of the picture's short side.
REACH = 0.3
# Colours of a place of which one is drawn.
OPTIONS = 6
# Cells around a place whose distributions are taken together, on each side.
AROUND = 1


def self_hints(
    decode: Callable[[Tensor], Prediction],
    bins: Tensor,
    count: int,
    shape: tuple[int, int],
    generator: torch.Generator,
) -> Tensor:
    """Return the hint planes of `count` alternatives, (count, 3, h, w).

    The first place is the same in all of them and takes the likeliest distinct colours in turn, so
    that no two alternatives agree there while there are colours left.

    Parameters
    ----------
    decode : callable
        Takes hint planes (count, 3, h, w), to which it may add others, and gives a prediction.
    bins : Tensor of shape (Q, 2)
    count : int
    shape : (h, w)
        Cells of the picture.
    generator : torch.Generator
        On the CPU; the alternatives depend on it alone.
    """
    height, width = shape
    device = bins.device
    places = torch.zeros(count, 0, 2, device=device)
    colors = torch.zeros(count, 0, 2, device=device)
    planes = torch.zeros(count, 3, height, width, device=device)
    for anchor in range(ANCHORS):
        logits = decode(planes).logits
        assert logits is not None
        shares = logits[..., :height, :width].softmax(dim=1)
        place = _most_doubtful(entropy(shares), places)
        drawn = [
            _color_at(shares[i], place[i], bins, i if anchor == 0 else None, generator)
            for i in range(count)
        ]
        places = torch.cat((places, place[:, None] + 0.5), dim=1)
        colors = torch.cat((colors, torch.stack(drawn)[:, None]), dim=1)
        sides = torch.full(places.shape[:2], ANCHOR_SIDE, device=device)
        down = coverage(places[..., 0], sides, height)
        planes = hint_planes(down, coverage(places[..., 1], sides, width), colors)
    return planes


def _most_doubtful(doubt: Tensor, taken: Tensor) -> Tensor:
    """Return the cell of each picture where doubt is greatest and no anchor near, (B, 2)."""
    height, width = doubt.shape[1:]
    rows = torch.arange(height, device=doubt.device) + 0.5
    columns = torch.arange(width, device=doubt.device) + 0.5
    reach = REACH * min(height, width)
    for place in taken.unbind(dim=1):
        down = (rows[None, :, None] - place[:, 0, None, None]) ** 2
        across = (columns[None, None, :] - place[:, 1, None, None]) ** 2
        doubt = doubt * (1 - torch.exp(-(down + across) / (2 * reach**2)))
    best = doubt.flatten(1).argmax(dim=1)
    return torch.stack((best // width, best % width), dim=1)


def _color_at(
    shares: Tensor, place: Tensor, bins: Tensor, rank: int | None, generator: torch.Generator
) -> Tensor:
    """Return a colour that is possible at a cell: the one of a rank, or one by chance."""
    y, x = (int(part) for part in place)
    rows, columns = (slice(max(0, i - AROUND), i + AROUND + 1) for i in (y, x))
    window = shares[:, rows, columns].mean(dim=(1, 2))
    options = distinct_colors(window, bins, OPTIONS if rank is None else max(OPTIONS, rank + 1))
    if rank is not None and rank < len(options):
        return options[rank].ab
    weights = torch.tensor([option.share for option in options])
    return options[int(torch.multinomial(weights, 1, generator=generator))].ab
