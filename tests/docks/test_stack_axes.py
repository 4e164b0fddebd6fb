"""What axes are taken as: guessed, changed by a person, remembered for the layer."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_colorize.docks.colorize_form import AS_YOU_LOOK, THIS_PLANE, WHOLE_STACK
from napari_colorize.docks.stack_axes import (
    changed,
    guessed,
    letters,
    meanings_of,
    remember,
)

STACKS = np.zeros((2, 3, 40, 50), np.uint8)


@pytest.mark.parametrize(
    ("labels", "meanings"),
    [
        (["-3"], "t"),
        (["-4", "-3"], "tz"),
        (["-5", "-4", "-3"], "itz"),
        (["axis 0"], "t"),
        (["z"], "z"),
        (["Slice", "Frame"], "zt"),
        (["c", "-3"], "it"),
        (["-4", "time"], "zt"),
        (["channel", "t", "z"], "itz"),
        (["t", "time"], "ti"),
        (["position"], "i"),
        ([], ""),
    ],
)
def test_guess(labels, meanings):
    """Labels say it; what has none is time, then depth."""
    assert "".join(guessed(labels)) == meanings


def test_time_and_depth_are_given_once():
    """Who makes another axis the time takes it from the first."""
    assert changed(("t", "z"), 1, "t") == ("i", "t")
    assert changed(("i", "t"), 1, "i") == ("i", "i")
    assert letters(("i", "t", "i"), rgb=True) == "atbyxs"


def test_what_a_person_said_is_kept_in_the_layer():
    """For every axis, whichever are those of the plane; what is no such note is not trusted."""
    layer = Image(STACKS, axis_labels=("t", "z", "y", "x"))
    remember(layer, (2, 3), ("i", "t"))
    assert meanings_of(layer, (2, 3)) == ("i", "t")
    assert meanings_of(layer, (0, 3)) == guessed(["z", "y"])
    layer.metadata["napari_colorize axes"] = "?????"
    assert meanings_of(layer, (2, 3)) == ("t", "z")


def rows(dock):
    """Return label and meaning of the axes that are shown."""
    shown = [row for row in dock.form.stack.rows if not row.native.isHidden()]
    return [(row.label, row.value) for row in shown]


def test_dock_shows_what_axes_are_taken_as(colorize_desk, viewer, stand):
    """It asks only for whole stacks; a change reaches the run and is remembered."""
    viewer.add_image(STACKS, name="stacks", axis_labels=("t", "c", "y", "x"))
    dock = colorize_desk.open()
    assert rows(dock) == []
    dock.form.planes.value = WHOLE_STACK
    assert rows(dock) == [("Axis t (2)", "t"), ("Axis c (3)", "i")]
    dock.form.stack.rows[1].value = "t"
    assert rows(dock) == [("Axis t (2)", "i"), ("Axis c (3)", "t")]
    colorize_desk.run_to_end(dock)
    assert stand.stacks[-1]["axes"].names == "atyx"
    assert viewer.layers[-1].metadata["napari_colorize"]["settings"]["axes"] == "atyx"
    dock.form.planes.value = THIS_PLANE
    assert rows(dock) == []
    viewer.window.remove_dock_widget(dock.native.parent())
    again = colorize_desk.open()
    again.form.layers.value = [viewer.layers["stacks"]]
    again.form.planes.value = WHOLE_STACK
    assert [row.value for row in again.form.stack.rows] == ["i", "t"]


def test_other_layers_show_their_own_axes(colorize_desk, viewer):
    """The rows follow the layer that is chosen."""
    viewer.add_image(STACKS, name="four", axis_labels=("t", "z", "y", "x"))
    viewer.add_image(STACKS[0], name="three", axis_labels=("z", "y", "x"))
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    assert [row.value for row in dock.form.stack.rows] == ["z"]
    viewer.layers.selection = [viewer.layers["four"]]
    assert [row.value for row in dock.form.stack.rows] == ["t", "z"]
    viewer.layers.selection = []
    viewer.layers.clear()
    assert not dock.form.planes.enabled


def test_cluster_is_remembered_and_gets_the_stack(colorize_desk, viewer):
    """Its address goes along with stacks; pictures are coloured here."""
    viewer.add_image(STACKS[0], name="stack")
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    dock.form.stack.scheduler.value = " tcp://10.0.0.1:8786 "
    assert dock.form.order().scheduler == "tcp://10.0.0.1:8786"
    dock.form.planes.value = THIS_PLANE
    assert not dock.form.order().scheduler
    viewer.window.remove_dock_widget(dock.native.parent())
    assert colorize_desk.open().form.stack.address == "tcp://10.0.0.1:8786"


def test_as_you_look_adds_a_lazy_layer(colorize_desk, viewer, monkeypatch):
    """It is handed the layer and what was chosen."""
    made = []
    monkeypatch.setattr(
        "napari_colorize.docks.lazy.opening.add_lazy_layer",
        lambda viewer, source, **chosen: made.append((source.layer.name, chosen)),
    )
    viewer.add_image(STACKS, name="stacks")
    dock = colorize_desk.open()
    dock.form.planes.value = AS_YOU_LOOK
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": 1}))
    dock.form.stack.coherent.value = False
    assert dock.cost.value == "6 planes, each coloured when you look at it"
    dock.run.native.click()
    name, chosen = made[0]
    assert (name, chosen["axes"], chosen["coherent"]) == ("stacks", "tzyx", False)
    sure = dock.form.confidence
    assert (sure.enabled, "as you look" in sure.tooltip) == (False, True)
    dock.form.planes.value = WHOLE_STACK
    assert (sure.enabled, "as you look" in sure.tooltip) == (True, False)
