"""Runs with a real network: colours on pixels, and a window that answers meanwhile."""

from __future__ import annotations

import time

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from skimage.color import rgb2lab

from napari_colorize.docks.colorize_form import WHOLE_STACK
from napari_colorize.docks.colorizing.worker import Run


@pytest.fixture
def viewer(seeded_model, make_napari_viewer_proxy):
    """Return a viewer; the only model is the seeded one."""
    return make_napari_viewer_proxy()


def coloured(qtbot, viewer, *, whole=False):
    """Press Run and return the layer that comes."""
    dock = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]
    if whole:
        dock.form.planes.value = WHOLE_STACK
    assert dock.run.enabled, dock.reason.value
    dock.run.native.click()
    qtbot.waitUntil(lambda: Run.living_in(viewer) is None, timeout=60_000)
    assert dock.status.value.startswith("Done on "), dock.status.value
    return viewer.layers[-1]


def lightness(picture):
    """Return L of a picture (..., 3) uint8, or of grey values 0..255."""
    picture = np.asarray(picture)
    rgb = picture if picture.shape[-1] == 3 else np.repeat(picture[..., None], 3, axis=-1)
    return rgb2lab(rgb.astype(np.float64) / 255)[..., 0]


def colour_is_there(pixels):
    """Return whether a picture has the hue of the seeded model in its middle tones."""
    lab = rgb2lab(pixels)
    middle = (lab[..., 0] > 30) & (lab[..., 0] < 70)
    return lab[middle, 1].mean() > 10 and lab[middle, 2].mean() > 20


def test_grey_layer_gets_colour_and_keeps_its_lightness(qtbot, viewer, seeded_model, grey_picture):
    """The grey values come back as lightness, with a hue over them."""
    viewer.add_image(grey_picture, name="meadow")
    result = coloured(qtbot, viewer)
    assert result.data.dtype == np.uint8
    assert np.abs(lightness(result.data) - lightness(grey_picture)).mean() < 0.35
    assert colour_is_there(result.data)
    record = result.metadata["napari_colorize"]
    assert (record["model"], len(record["hash"])) == (seeded_model, 64)
    assert record["settings"]["vividness"] is None  # one colour a place


def test_colour_layer_gives_its_own_lightness(qtbot, viewer, make_photograph):
    """A photograph in colour is coloured anew over the lightness it has."""
    photograph = make_photograph(3)
    viewer.add_image(photograph, rgb=True)
    result = coloured(qtbot, viewer)
    assert np.abs(lightness(result.data) - lightness(photograph)).mean() < 0.35
    assert colour_is_there(result.data)


def test_contrast_limits_set_black_and_white(qtbot, viewer, grey_picture):
    """What napari shows is what is coloured: 12-bit values by the layer's limits."""
    deep = grey_picture.astype(np.uint16) * 10 + 300
    viewer.add_image(deep, contrast_limits=(300, 2850))
    result = coloured(qtbot, viewer)
    assert np.abs(lightness(result.data) - lightness(grey_picture)).mean() < 0.35


def test_stack_is_coloured_plane_by_plane(qtbot, viewer, grey_picture):
    """Each plane of a stack keeps its own lightness under common limits."""
    stack = np.stack([grey_picture, grey_picture // 2])
    viewer.add_image(stack, contrast_limits=(0, 255), scale=(3, 2, 2))
    result = coloured(qtbot, viewer, whole=True)
    assert result.data.shape == (2, 80, 96, 3)
    np.testing.assert_allclose(result.scale, (3, 2, 2))
    for plane, grey in zip(result.data, stack, strict=True):
        assert np.abs(lightness(plane) - lightness(grey)).mean() < 0.35


def test_plane_without_numbers_does_not_cost_the_rest(qtbot, viewer, grey_picture):
    """What is no number is black, as everywhere; planes around it have their colours."""
    stack = np.stack([grey_picture.astype(np.float32)] * 3)
    stack[1] = np.nan
    viewer.add_image(stack, contrast_limits=(0, 255))
    result = coloured(qtbot, viewer, whole=True)
    for plane in result.data[::2]:
        assert colour_is_there(plane[..., :3])
    assert not result.data[1].any()


def test_window_answers_while_a_large_picture_is_coloured(qtbot, viewer):
    """A timer of 10 ms goes on ticking through a run of four megapixels."""
    rng = np.random.default_rng(0)
    viewer.add_image(rng.integers(0, 255, (2048, 2048), dtype=np.uint8))
    ticks = []
    timer = QTimer()
    # Time at work, of all threads together: what else the machine does is not counted.
    timer.timeout.connect(lambda: ticks.append(time.process_time()))
    timer.start(10)
    result = coloured(qtbot, viewer)
    timer.stop()
    assert result.data.shape == (2048, 2048, 3)
    gaps = np.diff(ticks)
    assert len(gaps) > 10
    assert np.quantile(gaps, 0.95) < 0.5, f"{1000 * np.quantile(gaps, 0.95):.0f} ms of work"


def test_colours_are_seen_where_the_grey_was(qtbot, seeded_model, make_napari_viewer_proxy):
    """On the canvas a turned and sheared layer is covered by its colours, and nothing else."""
    viewer = make_napari_viewer_proxy(show=True)
    grey = np.full((60, 80), 120, np.uint8)
    viewer.add_image(grey, scale=(2, 1), rotate=25, shear=[0.3], translate=(40, -30))
    viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")
    qtbot.wait(200)
    before = viewer.screenshot(flash=False)[..., :3].astype(int)
    coloured(qtbot, viewer)
    qtbot.wait(200)
    after = viewer.screenshot(flash=False)[..., :3].astype(int)
    picture = before.sum(axis=-1) > 200
    coloured_now = after[..., 0] - after[..., 2] > 30
    assert 0.1 < picture.mean() < 0.9
    assert (picture != coloured_now).mean() < 0.005  # the edges of the picture are smooth
