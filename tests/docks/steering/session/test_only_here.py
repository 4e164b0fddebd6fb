"""Only here: a layer of labels limits what changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.docks.layers import Source
from napari_colorize.docks.steering.session.region import Painted
from napari_colorize.errors import PictureError

GREY = (np.arange(300 * 400) % 200).astype(np.uint8).reshape(300, 400)
GINGER = Hint(50, 60, (200, 120, 40), 10)


def painted(shape: tuple[int, ...] = (300, 400)) -> np.ndarray:
    """Return labels in the upper left corner, of two kinds."""
    labels = np.zeros(shape, np.uint8)
    labels[..., :100, :150] = 1
    labels[..., :100, 100:150] = 7
    return labels


def source_of(layer: Image, place: tuple[int, ...] | None = None) -> Source:
    """Return what a session takes of a layer: its last two axes."""
    axes = (layer.ndim - 2, layer.ndim - 1)
    return Source(layer, layer.data, False, (0, 255), axes, place, {})


def limited(desk, session, layer) -> None:
    """Limit a session to a layer, and wait until it is so."""
    before = session.steering.region
    session.limit_to(layer)
    desk.wait(lambda: session.steering.region is not before)
    desk.settle(session)


def test_outside_not_one_pixel_moves(steering_desk, viewer):
    """Changes hold inside; None lets them hold everywhere; both can be undone."""
    session = steering_desk.begin(viewer.add_image(GREY))
    session.change(Steering(vividness=0.1))
    steering_desk.settle(session)
    before = session.result.data.copy()
    labels = viewer.add_labels(painted())
    limited(steering_desk, session, labels)
    assert session.region_layer == labels
    np.testing.assert_array_equal(session.result.data, before)
    session.change(replace(session.steering, vividness=1.0, hints=(Hint(200, 300, (9, 9, 9)),)))
    steering_desk.settle(session)
    moved = (session.result.data != before).any(axis=-1)
    np.testing.assert_array_equal(moved, painted() > 0)
    session.limit_to(None)
    steering_desk.settle(session)
    assert session.region_layer is None
    assert (session.result.data[..., 0] != before[..., 0]).all()
    session.undo()
    steering_desk.settle(session)
    assert session.region_layer is None
    np.testing.assert_array_equal((session.result.data != before).any(axis=-1), painted() > 0)


def test_coarse_picture_moves_nothing_outside_either(steering_desk, viewer, steering_stand):
    """Not even for the moment before the whole is drawn."""
    large = np.full((1600, 1600), 100, np.uint8)
    session = steering_desk.begin(viewer.add_image(large))
    area = np.zeros((1600, 1600), np.uint8)
    area[301:777, 101:999] = 1
    limited(steering_desk, session, viewer.add_labels(area))
    before = session.result.data.copy()
    steering_stand.open.clear()
    session.change(replace(session.steering, vividness=1.0))
    steering_desk.wait(lambda: steering_stand.waiting)
    steering_desk.wait(lambda: session.result.data[500, 500, 0] == 200)
    assert steering_stand.drawn[-2][1].step > 1
    moved = (session.result.data != before).any(axis=-1)
    assert moved.sum() > 0.9 * (area > 0).sum()
    assert not moved[area == 0].any()
    steering_stand.open.set()
    steering_desk.settle(session)


def test_later_painting_is_followed(steering_desk, viewer):
    """More paint is more area, an undone stroke is less."""
    session = steering_desk.begin(viewer.add_image(GREY))
    labels = viewer.add_labels(np.zeros((300, 400), np.uint8))
    notes = steering_desk.heard(session.noted)
    limited(steering_desk, session, labels)
    assert notes == [("Paint in 'Labels' where changes are to hold.",)]
    session.change(replace(session.steering, vividness=1.0))
    steering_desk.settle(session)
    np.testing.assert_array_equal(session.result.data[..., 0], GREY)
    empty = session.steering.region
    labels.data = painted()
    steering_desk.wait(lambda: session.steering.region != empty)
    steering_desk.settle(session)
    np.testing.assert_array_equal(session.result.data[..., 0] != GREY, painted() > 0)
    labels.brush_size = 10
    labels.paint((200, 200), 3)
    steering_desk.wait(lambda: session.steering.region.to_array()[200, 200] == 1)


def test_undone_limit_comes_back_with_its_layer(steering_desk, viewer):
    """Undo lifts it, redo brings it back and follows the layer again."""
    session = steering_desk.begin(viewer.add_image(GREY))
    labels = viewer.add_labels(painted())
    limited(steering_desk, session, labels)
    told = []
    session.changed.connect(lambda _: told.append(session.region_layer))
    session.undo()
    assert session.steering == Steering()
    assert session.region_layer is None
    session.redo()
    assert told == [None, labels]
    assert session.region_layer == labels
    assert session.steering.region is not None


def test_removed_layer_leaves_its_area(steering_desk, viewer):
    """Nothing changes outside because a layer was deleted."""
    session = steering_desk.begin(viewer.add_image(GREY))
    labels = viewer.add_labels(painted(), name="face")
    limited(steering_desk, session, labels)
    notes = steering_desk.heard(session.noted)
    viewer.layers.remove(labels)
    assert notes == [("'face' was removed; its area still limits the changes.",)]
    assert session.region_layer is None
    assert session.steering.region is not None


def test_layer_of_too_many_axes_is_refused(steering_desk, viewer):
    """The reason is told and nothing is limited."""
    session = steering_desk.begin(viewer.add_image(GREY))
    failures = steering_desk.heard(session.failed)
    session.limit_to(viewer.add_labels(painted((2, 300, 400)), name="deep"))
    steering_desk.wait(lambda: bool(failures))
    assert failures[0][0].startswith("'deep' has 3 axes and the picture 2")
    assert session.steering == Steering()
    assert session.region_layer is None


def test_layer_that_is_refused_leaves_the_one_before(steering_desk, viewer):
    """It goes on limiting, and what is painted in it later is followed."""
    session = steering_desk.begin(viewer.add_image(GREY))
    labels = viewer.add_labels(painted())
    limited(steering_desk, session, labels)
    failures = steering_desk.heard(session.failed)
    session.limit_to(viewer.add_labels(painted((2, 300, 400)), name="deep"))
    assert failures
    assert session.region_layer == labels
    labels.brush_size = 10
    labels.paint((200, 200), 3)
    steering_desk.wait(lambda: session.steering.region.to_array()[200, 200] == 1)


def test_labels_of_half_the_resolution():
    """Scale and translation are minded: the nearest label counts."""
    picture = Image(np.zeros((6, 8), np.uint8), scale=(2, 2), translate=(10, 20))
    labels = Labels(np.array([[0, 3], [1, 0]], np.uint8), scale=(4, 4), translate=(11, 21))
    region = Painted.of(labels, source_of(picture)).region().to_array()
    expected = np.zeros((6, 8), int)
    expected[0:2, 2:4] = 1
    expected[2:4, 0:2] = 1
    np.testing.assert_array_equal(region, expected)


def test_turned_labels():
    """A layer on its side is read along its side."""
    picture = Image(np.zeros((4, 4), np.uint8))
    labels = Labels(np.eye(4, k=1, dtype=np.uint8), rotate=90, translate=(3, 0))
    region = Painted.of(labels, source_of(picture)).region().to_array()
    world = [labels.world_to_data((y, x)) for y in range(4) for x in range(4)]
    expected = []
    for y, x in (np.round(place).astype(int) for place in world):
        is_in = 0 <= y < 4 and 0 <= x < 4
        expected.append(int(is_in and labels.data[y, x] > 0))
    np.testing.assert_array_equal(region.ravel(), expected)
    assert region.sum() == 3


@pytest.mark.parametrize("flat", [False, True])
def test_plane_of_a_stack_of_labels(flat):
    """The labels of the plane in view count; a flat layer holds for all planes."""
    picture = Image(np.zeros((5, 6, 8), np.uint8))
    labels = np.zeros((5, 6, 8), np.uint8)
    labels[2, 1:3, 4:6] = 1
    layer = Labels(labels[2] if flat else labels)
    region = Painted.of(layer, source_of(picture, (2, 0, 0))).region().to_array()
    np.testing.assert_array_equal(region, labels[2])
    other = Painted.of(layer, source_of(picture, (4, 0, 0))).region().to_array()
    np.testing.assert_array_equal(other, labels[2] if flat else labels[4])


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")  # napari's own
def test_labels_across_the_picture_are_refused():
    """A layer that is turned out of the plane says what to do."""
    picture = Image(np.zeros((5, 6, 8), np.uint8))
    labels = Labels(np.ones((5, 6, 8), np.uint8), rotate=(0, 30, 0))
    with pytest.raises(PictureError, match="lies across the picture"):
        Painted.of(labels, source_of(picture, (2, 0, 0)))
