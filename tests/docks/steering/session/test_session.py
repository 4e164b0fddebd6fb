"""A session of steering at work in napari's real window, over a stand-in for the network."""

from __future__ import annotations

import threading
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.docks.layers import RECORD
from napari_colorize.docks.steering.session import live
from napari_colorize.docks.steering.session.session import Session
from napari_colorize.errors import PictureError

GREY = (np.arange(300 * 400) % 200).astype(np.uint8).reshape(300, 400)
LARGE = np.full((1600, 1600), 100, np.uint8)  # larger than the window
STACK = np.stack([GREY + n for n in range(5)])
GINGER = Hint(50, 60, (200, 120, 40), 10)
BLUE = Hint(200, 300, (30, 60, 200), 10)


def test_colours_come_at_once_and_follow_a_hint(steering_desk, viewer, steering_stand):
    """The first picture is the network's own; a hint changes what it is about and nothing else."""
    cat = viewer.add_image(GREY, name="cat", scale=(2, 3), translate=(5, 6), rotate=30)
    session = steering_desk.begin(cat)
    result = session.result
    assert result == viewer.layers["cat [colorized]"]
    np.testing.assert_array_equal(result.data[..., 1], GREY)
    np.testing.assert_allclose(result.data_to_world((7, 9)), cat.data_to_world((7, 9)))
    session.change(Steering(hints=(GINGER,)))
    steering_desk.settle(session)
    assert session.result == result
    expected = np.stack([GREY] * 3, axis=-1)
    expected[45:55, 55:65] = GINGER.color
    np.testing.assert_array_equal(result.data, expected)
    assert steering_stand.opened == 1
    assert (session.model_name, session.card["hash"]) == ("stand-in", "cd" * 32)


def test_record_tells_what_made_the_result(steering_desk, viewer):
    """Model, hash, steering and version are in the layer's metadata, as they are now."""
    session = steering_desk.begin(viewer.add_image(GREY, name="cat"))
    session.change(Steering(vividness=0.5))
    session.change(Steering(vividness=0.7))
    steering_desk.settle(session)
    record = session.result.metadata[RECORD]
    assert (record["model"], record["hash"], record["source"]) == ("stand-in", "cd" * 32, "cat")
    assert record["steering"]["vividness"] == 0.7
    assert record["version"]


def test_signals_come_in_their_order(steering_desk, viewer):
    """Ready, then the colours, then how far they can be trusted."""
    session = steering_desk.begin(viewer.add_image(GREY), settled=False)
    told: list[str] = []
    session.ready.connect(lambda: told.append("ready"))
    session.rendered.connect(lambda rendered: told.append(f"rendered {rendered.fitted}"))
    session.trusted.connect(lambda trust, fitted: told.append(f"trusted {trust.mean} {fitted}"))
    session.changed.connect(lambda steering: told.append(f"changed {steering.vividness}"))
    assert not session.is_ready
    steering_desk.settle(session)
    assert told == ["ready", "rendered 0.25", "trusted 0.1 0.25"]
    assert session.is_ready
    session.change(Steering(vividness=0.5))
    steering_desk.settle(session)
    assert told[3:] == ["changed 0.5", "rendered 0.25", "trusted 0.1 0.25"]


def test_canvas_comes_first_and_keeps_the_shape(steering_desk, viewer, steering_stand):
    """What is on screen is drawn coarsely before the whole; the rest is of the last picture."""
    session = steering_desk.begin(viewer.add_image(LARGE))
    steering_desk.wait(lambda: session.result.corner_pixels[1].max() > 0)
    steering_stand.open.clear()
    session.change(Steering(hints=(Hint(800, 800, (200, 0, 0), 400),)))
    steering_desk.wait(lambda: steering_stand.waiting)
    steering_desk.wait(lambda: session.result.data[800, 800, 0] == 200)
    window = steering_stand.drawn[-2][1]
    assert window.step > 1
    assert session.result.data.shape == (1600, 1600, 3)
    steering_stand.open.set()
    steering_desk.settle(session)
    assert steering_stand.drawn[-1][1] is None


def test_window_waits_for_its_colours_once(steering_desk, viewer, steering_stand, monkeypatch):
    """A change is on screen when the window is painted next; a second one waits its turn."""
    monkeypatch.setattr(live, "HEAD_START", 20)
    session = steering_desk.begin(viewer.add_image(LARGE))
    steering_desk.wait(lambda: session.result.corner_pixels[1].max() > 0)
    steering_stand.open.clear()
    session.change(Steering(hints=(Hint(800, 800, (200, 0, 0), 400),)))
    assert session.result.data[800, 800, 0] == 200
    session.change(Steering(hints=(Hint(800, 800, (90, 0, 0), 400),)))
    assert session.result.data[800, 800, 0] == 200
    steering_desk.wait(lambda: session.result.data[800, 800, 0] == 90)
    steering_stand.open.set()
    steering_desk.settle(session)


def test_window_waits_but_a_moment(steering_desk, viewer, steering_stand, monkeypatch):
    """What takes longer comes later, and nothing stands still until then."""
    monkeypatch.setattr(live, "HEAD_START", 0.01)
    session = steering_desk.begin(viewer.add_image(LARGE))
    answers, goes_on = [], threading.Event()
    session.ask(lambda _: goes_on.wait(20), answers.append)
    session.change(Steering(vividness=0.5))
    assert not answers
    assert session.result.data[0, 0, 0] == 100
    goes_on.set()
    steering_desk.settle(session)
    assert (session.result.data[..., 0] == 150).all()


def test_only_what_is_in_view_is_drawn_first(steering_desk, viewer, steering_stand):
    """Zoomed in, the part in view comes at full resolution, and nothing else changes yet."""
    viewer.window.show()
    session = steering_desk.begin(viewer.add_image(GREY))
    viewer.scene.camera.center = (0, 150, 200)
    viewer.scene.camera.zoom = 20
    steering_desk.wait(lambda: session.result.corner_pixels[0].min() > 10)
    before = session.result.data.copy()
    steering_stand.open.clear()
    session.change(Steering(vividness=1))
    steering_desk.wait(lambda: session.result.data[150, 200, 0] != before[150, 200, 0])
    window = steering_stand.drawn[1][1]
    assert window.step == 1
    changed = (session.result.data != before).any(axis=-1)
    inside = np.zeros(GREY.shape, bool)
    inside[window.top : window.bottom, window.left : window.right] = True
    assert 0 < inside.sum() < inside.size
    np.testing.assert_array_equal(changed, inside)
    steering_stand.open.set()
    steering_desk.settle(session)
    assert (session.result.data[..., 0] > before[..., 0]).all()


def test_last_change_wins_and_older_ones_are_dropped(steering_desk, viewer, steering_stand):
    """Of many quick changes only few are drawn, one at a time, and the last is what is seen."""
    session = steering_desk.begin(viewer.add_image(LARGE))
    steering_stand.open.clear()
    for number in range(100):
        session.change(Steering(vividness=number / 100))
    steering_desk.wait(lambda: steering_stand.waiting)
    session.change(Steering(vividness=0.25))
    steering_desk.wait(lambda: steering_stand.cancelled > 0)
    steering_stand.open.set()
    steering_desk.settle(session)
    assert (session.result.data[..., 0] == 125).all()
    assert len(steering_stand.drawn) < 20
    assert steering_stand.at_once == 1


def test_questions_do_not_wait_for_an_outdated_picture(steering_desk, viewer, steering_stand):
    """A suggestion comes while the whole picture is not yet drawn, and one by one."""
    session = steering_desk.begin(viewer.add_image(LARGE))
    steering_stand.open.clear()
    session.change(Steering(vividness=1))
    steering_desk.wait(lambda: steering_stand.waiting)
    answers: list[object] = []
    session.ask(lambda colorizer: colorizer.suggest(5, 5, 2), answers.append)
    session.change(Steering(vividness=0.5))
    steering_desk.wait(lambda: bool(answers))
    assert not steering_stand.open.is_set()
    assert [suggestion.share for suggestion in answers[0]] == [0.5, 0.25]
    steering_stand.open.set()


def test_failed_question_tells_why(steering_desk, viewer):
    """A question about a place outside gets the sentence, and the session goes on."""
    session = steering_desk.begin(viewer.add_image(GREY))
    reasons: list[str] = []
    answers: list[object] = []
    failures = steering_desk.heard(session.failed)
    session.ask(lambda colorizer: colorizer.suggest(-9, 5), answers.append, reasons.append)
    session.ask(lambda colorizer: colorizer.suggest(-9, 5), answers.append)
    steering_desk.settle(session)
    assert reasons == ["Row -9, column 5 lies outside the picture."]
    assert failures == [(reasons[0],)]
    assert not answers


def test_failure_is_told_and_the_next_change_is_shown(steering_desk, viewer, steering_stand):
    """What cannot be drawn leaves the picture as it was."""
    session = steering_desk.begin(viewer.add_image(GREY))
    failures = steering_desk.heard(session.failed)
    before = session.result.data.copy()
    steering_stand.error = PictureError("Hint 1 lies outside the picture.")
    session.change(Steering(vividness=1))
    steering_desk.settle(session)
    assert failures == [("Hint 1 lies outside the picture.",)]
    np.testing.assert_array_equal(session.result.data, before)
    steering_stand.error = None
    session.change(Steering(vividness=0.5))
    steering_desk.settle(session)
    assert session.result.data[0, 0, 0] == 50


def test_undo_and_redo(steering_desk, viewer):
    """Each change can be taken back and brought again; reset too."""
    session = steering_desk.begin(viewer.add_image(GREY))
    steps = [
        Steering(hints=(GINGER,)),
        Steering(hints=(GINGER, BLUE)),
        Steering(hints=(GINGER, BLUE), vividness=0.5),
    ]
    assert (session.can_undo, session.can_redo) == (False, False)
    for step in steps:
        session.change(step)
    session.reset()
    assert session.steering == Steering()
    for step in reversed(steps):
        session.undo()
        assert session.steering == step
    session.undo()
    assert (session.steering, session.can_undo, session.can_redo) == (Steering(), False, True)
    session.redo()
    steering_desk.settle(session)
    assert tuple(session.result.data[50, 60]) == GINGER.color
    session.change(Steering(vividness=1))
    assert not session.can_redo


def test_change_that_is_no_step(steering_desk, viewer):
    """What comes back by itself is shown and cannot be undone."""
    session = steering_desk.begin(viewer.add_image(GREY))
    session.change(Steering(hints=(GINGER,)), undoable=False)
    steering_desk.settle(session)
    assert not session.can_undo
    assert tuple(session.result.data[50, 60]) == GINGER.color


def test_before_and_after(steering_desk, viewer):
    """The original is seen while the result is hidden; it goes on being drawn."""
    session = steering_desk.begin(viewer.add_image(GREY))
    session.show_original(True)
    assert not session.result.visible
    session.change(Steering(hints=(GINGER,)))
    steering_desk.settle(session)
    assert not session.result.visible
    assert tuple(session.result.data[50, 60]) == GINGER.color
    session.show_original(False)
    assert session.result.visible


def test_before_hides_all_that_was_made_of_the_picture(steering_desk, viewer):
    """Doubt and versions too, but not what was hidden already or is of another picture."""
    session = steering_desk.begin(viewer.add_image(GREY, name="cat"))
    doubt, hidden, other = (
        viewer.add_image(GREY, name=name, metadata={RECORD: {"source": source}})
        for name, source in (("doubt", "cat"), ("versions", "cat"), ("dog's doubt", "dog"))
    )
    hidden.visible = False
    session.show_original(True)
    assert [layer.visible for layer in (doubt, hidden, other)] == [False, False, True]
    session.show_original(False)
    assert [layer.visible for layer in (doubt, hidden, other)] == [True, False, True]


def test_changed_values_are_looked_at_anew(steering_desk, viewer, steering_stand):
    """Contrast limits and data that change are what is coloured."""
    cat = viewer.add_image(GREY, contrast_limits=(0, 255))
    session = steering_desk.begin(cat)
    cat.contrast_limits = (10, 100)
    steering_desk.wait(lambda: len(steering_stand.seen) == 2)
    steering_desk.settle(session)
    assert steering_stand.seen[-1] == ((300, 400), (10, 100))
    cat.data = GREY[:200] // 2
    steering_desk.wait(lambda: len(steering_stand.seen) == 3)
    steering_desk.settle(session)
    np.testing.assert_array_equal(session.result.data[..., 1], GREY[:200] // 2)


@pytest.mark.parametrize("lazy", [False, True])
def test_plane_in_view_of_a_stack(steering_desk, viewer, steering_stand, lazy):
    """Sliders bring the session to another plane, which has hints of its own; one plane is read."""
    read: list[int] = []

    def plane(block: np.ndarray, block_info: object = None) -> np.ndarray:
        read.append(len(block))
        return block

    data = da.from_array(STACK, chunks=(1, 300, 400)).map_blocks(plane, dtype=np.uint8)
    layer = viewer.add_image(data if lazy else STACK, name="film", contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 1)
    session = steering_desk.begin(layer)
    assert session.place == (1, 0, 0)
    assert session.result.data.shape == (300, 400, 3)
    session.change(Steering(hints=(GINGER,), vividness=0.1))
    moves = steering_desk.heard(session.moved)
    viewer.dims.set_current_step(0, 3)
    assert moves == [()]
    assert (session.place, session.steering) == ((3, 0, 0), Steering(vividness=0.1))
    steering_desk.settle(session)
    np.testing.assert_array_equal(session.result.data[..., 1], STACK[3])
    session.change(Steering(hints=(BLUE,), vividness=0.2))
    viewer.dims.set_current_step(0, 1)
    assert session.steering == Steering(hints=(GINGER,), vividness=0.2)
    session.undo()  # what went along is a step here too
    assert session.steering == Steering(hints=(GINGER,), vividness=0.1)
    session.redo()
    steering_desk.settle(session)
    assert len(viewer.layers) == 2
    assert tuple(session.result.data[50, 60]) == GINGER.color
    assert session.result.metadata[RECORD]["settings"]["plane"] == [1, 0, 0]
    assert steering_stand.seen[-1][0] == (300, 400)


def test_quick_sliders_look_at_the_last_plane_only(steering_desk, viewer, steering_stand):
    """Planes that were passed are not waited for, and their questions are dropped."""
    session = steering_desk.begin(viewer.add_image(STACK))
    steering_stand.looking.clear()
    answers: list[object] = []
    for index in (0, 1, 3, 4):
        viewer.dims.set_current_step(0, index)
        session.ask(lambda colorizer: colorizer.image[0, 0], answers.append)
    steering_stand.looking.set()
    steering_desk.settle(session)
    np.testing.assert_array_equal(session.result.data[..., 0], STACK[4])
    assert answers == [STACK[4, 0, 0]]
    assert len(steering_stand.seen) <= 3


def test_other_axes_in_view(steering_desk, viewer):
    """A plane across the stack is steered in a layer of as many axes."""
    session = steering_desk.begin(viewer.add_image(STACK, name="film"))
    viewer.dims.order = (1, 0, 2)
    steering_desk.settle(session)
    assert session.result.data.shape == (5, 1, 400, 3)
    row = session.place[1]
    np.testing.assert_array_equal(session.result.data[:, 0, :, 1], STACK[:, row])
    for order in ((0, 1, 2), (1, 0, 2), (0, 1, 2)):
        viewer.dims.order = order
        steering_desk.settle(session)
    assert len(viewer.layers) == 3  # one result for each


def test_stack_whose_data_become_one_plane(steering_desk, viewer):
    """It is steered as a picture from then on, and tells that it moved."""
    film = viewer.add_image(STACK, name="film")
    session = steering_desk.begin(film)
    moved = []
    session.moved.connect(lambda: moved.append(session.place))
    film.data = STACK[2]
    steering_desk.wait(lambda: bool(moved))
    steering_desk.settle(session)
    assert moved == [None]
    assert session.result.data.shape == (300, 400, 3)


def test_layer_that_cannot_be_coloured_is_refused(viewer, steering_stand):
    """The reason is told before anything is begun."""
    points = viewer.add_points(np.zeros((1, 2)), name="dots")
    with pytest.raises(PictureError, match="'dots' is a Points layer"):
        Session(viewer, points)


def test_adjustments_keep_what_else_is_wanted(steering_desk, viewer):
    """A slider is one change of one value."""
    session = steering_desk.begin(viewer.add_image(GREY))
    session.change(Steering(hints=(GINGER,)))
    session.change(replace(session.steering, adjustments=Adjustments(warmth=1)))
    steering_desk.settle(session)
    assert session.result.data[0, 0, 0] == 20
    assert tuple(session.result.data[50, 60]) == GINGER.color
    assert isinstance(session.result, Image)
