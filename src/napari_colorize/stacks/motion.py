"""How a plane moved since the one before, and how well the two match."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from skimage.registration import optical_flow_ilk
from torch import Tensor
from torch.nn import functional

# Half the side of a window in which motion is one, in pixels of the small planes.
RADIUS = 5
# How often the flow is refined on each level.
WARPS = 3
# Difference of L, beyond what all of the plane has, at which the match has fallen to 1/e.
TOLERANCE = 4.0
# Side of the window in which the difference is taken, in pixels of the small planes.
WINDOW = 5
# Difference of L that all of a plane may have by its grain: that much is no mismatch.
GRAIN = 2.0
# Mean match below which nothing goes over: the scene is another.
CUT = 0.3


class Motion(NamedTuple):
    """Where every place of a plane was in the plane before.

    Attributes
    ----------
    places : Tensor of shape (h, w, 2)
        x and y in the plane before, -1..1 from edge to edge, as `grid_sample` takes them.
    match : Tensor of shape (h, w)
        How much what is there looks like what was there, 0..1; 0 where it was outside.
    is_cut : bool
        Whether the two planes show different things.
    """

    places: Tensor
    match: Tensor
    is_cut: bool

    def of_cells(self, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Return places (1, h', w', 2) and match (1, 1, h', w') on a coarser grid."""
        places = functional.interpolate(
            self.places.permute(2, 0, 1)[None], (height, width), mode="area"
        )
        match = functional.interpolate(self.match[None, None], (height, width), mode="area")
        return places.permute(0, 2, 3, 1), match


def motion_between(plane: Tensor, before: Tensor) -> Motion:
    """Return the motion from the plane before to a plane, (h, w) of L 0..100 each.

    The motion is the optical flow of scikit-image (iterative Lucas-Kanade, Le Besnerais and
    Champagnat 2005). What the whole plane has in common is no mismatch: a change of exposure, or
    grain.
    """
    exposure = plane.median() - before.median()
    flow = optical_flow_ilk(  # type: ignore[no-untyped-call]
        (plane - exposure).numpy() / 100, before.numpy() / 100, radius=RADIUS, num_warp=WARPS
    )
    height, width = plane.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    y = torch.from_numpy((rows + flow[0] + 0.5) / height * 2 - 1)
    x = torch.from_numpy((columns + flow[1] + 0.5) / width * 2 - 1)
    places = torch.stack((x, y), dim=-1).float()
    moved = functional.grid_sample(
        before[None, None], places[None], padding_mode="border", align_corners=False
    )[0, 0]
    difference = plane - moved
    difference = (difference - difference.median()).abs()
    difference = functional.avg_pool2d(
        difference[None, None], WINDOW, 1, WINDOW // 2, count_include_pad=False
    )[0, 0]
    inside = (places.abs() <= 1).all(dim=-1)
    is_cut = float(_match(difference, inside).mean()) < CUT
    grain = difference.median().clamp(max=GRAIN)
    return Motion(places, _match((difference - grain).clamp(min=0), inside), is_cut)


def _match(difference: Tensor, inside: Tensor) -> Tensor:
    return torch.exp(-((difference / TOLERANCE) ** 2)) * inside
