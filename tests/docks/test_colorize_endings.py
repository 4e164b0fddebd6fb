"""Runs of the Colorize dock that do not end well: cancelled, closed, failed."""

from __future__ import annotations

import time

import dask.array as da
import numpy as np
import pytest

from napari_colorize.docks.colorize_form import WHOLE_STACK
from napari_colorize.errors import ModelError

RAMP = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
STACK = np.stack([RAMP + n for n in range(5)])


def test_cancel_of_a_picture_adds_nothing(colorize_desk, viewer, stand):
    """A single picture that is cancelled leaves no trace."""
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    stand.open.clear()
    dock.run.native.click()
    colorize_desk.wait(lambda: stand.working)
    dock.cancel.native.click()
    assert dock.status.value == "Cancelling…"
    colorize_desk.wait_for_end()
    assert (len(viewer.layers), dock.status.value) == (1, "Cancelled.")
    assert stand.closed == 1


def test_closing_the_viewer_mid_run(colorize_desk, viewer, stand):
    """The run ends by itself and touches nothing of the window that is gone."""
    viewer.add_image(STACK)
    dock = colorize_desk.open()
    stand.open.clear()
    dock.run.native.click()
    colorize_desk.wait(lambda: stand.working)
    viewer.close()
    colorize_desk.wait_for_end()
    colorize_desk.qtbot.wait(50)
    assert stand.closed == 1


def test_closing_the_viewer_when_the_result_is_on_its_way(colorize_desk, viewer, stand):
    """A result that was told but not yet heard is not put into a closed window."""
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    dock.run.native.click()
    limit = time.monotonic() + 60
    while not stand.closed and time.monotonic() < limit:
        time.sleep(0.01)  # the event loop must not run: the result is to wait in its queue
    viewer.close()
    colorize_desk.wait_for_end()
    assert len(viewer.layers) == 0


def test_source_deleted_and_renamed_mid_run(colorize_desk, viewer, stand):
    """The result comes even if its source has gone, under the name it had last."""
    layer = viewer.add_image(RAMP, name="before")
    dock = colorize_desk.open()
    stand.open.clear()
    dock.run.native.click()
    colorize_desk.wait(lambda: stand.working)
    layer.name = "after"
    viewer.layers.remove(layer)
    stand.open.set()
    colorize_desk.wait_for_end()
    assert [layer.name for layer in viewer.layers] == ["after [colorized]"]
    np.testing.assert_array_equal(viewer.layers[0].data[..., 0], RAMP)


def test_dock_closed_mid_run_and_opened_again(colorize_desk, viewer, stand):
    """The run goes on without its dock; a new dock watches it and can cancel it."""
    viewer.add_image(STACK, name="stack")
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    stand.open.clear()
    dock.run.native.click()
    colorize_desk.wait(lambda: stand.working)
    viewer.window.remove_dock_widget(dock.native.parent())
    del dock
    colorize_desk.qtbot.wait(50)
    again = colorize_desk.open()
    assert not again.run.enabled
    stand.open.set()
    colorize_desk.wait_for_end()
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
def test_failure_is_one_sentence_in_the_dock(colorize_desk, viewer, stand, error, said):
    """Whatever goes wrong, the dock says what and can be used again."""
    viewer.add_image(RAMP)
    dock = colorize_desk.open()
    stand.error = error
    colorize_desk.run_to_end(dock)
    assert dock.status.value.startswith(said)
    assert "\n" not in dock.status.value
    assert (len(viewer.layers), stand.closed) == (1, 1)
    stand.error = None
    colorize_desk.run_to_end(dock)
    assert len(viewer.layers) == 2


def test_unreadable_plane_is_named(colorize_desk, viewer):
    """A lazy plane that cannot be read is an error of its own."""
    calls = []

    def broken(block):
        if len(calls) > 20:
            raise OSError("disk gone")
        return block

    data = da.from_array(STACK, chunks=(1, 40, 50)).map_blocks(broken, dtype=np.uint8)
    viewer.add_image(data, contrast_limits=(0, 255), cache=False)
    dock = colorize_desk.open()
    calls.extend(range(30))
    colorize_desk.run_to_end(dock)
    assert dock.status.value == "The data cannot be read: disk gone"
