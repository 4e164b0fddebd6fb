"""The foot of the Steer dock: where, before and after, undo, save, trust."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from app_model.types import KeyBinding
from qtpy.QtWidgets import QFileDialog
from stand_in_session import StandInSession

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.color.strokes import LabelMap
from napari_colorize.docks.steering.panels.steering_foot import SteeringFoot
from napari_colorize.docks.steering.panels.trust_line import trust_sentence
from napari_colorize.docks.steering.saving import proposed_file
from napari_colorize.errors import StorageError
from napari_colorize.files.pictures import read_picture, write_picture
from napari_colorize.files.record import read_record
from napari_colorize.files.steering_file import from_dict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

HINT = Steering(hints=(Hint(5, 5, (200, 10, 30)),), adjustments=Adjustments(hue=20))


@pytest.fixture
def session(viewer: Any) -> StandInSession:
    """Return a session of a grey picture that lies somewhere."""
    layer = viewer.add_image(np.zeros((40, 60), np.uint8), name="grey", scale=(2, 3))
    return StandInSession(viewer, layer)


@pytest.fixture
def foot(viewer: Any, session: StandInSession, qtbot: QtBot) -> Iterator[SteeringFoot]:
    """Return the foot at work."""
    foot = SteeringFoot(viewer)
    qtbot.addWidget(foot)
    foot.attach(session)
    yield foot
    foot.detach()


def test_undo_redo_and_reset_follow_the_session(
    foot: SteeringFoot, session: StandInSession
) -> None:
    """Each can be pressed only where it does something."""
    assert not any(button.isEnabled() for button in (foot.undo, foot.redo, foot.reset))
    session.change(HINT)
    foot.undo.click()
    assert session.steering == Steering()
    assert not foot.undo.isEnabled()
    foot.redo.click()
    assert session.steering == HINT
    foot.reset.click()
    assert session.steering == Steering()
    foot.undo.click()
    assert session.steering == HINT


def test_before_shows_the_original_until_it_is_pressed_again(
    foot: SteeringFoot, session: StandInSession
) -> None:
    """A toggle, that goes back with the picture."""
    foot.before.click()
    assert session.original
    foot.before.click()
    assert not session.original


def test_the_line_of_trust_tells_both_figures(foot: SteeringFoot, session: StandInSession) -> None:
    """As it is in the dock; with a lightness that was touched it says so."""
    session.trusted.emit(SimpleNamespace(mean=0.12, largest=0.48), 0.012)
    assert foot.trust.told() == (
        "Structure untouched: lightness differs by 0.12 on average and 0.48 at most (of 100); "
        "1.2 % of the pixels were brought into the gamut."
    )
    touched = trust_sentence(SimpleNamespace(mean=1.0, largest=9.0), 0.0001)
    assert touched.startswith("The lightness was touched: lightness differs by 1.00")
    assert "less than 0.1 % of the pixels" in touched


def test_the_line_of_trust_goes_with_the_colours(
    foot: SteeringFoot, session: StandInSession
) -> None:
    """It says nothing of what was deleted, and stays where only something is noted."""
    session.result = object()
    session.trusted.emit(SimpleNamespace(mean=0.1, largest=0.2), 0.0)
    session.noted.emit("Something else.")
    assert foot.trust.told()
    session.result = None
    session.noted.emit("The colours were removed: the next change brings them back.")
    assert foot.trust.told() == ""


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_saved_picture_has_its_record(
    foot: SteeringFoot, session: StandInSession, tmp_path: Path, suffix: str
) -> None:
    """Full resolution, and what it was steered by can be read back."""
    session.change(HINT)
    told: list[Path] = []
    foot.saved.connect(told.append)
    path = tmp_path / f"result{suffix}"
    foot.save_to(path)
    assert told == [path]
    pixels = read_picture(path).pixels
    assert pixels.shape == (40, 60, 3)
    np.testing.assert_allclose(pixels[20, 20], (200, 10, 30), atol=3)
    record = read_record(path)
    assert record is not None
    assert from_dict(record["steering"]) == HINT
    assert (record["model"], record["source"]) == ("stand-in", "grey")
    assert foot.state.told() == f"Saved {path.name}, its hints beside it."


def test_the_file_of_the_original_is_never_written_over(
    viewer: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    """Not under its own name, not through a link; the sentence says why."""
    original = tmp_path / "original.png"
    write_picture(original, np.full((40, 60, 3), 9, np.uint8))
    before = original.read_bytes()
    (layer,) = viewer.open(str(original), plugin="napari")
    session = StandInSession(viewer, layer)
    foot = SteeringFoot(viewer)
    qtbot.addWidget(foot)
    foot.attach(session)
    link = tmp_path / "link.png"
    link.symlink_to(original)
    for path in (original, link):
        foot.save_to(path)
        assert "is the original itself" in foot.problem.told()
    assert original.read_bytes() == before
    assert proposed_file(session.source) == tmp_path / "original-colored.png"
    foot.detach()


def test_an_unknown_kind_is_refused_and_no_suffix_is_png(
    foot: SteeringFoot, tmp_path: Path
) -> None:
    """What cannot carry the record is not offered."""
    foot.save_to(tmp_path / "result.bmp")
    assert "choose one of .png, .tif, .tiff, .jpg, .jpeg" in foot.problem.told()
    foot.save_to(tmp_path / "result")
    assert (tmp_path / "result.png").exists()
    assert foot.problem.told() == ""


def test_the_kind_that_is_chosen_gives_the_suffix(
    foot: SteeringFoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was asked about the file with the suffix: it is not written over."""
    asked = (str(tmp_path / "result"), "TIFF (*.tif *.tiff)")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: asked)
    foot.save.click()
    saved = (tmp_path / "result.tif").read_bytes()
    assert not (tmp_path / "result.png").exists()
    foot.save.click()
    assert foot.problem.told() == "result.tif exists already: choose another name."
    assert (tmp_path / "result.tif").read_bytes() == saved


def test_a_disk_that_is_full_is_told(
    foot: SteeringFoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Save can be pressed again."""

    def refuse(*_: Any, **__: Any) -> None:
        raise StorageError("The disk is full: free some space.")

    monkeypatch.setattr("napari_colorize.docks.steering.saving.write_picture", refuse)
    foot.save_to(tmp_path / "result.png")
    assert foot.problem.told() == "Not saved: The disk is full: free some space."
    assert foot.save.isEnabled()
    assert foot.state.told() == ""


def test_a_new_region_is_an_empty_layer_to_paint_in(
    foot: SteeringFoot, session: StandInSession, viewer: Any
) -> None:
    """It lies on the picture, the brush is in hand, and it limits the changes."""
    foot.region.new.click()
    region = viewer.layers["grey [only here]"]
    assert region.data.shape == (40, 60)
    assert not region.data.any()
    assert str(region.mode) == "paint"
    assert viewer.layers.selection.active == region
    np.testing.assert_allclose(region.data_to_world((3, 4)), session.layer.data_to_world((3, 4)))
    assert session.region_layer == region
    assert foot.region.layer.currentText() == "grey [only here]"


def test_a_picture_of_one_pixel_can_have_a_region(viewer: Any, qtbot: QtBot) -> None:
    """Its brush is as small as any."""
    layer = viewer.add_image(np.full((1, 1), 7, np.uint8), name="dot")
    foot = SteeringFoot(viewer)
    qtbot.addWidget(foot)
    foot.attach(StandInSession(viewer, layer))
    foot.region.new.click()
    assert viewer.layers["dot [only here]"].brush_size == 4
    foot.detach()


def test_an_area_without_a_layer_is_told_and_can_be_lifted(
    foot: SteeringFoot, session: StandInSession
) -> None:
    """It came back with the hints of last time, or its layer was removed: it holds all the same."""
    combo = foot.region.layer
    area = LabelMap.from_array(np.eye(40, 60, dtype=np.uint8))
    session.change(Steering(region=area, outside=Steering()))
    assert combo.currentText() == "Where it held before"
    combo.activated.emit(combo.currentIndex())
    assert session.steering.region == area
    session.change(Steering())
    assert combo.currentText() == "Everywhere"
    assert combo.count() == 1


def test_what_was_said_goes_with_the_next_change(
    foot: SteeringFoot, session: StandInSession, tmp_path: Path
) -> None:
    """A picture that was saved is another one now."""
    foot.save_to(tmp_path / "result.png")
    assert foot.state.told().startswith("Saved result.png")
    session.change(HINT)
    assert foot.state.told() == ""


def test_any_layer_of_labels_can_be_the_region_but_strokes(
    foot: SteeringFoot, session: StandInSession, viewer: Any
) -> None:
    """It is chosen in the combo box, follows its name, and is lifted by Everywhere."""
    cells = viewer.add_labels(np.ones((40, 60), np.uint8), name="cells")
    strokes = np.ones((40, 60), np.uint8)
    viewer.add_labels(strokes, name="strokes", metadata={"napari_colorize hints": {}})
    combo = foot.region.layer
    assert [combo.itemText(n) for n in range(combo.count())] == ["Everywhere", "cells"]
    combo.activated.emit(1)
    assert session.region_layer == cells
    cells.name = "nuclei"
    assert combo.currentText() == "nuclei"
    combo.activated.emit(0)
    assert session.region_layer is None
    assert combo.currentText() == "Everywhere"


def test_what_went_wrong_is_told_until_it_goes_well(
    foot: SteeringFoot, session: StandInSession
) -> None:
    """One sentence, that goes with the next picture on screen."""
    session.failed.emit("The memory does not suffice.")
    assert foot.problem.told() == "The memory does not suffice."
    session.rendered.emit(None)
    assert foot.problem.told() == ""


def test_behind_the_end_nothing_can_be_pressed(foot: SteeringFoot, session: StandInSession) -> None:
    """And nothing is shown of the session that was."""
    session.change(HINT)
    session.trusted.emit(SimpleNamespace(mean=0.1, largest=0.2), 0.0)
    foot.detach()
    assert not foot.isEnabled()
    assert not foot.undo.isEnabled()
    assert foot.trust.told() == ""


def test_keys_on_the_canvas_undo_and_redo(
    foot: SteeringFoot, session: StandInSession, viewer: Any
) -> None:
    """As in the dock; once that is gone they do nothing."""
    foot.bind_keys(foot)
    session.change(HINT)
    undo, redo = (viewer.keymap[KeyBinding.from_str(key)] for key in ("Ctrl+Z", "Ctrl+Shift+Z"))
    undo(viewer)
    assert session.steering == Steering()
    redo(viewer)
    assert session.steering == HINT
