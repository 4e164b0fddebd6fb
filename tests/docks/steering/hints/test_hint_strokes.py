"""Hints of a session and labels of napari, in the real viewer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hint_desk import BLUE, GEOMETRIES, GINGER, Desk, click, flat

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.color.strokes import LabelMap, Strokes


def test_strokes(desk: Desk) -> None:
    """Painting, filling, erasing and napari's undo are followed; each colour is one label."""
    session, layers = desk.steer(flat())
    layers.set_color(GINGER)
    strokes = layers.add_strokes()
    assert (strokes.name, strokes.mode) == ("cat [strokes]", "paint")
    strokes.brush_size = 6
    strokes.paint((10, 20), strokes.selected_label)
    desk.settle()
    (stroke,) = session.hints
    assert stroke.colors == ((1, GINGER),)
    assert stroke.areas.to_array()[10, 20] == 1
    layers.set_color(BLUE)
    strokes.paint((40, 50), strokes.selected_label)
    desk.settle()
    assert dict(session.hints[0].colors) == {1: GINGER, 2: BLUE}
    layers.set_color(GINGER)
    assert strokes.selected_label == 1
    strokes.undo()
    desk.settle()
    assert session.hints[0].areas.labels == (1,)
    strokes.fill((0, 0), 1)
    desk.settle()
    assert (session.hints[0].areas.to_array() == 1).all()
    strokes.data = np.zeros_like(strokes.data)
    desk.settle()
    assert session.hints == []


def test_one_stroke_is_one_step(desk: Desk) -> None:
    """A stroke that is looked at on its way, as a brush that is down, is one step of undo."""
    session, layers = desk.steer(flat())
    strokes = layers.add_strokes()
    for row in (10, 40):
        steps = len(session.before)
        with strokes.block_history():
            for column in (10, 25, 40):
                strokes.paint((row, column), strokes.selected_label)
                desk.settle()
        desk.settle()
        assert len(session.before) == steps + 1


def test_many_colors_leave_one_label(desk: Desk) -> None:
    """Dragging through a palette makes no label for each colour on the way."""
    _, layers = desk.steer(flat())
    strokes = layers.add_strokes()
    for red in range(100, 200, 5):
        layers.set_color((float(red), 80.0, 60.0))
    assert strokes.selected_label == 1


def test_label_without_color(desk: Desk) -> None:
    """A label that a person counts up to has the colour that is chosen."""
    session, layers = desk.steer(flat())
    layers.set_color(BLUE)
    strokes = layers.add_strokes()
    strokes.selected_label = 7
    strokes.paint((10, 20), 7)
    desk.settle()
    assert session.hints[0].colors == ((7, BLUE),)


def test_undo_reaches_the_strokes(desk: Desk) -> None:
    """What the session takes back goes from the layer, and comes back into it."""
    session, layers = desk.steer(flat())
    strokes = layers.add_strokes()
    strokes.paint((10, 20), 1)
    desk.settle()
    painted = session.steering
    session.undo()
    desk.settle()
    assert not strokes.data.any()
    session.change(painted)
    desk.settle()
    assert strokes.data[10, 20] == 1
    desk.viewer.layers.remove(strokes)
    desk.settle()
    assert session.hints == []
    session.undo()
    desk.settle()
    assert layers.strokes is not None
    assert layers.strokes.data[10, 20] == 1


def test_strokes_from_elsewhere(desk: Desk) -> None:
    """Strokes and points that come from a file make their layers."""
    session, layers = desk.steer(flat())
    area = np.zeros((60, 80), np.uint8)
    area[5:9, 6:20] = 3
    painted = Strokes(LabelMap.from_array(area), ((3, BLUE),))
    changes = session.changes
    session.change(Steering(hints=(painted, Hint(2, 3, GINGER))))
    desk.settle()
    assert session.changes == changes + 1
    assert layers.strokes is not None
    assert layers.points is not None
    assert (layers.strokes.data > 0).sum() == 4 * 14
    click(desk, layers.points, 40, 40)
    assert [type(hint) for hint in session.hints] == [Hint, Hint, Strokes]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_strokes_lie_on_the_picture(desk: Desk, geometry: dict[str, Any]) -> None:
    """Strokes lie where the picture lies, and are read where it lies when it is moved."""
    session, layers = desk.steer(flat(), **geometry)
    strokes = layers.add_strokes()
    np.testing.assert_allclose(
        strokes.data_to_world((12, 34)), session.layer.data_to_world((12, 34))
    )
    strokes.data[20:30, 40:50] = 1
    strokes.refresh()
    desk.settle()
    assert session.hints[0].areas.to_array()[20:30, 40:50].all()
    strokes.affine = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    strokes.rotate, strokes.shear = 0, [0]
    strokes.scale, strokes.translate = (1, 1), session.layer.data_to_world((2, 3))
    desk.settle()
    painted = np.zeros((60, 80), bool)
    for y, x in np.ndindex(60, 80):
        there = np.round(strokes.world_to_data(session.layer.data_to_world((y, x)))).astype(int)
        if (there >= 0).all() and (there < (60, 80)).all():
            painted[y, x] = strokes.data[tuple(there)] > 0
    found = session.hints[0].areas.to_array() if session.hints else np.zeros((60, 80))
    assert (found > 0).sum() == pytest.approx(painted.sum(), rel=0.02, abs=3)
    assert ((found > 0) == painted).mean() > 0.99


def test_strokes_go_along_with_their_picture(desk: Desk) -> None:
    """Who calibrates a picture later keeps his strokes where they are in it."""
    session, layers = desk.steer(flat(), scale=(2, 2))
    strokes = layers.add_strokes()
    strokes.data[20:30, 40:50] = 1
    strokes.refresh()
    desk.settle()
    before = session.hints
    session.layer.scale, session.layer.translate = (0.5, 0.25), (7, -3)
    desk.settle()
    assert session.hints == before
    np.testing.assert_allclose(
        strokes.data_to_world((12, 34)), session.layer.data_to_world((12, 34))
    )


def test_strokes_of_a_stack(desk: Desk) -> None:
    """Each plane has its own strokes, in one layer."""
    session, layers = desk.steer(np.full((4, 60, 80), 90, np.uint8))
    session.move(0, 0, 0)
    strokes = layers.add_strokes()
    strokes.paint((10, 20), 1)
    session.move(2, 0, 0)
    assert not strokes.data.any()
    assert list(layers.elsewhere) == [(0, 0, 0)]
    strokes.paint((40, 50), 1)
    desk.settle()
    assert session.hints[0].areas.to_array()[40, 50] == 1
    session.move(0, 0, 0)
    assert strokes.data[10, 20] == 1
    assert strokes.data[40, 50] == 0
    assert session.hints[0].areas.to_array()[10, 20] == 1
