"""What happens to layers and windows while a session is at work."""

from __future__ import annotations

import sys

import numpy as np

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.docks.layers import RECORD
from napari_colorize.errors import ModelError

GREY = (np.arange(300 * 400) % 200).astype(np.uint8).reshape(300, 400)
GINGER = Hint(50, 60, (200, 120, 40), 10)


def test_deleted_result_comes_back_with_the_next_change(steering_desk, viewer, steering_stand):
    """Not before: a person who deletes it does not want to see it at once again."""
    session = steering_desk.begin(viewer.add_image(GREY, name="cat"))
    steering_stand.open.clear()
    session.change(Steering(vividness=0.5))
    notes = steering_desk.heard(session.noted)
    viewer.layers.remove(session.result)
    assert notes == [("The colours were removed: the next change brings them back.",)]
    steering_stand.open.set()
    steering_desk.settle(session)
    assert [layer.name for layer in viewer.layers] == ["cat"]
    assert session.result is None
    session.change(Steering(hints=(GINGER,)))
    steering_desk.settle(session)
    assert [layer.name for layer in viewer.layers] == ["cat", "cat [colorized]"]
    assert tuple(session.result.data[50, 60]) == GINGER.color


def test_deleted_picture_ends_the_session(steering_desk, viewer, steering_stand):
    """It says so, and leaves the result that there is."""
    cat = viewer.add_image(GREY, name="cat")
    session = steering_desk.begin(cat)
    notes, ends = steering_desk.heard(session.noted), steering_desk.heard(session.ended)
    steering_stand.open.clear()
    session.change(Steering(vividness=0.5))
    steering_desk.wait(lambda: steering_stand.waiting)
    viewer.layers.remove(cat)
    assert notes == [("'cat' was removed: its colours are steered no more.",)]
    assert ends == [()]
    assert session.has_ended
    steering_desk.settle(session)
    assert steering_stand.closed == 1
    assert [layer.name for layer in viewer.layers] == ["cat [colorized]"]
    assert session.steering == Steering(vividness=0.5)
    for ended in (session.undo, session.redo, session.reset, session.close):
        ended()
    session.ask(lambda _: 1, lambda _: None)
    session.change(Steering(vividness=1))
    session.limit_to(None)
    assert ends == [()]


def test_names_and_order_do_not_matter(steering_desk, viewer, steering_stand):
    """Layers may be renamed and moved at any moment."""
    cat = viewer.add_image(GREY, name="cat")
    viewer.add_image(GREY, name="dog")
    session = steering_desk.begin(cat)
    result = session.result
    steering_stand.open.clear()
    session.change(Steering(hints=(GINGER,)))
    steering_desk.wait(lambda: steering_stand.waiting)
    cat.name, result.name = "lion", "my lion"
    viewer.layers.move(0, 3)
    viewer.layers.move(1, 0)
    steering_stand.open.set()
    steering_desk.settle(session)
    assert len(viewer.layers) == 3
    assert session.result == result
    assert tuple(result.data[50, 60]) == GINGER.color
    assert result.metadata[RECORD]["source"] == "lion"


def test_other_picture_mid_run(steering_desk, viewer, steering_stand):
    """The session of one picture is closed and that of another begun while it draws."""
    cat, dog = viewer.add_image(GREY, name="cat"), viewer.add_image(GREY // 2, name="dog")
    first = steering_desk.begin(cat)
    steering_stand.open.clear()
    first.change(Steering(hints=(GINGER,)))
    steering_desk.wait(lambda: steering_stand.waiting)
    first.close()
    second = steering_desk.begin(dog, settled=False)
    steering_stand.open.set()
    steering_desk.settle(second)
    steering_desk.settle(first)
    np.testing.assert_array_equal(second.result.data[..., 1], GREY // 2)
    assert steering_stand.closed == 1


def test_closed_while_the_network_looks(steering_desk, viewer, steering_stand):
    """Nothing is sent any more, and the network is let go."""
    steering_stand.looking.clear()
    session = steering_desk.begin(viewer.add_image(GREY), settled=False)
    told = [steering_desk.heard(signal) for signal in (session.ready, session.failed)]
    steering_desk.wait(lambda: steering_stand.waiting)
    session.close()
    steering_desk.settle(session)
    assert told == [[], []]
    assert steering_stand.closed == 1
    assert len(viewer.layers) == 1


def test_viewer_closed_mid_run(steering_desk, viewer, steering_stand):
    """The worker leaves, and nothing touches what is gone."""
    session = steering_desk.begin(viewer.add_image(GREY))
    steering_stand.open.clear()
    session.change(Steering(hints=(GINGER,)))
    steering_desk.wait(lambda: steering_stand.waiting)
    viewer.close()
    steering_desk.settle(session)
    assert steering_stand.closed == 1
    assert session.steering == Steering(hints=(GINGER,))


def test_picture_that_cannot_be_looked_at(steering_desk, viewer, steering_stand, monkeypatch):
    """The reason is told once, questions hear it too, and the next change tries again."""
    api = sys.modules["napari_colorize.api"]
    opening = api.open_colorizer

    def broken(model: str | None = None, device: str = "auto") -> None:
        raise ModelError("The model is broken.")

    monkeypatch.setattr(api, "open_colorizer", broken)
    session = steering_desk.begin(viewer.add_image(GREY), settled=False)
    failures, reasons = steering_desk.heard(session.failed), []
    session.ask(lambda _: 1, reasons.append, reasons.append)
    steering_desk.settle(session)
    assert failures == [("The model is broken.",)]
    assert reasons == ["The model is broken."]
    monkeypatch.setattr(api, "open_colorizer", opening)
    session.change(Steering(hints=(GINGER,)))
    steering_desk.settle(session)
    assert tuple(session.result.data[50, 60]) == GINGER.color
