"""The hints panel, over a real viewer and session and a stand-in for the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit, QPushButton, QSpinBox, QWidget

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.color.strokes import LabelMap
from napari_colorize.docks.steering.hints.hint_layers import HintLayers
from napari_colorize.docks.steering.panels.hints_panel import HintsPanel
from napari_colorize.docks.steering.panels.swatches import Swatch
from napari_colorize.errors import ColorizeError

if TYPE_CHECKING:
    from collections.abc import Iterator

GINGER, BLUE = (206.0, 116.0, 48.0), (62.0, 96.0, 160.0)


@pytest.fixture
def viewer(make_napari_viewer_proxy: Any) -> Any:
    """Return a viewer with its window, which is needed here."""
    return make_napari_viewer_proxy()


class Desk:
    """A viewer, a session of a grey picture, and the panel."""

    def __init__(self, steering: Any) -> None:
        self.steering = steering
        self.viewer = steering.viewer
        grey = np.tile(
            np.arange(0, 250, 5, dtype=np.uint8), (40, 1)
        )  # (40, 50), lighter rightwards
        self.picture = self.viewer.add_image(grey, name="cat")
        self.panel = HintsPanel(self.viewer)
        self.form = self.panel.form
        self.viewer.window.add_dock_widget(self.panel, name="Hints")
        self.layers: HintLayers | None = None

    def begin(self, settled: bool = True) -> None:
        """Steer the picture."""
        self.session = self.steering.begin(self.picture, settled=settled)
        self.layers = HintLayers(self.viewer, self.session)
        self.panel.attach(self.session, self.layers)
        if settled:
            self.wait(lambda: bool(self.form.picker.place.text()))

    def end(self) -> None:
        """Let go of all."""
        self.panel.detach()
        if self.layers is not None:
            self.layers.close()

    def wait(self, condition: Any) -> None:
        """Let the window work until something is so."""
        self.steering.wait(condition)

    def add(self, y: float, x: float) -> None:
        """Add a hint, as a click does."""
        assert self.layers is not None
        count = len(self.session.steering.hints)
        assert self.layers.points is not None
        self.layers.points.add((y, x))
        self.wait(lambda: len(self.session.steering.hints) == count + 1)

    def press(self, name: str) -> None:
        """Press a common colour."""
        next(swatch for swatch in self.form.common.swatches if swatch.text() == name).click()

    def shares(self) -> list[str]:
        """Return the percentages of what is suggested."""
        return [s.text() for s in self.form.suggestions.swatches if not s.isHidden()]

    @property
    def hints(self) -> list[Hint]:
        """The hints of the session."""
        return [hint for hint in self.session.steering.hints if isinstance(hint, Hint)]


@pytest.fixture
def desk(steering_stand: Any, steering_desk: Any) -> Iterator[Desk]:
    """Return a desk; nothing is steered yet."""
    desk = Desk(steering_desk)
    yield desk
    desk.end()


def test_cat_becomes_ginger_and_the_wall_blue(desk: Desk) -> None:
    """Add hints, choose, click, choose, click: each place has its colour."""
    desk.begin()
    desk.form.add.click()
    assert desk.form.add.isChecked()
    assert "click in the picture" in desk.form.instruction.told()
    desk.press("Ginger")
    desk.add(10, 20)
    desk.press("Denim")
    desk.add(30, 40)
    assert [(hint.y, hint.x, hint.color) for hint in desk.hints] == [
        (10, 20, pytest.approx(GINGER, abs=0.5)),
        (30, 40, pytest.approx(BLUE, abs=0.5)),
    ]
    assert desk.form.count.text() == "2 hints"
    desk.steering.settle(desk.session)
    assert desk.session.result.data[10, 20] == pytest.approx(GINGER, abs=1)
    assert desk.session.result.data[30, 40] == pytest.approx(BLUE, abs=1)


def test_picker_has_the_lightness_of_the_place(desk: Desk) -> None:
    """At first one at which colours are told apart, then that under the hint or the brush."""
    desk.begin()
    assert desk.form.picker.lightness == 60
    desk.form.add.click()
    desk.add(5, 45)
    desk.wait(lambda: desk.form.picker.lightness == round(5 * 45 / 2.55))
    assert desk.form.picker.place.text() == "at lightness 88"
    desk.form.paint.click()
    desk.viewer.cursor.position = (3, 30)
    desk.layers.strokes.paint((3, 30), 1)
    desk.wait(lambda: desk.form.picker.lightness == round(5 * 30 / 2.55))


def test_hint_outside_only_here_is_told(desk: Desk) -> None:
    """What lies inside is obeyed without a word."""
    desk.begin()
    notes = desk.steering.heard(desk.session.noted)
    inside = np.zeros((40, 50), bool)
    inside[:, :25] = True
    desk.session.change(Steering(region=LabelMap.from_array(inside)))
    desk.form.add.click()
    desk.add(10, 10)
    assert notes == []
    desk.add(10, 40)
    assert "outside Only here" in notes[0][0]


def test_suggestions_are_for_the_hint_added_last(desk: Desk) -> None:
    """They come with their shares; a press gives the hint that colour."""
    desk.begin()
    assert "Add a hint" in desk.form.suggestions.sentence.told()
    desk.form.add.click()
    desk.add(10, 20)
    desk.wait(lambda: bool(desk.shares()))
    assert desk.shares() == ["50 %", "25 %", "12 %", "6 %", "3 %"]
    desk.form.suggestions.swatches[1].click()
    desk.wait(lambda: desk.hints[0].color == pytest.approx((210, 30, 30), abs=0.5))
    assert len(desk.hints) == 1


def test_outdated_suggestions_are_dropped(desk: Desk) -> None:
    """An answer about a place that is not in question any more is not shown."""
    desk.begin()
    desk.form.add.click()
    late: list[Any] = []
    desk.session.ask = lambda work, done, failed=None, **_: late.append((work, done))
    desk.add(10, 20)
    desk.wait(lambda: len(late) >= 2)
    first = list(late)
    desk.add(30, 40)
    desk.wait(lambda: len(late) >= 4)
    first[1][1]([])
    first[0][1](3.0)
    assert desk.form.picker.lightness != 3
    assert desk.form.suggestions.sentence.told() == "Looking…"


def test_model_that_cannot_suggest_says_so(desk: Desk) -> None:
    """What the model cannot do is told where the swatches would be."""
    desk.begin()

    def ask(work: Any, done: Any, failed: Any = None, **_: Any) -> None:
        failed("This model knows no suggestions.")

    desk.session.ask = ask
    desk.form.add.click()
    desk.add(10, 20)
    desk.wait(lambda: bool(desk.form.suggestions.problem.told()))
    assert desk.form.suggestions.problem.told() == "This model knows no suggestions."


def test_delete_takes_the_hint_away_and_undo_brings_it_back(desk: Desk) -> None:
    """The button is for the hint that is selected; without one it cannot be pressed."""
    desk.begin()
    assert not desk.form.delete.isEnabled()
    desk.form.add.click()
    desk.add(10, 20)
    desk.add(30, 40)
    desk.wait(desk.form.delete.isEnabled)
    desk.form.delete.click()
    desk.wait(lambda: len(desk.hints) == 1)
    assert (desk.hints[0].y, desk.hints[0].x) == (10, 20)
    assert desk.form.count.text() == "1 hint"
    desk.wait(lambda: not desk.form.delete.isEnabled())
    desk.session.undo()
    desk.wait(lambda: len(desk.hints) == 2)


def test_selected_hint_is_recoloured_and_resized(desk: Desk) -> None:
    """Press again to stop adding; then what is selected takes colour and size."""
    desk.begin()
    desk.form.add.click()
    desk.add(10, 20)
    desk.add(30, 40)
    desk.form.add.click()
    assert not desk.form.add.isChecked()
    assert desk.layers is not None
    points = desk.layers.points
    assert points is not None
    assert points.mode == "select"
    assert "Click on a hint" in desk.form.instruction.told()
    points.selected_data = {0}
    desk.wait(lambda: desk.layers is not None and desk.layers.chosen == (10, 20))
    desk.press("Denim")
    desk.wait(lambda: desk.hints[0].color == pytest.approx(BLUE, abs=0.5))
    desk.form.size.setValue(12)
    desk.wait(lambda: desk.hints[0].size == pytest.approx(12))
    assert desk.hints[1].size != 12
    assert len(desk.hints) == 2


def test_size_of_the_next_hint(desk: Desk) -> None:
    """While hints are added the size is that of the next one."""
    desk.begin()
    desk.form.add.click()
    desk.form.size.setValue(15)
    desk.add(10, 20)
    assert desk.hints[0].size == pytest.approx(15)
    assert desk.form.size.value() == 15


def test_strokes_are_painted_in_the_colour(desk: Desk) -> None:
    """Paint strokes makes a layer to paint into; what is painted is counted."""
    desk.begin()
    desk.form.paint.click()
    assert desk.form.paint.isChecked()
    assert "paint over" in desk.form.instruction.told()
    desk.press("Denim")
    assert desk.layers is not None
    strokes = desk.layers.strokes
    assert strokes is not None
    strokes.paint((10, 10), strokes.selected_label)
    desk.wait(lambda: bool(desk.session.steering.hints))
    assert desk.form.count.text() == "1 painted colour"
    desk.form.add.click()
    assert desk.form.add.isChecked()
    assert not desk.form.paint.isChecked()


def test_colours_that_were_used_are_at_hand(desk: Desk) -> None:
    """After a moment the colours of the hints stand among those used last."""
    desk.begin()
    assert desk.form.last.isHidden()
    desk.form.add.click()
    desk.press("Denim")
    desk.add(10, 20)
    desk.wait(lambda: bool(desk.form.last.colors))
    assert desk.form.last.colors[0] == pytest.approx(BLUE, abs=0.5)
    assert not desk.form.last.isHidden()


def test_tool_of_napari_shows_in_the_buttons(desk: Desk) -> None:
    """Who takes up another layer, or another tool, sees it in the panel."""
    desk.begin()
    desk.form.add.click()
    desk.viewer.layers.selection.active = desk.picture
    assert not desk.form.add.isChecked()
    assert desk.form.instruction.told() == "Press Add hints to begin."
    assert desk.layers is not None
    desk.viewer.layers.selection.active = desk.layers.points
    assert desk.form.add.isChecked()


def test_eyedropper_sets_the_colour(desk: Desk) -> None:
    """What the eyedropper takes is the colour of the next hint."""
    desk.begin()
    desk.form.add.click()
    desk.form.dropper.click()
    assert "Escape" in desk.form.instruction.told()
    desk.form.dropper.turn_off()
    desk.form.dropper.taken.emit(BLUE)
    assert "click in the picture" in desk.form.instruction.told()
    assert desk.form.picker.color == BLUE
    desk.add(10, 20)
    assert desk.hints[0].color == pytest.approx(BLUE, abs=0.5)


def test_hints_can_be_added_before_the_network_has_looked(desk: Desk, steering_stand: Any) -> None:
    """The panel says that it waits, keeps the hints, and offers colours afterwards."""
    steering_stand.looking.clear()
    desk.begin(settled=False)
    assert "is looking" in desk.form.instruction.told()
    desk.form.add.click()
    desk.press("Denim")
    desk.add(10, 20)
    assert not desk.form.picker.place.text()
    steering_stand.looking.set()
    desk.wait(lambda: bool(desk.shares()))
    assert desk.form.picker.place.text()
    assert desk.hints[0].color == pytest.approx(BLUE, abs=0.5)


def test_error_of_a_tool_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be done is said in a sentence, and the button comes up."""
    desk.begin()

    def refuse() -> None:
        raise ColorizeError("This picture takes no strokes.")

    monkeypatch.setattr(desk.layers, "add_strokes", refuse)
    desk.form.paint.click()
    assert desk.form.problem.told() == "This picture takes no strokes."
    assert not desk.form.paint.isChecked()


def test_problem_of_the_hints_is_told(desk: Desk) -> None:
    """A hint beside the picture is named, and the sentence goes when it does."""
    desk.begin()
    desk.form.add.click()
    assert desk.layers is not None
    points = desk.layers.points
    assert points is not None
    points.add((-30, -30))
    desk.wait(lambda: bool(desk.form.problem.told()))
    points.selected_data = {0}
    points.remove_selected()
    desk.wait(lambda: not desk.form.problem.told())


def test_without_a_session_nothing_can_be_pressed(desk: Desk) -> None:
    """Before and after a session the panel rests, and events of the viewer do not matter."""
    assert not desk.panel.isEnabled()
    desk.begin()
    assert desk.panel.isEnabled()
    desk.form.add.click()
    desk.panel.detach()
    assert not desk.panel.isEnabled()
    assert desk.form.count.text() == "No hints yet"
    desk.viewer.layers.selection.active = desk.picture
    desk.panel.attach(desk.session, desk.layers)
    assert desk.panel.isEnabled()


def test_all_can_be_reached_by_keyboard_and_has_a_name(desk: Desk) -> None:
    """Tab goes from the tools over colour, swatches and size to Delete, as they lie."""
    desk.begin()
    desk.form.add.click()
    desk.add(10, 20)
    desk.wait(lambda: bool(desk.shares()) and desk.form.delete.isEnabled())
    order: list[QWidget] = [desk.form.add]
    while len(order) < 60:
        following = order[-1].nextInFocusChain()
        while following is not None and not (
            following.focusPolicy() & Qt.FocusPolicy.TabFocus and following.isEnabled()
        ):
            following = following.nextInFocusChain()
        if following is None or following is desk.form.add:
            break
        order.append(following)
    mine = [widget for widget in order if desk.panel.isAncestorOf(widget)]
    wanted = [
        desk.form.add,
        desk.form.paint,
        desk.form.picker.square,
        desk.form.picker.code,
        desk.form.dropper,
        desk.form.suggestions.swatches[0],
        desk.form.common.swatches[0],
        desk.form.size,
        desk.form.delete,
    ]
    places = [mine.index(widget) for widget in wanted]
    assert places == sorted(places)
    for widget in desk.panel.findChildren((QPushButton, QLineEdit, QSpinBox, Swatch)):
        if widget.isVisibleTo(desk.panel) and widget.objectName() != "qt_spinbox_lineedit":
            assert widget.accessibleName() or widget.text()
            assert widget.toolTip()


def test_space_takes_a_common_colour(desk: Desk) -> None:
    """Swatches are pressed by keyboard too."""
    desk.begin()
    desk.form.add.click()
    ginger = next(s for s in desk.form.common.swatches if s.text() == "Ginger")
    QTest.keyClick(ginger, Qt.Key.Key_Space)
    desk.add(10, 20)
    assert desk.hints[0].color == pytest.approx(GINGER, abs=0.5)
