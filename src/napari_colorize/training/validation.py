"""The photographs that are only looked at: their crops, and previews of how they are coloured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from napari_colorize.color.lab import lab_to_rgb
from napari_colorize.files.writing import written_whole
from napari_colorize.training.augmentation import to_lab
from napari_colorize.training.batches import PhotographSource, centre_crop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_colorize.networks.interface import ColorNetwork

# Photographs that are coloured after every epoch, the same each time.
PREVIEWS = 6


class ValidationSet:
    """Centre squares of photographs, as large as the network looks at them.

    Parameters
    ----------
    source : PhotographSource
    indices : sequence of int
        The photographs of `source` to look at.
    size : int
        Side of the squares in pixels.
    """

    def __init__(self, source: PhotographSource, indices: Sequence[int], size: int) -> None:
        self._source, self._indices, self._size = source, list(indices), size

    def __len__(self) -> int:
        return len(self._indices)

    def batch(self, start: int, most: int) -> Tensor:
        """Return at most so many squares from a place on, (B, size, size, 3) uint8."""
        return self._stack(self._indices[start : start + most])

    def previewed(self) -> Tensor:
        """Return the squares that are shown after every epoch, (P, size, size, 3) uint8."""
        step = max(1, len(self) // PREVIEWS)
        return self._stack(self._indices[::step][:PREVIEWS])

    def _stack(self, indices: Sequence[int]) -> Tensor:
        crops = [centre_crop(self._source[i], self._size) for i in indices]
        return torch.from_numpy(np.stack(crops))


@torch.no_grad()
def write_previews(
    folder: Path, network: ColorNetwork, validation: ValidationSet, device: torch.device
) -> None:
    """Write one PNG a previewed photograph: grey, predicted and true side by side."""
    lab = to_lab(validation.previewed().to(device))
    lightness = lab[:, :1]
    shape = lightness.shape[-2:]
    ab = torch.cat([network.enlarged(network(one).ab, shape) for one in lightness.split(1)])
    versions = (torch.zeros_like(ab), ab, lab[:, 1:])
    strips = torch.cat([lab_to_rgb(torch.cat((lightness, v), dim=1)) for v in versions], dim=3)
    pixels = (strips * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    for number, strip in enumerate(pixels, start=1):
        with written_whole(folder / f"{number:02d}.png") as file:
            Image.fromarray(strip).save(file, format="PNG")
