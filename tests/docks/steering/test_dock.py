"""The Steer dock: picture, model, session, panels and foot in one; opening it from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtGui import QStandardItemModel

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.docks.steering import opening
from napari_colorize.errors import PictureError
from napari_colorize.files.models import ModelInfo
from napari_colorize.files.pictures import write_picture
from napari_colorize.files.record import make_record

if TYPE_CHECKING:
    from pathlib import Path

    from napari_colorize.docks.steering.dock import SteerDock

GINGER = Hint(10, 12, (214, 120, 50), 4)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ModelInfo]:
    """Put three models into the list; one cannot be steered."""
    models = [
        ModelInfo(name, tmp_path / f"{name}.safetensors", {"network": network}, True)
        for name, network in (("palette", "palette"), ("one-colour", "plain"), ("own", "palette"))
    ]
    monkeypatch.setattr("napari_colorize.docks.steering.picture_choice.list_models", lambda: models)
    return models


@pytest.fixture
def pictures(viewer: Any) -> tuple[Any, Any]:
    """Return two grey pictures, the second of them selected."""
    cat = viewer.add_image(np.full((40, 60), 120, np.uint8), name="cat")
    wall = viewer.add_image(np.full((30, 50), 90, np.uint8), name="wall")
    return cat, wall


@pytest.fixture
def dock(
    steering_desk: Any, models: list[ModelInfo], pictures: tuple[Any, Any], viewer: Any
) -> Any:
    """Return the dock, opened as from the menu."""
    dock = opening.open_steer_dock(viewer)
    yield dock
    dock.stop()


def start(dock: SteerDock, desk: Any) -> Any:
    """Press Start, wait until the colours are on screen, return the session."""
    assert dock.start.isEnabled(), dock.note.told()
    dock.start.click()
    return settled(dock, desk)


def settled(dock: SteerDock, desk: Any) -> Any:
    """Return the session of the dock when its colours are on screen."""
    assert dock.steered is not None
    session = dock.steered.session
    desk.wait(lambda: session.is_ready and dock.steered.kept.file is not None)
    desk.settle(session)
    return session


def test_nothing_is_begun_before_start(dock: SteerDock, steering_stand: Any, viewer: Any) -> None:
    """The dock offers the selected picture, and does nothing with it."""
    assert dock.steered is None
    assert dock.choice.picture.currentText() == "wall"
    assert not dock.tabs.isEnabled()
    assert dock.foot.isHidden()
    assert steering_stand.opened == 0
    assert len(viewer.layers) == 2


def test_start_colours_and_the_panels_come_to_life(
    dock: SteerDock, steering_desk: Any, viewer: Any
) -> None:
    """A layer in colour is there, all panels follow, Start is gone."""
    session = start(dock, steering_desk)
    assert session.layer.name == "wall"
    assert session.result is not None
    assert dock.start.isHidden()
    assert all(panel.isEnabled() for panel in (*dock.panels, dock.foot))
    assert "Structure untouched" in dock.foot.trust.told()
    dock.adjust.vividness.number.setValue(0.8)
    steering_desk.settle(session)
    assert tuple(session.result.data[5, 5]) == (170, 90, 90)
    dock.foot.undo.click()
    steering_desk.settle(session)
    assert tuple(session.result.data[5, 5]) == (90, 90, 90)


def test_the_selection_is_followed_until_something_is_steered(
    dock: SteerDock, steering_desk: Any, pictures: tuple[Any, Any], viewer: Any
) -> None:
    """From then on only the combo box changes the picture; results are not offered."""
    cat, wall = pictures
    viewer.layers.selection.active = cat
    assert dock.choice.chosen == cat
    session = start(dock, steering_desk)
    assert session.layer == cat
    viewer.layers.selection.active = wall
    assert dock.choice.chosen == cat
    combo = dock.choice.picture
    assert [combo.itemText(n) for n in range(combo.count())] == ["wall", "cat"]


def test_renaming_and_moving_layers_keeps_the_choice(
    dock: SteerDock, steering_desk: Any, pictures: tuple[Any, Any], viewer: Any
) -> None:
    """The same picture goes on being steered."""
    session = start(dock, steering_desk)
    pictures[1].name = "another wall"
    viewer.layers.move(0, 2)
    assert dock.choice.chosen == pictures[1]
    assert dock.choice.picture.currentText() == "another wall"
    assert dock.steered is not None
    assert dock.steered.session is session


def test_switching_pictures_loses_no_hint(dock: SteerDock, steering_desk: Any, viewer: Any) -> None:
    """The hints of the first come back with it."""
    first = start(dock, steering_desk)
    first.change(Steering(hints=(GINGER,), adjustments=Adjustments(warmth=0.5)))
    steering_desk.settle(first)
    combo = dock.choice.picture
    combo.activated.emit(combo.findText("cat"))
    second = settled(dock, steering_desk)
    assert first.has_ended
    assert second.layer.name == "cat"
    assert second.steering == Steering()
    combo.activated.emit(combo.findText("wall"))
    third = settled(dock, steering_desk)
    assert third.steering.hints == (GINGER,)
    assert third.steering.adjustments.warmth == 0.5


def test_what_is_not_drawn_yet_is_not_lost(
    dock: SteerDock, steering_desk: Any, steering_stand: Any
) -> None:
    """Who chooses another picture right after a change finds it again."""
    first = start(dock, steering_desk)
    steering_stand.open.clear()
    wanted = Steering(hints=(GINGER,), adjustments=Adjustments(chroma=1.5))
    first.change(wanted)
    combo = dock.choice.picture
    combo.activated.emit(combo.findText("cat"))
    steering_stand.open.set()
    settled(dock, steering_desk)
    combo.activated.emit(combo.findText("wall"))
    again = settled(dock, steering_desk)
    assert again.steering == wanted
    assert tuple(again.result.data[10, 12]) == GINGER.color


def test_points_that_were_changed_meanwhile_count(dock: SteerDock, steering_desk: Any) -> None:
    """What is added and deleted while nothing is steered is so when it goes on."""
    start(dock, steering_desk)
    points = dock.steered.hint_layers.add_points()
    points.add([5, 5])
    points.add([20, 30])
    settled(dock, steering_desk)
    dock.stop()
    points.data = [[5, 5], [9, 9], [11, 11]]
    dock.steer()
    session = settled(dock, steering_desk)
    assert [(hint.y, hint.x) for hint in session.steering.hints] == [(5, 5), (9, 9), (11, 11)]
    assert len(points.data) == 3


def test_another_model_goes_on_with_the_same_hints(
    dock: SteerDock, steering_desk: Any, models: list[ModelInfo]
) -> None:
    """A model of one colour is named with the reason and cannot be chosen."""
    items = dock.choice.model.model()
    assert isinstance(items, QStandardItemModel)
    names = [dock.choice.model.itemText(n) for n in range(3)]
    assert names == ["palette", "one-colour: gives one colour a place, cannot be steered", "own"]
    assert [items.item(n).isEnabled() for n in range(3)] == [True, False, True]
    session = start(dock, steering_desk)
    session.change(Steering(hints=(GINGER,)))
    steering_desk.settle(session)
    dock.choice.model.setCurrentIndex(2)
    dock.choice.model.activated.emit(2)
    again = settled(dock, steering_desk)
    assert again is not session
    assert again.steering.hints == (GINGER,)


def test_a_picture_that_is_removed_ends_it(
    dock: SteerDock, steering_desk: Any, viewer: Any
) -> None:
    """The dock says so and offers what is left, which is not begun unasked."""
    session = start(dock, steering_desk)
    viewer.layers.remove("wall")
    assert session.has_ended
    assert dock.steered is None
    assert dock.note.told() == "'wall' was removed: its colours are steered no more."
    assert dock.choice.picture.currentText() == "cat"
    assert dock.start.isEnabled()


def test_without_a_picture_start_says_what_to_do(
    steering_desk: Any, models: list[ModelInfo], viewer: Any
) -> None:
    """It cannot be pressed, and can as soon as there is one."""
    dock = opening.open_steer_dock(viewer)
    assert not dock.start.isEnabled()
    assert dock.note.told().startswith("There is no picture to colour")
    viewer.add_image(np.zeros((20, 20), np.uint8), name="new")
    assert dock.start.isEnabled()
    assert dock.choice.picture.currentText() == "new"


def test_without_a_model_start_says_what_to_do(dock: SteerDock, models: list[ModelInfo]) -> None:
    """A list without a model that can be steered."""
    del models[2], models[0]
    dock.choice.list_models()
    dock.steer()
    assert dock.steered is None
    assert not dock.start.isEnabled()
    assert dock.note.told().startswith("There is no model that can be steered")


def test_the_dock_fits_a_small_screen(dock: SteerDock) -> None:
    """400 x 768 with napari's own bars around it."""
    least = dock.minimumSizeHint()
    assert least.width() <= 400
    assert least.height() <= 620


def test_what_lies_over_the_picture_is_told(
    dock: SteerDock, steering_desk: Any, viewer: Any, pictures: tuple[Any, Any]
) -> None:
    """Or one would steer without seeing it; hidden, or beside it, nothing does."""
    cat, wall = pictures
    start(dock, steering_desk)
    assert "lies over" not in dock.foot.state.told()
    dock.steer(cat)
    assert "'wall [colorized]' lies over this picture" in dock.foot.state.told()
    settled(dock, steering_desk)
    for layer in (wall, *viewer.layers):
        if "wall" in layer.name:
            layer.translate = (0, 500)
    dock.steer(wall)
    dock.steer(cat)
    assert "lies over" not in dock.foot.state.told()


def test_before_hides_nothing_for_good(
    dock: SteerDock, steering_desk: Any, viewer: Any, pictures: tuple[Any, Any]
) -> None:
    """Another picture, a change and the end all bring the colours back."""
    session = start(dock, steering_desk)
    dock.foot.before.click()
    assert not session.result.visible
    dock.steer(pictures[0])
    assert session.result.visible
    other = settled(dock, steering_desk)
    dock.foot.before.click()
    other.change(Steering(hints=(GINGER,)))
    assert other.result.visible
    assert not dock.foot.before.isChecked()
    dock.foot.before.click()
    dock.stop()
    assert other.result.visible


def test_closing_the_dock_ends_it_and_keeps_the_result(
    dock: SteerDock, steering_desk: Any, viewer: Any, qtbot: Any
) -> None:
    """The colours stay in the viewer; the session lets go of the network."""
    session = start(dock, steering_desk)
    viewer.window.remove_dock_widget(dock)
    steering_desk.wait(lambda: session.has_ended)
    steering_desk.wait(lambda: not session.is_busy)
    assert session.result in viewer.layers


def test_a_saved_picture_is_opened_as_it_was_steered(
    dock: SteerDock, steering_desk: Any, viewer: Any, tmp_path: Path
) -> None:
    """The picture is a layer, the dock steers it, and hints and sliders are as in the record."""
    wanted = Steering(hints=(GINGER,), adjustments=Adjustments(hue=-30))
    record = make_record(model="palette", model_hash="ab", steering=wanted, source="cat")
    path = tmp_path / "result.png"
    write_picture(path, np.full((40, 60, 3), 77, np.uint8), record=record)
    opening.restore(viewer, path)
    steering_desk.wait(lambda: dock.steered is not None)
    session = settled(dock, steering_desk)
    assert session.layer.name == "result"
    assert session.steering == wanted
    assert dock.adjust.rows["hue"].number.value() == -30


def test_a_saved_picture_that_was_dropped_says_how_it_comes_back(
    dock: SteerDock, steering_desk: Any, viewer: Any, tmp_path: Path
) -> None:
    """Opened as any other picture it has its pixels alone."""
    record = make_record(
        model="palette", model_hash="ab", steering=Steering(hints=(GINGER,)), source="cat"
    )
    path = tmp_path / "result.png"
    write_picture(path, np.full((40, 60, 3), 77, np.uint8), record=record)
    (layer,) = viewer.open(path, plugin="napari")
    dock.choice.choose(layer)
    start(dock, steering_desk)
    steering_desk.wait(lambda: "Open a coloured picture" in dock.foot.state.told())


def test_a_picture_that_was_grey_is_opened_in_grey(
    dock: SteerDock, steering_desk: Any, viewer: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """Before shows it as it was, and a model that is not here is told."""
    told: list[str] = []
    monkeypatch.setattr(opening, "show_warning", told.append)
    record = make_record(model="lost", model_hash="", steering=Steering(), source="cat", grey=True)
    path = tmp_path / "result.png"
    write_picture(path, np.full((40, 60, 3), (200, 10, 30), np.uint8), record=record)
    opening.restore(viewer, path)
    steering_desk.wait(lambda: dock.steered is not None)
    layer = settled(dock, steering_desk).layer
    assert not layer.rgb
    assert layer.data.shape == (40, 60)
    assert tuple(layer.contrast_limits) == (0, 65535)
    assert told == [
        "result.png was coloured by the model 'lost', which is not in the list of those that can "
        "be steered: its colours come out otherwise."
    ]


def test_a_picture_with_its_original_mixed_in_is_opened_as_it_was_saved(
    dock: SteerDock, steering_desk: Any, viewer: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """Its colours hold the original's already: all of them are shown, and that is told."""
    told: list[str] = []
    monkeypatch.setattr(opening, "show_info", told.append)
    wanted = Steering(hints=(GINGER,), adjustments=Adjustments(hue=-30, blend=0.3))
    record = make_record(model="palette", model_hash="ab", steering=wanted, source="cat")
    path = tmp_path / "result.png"
    write_picture(path, np.full((40, 60, 3), (200, 10, 30), np.uint8), record=record)
    opening.restore(viewer, path)
    steering_desk.wait(lambda: dock.steered is not None)
    session = settled(dock, steering_desk)
    assert session.steering == replace(wanted, adjustments=Adjustments(hue=-30, blend=1))
    assert len(told) == 1
    assert told[0].startswith("result.png was saved with 30 % of its original's colours.")


def test_the_dock_waits_no_more_for_a_network_that_cannot_look(
    dock: SteerDock, steering_desk: Any
) -> None:
    """The problem stands alone."""
    session = start(dock, steering_desk)
    dock.foot.state.tell("The network is looking at the picture…")
    session.failed.emit("The model is cut short.")
    assert dock.foot.state.told() == ""
    assert dock.foot.problem.told() == "The model is cut short."


def test_a_file_without_a_record_is_told_in_a_sentence(tmp_path: Path) -> None:
    """So is one that is no picture."""
    path = tmp_path / "foreign.png"
    write_picture(path, np.full((10, 10, 3), 77, np.uint8))
    with pytest.raises(PictureError, match=r"foreign\.png cannot be opened: it has no record"):
        opening.read_opened(path)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"broken\.png cannot be opened: "):
        opening.read_opened(broken)


def test_the_colorize_dock_opens_it_beside_itself(
    steering_desk: Any,
    models: list[ModelInfo],
    pictures: tuple[Any, Any],
    viewer: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its button begins with the picture that is chosen there."""
    monkeypatch.setattr("napari_colorize.docks.colorize_form.list_models", lambda: models)
    colorize = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]
    viewer.layers.selection.active = pictures[0]
    colorize.steer.native.click()
    dock = opening.open_steer_dock(viewer)
    assert settled(dock, steering_desk).layer == pictures[0]
    dock.stop()
