"""Small networks for the tests of trainings."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from napari_colorize.networks.interface import ColorNetwork, Prediction
from napari_colorize.networks.palette import Palette

# The default network, as small as it can be built.
small_palette = partial(Palette, widths=(16, 32, 64), encoder=(0.25, 0.3))


class Regression(ColorNetwork):
    """Answers ab by `layers`, for each pixel."""

    layers: nn.Module
    scale = 1.0

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return ab, (B, 2, H, W)."""
        return (self.layers(lightness / 50 - 1) * self.scale,)

    def decode(self, features: tuple[Tensor, ...], reference: Tensor | None = None) -> Prediction:
        """Return ab as it is."""
        return Prediction(features[0])


class Tiny(Regression):
    """Two convolutions: L -> ab."""

    scale = 30.0

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 3, padding=1)
        )
