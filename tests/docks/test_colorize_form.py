"""The form of the Colorize dock: what it offers, and why Run cannot be pressed."""

from __future__ import annotations

import numpy as np

from napari_colorize.docks.colorize_form import THIS_PLANE, WHOLE_STACK
from napari_colorize.docks.model_events import models_changed

RAMP = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
STACK = np.stack([RAMP + n for n in range(5)])


def test_list_offers_what_works_and_follows_the_selection(colorize_desk, viewer):
    """Points are not offered; a selected image is chosen; a renamed one stays chosen."""
    first = viewer.add_image(RAMP, name="first")
    viewer.add_image(STACK, name="second")
    dock = colorize_desk.open()
    viewer.add_points(np.zeros((1, 2)))
    assert [layer.name for layer in dock.form.layers.choices] == ["second", "first"]
    viewer.layers.selection = [first]
    assert [layer.name for layer in dock.form.layers.value] == ["first"]
    viewer.layers.selection = []
    first.name = "renamed"
    assert [layer.name for layer in dock.form.layers.value] == ["renamed"]
    viewer.layers.move(0, 2)
    assert [layer.name for layer in dock.form.layers.choices] == ["renamed", "second"]
    viewer.layers.remove("renamed")
    assert [layer.name for layer in dock.form.layers.value] == ["second"]


def test_run_says_why_it_is_disabled(colorize_desk, viewer, monkeypatch):
    """Each obstacle is named where the person looks, and goes when it is mended."""
    dock = colorize_desk.open()
    assert not dock.run.enabled
    assert dock.reason.value.startswith("There is no image to colour")
    viewer.add_points(np.zeros((1, 2)), name="dots")
    assert dock.reason.value == "'dots' is a Points layer: choose an Image layer."
    viewer.add_image(STACK, name="short")
    assert (dock.run.enabled, dock.reason.value) == (True, "")
    viewer.add_image(np.zeros((9, 40, 50), np.uint8), name="long")
    viewer.layers.selection = [viewer.layers["short"]]
    viewer.dims.set_current_step(0, 8)
    assert not dock.run.enabled
    assert dock.run.tooltip == dock.reason.value
    assert dock.reason.value.startswith("'short' has no plane where the sliders stand")
    dock.form.planes.value = WHOLE_STACK
    assert dock.run.enabled
    dock.form.layers.value = []
    assert dock.reason.value == "Choose a layer in the list."
    dock.form.layers.value = [viewer.layers["long"]]
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": 1000}))
    dock.form.planes.value = THIS_PLANE
    assert "MB are free: colour one plane" in dock.reason.value


def test_models_appear_by_themselves(colorize_desk, viewer, monkeypatch):
    """A model that was trained meanwhile is in the list, and none disables Run."""
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    assert len(dock.form.model.choices) == 2
    dock.form.model.value = dock.form.model.choices[1]
    monkeypatch.setattr("napari_colorize.docks.colorize_form.list_models", list)
    models_changed.emit()
    assert not dock.run.enabled
    assert dock.reason.value == "No model is installed: train one or import one."


def test_every_field_explains_itself(colorize_desk):
    """Each field and button has a tooltip in plain words."""
    dock = colorize_desk.open()
    for field in (*dock.form, dock.run, dock.cancel, dock.bar, dock.status, dock.reason):
        assert len(field.tooltip.split()) > 3, field.name


def test_dock_fits_a_small_screen(colorize_desk, viewer):
    """The form scrolls: the dock asks for little height, whatever is in it."""
    dock = colorize_desk.open()
    assert dock.native.minimumSizeHint().height() < 200
    assert viewer.window.dock_widgets["Colorize (napari-colorize)"] == dock


def test_whole_stack_is_asked_only_of_stacks(colorize_desk, viewer):
    """Where there is one plane there is nothing to choose."""
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    assert not dock.form.planes.enabled
    viewer.add_image(STACK)
    assert dock.form.planes.enabled
