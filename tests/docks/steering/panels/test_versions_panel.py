"""The Versions panel: thumbnails to pick from, and all versions as one layer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from stand_in_session import StandInSession

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.docks.layers import is_result
from napari_colorize.docks.steering.panels.versions_panel import VersionsPanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

OWN = Hint(10, 10, (250, 10, 10))


@pytest.fixture
def session(viewer: Any) -> StandInSession:
    """Return a session of a grey picture that lies somewhere."""
    picture = np.zeros((40, 60), np.uint8)
    layer = viewer.add_image(picture, name="grey", scale=(2, 3), translate=(5, 7), rotate=30)
    return StandInSession(viewer, layer)


@pytest.fixture
def panel(viewer: Any, session: StandInSession, qtbot: QtBot) -> Iterator[VersionsPanel]:
    """Return the panel at work."""
    panel = VersionsPanel(viewer)
    qtbot.addWidget(panel)
    panel.attach(session)
    yield panel
    panel.detach()


def test_there_are_as_many_thumbnails_as_asked(
    panel: VersionsPanel, session: StandInSession
) -> None:
    """Each has its picture, and progress is over."""
    assert panel.bar.isHidden()
    panel.count.setValue(4)
    panel.show_button.click()
    assert session.colorizer.asked[0] == "versions 4 0 0"
    assert len(panel.thumbnails) == 4
    assert all(not button.icon().isNull() for button in panel.thumbnails)
    assert panel.bar.isHidden()
    assert (panel.count.minimum(), panel.count.maximum()) == (2, 16)


def test_a_click_picks_a_version_and_another_takes_its_place(
    panel: VersionsPanel, session: StandInSession
) -> None:
    """Anchors become hints beside one's own; those of the version before go."""
    session.change(Steering(hints=(OWN,)))
    panel.show_button.click()
    panel.thumbnails[1].click()
    assert session.steering.hints == (OWN, Hint(5, 6, (10, 0, 200)))
    panel.thumbnails[2].click()
    assert session.steering.hints == (OWN, Hint(5, 7, (20, 0, 200)))
    assert [button.isChecked() for button in panel.thumbnails] == [False, False, True] + 3 * [False]
    session.undo()
    assert panel.thumbnails[1].isChecked()
    panel.thumbnails[1].click()
    assert session.steering.hints == (OWN,)


def test_other_versions_do_not_rest_on_the_one_that_is_taken(
    panel: VersionsPanel, session: StandInSession
) -> None:
    """They come from another seed, and replace what was taken of the first ones."""
    panel.show_button.click()
    panel.thumbnails[0].click()
    panel.others.click()
    assert [asked for asked in session.colorizer.asked if asked.startswith("versions")] == [
        "versions 6 0 0",
        "versions 6 0 1",
    ]
    panel.thumbnails[3].click()
    assert session.steering.hints == (Hint(5, 8, (30, 40, 200)),)


def test_showing_again_goes_on_from_the_one_that_is_taken(
    panel: VersionsPanel, session: StandInSession
) -> None:
    """What is taken then stands in all versions."""
    panel.show_button.click()
    panel.thumbnails[0].click()
    panel.show_button.click()
    assert "versions 6 1 0" in session.colorizer.asked


def test_cancel_keeps_what_is_there(panel: VersionsPanel, session: StandInSession) -> None:
    """Thumbnails that are done stay; what comes late is dropped."""
    session.at_once = False
    panel.show_button.click()
    session.answer()
    session.answer()
    assert not panel.bar.isHidden()
    assert not panel.show_button.isEnabled()
    panel.cancel_button.click()
    assert panel.bar.isHidden()
    session.answer()
    assert not session.jobs
    drawn = [not button.icon().isNull() for button in panel.thumbnails]
    assert drawn == [True, False, False, False, False, False]


def test_one_layer_has_all_versions_and_lies_on_the_picture(
    panel: VersionsPanel, session: StandInSession, viewer: Any
) -> None:
    """(k, H, W, 3), a slider over the versions, each in its colour, no picture to be steered."""
    panel.count.setValue(3)
    panel.show_button.click()
    notes: list[str] = []
    session.noted.connect(notes.append)
    panel.layer_button.click()
    layer = viewer.layers["grey [versions]"]
    assert notes[0].startswith("'grey [versions]' lies on top")
    assert layer.data.shape == (3, 40, 60, 3)
    assert [tuple(layer.data[n, 0, 0]) for n in range(3)] == [
        (0, 0, 200),
        (10, 0, 200),
        (20, 0, 200),
    ]
    assert is_result(layer)
    there = layer.data_to_world((2, 30, 50))
    np.testing.assert_allclose(there[1:], session.layer.data_to_world((30, 50)), atol=1e-9)
    assert there[0] == 2


def test_versions_of_a_plane_lie_at_its_plane(viewer: Any, qtbot: QtBot) -> None:
    """In a stack the layer is one thick along the stack and lies where the plane does."""
    stack = viewer.add_image(np.zeros((5, 40, 60), np.uint8), name="stack", scale=(4, 2, 2))
    viewer.dims.set_point(0, 12)
    session = StandInSession(viewer, stack)
    panel = VersionsPanel(viewer)
    qtbot.addWidget(panel)
    panel.attach(session)
    panel.show_button.click()
    panel.layer_button.click()
    layer = viewer.layers["stack [versions]"]
    assert layer.data.shape == (6, 1, 40, 60, 3)
    there = layer.data_to_world((1, 0, 30, 50))
    np.testing.assert_allclose(there[1:], stack.data_to_world((3, 30, 50)), atol=1e-9)
    panel.detach()


def test_another_plane_has_other_versions(panel: VersionsPanel, session: StandInSession) -> None:
    """Thumbnails of the plane that was left go."""
    panel.show_button.click()
    session.moved.emit()
    assert not panel.thumbnails
    assert panel.layer_button.isHidden()


def test_what_goes_wrong_is_told(panel: VersionsPanel, session: StandInSession) -> None:
    """The sentence stands in the panel, which can be used again."""
    from napari_colorize.errors import ColorizeError

    def refuse(*_: Any, **__: Any) -> Any:
        raise ColorizeError("The memory does not suffice.")

    session.colorizer.versions = refuse  # type: ignore[method-assign]
    panel.show_button.click()
    assert panel.problem.told() == "The memory does not suffice."
    assert panel.show_button.isEnabled()


def test_a_layer_that_does_not_fit_into_memory_is_told(
    panel: VersionsPanel, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is made, with what would be needed."""
    panel.count.setValue(3)
    panel.show_button.click()
    memory = SimpleNamespace(available=20_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    panel.layer_button.click()
    told = "One layer of 3 versions needs 0.022 MB of memory and 0.02 MB are free: make fewer."
    assert panel.problem.told() == told
    assert "grey [versions]" not in viewer.layers
