"""Coherent alternatives by self-hinting: a few places take colours that are possible there.

Drawing every pixel's colour by itself gives noise. Instead one place after the other, where the
network doubts most and which is far from the places before, gets a colour drawn from what the
network holds possible there; it is taken as a hint, and carried over what is alike.
Later places are drawn knowing the earlier ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from napari_colorize.color.gamut import entropy
from napari_colorize.color.planes import coverage, hint_planes
from napari_colorize.prediction.suggestions import distinct_colors

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

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


class Anchors(NamedTuple):
    """Places and colours that make alternatives.

    Attributes
    ----------
    places : Tensor of shape (count, ANCHORS, 2)
        Row and column in cells; the middle of the first one is (0.5, 0.5).
    colors : Tensor of shape (count, ANCHORS, 2)
        a and b.
    """

    places: Tensor
    colors: Tensor

    def planes(self, shape: tuple[int, int]) -> Tensor:
        """Return them as hint planes of (h, w) cells, (count, 3, h, w)."""
        sides = self.places.new_full(self.places.shape[:2], ANCHOR_SIDE)
        down, across = (
            coverage(self.places[..., axis], sides, length) for axis, length in enumerate(shape)
        )
        return hint_planes(down, across, self.colors)


def self_hints(
    logits: Callable[[Tensor], Tensor],
    bins: Tensor,
    count: int,
    shape: tuple[int, int],
    generator: torch.Generator,
    known: Tensor | None = None,
) -> Anchors:
    """Return the places and colours of `count` alternatives.

    The first place is the same in all of them and takes the likeliest distinct colours in turn, so
    that no two alternatives agree there while there are colours left.

    Parameters
    ----------
    logits : callable
        Takes hint planes (count, 3, h, w), to which it may add others, and gives the logarithms of
        the shares of the bins where they are known, (count, Q, h, w).
    bins : Tensor of shape (Q, 2)
    count : int
    shape : (h, w)
        Cells of the picture.
    generator : torch.Generator
        On the CPU; the alternatives depend on it alone.
    known : Tensor of shape (K, 2), optional
        Cells whose colour is known already: anchors keep away from them.
    """
    anchors = Anchors(bins.new_zeros(count, 0, 2), bins.new_zeros(count, 0, 2))
    apart = bins.new_zeros(0, 2) if known is None else known
    for anchor in range(ANCHORS):
        shares = logits(anchors.planes(shape)).softmax(dim=1)
        taken = torch.cat((apart.expand(count, -1, -1), anchors.places), dim=1)
        place = most_doubtful(entropy(shares), taken)
        drawn = [
            _color_at(shares[i], place[i], bins, i if anchor == 0 else None, generator)
            for i in range(count)
        ]
        anchors = Anchors(
            torch.cat((anchors.places, place[:, None] + 0.5), dim=1),
            torch.cat((anchors.colors, torch.stack(drawn)[:, None]), dim=1),
        )
    return anchors


def most_doubtful(doubt: Tensor, taken: Tensor) -> Tensor:
    """Return where doubt is greatest and no place near that is taken, (B, 2) whole cells.

    Parameters
    ----------
    doubt : Tensor of shape (B, h, w)
        Not negative.
    taken : Tensor of shape (B, K, 2)
        Places in cells.
    """
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
