"""The form of the Colorize dock: what it offers, and why Run cannot be pressed."""

from __future__ import annotations

import numpy as np
import psutil
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QSlider

from napari_colorize.docks.colorize_form import THIS_PLANE, WHOLE_STACK
from napari_colorize.docks.layers import take_source
from napari_colorize.docks.model_events import models_changed
from napari_colorize.errors import PictureError
from napari_colorize.files.models import ModelInfo

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
    dock.form.planes.value = WHOLE_STACK
    assert "MB are free: choose 'As you look'" in dock.reason.value


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


def test_vividness_is_the_models_own_until_a_person_moves_it(colorize_desk, viewer, stand):
    """Another model brings its own; a choice stays with every model, until Reset."""
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    field, model = dock.form.vividness, dock.form.model
    assert (field.slider.value, field.reset.enabled, field.wanted) == (0.35, False, None)
    model.value = model.choices[1]
    assert (field.slider.value, field.wanted) == (0.6, None)
    field.slider.value = 0.85
    model.value = model.choices[0]
    assert (field.slider.value, field.wanted) == (0.85, 0.85)
    assert field.reset.enabled
    assert field.reset.tooltip == "Take the model's own vividness again, 0.35."
    colorize_desk.run_to_end(dock)
    field.reset.native.click()
    assert (field.slider.value, field.reset.enabled, field.wanted) == (0.35, False, None)
    colorize_desk.run_to_end(dock)
    assert stand.vividness == [0.85, None]
    first, second = (layer.metadata["napari_colorize"] for layer in list(viewer.layers)[1:])
    assert first["settings"]["vividness"] == 0.85
    assert second["settings"]["vividness"] == 0.35  # as the model's card says


def test_vividness_by_the_keyboard_goes_in_steps_and_to_both_ends(colorize_desk, viewer):
    """Arrows move by a twentieth; nothing leaves 0..1; the model's own place counts as unmoved."""
    viewer.add_image(RAMP)
    field = colorize_desk.open().form.vividness
    slider = field.slider.native.findChild(QSlider)
    for key, wanted in (("Right", 0.4), ("Left", None), ("End", 1.0), ("Home", 0.0)):
        QTest.keyClick(slider, getattr(Qt.Key, f"Key_{key}"))
        assert field.wanted == (wanted if wanted is None else pytest.approx(wanted))


def test_model_of_one_colour_a_place_disables_what_it_cannot_do(
    colorize_desk, viewer, stand, monkeypatch, tmp_path
):
    """Vividness and confidence say why they are grey; choices made before are not carried on."""
    models = [
        ModelInfo(name, tmp_path / f"{name}.safetensors", {"network": name}, True)
        for name in ("palette", "plain")
    ]
    monkeypatch.setattr("napari_colorize.docks.colorize_form.list_models", lambda: models)
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    form = dock.form
    form.model.value = str(models[0].path)
    form.vividness.slider.value, form.confidence.value = 0.9, True
    form.model.value = str(models[1].path)
    for part in (form.vividness.slider, form.confidence):
        assert not part.enabled
        assert part.tooltip.startswith("The model 'plain' gives one colour a place and knows")
    assert not form.vividness.reset.enabled
    assert form.vividness.slider.value == 0
    order = form.order()
    assert (order.steering.vividness, order.confidence) == (None, False)
    form.model.value = str(models[0].path)
    order = form.order()
    assert (order.steering.vividness, order.confidence) == (0.9, True)


def test_model_that_got_another_vividness_is_followed(colorize_desk, viewer, monkeypatch, tmp_path):
    """A model trained anew under the same name shows what its new card says."""
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    card = {"network": "palette", "vividness": 0.75}
    models = [ModelInfo("a", tmp_path / "a.safetensors", card, True)]
    monkeypatch.setattr("napari_colorize.docks.colorize_form.list_models", lambda: models)
    models_changed.emit()
    assert dock.form.vividness.slider.value == 0.75


def test_cost_counts_the_confidence(colorize_desk, viewer):
    """Four bytes a pixel more."""
    viewer.add_image(np.zeros((5, 100, 200), np.uint8))
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    assert dock.cost.value.startswith("5 planes, 0.4 MB, about ")
    dock.form.confidence.value = True
    assert dock.cost.value.startswith("5 planes, 0.8 MB, about ")


def test_form_is_seen_whole_on_a_small_screen(colorize_desk, viewer):
    """On a screen 768 px high, less napari's own parts, nothing of the form has to be scrolled."""
    viewer.add_image(STACK)
    dock = colorize_desk.open()
    assert dock.scroll_area.widget().sizeHint().height() < 560


def test_window_is_not_held_up_by_the_dock(colorize_desk, viewer, monkeypatch):
    """Sliders of a whole stack ask nothing; the bar may not paint when it is changed."""
    viewer.add_image(STACK)
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    asked = []
    memory = psutil.virtual_memory
    monkeypatch.setattr("psutil.virtual_memory", lambda: asked.append(1) or memory())
    for step in (0, 1, 0):
        viewer.dims.set_current_step(0, step)
    assert asked == []
    dock.form.planes.value = THIS_PLANE
    before = len(asked)
    viewer.dims.set_current_step(0, 1)
    assert len(asked) > before
    bar, free = dock.bar.native, []
    bar.valueChanged.connect(lambda _: free.append(bar.updatesEnabled()))
    dock._show_progress(0.5)
    assert (bar.value(), free, bar.updatesEnabled()) == (500, [False], True)


def test_empty_layer_is_refused():
    """It has no planes that could be counted, and no pixels."""
    model = ViewerModel()
    with np.errstate(all="ignore"):  # napari divides by its sides
        layer = model.add_image(STACK[:0], name="nothing")
        for whole in (True, False):
            with pytest.raises(PictureError, match="'nothing' is empty: choose"):
                take_source(model, layer, whole=whole)
