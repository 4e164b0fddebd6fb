"""The Colorize dock at work, in napari's real window, over a stand-in for the network."""

from __future__ import annotations

import dask.array as da
import numpy as np

from napari_colorize.docks.colorize_form import THIS_PLANE, WHOLE_STACK

RAMP = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
STACK = np.stack([RAMP + n for n in range(5)])


def test_grey_layer_becomes_a_new_colour_layer(colorize_desk, viewer, stand):
    """Run adds the colours beside the source, which stays as it was."""
    source = viewer.add_image(RAMP, name="ramp", scale=(2, 3), translate=(5, 6), rotate=30)
    before = RAMP.copy()
    dock = colorize_desk.open()
    colorize_desk.run_to_end(dock)
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


def test_contrast_limits_of_the_layer_hold_for_every_plane(colorize_desk, viewer, stand):
    """No plane is stretched on its own."""
    viewer.add_image(STACK.astype(np.uint16), contrast_limits=(3, 400))
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    assert dock.cost.value.startswith("5 planes, 0.04 MB, about ")
    colorize_desk.run_to_end(dock)
    assert stand.seen == [((40, 50), (3, 400))] * 5
    assert viewer.layers[-1].data.shape == (5, 40, 50, 3)
    np.testing.assert_array_equal(viewer.layers[-1].data[..., 0], STACK)


def test_plane_in_view_of_a_stack(colorize_desk, viewer):
    """The plane under the slider is the one that is coloured."""
    viewer.add_image(STACK, units=("s", "um", "um"), axis_labels=("t", "y", "x"))
    viewer.dims.set_current_step(0, 3)
    dock = colorize_desk.open()
    assert dock.form.planes.value == THIS_PLANE
    colorize_desk.run_to_end(dock)
    np.testing.assert_array_equal(viewer.layers[-1].data[..., 0], STACK[3])
    assert viewer.layers[-1].axis_labels == ("y", "x")


def test_colour_multiscale_and_lazy_layers(colorize_desk, viewer, stand):
    """Several chosen layers of every kind are coloured in one run."""
    viewer.add_image(np.stack([RAMP] * 3, axis=-1), rgb=True, name="colours")
    viewer.add_image([RAMP, RAMP[::2, ::2]], multiscale=True, name="pyramid")
    viewer.add_image(da.from_array(RAMP, chunks=(20, 20)), name="lazy", contrast_limits=(0, 255))
    viewer.layers.selection = list(viewer.layers)
    dock = colorize_desk.open()
    assert [layer.name for layer in dock.form.layers.value] == ["lazy", "pyramid", "colours"]
    colorize_desk.run_to_end(dock)
    assert [shape for shape, _ in stand.seen] == [(40, 50), (40, 50), (40, 50, 3)]
    for name in ("colours", "pyramid", "lazy"):
        np.testing.assert_array_equal(viewer.layers[f"{name} [colorized]"].data[..., 0], RAMP)


def test_second_run_keeps_the_first_result(colorize_desk, viewer):
    """Running again gives another layer, and the source stays the one that is chosen."""
    viewer.add_image(RAMP, name="ramp")
    dock = colorize_desk.open()
    for _ in range(2):
        colorize_desk.run_to_end(dock)
        assert [layer.name for layer in dock.form.layers.value] == ["ramp"]
    assert [layer.name for layer in viewer.layers][1:] == [
        "ramp [colorized]",
        "ramp [colorized] [1]",
    ]


def test_confidence_comes_below_the_colours(colorize_desk, viewer):
    """A checked box gives a layer more, in the same place, and the source stays the one chosen."""
    viewer.add_image(RAMP, name="ramp", scale=(2, 3), rotate=30)
    dock = colorize_desk.open()
    dock.form.confidence.value = True
    colorize_desk.run_to_end(dock)
    names = [layer.name for layer in viewer.layers]
    assert names == ["ramp", "ramp [confidence]", "ramp [colorized]"]
    sure = viewer.layers["ramp [confidence]"]
    np.testing.assert_allclose(sure.data, RAMP / 255, rtol=1e-6)
    np.testing.assert_allclose(sure.data_to_world((7, 9)), viewer.layers[2].data_to_world((7, 9)))
    assert [layer.name for layer in dock.form.layers.value] == ["ramp"]


def test_confidence_of_a_stack_that_was_cut_short(colorize_desk, viewer, stand):
    """It is known where there are colours; every plane has the same vividness."""
    viewer.add_image(STACK, name="stack")
    dock = colorize_desk.open()
    dock.form.vividness.slider.value = 0.7
    dock.form.planes.value, dock.form.confidence.value = WHOLE_STACK, True
    stand.hold_at = 2
    dock.run.native.click()
    colorize_desk.wait(lambda: dock.status.value.startswith("Plane 3 of 5…"))
    dock.cancel.native.click()
    colorize_desk.wait_for_end()
    assert stand.vividness == [0.7] * 3
    sure = viewer.layers["stack [confidence]"].data
    np.testing.assert_allclose(sure[:2], STACK[:2] / 255, rtol=1e-6)
    assert np.isnan(sure[2:]).all()
    stand.hold_at = 1_000_000
    colorize_desk.run_to_end(dock)
    assert len(viewer.layers) == 3
    np.testing.assert_allclose(viewer.layers["stack [confidence]"].data, STACK / 255, rtol=1e-6)
