"""The layer that shows the colours: which one is gone on with, and where it lies."""

from __future__ import annotations

import numpy as np

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.docks.layers import RECORD

GREY = (np.arange(300 * 400) % 200).astype(np.uint8).reshape(300, 400)
GINGER = Hint(50, 60, (200, 120, 40), 10)


def test_result_that_is_there_is_gone_on_with(steering_desk, viewer):
    """A new session takes the result of the last one, and what was wanted of it."""
    cat = viewer.add_image(GREY, name="cat")
    first = steering_desk.begin(cat)
    first.change(Steering(hints=(GINGER,), vividness=0.5))
    steering_desk.settle(first)
    result = first.result
    first.close()
    again = steering_desk.begin(cat)
    assert len(viewer.layers) == 2
    assert again.result == result
    assert again.steering == Steering(hints=(GINGER,), vividness=0.5)
    again.close()
    from_result = steering_desk.begin(result)
    assert from_result.layer == cat
    assert from_result.result == result
    assert len(viewer.layers) == 2
    from_result.close()
    cat.name = "tom"
    renamed = steering_desk.begin(cat)
    assert renamed.result == result
    assert len(viewer.layers) == 2


def test_another_picture_of_that_name_gets_a_result_of_its_own(steering_desk, viewer):
    """What was made of one that is gone stays as it is."""
    cat = viewer.add_image(GREY, name="cat")
    first = steering_desk.begin(cat)
    first.change(Steering(hints=(GINGER,)))
    steering_desk.settle(first)
    old, pixels = first.result, first.result.data.copy()
    viewer.layers.remove(cat)
    other = steering_desk.begin(viewer.add_image(GREY[::-1].copy(), name="cat"))
    assert other.result != old
    assert other.steering == Steering()
    np.testing.assert_array_equal(old.data, pixels)
    assert viewer.layers.index(other.result) > viewer.layers.index(other.layer)


def test_result_of_a_file_belongs_to_the_picture_of_its_source_s_name(steering_desk, viewer):
    """There it has no other sign."""
    cat = viewer.add_image(GREY, name="cat")
    metadata = {RECORD: {"source": "cat", "settings": {"plane": None}}}
    colours = np.stack([GREY] * 3, axis=-1)
    result = viewer.add_image(colours, rgb=True, name="out of a file", metadata=metadata)
    assert steering_desk.begin(cat).result == result


def test_result_without_its_picture_is_steered_by_its_own_lightness(steering_desk, viewer):
    """A result whose source is gone is a picture like any other."""
    colours = np.stack([GREY] * 3, axis=-1)
    metadata = {RECORD: {"source": "cat", "settings": {"plane": None}}}
    result = viewer.add_image(colours, rgb=True, name="cat [colorized]", metadata=metadata)
    session = steering_desk.begin(result)
    assert session.layer == result
    assert session.result != result
    np.testing.assert_array_equal(result.data, colours)


def test_new_result_lies_below_the_hints_and_selects_nothing(steering_desk, viewer):
    """Whoever is about to click into a layer of points is not put off it."""
    cat = viewer.add_image(GREY, name="cat")
    points = viewer.add_points(name="hints", ndim=2)
    viewer.layers.selection.active = points
    steering_desk.begin(cat)
    assert [layer.name for layer in viewer.layers] == ["cat", "cat [colorized]", "hints"]
    assert viewer.layers.selection.active == points


def test_result_follows_where_its_picture_lies(steering_desk, viewer):
    """Scale, rotation, shear and affine that change later are taken over."""
    cat = viewer.add_image(GREY)
    session = steering_desk.begin(cat)
    cat.scale = (3, 2)
    cat.translate = (10, 20)
    cat.rotate = 15
    cat.shear = [0.3]
    cat.affine = [[1, 0.1, 4], [0, 1, 5], [0, 0, 1]]
    for place in ((0, 0), (7, 11), (100, 3)):
        np.testing.assert_allclose(session.result.data_to_world(place), cat.data_to_world(place))
