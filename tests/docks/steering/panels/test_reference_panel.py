"""The Reference panel: a layer or a file sets the mood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QMimeData, QPoint, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from stand_in_session import StandInSession

from napari_colorize.docks.steering.panels import reference_panel
from napari_colorize.docks.steering.panels.palette_stripes import Stripe, stripes_of
from napari_colorize.docks.steering.panels.reference_panel import ReferencePanel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

STRIPES = (Stripe((200, 40, 40), 0.7), Stripe((40, 40, 200), 0.3))


@pytest.fixture
def session(viewer: Any) -> StandInSession:
    """Return a session of a grey picture beside one in colour and a grey one in RGB."""
    colors = np.zeros((20, 20, 3), np.uint8)
    colors[..., 0] = 200
    viewer.add_image(colors, rgb=True, name="red")
    viewer.add_image(np.full((20, 20, 3), 90, np.uint8), rgb=True, name="dull")
    return StandInSession(viewer, viewer.add_image(np.zeros((40, 60), np.uint8), name="grey"))


@pytest.fixture
def panel(
    viewer: Any, session: StandInSession, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ReferencePanel]:
    """Return the panel at work; the stripes of any palette are red and blue."""
    monkeypatch.setattr(reference_panel, "stripes_of", lambda shares: STRIPES)
    panel = ReferencePanel(viewer)
    qtbot.addWidget(panel)
    panel.attach(session)
    yield panel
    panel.detach()


def choose(panel: ReferencePanel, name: str) -> None:
    """Choose a layer in the combo box as a person does."""
    index = panel.layer.findText(name)
    assert index > 0
    panel.layer.activated.emit(index)


def test_only_colour_layers_are_offered(panel: ReferencePanel, viewer: Any) -> None:
    """Grey layers of one channel are left out; a new name is shown at once."""
    names = [panel.layer.itemText(place) for place in range(1, panel.layer.count())]
    assert names == ["dull", "red"]
    viewer.layers["red"].name = "evening"
    assert panel.layer.findText("evening") == 2


def test_a_layer_sets_the_mood(panel: ReferencePanel, session: StandInSession) -> None:
    """Its palette is wanted, named after it, and shown as stripes."""
    choose(panel, "red")
    assert session.steering.reference is not None
    assert session.steering.reference.name == "red"
    assert panel.named.text() == "red"
    assert panel.stripes.stripes == STRIPES
    assert not panel.stripes.isHidden()


def test_the_strength_is_kept_when_another_reference_comes(
    panel: ReferencePanel, session: StandInSession, tmp_path: Path
) -> None:
    """The slider sets the strength of what is there and of what comes."""
    choose(panel, "red")
    panel.strength.slider.setValue(150)
    assert session.steering.reference is not None
    assert session.steering.reference.strength == 1.5
    path = tmp_path / "blue.png"
    Image.new("RGB", (12, 12), (20, 40, 200)).save(path)
    panel.take_file(path)
    assert session.steering.reference.name == "blue.png"
    assert session.steering.reference.strength == 1.5


def test_a_grey_reference_is_refused_in_a_sentence(
    panel: ReferencePanel, session: StandInSession
) -> None:
    """What was there stays, and the sentence of the error is shown."""
    choose(panel, "red")
    choose(panel, "dull")
    assert panel.note.told() == "dull is grey: choose a picture in colour."
    assert panel.named.text() == "red"
    assert session.steering.reference is not None
    choose(panel, "red")
    assert panel.note.told() == ""


def test_a_file_that_is_no_picture_is_told(panel: ReferencePanel, tmp_path: Path) -> None:
    """The file is named in the sentence."""
    path = tmp_path / "notes.png"
    path.write_text("no picture")
    panel.take_file(path)
    assert panel.note.told().startswith("notes.png cannot be used: not a picture")


def test_remove_takes_it_away_and_undo_brings_it_back(
    panel: ReferencePanel, session: StandInSession
) -> None:
    """It is a change like any other."""
    choose(panel, "red")
    panel.remove_button.click()
    assert session.steering.reference is None
    assert panel.stripes.isHidden()
    assert not panel.strength.slider.isEnabled()
    session.undo()
    assert panel.named.text() == "red"
    assert panel.stripes.stripes == STRIPES


def test_a_picture_file_can_be_dropped(
    panel: ReferencePanel, session: StandInSession, tmp_path: Path
) -> None:
    """One picture file is accepted, anything else is not."""
    path = tmp_path / "sunset.jpg"
    Image.new("RGB", (12, 12), (220, 120, 20)).save(path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    action, button, key = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(5, 5), action, data, button, key)
    enter.ignore()
    panel.dragEnterEvent(enter)
    assert enter.isAccepted()
    panel.dropEvent(QDropEvent(QPoint(5, 5).toPointF(), action, data, button, key))
    assert session.steering.reference is not None
    assert session.steering.reference.name == "sunset.jpg"
    other = QMimeData()
    other.setText("words")
    enter = QDragEnterEvent(QPoint(5, 5), action, other, button, key)
    enter.ignore()
    panel.dragEnterEvent(enter)
    assert not enter.isAccepted()


def test_an_answer_behind_the_end_is_not_heard(
    panel: ReferencePanel, session: StandInSession
) -> None:
    """A session that was left meanwhile is not changed by what comes late."""
    session.at_once = False
    choose(panel, "red")
    panel.detach()
    session.answer()
    assert session.steering.reference is None


def test_stripes_tell_the_main_colours() -> None:
    """Shares of red and of blue bins give a red and a blue stripe, wide by their shares."""
    from napari_colorize.color.gamut import gamut_bins

    bins = gamut_bins().numpy()
    shares = np.zeros(len(bins))
    shares[np.abs(bins - (60, 40)).sum(axis=1).argmin()] = 0.75
    shares[np.abs(bins - (10, -50)).sum(axis=1).argmin()] = 0.25
    blue, red = stripes_of(tuple(shares.tolist()))
    assert red.share == 0.75
    assert red.color[0] > red.color[2] + 60
    assert blue.share == 0.25
    assert blue.color[2] > blue.color[0] + 60
