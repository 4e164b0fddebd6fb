"""What has to come about whatever happens meanwhile: saving, and a region that came back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_colorize.color.steering import Steering
from napari_colorize.color.strokes import LabelMap

GREY = (np.arange(60 * 80) % 200).astype(np.uint8).reshape(60, 80)
STACK = np.stack([GREY // 2, GREY])


def test_kept_question_is_answered_from_the_plane_it_was_asked_of(
    steering_desk, viewer, steering_stand
):
    """Though the slider has moved, and though the session is closed behind it."""
    layer = viewer.add_image(STACK, contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 0)
    session = steering_desk.begin(layer)
    answers: list[object] = []
    seen: list[object] = []

    def work(colorizer):
        seen.append(colorizer.image.copy())
        return len(seen)

    steering_stand.open.clear()
    session.change(Steering(vividness=1))
    steering_desk.wait(lambda: steering_stand.waiting)
    session.ask(work, answers.append, kept=True)
    session.ask(work, answers.append)
    viewer.dims.set_current_step(0, 1)
    steering_stand.open.set()
    steering_desk.settle(session)
    assert answers == [1]
    np.testing.assert_array_equal(seen[0], STACK[0])
    np.testing.assert_array_equal(session.result.data[..., 1], STACK[1])
    session.ask(work, answers.append, kept=True)
    session.close()
    steering_desk.settle(session)
    np.testing.assert_array_equal(seen[1], STACK[1])
    assert steering_stand.closed == 1


def test_region_that_comes_back_has_a_layer(steering_desk, viewer):
    """It lies above the result, limits as it did, and more paint in it is more area."""
    session = steering_desk.begin(viewer.add_image(GREY, name="cat"))
    inside = np.zeros((60, 80), bool)
    inside[:20, :30] = True
    kept = Steering(vividness=1.0, region=LabelMap.from_array(inside), outside=Steering())
    session.change(kept, undoable=False)
    assert [layer.name for layer in viewer.layers] == [
        "cat",
        "cat [colorized]",
        "cat [only here]",
    ]
    layer = session.region_layer
    np.testing.assert_array_equal(layer.data > 0, inside)
    steering_desk.settle(session)
    np.testing.assert_array_equal(session.result.data[..., 0] > GREY, inside)
    layer.data = np.ones((60, 80), np.uint8)
    steering_desk.wait(lambda: session.steering.region.to_array().all())
    viewer.layers.remove(layer)
    session.change(replace(session.steering, vividness=0.5), undoable=False)
    assert session.region_layer is None
    steering_desk.settle(session)
    session.close()
    again = steering_desk.begin(session.layer)
    assert again.region_layer == viewer.layers["cat [only here]"]


def test_window_closed_by_its_cross(steering_desk, viewer, steering_stand):
    """An idle session without a dock lets go of the network; the layers are still there."""
    session = steering_desk.begin(viewer.add_image(GREY))
    ends = steering_desk.heard(session.ended)
    viewer.window.main_menu.destroyed.emit()  # as it goes with its window
    assert ends == [()]
    assert steering_stand.closed == 1
    session.change(Steering(vividness=1))
    assert not session.is_busy
