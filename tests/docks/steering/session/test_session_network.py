"""A session over the bundled network gives what the network gives."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.docks.steering.session.session import Session

PATIENCE = 120_000
HINT = Hint(110, 110, (200, 40, 40), 12)  # on the coat of the camera man


@pytest.fixture
def session(viewer, qtbot):
    """Return a session over a small photograph, its colours on screen."""
    grey = data.camera()[::2, ::2]
    session = Session(viewer, viewer.add_image(grey, name="camera"))
    settle(qtbot, session)
    yield session
    session.close()


def settle(qtbot, session) -> None:
    """Wait until all is on screen."""
    qtbot.waitUntil(lambda: not session.is_busy, timeout=PATIENCE)
    qtbot.wait(20)


def test_canvas_and_whole_agree(session, qtbot, viewer):
    """The last of many changes is what a Colorizer by itself gives; questions are answered."""
    from napari_colorize.api import open_colorizer

    wanted = Steering(hints=(HINT,), vividness=0.8, adjustments=Adjustments(hue=90))
    for tenth in range(8):
        session.change(Steering(hints=(HINT,), vividness=tenth / 10))
        qtbot.wait(10)
    session.change(wanted)
    settle(qtbot, session)
    colorizer = open_colorizer()
    colorizer.set_picture(session.layer.data, contrast_limits=(0, 255))
    np.testing.assert_array_equal(session.result.data, colorizer.render(wanted).pixels)
    colorizer.close()
    answers: list[list[object]] = []
    session.ask(lambda colorizer: colorizer.suggest(110, 110, 3), answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=PATIENCE)
    assert 1 <= len(answers[0]) <= 3
