"""The command that colours the active layer, over a stand-in for the network."""

from __future__ import annotations

import numpy as np
from napari._app_model import get_app_model
from napari.utils import progress
from napari.utils.notifications import notification_manager

from napari_colorize.errors import ModelError

RAMP = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
STACK = np.stack([RAMP + n for n in range(5)])
COMMAND = "napari-colorize.colorize_active_layer"


def execute(command):
    """Call a command as the menu does."""
    get_app_model().commands.execute_command(command).result()


def notes():
    """Return the texts of all notifications, the latest last."""
    return [note.message for note in notification_manager.records]


def test_dock_opens_from_the_menu_and_takes_a_sample(colorize_desk, viewer):
    """Layers > Filter opens the dock, once; what Open Sample brings is chosen and coloured."""
    menu = get_app_model().menus.get_menu("napari/layers/filter")
    ids = {item.command.id for item in menu if hasattr(item, "command")}
    assert "napari-colorize.colorize_dock" in ids
    execute("napari-colorize.colorize_dock")
    [name] = viewer.window.dock_widgets
    dock = viewer.window.dock_widgets[name]
    assert dock.reason.value.startswith("There is no image to colour")
    viewer.open_sample("napari-colorize", "camera")
    colorize_desk.run_to_end(dock)
    assert [layer.name for layer in viewer.layers] == ["photographer", "photographer [colorized]"]


def test_command_colours_the_active_layer(colorize_desk, viewer, stand):
    """The menu's command needs no dock and takes the default model."""
    viewer.add_image(STACK, name="stack")
    viewer.dims.set_current_step(0, 1)
    execute(COMMAND)
    colorize_desk.wait_for_end()
    np.testing.assert_array_equal(viewer.layers["stack [colorized]"].data[..., 0], STACK[1])
    assert stand.orders == [(None, "auto")]
    assert notes()[-1].startswith("Done on cpu")
    execute(COMMAND)  # napari made the result the active layer
    assert notes()[-1].startswith("'stack [colorized]' is coloured already")
    assert len(viewer.layers) == 2


def test_command_says_what_it_cannot_do(colorize_desk, viewer, stand):
    """No active layer, a layer that is no image, a failing model: a notification each."""
    execute(COMMAND)
    assert notes()[-1].startswith("No layer is active")
    viewer.add_points(np.zeros((1, 2)), name="dots")
    execute(COMMAND)
    assert notes()[-1] == "'dots' is a Points layer: choose an Image layer."
    viewer.add_image(RAMP)
    stand.error = ModelError("The model is foreign.")
    execute(COMMAND)
    colorize_desk.wait_for_end()
    assert notes()[-1] == "The model is foreign."
    assert len(viewer.layers) == 2


def test_command_is_cancelled_in_the_activity_dock(colorize_desk, viewer, stand):
    """Cancel beside napari's own progress bar ends the run, and the bar goes."""
    viewer.add_image(RAMP)
    stand.open.clear()
    execute(COMMAND)
    colorize_desk.wait(lambda: stand.working)
    [bar] = progress._all_instances
    bar.cancel()
    colorize_desk.wait_for_end()
    assert (notes()[-1], len(viewer.layers)) == ("Cancelled.", 1)
    assert not progress._all_instances


def test_closing_the_viewer_during_the_command(colorize_desk, viewer, stand):
    """The command's run ends with the window too."""
    viewer.add_image(RAMP)
    stand.open.clear()
    execute(COMMAND)
    colorize_desk.wait(lambda: stand.working)
    viewer.close()
    colorize_desk.wait_for_end()
    assert stand.closed == 1
