"""The Doubt panel: a layer of the expected error, its legend, the way to the best place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel
from stand_in_session import StandInSession

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.docks.layers import is_result
from napari_colorize.docks.steering.panels.doubt_panel import DoubtPanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

HINT = Steering(hints=(Hint(5, 5, (200, 0, 0)),))


@pytest.fixture
def session(viewer: Any) -> StandInSession:
    """Return a session of a grey picture that lies somewhere, below a layer of points."""
    layer = viewer.add_image(
        np.zeros((40, 60), np.uint8), name="grey", scale=(2, 3), translate=(100, 50)
    )
    session = StandInSession(viewer, layer)
    session.result = viewer.add_image(np.zeros((40, 60, 3), np.uint8), rgb=True, name="colours")
    viewer.add_points(np.zeros((0, 2)), name="hints")
    return session


@pytest.fixture
def panel(viewer: Any, session: StandInSession, qtbot: QtBot) -> Iterator[DoubtPanel]:
    """Return the panel at work."""
    panel = DoubtPanel(viewer)
    qtbot.addWidget(panel)
    panel.attach(session)
    yield panel
    panel.detach()


def test_doubt_is_a_layer_on_the_picture(
    panel: DoubtPanel, session: StandInSession, viewer: Any
) -> None:
    """It lies between colours and hints, as the picture does, and what is active stays active."""
    panel.show_button.click()
    layer = viewer.layers["grey [doubt]"]
    assert [one.name for one in viewer.layers] == ["grey", "colours", "grey [doubt]", "hints"]
    assert viewer.layers.selection.active.name == "hints"
    assert layer.data.shape == (40, 60)
    np.testing.assert_allclose(
        layer.data_to_world((7, 9)), session.layer.data_to_world((7, 9)), atol=1e-9
    )
    assert tuple(layer.contrast_limits) == (0, 20)
    assert is_result(layer)


def test_the_legend_follows_the_layer(panel: DoubtPanel, viewer: Any) -> None:
    """Its numbers are the contrast limits, its colours those of the colormap."""
    assert panel.legend.isHidden()
    panel.show_button.click()
    assert not panel.legend.isHidden()
    labels = [label.text() for label in panel.legend.numbers.findChildren(QLabel)]
    assert labels == ["0", "4", "8", "12", "16", "20"]
    assert panel.legend.meaning.told() == "Expected error of the colour, units of ab."
    layer = viewer.layers["grey [doubt]"]
    layer.contrast_limits = (0, 10)
    assert panel.legend.numbers.texts[-1].text() == "10"
    layer.colormap = "gray"
    assert panel.legend.gradient.colors[0] == (0, 0, 0)
    assert panel.legend.gradient.colors[-1] == (255, 255, 255)
    viewer.layers.remove(layer)
    assert panel.legend.isHidden()


def test_the_layer_is_brought_up_to_date_when_hints_change(
    panel: DoubtPanel, session: StandInSession, viewer: Any, qtbot: QtBot
) -> None:
    """The same layer shows less doubt behind a hint; sliders do not matter."""
    panel.show_button.click()
    layer = viewer.layers["grey [doubt]"]
    session.change(Steering(adjustments=Adjustments(hue=20)))
    qtbot.wait(400)
    assert session.colorizer.asked == ["doubt 0"]
    session.change(HINT)
    qtbot.waitUntil(lambda: float(layer.data.max()) < 10, timeout=20_000)
    assert tuple(layer.contrast_limits) == (0, 20)
    assert len(viewer.layers) == 4


def test_a_layer_that_was_deleted_does_not_come_back_by_itself(
    panel: DoubtPanel, session: StandInSession, viewer: Any, qtbot: QtBot
) -> None:
    """Only the button brings it again."""
    panel.show_button.click()
    viewer.layers.remove("grey [doubt]")
    session.change(HINT)
    qtbot.wait(400)
    assert "grey [doubt]" not in viewer.layers
    panel.show_button.click()
    assert "grey [doubt]" in viewer.layers


def test_the_view_goes_to_the_best_place_and_nearer(
    panel: DoubtPanel, session: StandInSession, viewer: Any
) -> None:
    """The camera stands over it, and the spot is told."""
    viewer.reset_view()
    before = viewer.scene.camera.zoom
    panel.go_button.click()
    expected = session.layer.data_to_world((12, 30))
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], expected, atol=1e-6)
    assert viewer.scene.camera.zoom == pytest.approx(3 * before)
    assert panel.spot.told() == "In the middle of the view: row 12, column 30."


def test_who_is_near_stays_near_and_a_stack_stays_at_its_plane(viewer: Any, qtbot: QtBot) -> None:
    """A zoom beyond ours is kept; the sliders of a stack do not move."""
    stack = viewer.add_image(np.zeros((5, 40, 60), np.uint8), name="stack", scale=(4, 2, 2))
    viewer.dims.set_point(0, 12)
    viewer.reset_view()
    viewer.scene.camera.zoom = near = 50 * viewer.scene.camera.zoom
    panel = DoubtPanel(viewer)
    qtbot.addWidget(panel)
    panel.attach(StandInSession(viewer, stack))
    panel.go_button.click()
    assert viewer.scene.camera.zoom == pytest.approx(near)
    assert viewer.dims.point[0] == 12
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], (24, 60), atol=1e-6)
    panel.detach()
