"""Hints of a session and points of napari, in the real viewer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hint_desk import BLUE, GEOMETRIES, GINGER, Desk, click, flat

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering


def test_click_makes_a_hint(desk: Desk) -> None:
    """A point is a hint of the colour that was chosen, where it lies; the layer is in add mode."""
    session, layers = desk.steer(flat())
    layers.set_color(GINGER)
    points = layers.add_points()
    assert points.name == "cat [hints]"
    assert (points.mode, points.ndim, points.current_size) == ("add", 2, 6)
    assert desk.viewer.layers.selection.active == points
    click(desk, points, 10, 20)
    assert session.hints == [Hint(10, 20, GINGER, 6)]
    assert session.changes == 1


def test_next_color_leaves_what_was_added(desk: Desk) -> None:
    """Ginger, click, blue, click: one of each."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    for color, place in ((GINGER, (10, 20)), (BLUE, (40, 50))):
        layers.set_color(color)
        click(desk, points, *place)
    assert [hint.color for hint in session.hints] == [GINGER, BLUE]


def test_first_color_after_the_click(desk: Desk) -> None:
    """Who clicks first and then chooses a colour means the point."""
    session, layers = desk.steer(flat())
    click(desk, layers.add_points(), 10, 20)
    layers.set_color(BLUE)
    desk.settle()
    assert [hint.color for hint in session.hints] == [BLUE]


def test_recolor_takes_the_last(desk: Desk) -> None:
    """A suggestion that is taken goes to the hint that was added last."""
    session, layers = desk.steer(flat())
    layers.set_color(GINGER)
    points = layers.add_points()
    click(desk, points, 10, 20)
    click(desk, points, 30, 40)
    layers.recolor(BLUE)
    desk.settle()
    assert [hint.color for hint in session.hints] == [GINGER, BLUE]
    assert layers.color == BLUE


def test_selected_points(desk: Desk) -> None:
    """Colour and size act on selected points, with our commands and with napari's own."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    points.data = [[5, 5], [15, 15], [25, 25]]
    points.mode = "select"
    points.selected_data = {1}
    layers.set_color(BLUE)
    layers.set_size(14)
    desk.settle()
    assert session.hints[1] == Hint(15, 15, BLUE, 14)
    assert session.hints[0].size == 6
    points.selected_data = {2}
    points.current_face_color = "red"
    points.current_size = 9
    desk.settle()
    assert session.hints[2] == Hint(25, 25, (255, 0, 0), 9)
    points.face_color = "lime"
    desk.settle()
    assert {hint.color for hint in session.hints} == {(0, 255, 0)}


def test_move_delete_hide(desk: Desk) -> None:
    """Moving, deleting and hiding points is followed; many at once are one change."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    before = session.changes
    for place in ((5, 5), (15, 15), (25, 25)):
        points.add(place)
    desk.settle()
    assert session.changes == before + 1
    data = points.data.copy()
    data[0] = (8, 9)
    points.data = data
    desk.settle()
    assert (session.hints[0].y, session.hints[0].x) == (8, 9)
    points.shown = [True, False, True]
    desk.settle()
    assert [hint.y for hint in session.hints] == [8, 25]
    points.selected_data = {2}
    points.remove_selected()
    desk.settle()
    assert [hint.y for hint in session.hints] == [8]
    points.visible = False
    desk.settle()
    assert len(session.hints) == 1


def test_undo_and_redo_reach_the_points(desk: Desk) -> None:
    """What the session takes back is taken back in the layer, without a loop."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    click(desk, points, 5, 5)
    click(desk, points, 20, 20)
    points.selected_data = {0}
    points.remove_selected()
    desk.settle()
    assert len(points.data) == 1
    changes = session.changes
    session.undo()
    desk.settle()
    np.testing.assert_allclose(points.data, [[5, 5], [20, 20]])
    session.undo()
    desk.settle()
    np.testing.assert_allclose(points.data, [[5, 5]])
    session.undo()
    desk.settle()
    assert len(points.data) == 0
    assert session.changes == changes


def test_deleted_layer_comes_back(desk: Desk) -> None:
    """With the layer its hints go; an undo brings both back."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    click(desk, points, 5, 5)
    desk.viewer.layers.remove(points)
    desk.settle()
    assert session.hints == []
    assert layers.points is None
    session.undo()
    desk.settle()
    assert layers.points is not None
    np.testing.assert_allclose(layers.points.data, [[5, 5]])
    assert session.hints == [Hint(5, 5, layers.color, 6)]


def test_deleting_all_layers_deletes_no_hint(desk: Desk) -> None:
    """When the picture goes as well, its hints are not unwanted."""
    session, layers = desk.steer(flat())
    click(desk, layers.add_points(), 5, 5)
    desk.viewer.layers.clear()
    desk.settle()
    assert len(session.hints) == len(layers.hints) == 1


def test_nothing_is_lost_between_click_and_close(desk: Desk) -> None:
    """A point that was added in the turn in which the viewer is closed is a hint."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    points.add([5, 5])
    desk.viewer.layers.clear()
    layers.close()
    assert len(session.hints) == 1


def test_hidden_point_comes_back_by_undo(desk: Desk) -> None:
    """Undoing that a point was hidden shows it, and makes no second one."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    click(desk, points, 5, 5)
    points.shown = False
    desk.settle()
    assert session.hints == []
    session.undo()
    desk.settle()
    assert points.shown.tolist() == [True]
    assert len(session.hints) == 1


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_geometry(desk: Desk, geometry: dict[str, Any]) -> None:
    """Points lie on the picture, however that lies; a layer that is moved carries them along."""
    session, layers = desk.steer(flat(), **geometry)
    points = layers.add_points()
    picture = session.layer
    points.add(points.world_to_data(picture.data_to_world((12, 34))))
    desk.settle()
    assert (session.hints[0].y, session.hints[0].x) == pytest.approx((12, 34), abs=1e-3)
    points.translate = np.asarray(points.translate) + 1.5
    desk.settle()
    expected = picture.world_to_data(points.data_to_world(points.data[0]))
    assert (session.hints[0].y, session.hints[0].x) == pytest.approx(tuple(expected), abs=1e-3)
    picture.scale = np.asarray(picture.scale) * 1.1
    desk.settle()
    expected = picture.world_to_data(points.data_to_world(points.data[0]))
    assert (session.hints[0].y, session.hints[0].x) == pytest.approx(tuple(expected), abs=1e-3)
    session.change(replace(session.steering, hints=(Hint(3, 4, BLUE, 8),)))
    desk.settle()
    assert session.hints == [Hint(3, 4, BLUE, 8)]
    back = picture.world_to_data(points.data_to_world(points.data[0]))
    np.testing.assert_allclose(back, (3, 4), atol=1e-6)


def test_points_go_along_with_their_picture(desk: Desk) -> None:
    """Who calibrates a picture later keeps his hints where they are in it."""
    session, layers = desk.steer(flat(), scale=(2, 2), rotate=30)
    points = layers.add_points()
    points.add(points.world_to_data(session.layer.data_to_world((12, 34))))
    desk.settle()
    session.layer.scale, session.layer.translate = (0.5, 0.5), (7, -3)
    session.layer.rotate = 0
    desk.settle()
    assert (session.hints[0].y, session.hints[0].x) == pytest.approx((12, 34), abs=1e-3)
    np.testing.assert_allclose(points.data_to_world(points.data[0]), (13, 14), atol=1e-6)


def test_bad_points(desk: Desk) -> None:
    """Points outside are left out and told; two on one pixel and thousands are no trouble."""
    session, layers = desk.steer(flat())
    told: list[str] = []
    layers.problem_changed.connect(told.append)
    points = layers.add_points()
    points.data = [[5, 5], [5, 5], [-3, 7], [70, 7]]
    desk.settle()
    assert len(session.hints) == 2
    assert told == ["2 hints lie outside the picture and are not used: move or delete them."]
    points.data = [[5, 5]]
    desk.settle()
    assert told[-1] == ""
    points.data = np.random.default_rng(0).uniform(0, 59, (3000, 2))
    desk.settle()
    assert len(session.hints) == 3000


def test_stack(desk: Desk) -> None:
    """Only points on the plane in view are hints; the others are kept and come in their turn."""
    session, layers = desk.steer(np.full((4, 60, 80), 90, np.uint8))
    session.move(1, 0, 0)
    layers.set_color(GINGER)
    points = layers.add_points()
    assert points.ndim == 3
    points.add([1, 10, 20])
    points.add([3, 30, 40])
    desk.settle()
    assert [hint.y for hint in session.hints] == [10]
    assert layers.elsewhere == {(3, 0, 0): (Hint(30, 40, GINGER, 6),)}
    session.move(3, 0, 0)
    desk.settle()
    assert session.hints == [Hint(30, 40, GINGER, 6)]
    assert list(layers.elsewhere) == [(1, 0, 0)]
    session.move(0, 0, 0)
    desk.settle()
    assert session.hints == []
    assert set(layers.elsewhere) == {(1, 0, 0), (3, 0, 0)}
    session.change(Steering(hints=(Hint(6, 7, BLUE),)))
    desk.settle()
    assert len(points.data) == 3


def test_deleted_layer_of_a_stack_comes_back_whole(desk: Desk) -> None:
    """The hints of other planes come back too."""
    session, layers = desk.steer(np.full((3, 60, 80), 90, np.uint8))
    session.move(0, 0, 0)
    points = layers.add_points()
    points.add([0, 10, 20])
    points.add([2, 30, 40])
    desk.settle()
    desk.viewer.layers.remove(points)
    desk.settle()
    assert layers.elsewhere == {}
    session.undo()
    desk.settle()
    assert list(layers.elsewhere) == [(2, 0, 0)]
    assert len(session.hints) == 1


def test_place_chosen(desk: Desk) -> None:
    """The place of a hint is told when it is added, selected or dragged."""
    session, layers = desk.steer(flat(), scale=(2, 2))
    told: list[tuple[float, float]] = []
    layers.place_chosen.connect(lambda y, x: told.append((y, x)))
    points = layers.add_points()
    click(desk, points, 5, 6)
    click(desk, points, 20, 21)
    assert told == [(5, 6), (20, 21)]
    points.mode = "select"
    points.selected_data = {0}
    desk.settle()
    assert told[-1] == layers.chosen == (5, 6)
    assert [(hint.y, hint.x) for hint in layers.hints_but(5, 6)] == [(20, 21)]
    assert len(layers.hints_but(0, 0)) == len(session.hints)


def test_layers_are_taken_up_again(desk: Desk) -> None:
    """A session that ends leaves its layers; the next one of the picture goes on with them."""
    session, layers = desk.steer(flat())
    click(desk, layers.add_points(), 5, 5)
    layers.add_strokes().paint((30, 40), 1)
    session.end()
    layers.close()
    assert len(layers.hints) == 2
    session, layers = desk.steer_layer(session.layer)
    assert len(session.hints) == 2
    assert len(desk.viewer.layers) == 3
    assert session.before == []


def test_closed_layers_are_let_go(desk: Desk) -> None:
    """After the end nothing that happens in the layers is heard any more."""
    session, layers = desk.steer(flat())
    points = layers.add_points()
    layers.close()
    changes = session.changes
    click(desk, points, 5, 5)
    assert session.changes == changes


def test_color_follows_napari(desk: Desk) -> None:
    """The colour that is chosen in napari's own controls is told."""
    _, layers = desk.steer(flat())
    told: list[Any] = []
    points = layers.add_points()
    layers.color_changed.connect(told.append)
    points.current_face_color = "#102030"
    desk.settle()
    assert told == [(16, 32, 48)]
    strokes = layers.add_strokes()
    assert strokes.colormap.map(strokes.selected_label)[:3] * 255 == pytest.approx((16, 32, 48))
