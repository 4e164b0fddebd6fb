"""The sample pictures: grey, named, and on this disk already."""

from __future__ import annotations

import socket

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

from napari_colorize import sample_data

SAMPLES = ["camera", "cat", "astronaut", "coffee", "tissue"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection."""

    def refuse(*_: object) -> None:
        raise AssertionError("a sample asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_is_one_grey_layer(name: str) -> None:
    """Each function returns one layer of two axes, 8 bit, with a full range of greys."""
    ((pixels, settings, kind),) = getattr(sample_data, name)()
    assert kind == "image"
    assert settings["name"]
    assert pixels.ndim == 2
    assert pixels.dtype == np.uint8
    assert int(pixels.max()) - int(pixels.min()) > 150


def test_a_sample_keeps_the_lightness_of_its_picture() -> None:
    """The grey cat is as light as the ginger one, pixel by pixel."""
    ((pixels, _, _),) = sample_data.cat()
    truth = rgb2lab(data.cat())[..., 0]
    grey = rgb2lab(np.repeat(pixels[..., None], 3, axis=2))[..., 0]
    assert np.abs(grey - truth).max() < 0.6
