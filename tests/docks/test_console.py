"""From napari's console: the public functions on a layer and on its data."""

from __future__ import annotations

import numpy as np
import pytest

# napari-console runs IPython's event loop within Qt's; at its end a task is left pending.
pytestmark = [pytest.mark.enable_console, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def run_cell(seeded_model, make_napari_viewer):
    """Return a function that runs a line in the console of a viewer, and that viewer."""
    viewer = make_napari_viewer()
    shell = viewer.window._qt_viewer.console.shell

    def run(line):
        outcome = shell.run_cell(line)
        outcome.raise_error()
        return shell.user_ns

    return viewer, run


def test_colorize_a_layer_and_its_data(run_cell, grey_picture):
    """The same colours come from `viewer.layers[0]` and from its data."""
    viewer, run = run_cell
    viewer.add_image(grey_picture)
    run("from napari_colorize import colorize, train")
    of_layer = run("of_layer = colorize(viewer.layers[0])")["of_layer"]
    of_data = run("of_data = colorize(viewer.layers[0].data)")["of_data"]
    np.testing.assert_array_equal(of_layer, of_data)
    assert (of_layer.shape, of_layer.dtype) == ((*grey_picture.shape, 3), np.uint8)
    assert (of_layer[..., 0].astype(int) - of_layer[..., 2]).mean() > 20


def test_contrast_limits_of_a_layer_hold_in_the_console(run_cell, grey_picture):
    """A layer is coloured as it is shown."""
    viewer, run = run_cell
    viewer.add_image(grey_picture.astype(np.float32) * 40 - 7, contrast_limits=(-7, 255 * 40 - 7))
    run("from napari_colorize import colorize")
    names = run("one = colorize(viewer.layers[0])")
    viewer.layers[0].data = grey_picture
    viewer.layers[0].contrast_limits = (0, 255)
    names = run("two = colorize(viewer.layers[0])")
    assert np.abs(names["one"].astype(int) - names["two"]).max() <= 1


def test_train_from_the_console_does_not_block(qtbot, run_cell, photographs, tmp_path):
    """`train(..., wait=False)` gives a handle on a run that goes on in a process of its own."""
    _, run = run_cell
    run("from napari_colorize import train")
    names = run(
        f"run = train({str(photographs)!r}, {str(tmp_path / 'run')!r}, epochs=1, crop=32, "
        "working_size=32, batch_size=8, warmup=1, device='cpu', wait=False)"
    )
    handle = names["run"]
    assert handle.state().name in {"new", "running"}
    qtbot.waitUntil(lambda: handle.state().name not in {"new", "running"}, timeout=400_000)
    assert handle.state().name == "finished", handle.state().detail + handle.log_tail()
