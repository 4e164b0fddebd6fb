"""A network and movies that every test of stacks may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_models import save_loud_palette
from scipy.ndimage import gaussian_filter

from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small palette model whose answers depend on picture, hints and reference."""
    return save_loud_palette(tmp_path_factory.mktemp("model") / "paint.safetensors")


@pytest.fixture
def painter(model: Path) -> Colorizer:
    """Return a colorizer whose colours depend on the picture."""
    return Colorizer(model, "cpu")


def texture(seed: int, side: int) -> NDArray[np.float64]:
    """Return a soft random picture, 0..1."""
    noise = np.random.default_rng(seed).random((side, side))
    soft = sum(gaussian_filter(noise, sigma) * sigma for sigma in (2, 5, 12))
    values: NDArray[np.float64] = (soft - soft.min()) / np.ptp(soft)
    return values


@pytest.fixture(scope="session")
def pan() -> Callable[..., NDArray[np.uint8]]:
    """Return the maker of a movie that pans over a made-up scene, (t, side, side) uint8."""

    def make(
        planes: int = 6, side: int = 96, step: int = 2, seed: int = 0, noise: float = 0
    ) -> NDArray[np.uint8]:
        scene = texture(seed, side + step * planes) * 220 + 15
        moved = [scene[:side, step * t : step * t + side] for t in range(planes)]
        grain = np.random.default_rng(seed).normal(0, noise, (planes, side, side))
        return (np.stack(moved) + grain).clip(0, 255).astype(np.uint8)

    return make
