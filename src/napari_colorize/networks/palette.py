"""The default network: a distribution of colours for every place, and which places are alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_colorize.color.gamut import gamut_bins
from napari_colorize.networks.efficientnet import EfficientNet, InvertedBottleneck
from napari_colorize.networks.interface import ColorNetwork, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Largest |a| and |b| of the regression.
AB_RANGE = 110.0
# Learned coordinates of a key, and cells that lie apart by one unit of keys.
KEYS, APART = 16, 30.0
# Pixels of a side of one cell of the answer, and of the coarsest features.
CELL, STRIDE = 4, 32
# Channels in a group of the group normalisations.
GROUP = 16


class Palette(ColorNetwork):
    """Lightness in, for every cell of 4 x 4 pixels a distribution over the ab bins out.

    ::

        encoder, once a picture                    decoder, once a reference
        L (B, 1, H, W)
          EfficientNet, 1x1
            w1 at H/4  --------------------.
            w2 at H/8  -----------------.  |
            w3 at H/16 <- + up x2 --.   |  |
            w3 at H/32 -------------'   |  |       + features + reference
                                        |  |         blocks
                                        '--|-------> + up x2, blocks
                                           '-------> + up x2, blocks
                                                     1x1 -> logits (B, Q, H/4, W/4)
                                                     1x1 -> ab (B, 2, H/4, W/4)
                                                     1x1, 1x1 -> keys (B, 1 + K, H/4, W/4)

    A block is two 3 x 3 convolutions, each after group normalisation and SiLU, around which the
    input is added. Hints do not pass through the network: its keys say which cells are alike, and
    what a hint says of one is carried to the others (`napari_colorize.color.kriging`). A further
    hint costs no further look.

    Parameters
    ----------
    widths : (w1, w2, w3)
        Channels at 1/4, 1/8 and 1/16.
    blocks : (n1, n2, n3)
        Blocks at 1/4, 1/8 and 1/16.
    encoder : (width, depth)
        See `napari_colorize.networks.efficientnet.EfficientNet`.
    """

    has_distribution = True
    cell = CELL
    log_prior: Tensor
    bins: Tensor

    def __init__(
        self,
        widths: Sequence[int] = (64, 96, 192),
        blocks: Sequence[int] = (1, 2, 2),
        encoder: Sequence[float] = (1.1, 1.2),
    ) -> None:
        super().__init__()
        bins = gamut_bins()
        self.register_buffer("bins", bins, persistent=False)
        # Natural logarithm of the share of each bin in the training photographs.
        even = torch.full((len(bins),), -math.log(len(bins)))
        self.register_buffer("log_prior", even)
        fine, middle, coarse = widths
        width, depth = encoder
        self.encoder = EfficientNet(width, depth)
        self.to_width = nn.ModuleList(
            nn.Conv2d(channels, width, 1)
            for channels, width in zip(self.encoder.channels, (*widths, coarse), strict=True)
        )
        self.reference = nn.Sequential(
            nn.Linear(len(bins), coarse, bias=False),
            nn.SiLU(),
            nn.Linear(coarse, coarse, bias=False),
        )
        self.decode_coarse = _blocks(coarse, blocks[2])
        self.up_middle = nn.Conv2d(coarse, middle, 1)
        self.decode_middle = _blocks(middle, blocks[1])
        self.up_fine = nn.Conv2d(middle, fine, 1)
        self.decode_fine = nn.Sequential(
            _blocks(fine, blocks[0]), nn.GroupNorm(fine // GROUP, fine), nn.SiLU()
        )
        self.to_logits = nn.Conv2d(fine, len(bins), 1)
        self.to_ab = nn.Conv2d(fine, 2, 1)
        self.to_keys = nn.Sequential(
            nn.Conv2d(fine, fine, 1), nn.SiLU(), nn.Conv2d(fine, 1 + KEYS, 1)
        )
        self._initialise()

    def _initialise(self) -> None:
        """He's initialisation; what is added to something starts small, the answers near zero."""
        if self.to_ab.weight.is_meta:  # torch would import its compiler for that: seconds
            return
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for block in self.modules():
            if isinstance(block, (Block, InvertedBottleneck)):
                block.start_small()
        # Trained features are about 8 long.
        for layer in cast("Iterable[nn.Conv2d]", self.to_width):
            nn.init.normal_(layer.weight, std=layer.in_channels**-0.5 / 8)
        for head in (self.to_logits, self.to_ab):
            nn.init.normal_(head.weight, std=1e-3)
        nn.init.normal_(cast("nn.Conv2d", self.to_keys[-1]).weight, std=0.15)

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return the features of pictures, which do not depend on hints.

        Parameters
        ----------
        lightness : Tensor of shape (B, 1, H, W)
            L, 0..100, any H and W; it is padded to multiples of 32.

        Returns
        -------
        tuple of Tensor
            (B, w1, H/4, W/4), (B, w2, H/8, W/8), (B, w3, H/16, W/16), sides rounded up.
        """
        height, width = lightness.shape[-2:]
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        padded = functional.pad(lightness / 50 - 1, padding, mode="replicate")
        features = self.encoder(padded.contiguous(memory_format=torch.channels_last))
        fine, middle, coarse, coarsest = (
            to_width(part) for to_width, part in zip(self.to_width, features, strict=True)
        )
        return fine, middle, coarse + _doubled(coarsest)

    def decode(self, features: tuple[Tensor, ...], reference: Tensor | None = None) -> Prediction:
        """Return the colours of pictures whose features are known.

        Parameters
        ----------
        features : tuple of Tensor
            What `encode` returned.
        reference : Tensor of shape (B, Q), optional
            Share of each bin in another picture; rows of zeros, or None, for none.

        Returns
        -------
        Prediction
            ab (B, 2, H/4, W/4), logits (B, Q, H/4, W/4) and keys (B, 1 + K, H/4, W/4), sides
            rounded up to whole strides; of the K the last two are row and column.
        """
        fine, middle, coarse = features
        if reference is not None:
            coarse = coarse + self.reference(reference.sqrt())[..., None, None]
        coarse = self.decode_coarse(coarse)
        middle = self.decode_middle(middle + _doubled(self.up_middle(coarse)))
        fine = self.decode_fine(fine + _doubled(self.up_fine(middle)))
        ab = torch.tanh(self.to_ab(fine).float()) * AB_RANGE
        return Prediction(ab, self.to_logits(fine).float(), self._keys(fine))

    def _keys(self, fine: Tensor) -> Tensor:
        """Return keys in full precision: cells that are alike differ by little."""
        with torch.autocast(fine.device.type, enabled=False):
            learned = self.to_keys(fine.float())
        return torch.cat((learned, _places(fine) / APART), dim=1)


class Block(nn.Module):
    """Two 3 x 3 convolutions, each after group normalisation and SiLU, added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(width // GROUP, width), nn.SiLU(), _conv(width, width),
            nn.GroupNorm(width // GROUP, width), nn.SiLU(), _conv(width, width),
        )  # fmt: skip

    def start_small(self) -> None:
        """Let the block start as little more than its input."""
        nn.init.zeros_(cast("nn.Conv2d", self.layers[-1]).weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        return x + cast("Tensor", self.layers(x))


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1)


def _places(cells: Tensor) -> Tensor:
    """Return row and column of cells (B, C, h, w), (B, 2, h, w)."""
    rows, columns = (torch.arange(side, device=cells.device).float() for side in cells.shape[-2:])
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij")).expand(len(cells), -1, -1, -1)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear")
