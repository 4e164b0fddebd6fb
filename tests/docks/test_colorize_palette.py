"""The Colorize dock with a real network that gives a distribution: what its fields do to pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.files.models import models_folder
from napari_colorize.networks.palette import Palette
from napari_colorize.networks.weights import save_network

CARD = {
    "name": "tiny",
    "network": "palette",
    "settings": {"widths": [16, 16, 64], "encoder": [0.25, 0.3]},
    "working_size": 48,
    "vividness": 0.4,
}


@pytest.fixture
def viewer(own_places, monkeypatch, make_napari_viewer_proxy):
    """Return a viewer; the only model is a tiny one whose likely colours are oranges."""
    monkeypatch.setattr("napari_colorize.files.models.BUNDLED", own_places / "bundled")
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = Palette(**CARD["settings"])
        far = ((network.bins - torch.tensor([30.0, 50.0])) ** 2).sum(dim=1)
        network.to_logits.bias.copy_(-far / 1600)
        network.to_logits.weight.normal_(std=0.2)
    models_folder().mkdir(parents=True)
    save_network(models_folder() / "tiny.safetensors", network, CARD)
    return make_napari_viewer_proxy()


def run_to_end(qtbot, viewer, dock):
    """Press Run and return the layer that comes."""
    assert dock.run.enabled, dock.reason.value
    dock.run.native.click()
    qtbot.waitUntil(lambda: Run.living_in(viewer) is None, timeout=60_000)
    assert dock.status.value.startswith("Done on "), dock.status.value
    return viewer.layers[-1]


def test_the_slider_reaches_the_pixels(qtbot, viewer, grey_picture):
    """From 0 on colour grows; lightness stays; the record says which."""
    viewer.add_image(grey_picture, name="meadow")
    dock = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]
    chroma = []
    for vividness in (0.0, None, 1.0):
        field = dock.form.vividness
        if vividness is None:
            field.reset.native.click()
        else:
            field.slider.value = vividness
        result = run_to_end(qtbot, viewer, dock)
        lab = rgb2lab(result.data)
        grey = rgb2lab(np.repeat(grey_picture[..., None], 3, axis=-1))
        assert np.abs(lab[..., 0] - grey[..., 0]).mean() < 0.35
        chroma.append(np.hypot(lab[..., 1], lab[..., 2]).mean())
        record = result.metadata["napari_colorize"]
        assert record["settings"]["vividness"] == (0.4 if vividness is None else vividness)
    assert chroma[0] + 10 < chroma[1]
    assert chroma[1] + 1 < chroma[2]


def test_confidence_of_a_picture(qtbot, viewer, grey_picture):
    """One number from 0 to 1 for each pixel, and not everywhere the same."""
    viewer.add_image(grey_picture, name="meadow")
    dock = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]
    dock.form.confidence.value = True
    run_to_end(qtbot, viewer, dock)
    sure = viewer.layers["meadow [confidence]"].data
    assert (sure.shape, sure.dtype) == (grey_picture.shape, np.float32)
    assert 0 <= sure.min() < sure.max() <= 1
