"""What every network answers, so that training and prediction need not know which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence


class Prediction(NamedTuple):
    """Colours of pictures.

    Attributes
    ----------
    ab : Tensor of shape (B, 2, h, w), float32
        The safe average: a and b by regression.
    logits : Tensor of shape (B, Q, h, w), float32, or None
        Unnormalised logarithms of the shares of the ab bins; None where a network has no
        distribution.
    keys : Tensor of shape (B, 1 + K, h, w), float32, or None
        Which cells are alike, so that a hint for one speaks for the other: see
        `napari_colorize.color.kriging`. None where a network knows no hints.
    """

    ab: Tensor
    logits: Tensor | None = None
    keys: Tensor | None = None

    def inside(self, rows: int, columns: int) -> Prediction:
        """Return the first rows and columns of cells, on the CPU; the others are padding."""
        ab, logits, keys = (
            None if part is None else part[..., :rows, :columns].float().cpu() for part in self
        )
        assert ab is not None
        return Prediction(ab, logits, keys)


class ColorNetwork(nn.Module):
    """A network that colours: it looks at a picture once and answers often.

    Attributes
    ----------
    has_distribution : bool
        Whether there is a distribution, references change it, and hints can be taken.
    cell : int
        Pixels of a side of one cell of the answer.
    """

    has_distribution = False
    cell = 1

    def enlarged(
        self, cells: Tensor, shape: Sequence[int], size: Sequence[int] | None = None
    ) -> Tensor:
        """Return what cells say (B, C, h, w), ab or another, at pixels.

        The cells begin at the upper left corner and may reach beyond the picture. Between them it
        is bilinear.

        Parameters
        ----------
        cells : Tensor of shape (B, C, h, w)
        shape : (H, W)
            Size of the picture that the network looked at.
        size : (H', W'), optional
            Size of the result, when it is another.
        """
        size = shape if size is None else size
        count = [-(-side // self.cell) for side in shape]
        whole = [
            round(number * self.cell * new / old)
            for number, new, old in zip(count, size, shape, strict=True)
        ]
        inside = cells[..., : count[0], : count[1]]
        if whole != count:
            fewer = whole[0] < count[0] or whole[1] < count[1]
            inside = functional.interpolate(inside, whole, mode="bilinear", antialias=fewer)
        return inside[..., : size[0], : size[1]]

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return the features of L, (B, 1, H, W) 0..100."""
        raise NotImplementedError

    def decode(self, features: tuple[Tensor, ...], reference: Tensor | None = None) -> Prediction:
        """Return the colours of pictures by their features and reference."""
        raise NotImplementedError

    def forward(self, lightness: Tensor, reference: Tensor | None = None) -> Prediction:
        """Return the colours of pictures.

        Parameters
        ----------
        lightness : Tensor of shape (B, 1, H, W)
            L, 0..100.
        reference : Tensor, optional
            See `decode`.
        """
        return self.decode(self.encode(lightness), reference)
