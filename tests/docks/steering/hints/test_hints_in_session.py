"""Hints in layers and the real session together, over a stand-in for the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorize.color.hints import Hint
from napari_colorize.docks.steering.hints.hint_layers import HintLayers
from napari_colorize.docks.steering.hints.kept_hints import KeptHints
from napari_colorize.files.steering_file import read_steering

if TYPE_CHECKING:
    from pathlib import Path

BLUE = (40.0, 80.0, 210.0)


@pytest.fixture
def viewer(make_napari_viewer_proxy: Any) -> Any:
    """Return a viewer with its window, which is needed here."""
    return make_napari_viewer_proxy()


def test_click_undo_redo_reset(steering_desk: Any) -> None:
    """The layer stays active under the result; undo, redo and reset reach its points."""
    desk = steering_desk
    session = desk.begin(desk.viewer.add_image(np.full((60, 80), 120, np.uint8), name="cat"))
    layers = HintLayers(desk.viewer, session)
    layers.set_color(BLUE)
    points = layers.add_points()
    points.add([10, 20])
    desk.qtbot.wait(30)
    points.add([40, 50])
    desk.qtbot.wait(30)
    desk.settle(session)
    assert desk.viewer.layers.selection.active == points
    assert desk.viewer.layers[-1] == points
    assert tuple(session.result.data[10, 20]) != tuple(session.result.data[30, 5])
    session.undo()
    assert len(points.data) == 1
    session.redo()
    assert session.steering.hints == (Hint(10, 20, BLUE), Hint(40, 50, BLUE))
    session.reset()
    desk.qtbot.wait(30)
    assert len(points.data) == 0
    session.undo()
    desk.qtbot.wait(30)
    assert len(points.data) == len(session.steering.hints) == 2
    layers.close()


def test_hints_can_be_added_while_they_are_hidden(steering_desk: Any) -> None:
    """Their layer comes back to view, or napari would take no click."""
    desk = steering_desk
    session = desk.begin(desk.viewer.add_image(np.full((60, 80), 120, np.uint8), name="cat"))
    layers = HintLayers(desk.viewer, session)
    for add in (layers.add_points, layers.add_strokes):
        add().visible = False
        layer = add()
        assert layer.visible
        assert str(layer.mode) in {"add", "paint"}
    layers.close()


def test_planes_in_turn(steering_desk: Any) -> None:
    """Moving the slider shows the hints of each plane, and loses none."""
    desk = steering_desk
    layer = desk.viewer.add_image(np.full((4, 60, 80), 120, np.uint8), name="stack")
    desk.viewer.dims.current_step = (0, 0, 0)
    session = desk.begin(layer)
    layers = HintLayers(desk.viewer, session)
    points = layers.add_points()
    points.add([0, 10, 20])
    points.add([2, 30, 40])
    layers.add_strokes().paint((5, 6), 1)
    desk.qtbot.wait(90)
    for _ in range(2):
        for plane, count in ((2, 1), (1, 0), (0, 2)):
            desk.viewer.dims.current_step = (plane, 0, 0)
            desk.qtbot.wait(90)
            assert len(session.steering.hints) == count
    layers.close()


def test_picture_that_becomes_a_stack(steering_desk: Any) -> None:
    """Its hints do not fit any more: their layer and their file stay, and it can be steered."""
    desk = steering_desk
    layer = desk.viewer.add_image(np.full((60, 80), 120, np.uint8), name="cat")
    session = desk.begin(layer)
    layers = HintLayers(desk.viewer, session)
    kept = KeptHints(session, layers)
    desk.wait(lambda: kept.file is not None)
    points = layers.add_points()
    points.add([10, 20])
    desk.settle(session)
    file = kept.file
    desk.wait(file.exists)
    notes = desk.heard(session.noted)
    layer.data = np.full((3, 60, 80), 90, np.uint8)
    desk.wait(lambda: kept.file not in (None, file))
    desk.settle(session)
    told = [note for (note,) in notes if points.name in note]
    assert len(told) == 1
    assert "its points are no hints any more" in told[0]
    assert session.steering.hints == ()
    assert len(points.data) == 1
    assert layers.points is None
    layers.add_points().add([0, 30, 40])
    desk.settle(session)
    assert session.steering.hints == (Hint(30, 40, layers.color),)
    layers.close()
    kept.close()
    assert read_steering(file).steering.hints[0].y == 10
    assert read_steering(kept.file).steering.hints[0].y == 30


def test_viewer_closed_mid_run(steering_desk: Any, steering_stand: Any, own_places: Path) -> None:
    """Closing while the network works loses no hint."""
    desk = steering_desk
    steering_stand.open.clear()
    layer = desk.viewer.add_image(np.full((60, 80), 120, np.uint8), name="cat")
    session = desk.begin(layer, settled=False)
    layers = HintLayers(desk.viewer, session)
    kept = KeptHints(session, layers)
    layers.add_points().add([10, 20])
    desk.viewer.layers.clear()
    assert session.has_ended
    (file,) = (own_places / "data" / "hints").glob("*.json")
    assert len(read_steering(file).steering.hints) == 1
    kept.close()
