"""Whole stacks in the Colorize dock: they grow in view, are cut short, and are gone on with."""

from __future__ import annotations

import sys

import dask.array as da
import numpy as np
import pytest
from stand_in_colorizer import StandInColorizer, stand_in_planes

from napari_colorize.docks.colorize_form import WHOLE_STACK
from napari_colorize.docks.colorizing.coloring import SAVING
from napari_colorize.errors import ClusterError, PictureError

RAMP = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
STACK = np.stack([RAMP + n for n in range(5)])
RESULT = "stack [colorized]"


@pytest.fixture
def begin(colorize_desk, viewer, stand):
    """Return what runs a stack up to a plane, at which it stays; it returns dock and result."""

    def begin(stack=STACK, *, planes=2, dock=None, **geometry):
        if "stack" not in viewer.layers:
            viewer.add_image(stack, name="stack", contrast_limits=(0, 255), **geometry)
        dock = dock or colorize_desk.open()
        dock.form.planes.value = WHOLE_STACK
        stand.hold_at = len(stand.seen) + planes
        dock.run.native.click()
        colorize_desk.wait(lambda: len(stand.seen) > stand.hold_at)
        colorize_desk.wait(lambda: dock.status.value.startswith(f"Plane {planes + 1} of "))
        return dock, viewer.layers[RESULT]

    return begin


def test_result_is_seen_while_it_grows(begin, colorize_desk, viewer, stand):
    """Planes that are not there yet let the source through; at the end there is no alpha."""
    _, result = begin(scale=(4, 2, 3), rotate=30)
    source = viewer.layers["stack"]
    np.testing.assert_allclose(result.data_to_world((1, 2, 3)), source.data_to_world((1, 2, 3)))
    assert result.data.shape == (5, 40, 50, 4)
    np.testing.assert_array_equal(result.data[:2, ..., 0], STACK[:2])
    assert (result.data[:2, ..., 3] == 255).all()
    assert not result.data[2:].any()
    viewer.dims.set_current_step(0, 3)
    stand.hold_at = 1_000_000
    colorize_desk.wait_for_end()
    assert [layer.name for layer in viewer.layers] == ["stack", RESULT]
    assert result.data.shape == (5, 40, 50, 3)
    np.testing.assert_array_equal(result.data[..., 0], STACK)
    assert result.metadata["napari_colorize"]["settings"]["axes"] == "tyx"


def test_plane_in_view_is_drawn_when_it_comes(begin, colorize_desk, viewer, stand):
    """The sliders may move while planes come; only what is seen is drawn anew."""
    dock, result = begin(planes=1)
    viewer.dims.set_current_step(0, 2)
    drawn = []
    result.events.set_data.connect(lambda _: drawn.append(int(result.data[2, 0, 0, -1])))
    stand.hold_at = 2
    colorize_desk.wait(lambda: dock.status.value.startswith("Plane 3 of 5"))
    assert drawn == []
    stand.hold_at = 3
    colorize_desk.wait(lambda: dock.status.value.startswith("Plane 4 of 5"))
    colorize_desk.wait(lambda: drawn == [255])
    stand.hold_at = 1_000_000
    colorize_desk.wait_for_end()


def test_cancel_keeps_what_is_done_and_run_goes_on(begin, colorize_desk, viewer, stand):
    """Also when the dock was closed between, and in the same layer."""
    dock, result = begin()
    assert (dock.run.enabled, dock.cancel.enabled) == (False, True)
    dock.cancel.native.click()
    colorize_desk.wait_for_end()
    assert dock.status.value == f"Cancelled. '{RESULT}' holds 2 of 5 planes; Run does the rest."
    settings = result.metadata["napari_colorize"]["settings"]
    assert (settings["planes"], settings["done"]) == (2, [[0], [1]])
    viewer.window.remove_dock_widget(dock.native.parent())
    colorize_desk.qtbot.wait(20)
    again = colorize_desk.open()
    again.form.planes.value = WHOLE_STACK
    viewer.layers.selection = [viewer.layers["stack"]]
    assert again.cost.value.startswith("3 of 5 planes are left, about ")
    stand.hold_at = 1_000_000
    colorize_desk.run_to_end(again)
    assert len(stand.seen) == 6  # the third plane was begun twice
    assert stand.stacks[1]["done"] == {(0,), (1,)}
    assert len(viewer.layers) == 2
    np.testing.assert_array_equal(result.data[..., 0], STACK)
    colorize_desk.run_to_end(again)
    assert len(viewer.layers) == 3  # what is whole is left as it is


def test_other_settings_give_another_layer(begin, colorize_desk, viewer, stand):
    """What was cut short is not gone on with in other colours."""
    dock, _ = begin()
    dock.cancel.native.click()
    colorize_desk.wait_for_end()
    stand.hold_at = 1_000_000
    dock.form.stack.coherent.value = False
    colorize_desk.run_to_end(dock)
    assert [layer.name for layer in viewer.layers] == ["stack", RESULT, f"{RESULT} [1]"]
    assert [stack["coherent"] for stack in stand.stacks] == [True, False]
    assert stand.stacks[1]["done"] == frozenset()


def test_deleting_the_result_stops_it(begin, colorize_desk, viewer, stand):
    """Nobody wants what was thrown away; the next run begins anew."""
    dock, result = begin()
    viewer.layers.remove(result)
    stand.hold_at += 1
    colorize_desk.wait_for_end()
    assert dock.status.value == f"'{RESULT}' was deleted: its colouring was stopped."
    assert [layer.name for layer in viewer.layers] == ["stack"]
    stand.hold_at = 1_000_000
    colorize_desk.run_to_end(dock)
    assert stand.stacks[-1]["done"] == frozenset()
    np.testing.assert_array_equal(viewer.layers[RESULT].data[..., 0], STACK)


def test_deleting_the_source_does_not(begin, colorize_desk, viewer, stand):
    """The colours come to their end without it."""
    _, result = begin()
    viewer.layers.remove("stack")
    stand.hold_at = 1_000_000
    colorize_desk.wait_for_end()
    np.testing.assert_array_equal(result.data[..., 0], STACK)


def test_closing_the_viewer_while_planes_come(begin, colorize_desk, viewer, stand):
    """Nothing of the window that is gone is touched."""
    begin()
    viewer.close()
    stand.hold_at = 1_000_000
    colorize_desk.wait_for_end()
    colorize_desk.qtbot.wait(50)
    assert stand.closed == 1


def test_gap_in_the_middle_is_named_and_tried_again(colorize_desk, viewer, stand):
    """One plane that cannot be read does not cost the rest."""
    broken = [True]

    def read(block, block_info=None):
        if broken and block_info[0]["chunk-location"][0] == 3:
            raise OSError("disk gone")
        return block

    data = da.from_array(STACK, chunks=(1, 40, 50)).map_blocks(read, dtype=np.uint8, meta=RAMP[:0])
    viewer.add_image(data, name="stack", contrast_limits=(0, 255), cache=False)
    viewer.dims.set_current_step(0, 0)
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    colorize_desk.run_to_end(dock)
    said = f"'{RESULT}' holds 4 of 5 planes; Run tries the missing ones."
    assert dock.status.value.endswith(f"{said} Plane 4 (slider at 3): disk gone.")
    result = viewer.layers[RESULT]
    assert (result.data[3] == 0).all()
    np.testing.assert_array_equal(result.data[4, ..., 0], STACK[4])
    broken.clear()
    colorize_desk.run_to_end(dock)
    assert result.data.shape == (5, 40, 50, 3)
    np.testing.assert_array_equal(result.data[..., 0], STACK)
    # Without one plane that can be coloured no layer is added, and the first reasons are told.
    stand.error = PictureError("It has no pixels.")
    colorize_desk.run_to_end(dock)
    said = "No plane could be coloured. Plane 1 (slider at 0): It has no pixels."
    assert dock.status.value.startswith(said)
    assert dock.status.value.endswith("So for 2 more planes.")
    assert len(viewer.layers) == 2


def test_planes_along_other_axes_lie_on_their_source(colorize_desk, viewer, stand):
    """With the axes of the viewer changed the planes are those that are seen; so are colours."""
    layer = viewer.add_image(
        STACK, name="stack", scale=(4, 2, 3), translate=(7, 8, 9), units=("s", "um", "um")
    )
    colours = viewer.add_image(np.stack([STACK] * 3, axis=-1), rgb=True, name="colours")
    viewer.dims.order = (1, 0, 2)
    dock = colorize_desk.open()
    dock.form.layers.value = [layer]
    dock.form.planes.value = WHOLE_STACK
    colorize_desk.run_to_end(dock)
    assert stand.seen[0][0] == (5, 50)
    assert stand.stacks[0]["axes"].shape == (40, 5, 50)
    result = viewer.layers[RESULT]
    np.testing.assert_array_equal(result.data[..., 0], STACK)
    np.testing.assert_allclose(result.data_to_world((1, 2, 3)), layer.data_to_world((1, 2, 3)))
    assert result.units == layer.units
    # A colour stack gives its own lightness, without contrast limits.
    viewer.dims.order = (0, 1, 2)
    dock.form.layers.value = [colours]
    stand.seen.clear()
    colorize_desk.run_to_end(dock)
    assert stand.seen == [((40, 50, 3), None)] * 5
    assert stand.stacks[1]["axes"].names == "tyxs"
    np.testing.assert_array_equal(viewer.layers["colours [colorized]"].data[..., 0], STACK)


def test_cluster_opens_no_model_here(colorize_desk, viewer, stand, monkeypatch):
    """Its machines do, on a device that this one may lack; one that does not answer is told."""

    def on_cluster(stack, axes, *, colorizer, device, **settings):
        assert (colorizer, device, settings["scheduler"]) == (None, "cuda", "tcp://there:1")
        return stand_in_planes(stack, axes, colorizer=StandInColorizer(stand), **settings)

    def no_cluster(*_, **__):
        raise ClusterError("No Dask scheduler answers at tcp://there:1.")

    card = {"name": "far", "hash": "ef" * 32, "network": "palette", "vividness": 0.35}
    monkeypatch.setattr("napari_colorize.docks.colorizing.coloring.find_model", lambda model: model)
    monkeypatch.setattr("napari_colorize.docks.colorizing.coloring.read_card", lambda _: card)
    stacks = sys.modules["napari_colorize.stacks.api"]
    monkeypatch.setattr(stacks, "stack_planes", on_cluster)
    viewer.add_image(STACK, name="stack", contrast_limits=(0, 255))
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    dock.form.stack.scheduler.value = "tcp://there:1"
    dock.form.device.value = "cuda"
    colorize_desk.run_to_end(dock)
    assert dock.status.value == f"Done on the cluster at tcp://there:1.{SAVING}"
    assert stand.orders == []
    record = viewer.layers[RESULT].metadata["napari_colorize"]
    assert (record["model"], record["settings"]["device"]) == ("far", "tcp://there:1")
    monkeypatch.setattr(stacks, "stack_planes", no_cluster)
    colorize_desk.run_to_end(dock)
    assert dock.status.value == "No Dask scheduler answers at tcp://there:1."
    assert (len(viewer.layers), dock.run.enabled) == (2, True)


def test_two_stacks_in_one_order(colorize_desk, viewer, stand):
    """A deleted result does not cost the other; the bar counts the planes of both."""
    viewer.add_image(STACK[:3], name="below")
    viewer.add_image(STACK, name="stack", contrast_limits=(0, 255))
    dock = colorize_desk.open()
    dock.form.layers.value = list(viewer.layers)
    dock.form.planes.value = WHOLE_STACK
    assert dock.cost.value.startswith("8 planes, ")
    stand.hold_at = 1
    dock.run.native.click()
    colorize_desk.wait(lambda: len(viewer.layers) == 3)
    viewer.layers.remove(viewer.layers[-1])
    stand.hold_at = 1_000_000
    colorize_desk.wait_for_end()
    results = [layer.name for layer in viewer.layers if layer.rgb]
    assert len(results) == 1
    assert "' was deleted: its colouring was stopped." in dock.status.value
