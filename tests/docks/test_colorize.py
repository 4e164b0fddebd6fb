"""The Colorize dock and its command, in napari's real window, over a stand-in for the network."""

from __future__ import annotations

import time

import dask.array as da
import numpy as np
import pytest
from napari.utils import progress
from napari.utils.notifications import notification_manager

from napari_colorize.docks.colorize_form import THIS_PLANE, WHOLE_STACK
from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.worker import Run
from napari_colorize.errors import ModelError, PictureError

RAMP = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
STACK = np.stack([RAMP + n for n in range(5)])
COMMAND = "napari-colorize.colorize_active_layer"


@pytest.fixture
def viewer(stand, make_napari_viewer_proxy):
    """Return a viewer as a plugin gets it; the stand-in is in place."""
    return make_napari_viewer_proxy()


def open_dock(viewer):
    """Return the Colorize dock, opened as from the menu."""
    return viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]


def idle(viewer):
    """Return whether no run is under way in a viewer."""
    return Run.living_in(viewer) is None


def press_run(dock):
    """Press Run as a person does; a disabled button does nothing."""
    dock.run.native.click()


def run_to_end(qtbot, viewer, dock):
    """Press Run and wait until the run is over."""
    assert dock.run.enabled, dock.reason.value
    press_run(dock)
    qtbot.waitUntil(lambda: idle(viewer))


def execute(command):
    """Call a command as the menu does."""
    from napari._app_model import get_app_model

    get_app_model().commands.execute_command(command).result()


def notes():
    """Return the texts of all notifications, the latest last."""
    return [note.message for note in notification_manager.records]


def test_grey_layer_becomes_a_new_colour_layer(qtbot, viewer, stand):
    """Run adds the colours beside the source, which stays as it was."""
    source = viewer.add_image(RAMP, name="ramp", scale=(2, 3), translate=(5, 6), rotate=30)
    before = RAMP.copy()
    dock = open_dock(viewer)
    run_to_end(qtbot, viewer, dock)
    assert [layer.name for layer in viewer.layers] == ["ramp", "ramp [colorized]"]
    result = viewer.layers["ramp [colorized]"]
    np.testing.assert_array_equal(result.data[..., 0], RAMP)
    np.testing.assert_array_equal(source.data, before)
    np.testing.assert_allclose(result.data_to_world((7, 9)), source.data_to_world((7, 9)))
    record = result.metadata["napari_colorize"]
    assert (record["model"], record["hash"], record["source"]) == ("stand-in", "cd" * 32, "ramp")
    assert dock.status.value == "Done on cpu (no GPU: a stand-in)."
    assert stand.orders == [(dock.form.model.value, "auto")]
    assert stand.closed == 1


def test_contrast_limits_of_the_layer_hold_for_every_plane(qtbot, viewer, stand):
    """No plane is stretched on its own."""
    viewer.add_image(STACK.astype(np.uint16), contrast_limits=(3, 400))
    dock = open_dock(viewer)
    dock.form.planes.value = WHOLE_STACK
    assert dock.cost.value == "5 planes, 0.03 MB"
    run_to_end(qtbot, viewer, dock)
    assert stand.seen == [((40, 50), (3, 400))] * 5
    assert viewer.layers[-1].data.shape == (5, 40, 50, 3)
    np.testing.assert_array_equal(viewer.layers[-1].data[..., 0], STACK)


def test_plane_in_view_of_a_stack(qtbot, viewer):
    """The plane under the slider is the one that is coloured."""
    viewer.add_image(STACK, units=("s", "um", "um"), axis_labels=("t", "y", "x"))
    viewer.dims.set_current_step(0, 3)
    dock = open_dock(viewer)
    assert dock.form.planes.value == THIS_PLANE
    run_to_end(qtbot, viewer, dock)
    np.testing.assert_array_equal(viewer.layers[-1].data[..., 0], STACK[3])
    assert viewer.layers[-1].axis_labels == ("y", "x")


def test_colour_multiscale_and_lazy_layers(qtbot, viewer, stand):
    """Several chosen layers of every kind are coloured in one run."""
    viewer.add_image(np.stack([RAMP] * 3, axis=-1), rgb=True, name="colours")
    viewer.add_image([RAMP, RAMP[::2, ::2]], multiscale=True, name="pyramid")
    viewer.add_image(da.from_array(RAMP, chunks=(20, 20)), name="lazy", contrast_limits=(0, 255))
    viewer.layers.selection = list(viewer.layers)
    dock = open_dock(viewer)
    assert [layer.name for layer in dock.form.layers.value] == ["lazy", "pyramid", "colours"]
    run_to_end(qtbot, viewer, dock)
    assert [shape for shape, _ in stand.seen] == [(40, 50), (40, 50), (40, 50, 3)]
    for name in ("colours", "pyramid", "lazy"):
        np.testing.assert_array_equal(viewer.layers[f"{name} [colorized]"].data[..., 0], RAMP)


def test_second_run_keeps_the_first_result(qtbot, viewer):
    """Running again gives another layer, and the source stays the one that is chosen."""
    viewer.add_image(RAMP, name="ramp")
    dock = open_dock(viewer)
    for _ in range(2):
        run_to_end(qtbot, viewer, dock)
        assert [layer.name for layer in dock.form.layers.value] == ["ramp"]
    assert [layer.name for layer in viewer.layers][1:] == [
        "ramp [colorized]",
        "ramp [colorized] [1]",
    ]


def test_list_offers_what_works_and_follows_the_selection(viewer):
    """Points are not offered; a selected image is chosen; a renamed one stays chosen."""
    first = viewer.add_image(RAMP, name="first")
    viewer.add_image(STACK, name="second")
    dock = open_dock(viewer)
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


def test_run_says_why_it_is_disabled(qtbot, viewer, monkeypatch):
    """Each obstacle is named where the person looks, and goes when it is mended."""
    dock = open_dock(viewer)
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


def test_models_appear_by_themselves(viewer, monkeypatch, tmp_path):
    """A model that was trained meanwhile is in the list, and none disables Run."""
    viewer.add_image(RAMP)
    dock = open_dock(viewer)
    assert len(dock.form.model.choices) == 2
    dock.form.model.value = dock.form.model.choices[1]
    monkeypatch.setattr("napari_colorize.docks.colorize_form.list_models", list)
    models_changed.emit()
    assert not dock.run.enabled
    assert dock.reason.value == "No model is installed: train one or import one."


def test_every_field_explains_itself(viewer):
    """Each field and button has a tooltip in plain words."""
    dock = open_dock(viewer)
    for field in (*dock.form, dock.run, dock.cancel, dock.bar, dock.status, dock.reason):
        assert len(field.tooltip.split()) > 3, field.name


def test_dock_fits_a_small_screen(viewer):
    """The form scrolls: the dock asks for little height, whatever is in it."""
    dock = open_dock(viewer)
    assert dock.native.minimumSizeHint().height() < 200
    assert viewer.window.dock_widgets["Colorize (napari-colorize)"] == dock


def test_cancel_keeps_the_planes_that_are_done(qtbot, viewer, stand):
    """After Cancel the stack holds what was done, and the dock says so."""
    viewer.add_image(STACK, name="stack")
    dock = open_dock(viewer)
    dock.form.planes.value = WHOLE_STACK
    stand.hold_at = 2
    press_run(dock)
    qtbot.waitUntil(lambda: dock.status.value == "Plane 3 of 5…")
    assert (dock.run.enabled, dock.cancel.enabled) == (False, True)
    assert dock.bar.value == 400
    dock.cancel.native.click()
    qtbot.waitUntil(lambda: idle(viewer))
    result = viewer.layers["stack [colorized]"]
    np.testing.assert_array_equal(result.data[:2, ..., 0], STACK[:2])
    assert len(result.data) == 2
    assert dock.status.value == "Cancelled. 'stack [colorized]' holds the first 2 of 5 planes."
    assert dock.run.enabled
    assert result.metadata["napari_colorize"]["settings"]["planes"] == 2


def test_cancel_within_a_step_of_more_axes(qtbot, viewer, stand):
    """Of a stack of stacks the step that was begun is kept, and its gap is told."""
    viewer.add_image(np.stack([STACK[:3], STACK[2:]]), name="stacks")
    dock = open_dock(viewer)
    dock.form.planes.value = WHOLE_STACK
    stand.error, stand.error_at = PictureError("It has no pixels."), 2
    run_to_end(qtbot, viewer, dock)
    result = viewer.layers[-1].data
    assert result.shape == (1, 3, 40, 50, 3)
    np.testing.assert_array_equal(result[0, :2, ..., 0], STACK[:2])
    assert not result[0, 2].any()
    assert dock.status.value.endswith("first 2 of 6 planes; the rest of its last step is black.")


def test_whole_stack_is_asked_only_of_stacks(viewer):
    """Where there is one plane there is nothing to choose."""
    viewer.add_image(RAMP)
    dock = open_dock(viewer)
    assert not dock.form.planes.enabled
    viewer.add_image(STACK)
    assert dock.form.planes.enabled


def test_cancel_of_a_picture_adds_nothing(qtbot, viewer, stand):
    """A single picture that is cancelled leaves no trace."""
    viewer.add_image(RAMP)
    dock = open_dock(viewer)
    stand.open.clear()
    press_run(dock)
    qtbot.waitUntil(lambda: stand.working)
    dock.cancel.native.click()
    assert dock.status.value == "Cancelling…"
    qtbot.waitUntil(lambda: idle(viewer))
    assert (len(viewer.layers), dock.status.value) == (1, "Cancelled.")
    assert stand.closed == 1


def test_closing_the_viewer_mid_run(qtbot, viewer, stand):
    """The run ends by itself and touches nothing of the window that is gone."""
    viewer.add_image(STACK)
    dock = open_dock(viewer)
    stand.open.clear()
    press_run(dock)
    qtbot.waitUntil(lambda: stand.working)
    viewer.close()
    qtbot.waitUntil(lambda: idle(viewer))
    qtbot.wait(50)
    assert stand.closed == 1


def test_closing_the_viewer_when_the_result_is_on_its_way(qtbot, viewer, stand):
    """A result that was told but not yet heard is not put into a closed window."""
    viewer.add_image(RAMP)
    dock = open_dock(viewer)
    press_run(dock)
    limit = time.monotonic() + 5
    while not stand.closed and time.monotonic() < limit:
        time.sleep(0.01)  # the event loop must not run: the result is to wait in its queue
    viewer.close()
    qtbot.waitUntil(lambda: idle(viewer))
    assert len(viewer.layers) == 0


def test_source_deleted_and_renamed_mid_run(qtbot, viewer, stand):
    """The result comes even if its source has gone, under the name it had last."""
    layer = viewer.add_image(RAMP, name="before")
    dock = open_dock(viewer)
    stand.open.clear()
    press_run(dock)
    qtbot.waitUntil(lambda: stand.working)
    layer.name = "after"
    viewer.layers.remove(layer)
    stand.open.set()
    qtbot.waitUntil(lambda: idle(viewer))
    assert [layer.name for layer in viewer.layers] == ["after [colorized]"]
    np.testing.assert_array_equal(viewer.layers[0].data[..., 0], RAMP)


def test_dock_closed_mid_run_and_opened_again(qtbot, viewer, stand):
    """The run goes on without its dock; a new dock watches it and can cancel it."""
    viewer.add_image(STACK, name="stack")
    dock = open_dock(viewer)
    dock.form.planes.value = WHOLE_STACK
    stand.open.clear()
    press_run(dock)
    qtbot.waitUntil(lambda: stand.working)
    viewer.window.remove_dock_widget(dock.native.parent())
    del dock
    qtbot.wait(50)
    again = open_dock(viewer)
    assert not again.run.enabled
    stand.open.set()
    qtbot.waitUntil(lambda: idle(viewer))
    assert again.run.enabled
    assert viewer.layers[-1].data.shape == (5, 40, 50, 3)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelError("The model file is cut short."), "The model file is cut short."),
        (
            RuntimeError("mat1 and mat2\n shapes"),
            "Colouring failed (RuntimeError): mat1 and mat2",
        ),
        (MemoryError(), "There is not enough memory"),
    ],
)
def test_failure_is_one_sentence_in_the_dock(qtbot, viewer, stand, error, said):
    """Whatever goes wrong, the dock says what and can be used again."""
    viewer.add_image(RAMP)
    dock = open_dock(viewer)
    stand.error = error
    run_to_end(qtbot, viewer, dock)
    assert dock.status.value.startswith(said)
    assert "\n" not in dock.status.value
    assert (len(viewer.layers), stand.closed) == (1, 1)
    stand.error = None
    run_to_end(qtbot, viewer, dock)
    assert len(viewer.layers) == 2


def test_failure_in_the_middle_of_a_stack(qtbot, viewer, stand):
    """The plane that failed is named and the ones before it are kept."""
    viewer.add_image(STACK, name="stack")
    dock = open_dock(viewer)
    dock.form.planes.value = WHOLE_STACK
    stand.error, stand.error_at = PictureError("It has no pixels."), 3
    run_to_end(qtbot, viewer, dock)
    assert dock.status.value.startswith("Plane 4 of 5: It has no pixels. 'stack [colorized]' holds")
    np.testing.assert_array_equal(viewer.layers[-1].data[:3, ..., 0], STACK[:3])


def test_unreadable_plane_is_named(qtbot, viewer, stand):
    """A lazy plane that cannot be read is an error of its own."""
    calls = []

    def broken(block):
        if len(calls) > 20:
            raise OSError("disk gone")
        return block

    data = da.from_array(STACK, chunks=(1, 40, 50)).map_blocks(broken, dtype=np.uint8)
    viewer.add_image(data, contrast_limits=(0, 255), cache=False)
    dock = open_dock(viewer)
    calls.extend(range(30))
    run_to_end(qtbot, viewer, dock)
    assert dock.status.value == "The data cannot be read: disk gone"


def test_command_colours_the_active_layer(qtbot, viewer, stand):
    """The menu's command needs no dock and takes the default model."""
    viewer.add_image(STACK, name="stack")
    viewer.dims.set_current_step(0, 1)
    execute(COMMAND)
    qtbot.waitUntil(lambda: idle(viewer))
    np.testing.assert_array_equal(viewer.layers["stack [colorized]"].data[..., 0], STACK[1])
    assert stand.orders == [(None, "auto")]
    assert notes()[-1].startswith("Done on cpu")


def test_command_says_what_it_cannot_do(qtbot, viewer, stand):
    """No active layer, a layer that is no image, a failing model: a notification each."""
    execute(COMMAND)
    assert notes()[-1].startswith("No layer is active")
    viewer.add_points(np.zeros((1, 2)), name="dots")
    execute(COMMAND)
    assert notes()[-1] == "'dots' is a Points layer: choose an Image layer."
    viewer.add_image(RAMP)
    stand.error = ModelError("The model is foreign.")
    execute(COMMAND)
    qtbot.waitUntil(lambda: idle(viewer))
    assert notes()[-1] == "The model is foreign."
    assert len(viewer.layers) == 2


def test_command_is_cancelled_in_the_activity_dock(qtbot, viewer, stand):
    """Cancel beside napari's own progress bar ends the run, and the bar goes."""
    viewer.add_image(RAMP)
    stand.open.clear()
    execute(COMMAND)
    qtbot.waitUntil(lambda: stand.working)
    [bar] = progress._all_instances
    bar.cancel()
    qtbot.waitUntil(lambda: idle(viewer))
    assert (notes()[-1], len(viewer.layers)) == ("Cancelled.", 1)
    assert not progress._all_instances


def test_closing_the_viewer_during_the_command(qtbot, viewer, stand):
    """The command's run ends with the window too."""
    viewer.add_image(RAMP)
    stand.open.clear()
    execute(COMMAND)
    qtbot.waitUntil(lambda: stand.working)
    viewer.close()
    qtbot.waitUntil(lambda: idle(viewer))
    assert stand.closed == 1
