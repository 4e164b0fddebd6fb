"""Models and pictures that every test of predictions may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_models import save_loud_palette, save_loud_plain

from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def plain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plain model that gives strong colours which depend on the picture."""
    return save_loud_plain(tmp_path_factory.mktemp("model") / "loud.safetensors")


@pytest.fixture(scope="session")
def palette_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small palette model whose answers depend on picture, hints and reference."""
    return save_loud_palette(tmp_path_factory.mktemp("model") / "paint.safetensors")


@pytest.fixture(params=["plain", "palette"])
def colorizer(request: pytest.FixtureRequest) -> Colorizer:
    """Return a colorizer on the CPU, once with each network."""
    return Colorizer(request.getfixturevalue(f"{request.param}_model"), "cpu")


@pytest.fixture
def painter(palette_model: Path) -> Colorizer:
    """Return a colorizer that takes hints, with a picture of 60 x 80 pixels set."""
    colorizer = Colorizer(palette_model, "cpu")
    colorizer.set_picture(soft_and_hard(60, 80))
    return colorizer


@pytest.fixture(scope="session")
def scene() -> Callable[[int, int], NDArray[np.uint8]]:
    """Return the function that makes a picture of a height and a width."""
    return soft_and_hard


def soft_and_hard(height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture with soft and hard edges, uint8."""
    y, x = np.mgrid[0:height, 0:width]
    soft = 90 + 60 * np.sin(6 * x / width) * np.cos(4 * y / height)
    soft[(y - height / 2) ** 2 + (x - width / 3) ** 2 < (min(height, width) / 4) ** 2] = 220
    return soft.astype(np.uint8)
