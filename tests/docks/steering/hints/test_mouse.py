"""A person at work with the mouse: clicks on the canvas are hints, and the colours follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtTest import QTest
from skimage import data
from skimage.color import rgb2lab

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.docks.steering.hints.hint_layers import HintLayers
from napari_colorize.docks.steering.opening import open_steer_dock
from napari_colorize.docks.steering.session.session import Session

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

RED = (200.0, 40.0, 40.0)
PATIENCE = 120_000
COAT = (110.0, 110.0)  # of the camera man, in a picture of half the size


@pytest.fixture
def viewer(make_napari_viewer_proxy: Any) -> Any:
    """Return a viewer with its window, which is needed here."""
    return make_napari_viewer_proxy()


def test_click_on_the_coat_turns_it_red(viewer: Any, qtbot: QtBot) -> None:
    """The coat takes the hue that was chosen, the sky far less; the lightness stays."""
    picture = viewer.add_image(data.camera()[::2, ::2], name="camera")
    window = viewer.window.main_menu.window()
    window.resize(1000, 700)
    window.show()
    session = Session(viewer, picture)
    layers = HintLayers(viewer, session)
    trusts: list[Any] = []
    session.trusted.connect(lambda trust, fitted: trusts.append(trust))
    settle(qtbot, session)
    before = rgb2lab(session.result.data)
    layers.set_color(RED)
    layers.add_points()
    canvas = window.findChild(QOpenGLWidget)
    QTest.mouseMove(canvas, place(viewer, canvas, COAT))
    with qtbot.waitSignal(session.changed, timeout=PATIENCE):
        QTest.mouseClick(
            canvas, Qt.MouseButton.LeftButton, pos=place(viewer, canvas, COAT), delay=5
        )
    settle(qtbot, session)
    (hint,) = session.steering.hints
    assert np.hypot(hint.y - COAT[0], hint.x - COAT[1]) < 1.5
    assert hint.color == RED
    after = rgb2lab(session.result.data)
    moved = np.hypot(*np.moveaxis(after[..., 1:] - before[..., 1:], -1, 0))
    assert moved[104:116, 104:116].mean() > 10
    assert after[104:116, 104:116, 1].mean() > 5
    assert moved[10:40, 10:60].mean() < moved[104:116, 104:116].mean() * 0.2
    assert np.abs(after[..., 0] - before[..., 0]).mean() < 0.5
    assert trusts[-1].mean < 0.3
    assert trusts[-1].largest < 2
    layers.close()
    session.close()


def test_keys_on_the_canvas(viewer: Any, qtbot: QtBot) -> None:
    """Those of napari go on working beside the dock; Ctrl+Z takes a change back."""
    picture = viewer.add_image(np.full((60, 80), 120, np.uint8), name="wall")
    window = viewer.window.main_menu.window()
    window.show()
    dock = open_steer_dock(viewer)
    dock.start.click()
    session = dock.steered.session
    settle(qtbot, session)
    session.change(Steering(hints=(Hint(30, 40, RED),)))
    viewer.layers.selection.active = picture
    canvas = window.findChild(QOpenGLWidget)
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_V)
    assert not picture.visible
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.steering == Steering()
    viewer.layers.selection.active = dock.steered.hint_layers.add_points()
    QTest.keyClick(canvas, Qt.Key.Key_3)
    assert dock.steered.hint_layers.points.mode == "select"
    dock.stop()


def place(viewer: Any, canvas: QOpenGLWidget, spot: tuple[float, float]) -> QPoint:
    """Return where on the canvas a spot of the world is."""
    camera = viewer.scene.camera
    (_, y, x), zoom = camera.center, camera.zoom
    down, across = (spot[0] - y) * zoom, (spot[1] - x) * zoom
    return QPoint(round(canvas.width() / 2 + across), round(canvas.height() / 2 + down))


def settle(qtbot: QtBot, session: Session) -> None:
    """Wait until all is on screen."""
    qtbot.waitUntil(lambda: not session.is_busy, timeout=PATIENCE)
    qtbot.wait(30)
