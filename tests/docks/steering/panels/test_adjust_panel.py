"""The Adjust panel: sliders that tell the session, and follow it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from stand_in_session import StandInSession

from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.docks.steering.panels.adjust_panel import AdjustPanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def session(viewer: Any) -> StandInSession:
    """Return a session of a small grey picture."""
    return StandInSession(viewer, viewer.add_image(np.zeros((40, 60), np.uint8), name="grey"))


@pytest.fixture
def panel(viewer: Any, session: StandInSession, qtbot: QtBot) -> Iterator[AdjustPanel]:
    """Return the panel at work."""
    panel = AdjustPanel(viewer)
    qtbot.addWidget(panel)
    panel.attach(session)
    yield panel
    panel.detach()


@pytest.mark.parametrize(
    ("name", "ticks", "value", "text"),
    [
        ("chroma", 150, 1.5, "150 %"),
        ("warmth", 60, -0.4, "-40 %"),
        ("hue", 200, 20.0, "20°"),
        ("blend", 25, 0.25, "25 %"),
    ],
)
def test_a_slider_changes_what_is_wanted_at_once(
    panel: AdjustPanel, session: StandInSession, name: str, ticks: int, value: float, text: str
) -> None:
    """A move of the slider is a change, and the number beside it has its unit."""
    panel.rows[name].slider.setValue(ticks)
    assert getattr(session.steering.adjustments, name) == pytest.approx(value)
    assert panel.rows[name].number.text() == text
    assert panel.rows[name].reset.isEnabled()


def test_vividness_begins_at_the_model_s_own_and_goes_back_to_it(
    panel: AdjustPanel, session: StandInSession
) -> None:
    """The model's own vividness is wanted as None, whoever comes back to it."""
    assert panel.vividness.number.value() == 0.35
    panel.vividness.number.setValue(0.8)
    assert session.steering.vividness == pytest.approx(0.8)
    panel.vividness.reset.click()
    assert session.steering.vividness is None
    assert panel.vividness.slider.value() == 35
    assert not panel.vividness.reset.isEnabled()


def test_a_double_click_takes_one_back_and_leaves_the_others(
    panel: AdjustPanel, session: StandInSession
) -> None:
    """Only the slider that was clicked goes back."""
    panel.rows["hue"].slider.setValue(0)
    panel.rows["warmth"].slider.setValue(180)
    slider = panel.rows["hue"].slider
    middle = QPointF(slider.rect().center())
    left = Qt.MouseButton.LeftButton
    slider.mouseDoubleClickEvent(
        QMouseEvent(
            QEvent.Type.MouseButtonDblClick, middle, left, left, Qt.KeyboardModifier.NoModifier
        )
    )
    assert session.steering.adjustments == Adjustments(warmth=0.8)


def test_the_sliders_follow_the_session_without_answering(
    panel: AdjustPanel, session: StandInSession
) -> None:
    """What another widget changed is shown, and is no change of its own."""
    wanted = Steering(vividness=0.1, adjustments=Adjustments(chroma=0.5, hue=-90))
    session.change(wanted)
    assert len(session.past) == 1
    assert panel.vividness.slider.value() == 10
    assert panel.rows["chroma"].number.value() == 50
    assert panel.rows["hue"].number.value() == -90
    session.undo()
    assert panel.rows["hue"].number.value() == 0


def test_every_number_has_a_tooltip(panel: AdjustPanel) -> None:
    """Each slider explains itself."""
    for row in (panel.vividness, *panel.rows.values()):
        assert len(row.slider.toolTip()) > 20
        assert row.number.toolTip() == row.slider.toolTip()
        assert "Back to" in row.reset.toolTip()


def test_a_detached_panel_tells_nobody(panel: AdjustPanel, session: StandInSession) -> None:
    """Behind the end of a session nothing is changed and nothing is shown of it."""
    panel.rows["hue"].slider.setValue(0)
    panel.detach()
    assert not panel.isEnabled()
    assert panel.rows["hue"].number.value() == 0
    panel.rows["hue"].slider.setValue(10)
    assert session.steering.adjustments.hue == -180
    session.change(replace(session.steering, adjustments=Adjustments(hue=40)))
    assert panel.rows["hue"].number.value() == -170
