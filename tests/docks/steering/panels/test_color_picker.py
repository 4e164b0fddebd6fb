"""The colour picker offers what a place can have, and says what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest

from napari_colorize.docks.steering.panels.color_picker import ColorPicker
from napari_colorize.docks.steering.panels.shades import look_at, slice_at
from napari_colorize.docks.steering.panels.swatches import (
    COMMON,
    CommonColors,
    LastColors,
    Suggestions,
    percent,
)
from napari_colorize.prediction.suggestions import Suggestion

GINGER = (206.0, 116.0, 48.0)


class Desk:
    """A picker that is shown, and what it told."""

    def __init__(self, qtbot: Any) -> None:
        self.picker = ColorPicker()
        qtbot.addWidget(self.picker)
        self.chosen: list[tuple[float, ...]] = []
        self.picker.chosen.connect(self.chosen.append)
        self.picker.resize(380, 200)
        self.picker.show()
        qtbot.waitExposed(self.picker)
        self.picker.set_lightness(60)

    def press(self, point: QPoint) -> None:
        """Click into the square."""
        QTest.mouseClick(
            self.picker.square,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            point,
        )

    def type(self, text: str) -> None:
        """Type a code and press Enter."""
        self.picker.code.selectAll()
        QTest.keyClicks(self.picker.code, text)
        QTest.keyClick(self.picker.code, Qt.Key.Key_Return)


@pytest.fixture
def desk(qtbot: Any) -> Desk:
    """Return a picker as it is once the network has looked."""
    return Desk(qtbot)


def pixels(widget: Any) -> np.ndarray:
    """Return what a widget shows, (H, W, 3)."""
    picture = widget.grab().toImage()
    return np.array(
        [
            [QColor(picture.pixel(x, y)).getRgb()[:3] for x in range(picture.width())]
            for y in range(picture.height())
        ]
    )


def test_click_takes_the_colour_under_the_mouse(desk: Desk) -> None:
    """What is chosen is what was clicked on, and the marker and the code go there."""
    desk.picker.set_lightness(60)
    before = pixels(desk.picker.square)
    point = desk.picker.square.point_of(30, 40).toPoint()
    desk.press(point)
    assert len(desk.chosen) == 1
    assert desk.chosen[0] == pytest.approx(before[point.y(), point.x()], abs=6)
    assert desk.picker.square.ab == pytest.approx((30, 40), abs=1)
    assert desk.picker.code.text() == QColor(*(int(c) for c in desk.chosen[0])).name()


def test_outside_the_gamut_is_empty(desk: Desk) -> None:
    """The corners show no colour; a click there takes the possible colour on the way to grey."""
    desk.picker.set_lightness(60)
    shown = pixels(desk.picker.square)
    corner = shown[-12, 12].astype(int)
    assert np.ptp(corner) < 40
    desk.press(QPoint(12, desk.picker.square.height() - 12))
    assert desk.chosen
    red, _, blue = desk.chosen[0]
    assert blue > red


@given(lightness=st.integers(5, 95), a=st.floats(-150, 150), b=st.floats(-150, 150))
@settings(max_examples=30, deadline=None)
def test_only_possible_colours_can_be_chosen(lightness: int, a: float, b: float) -> None:
    """Whatever is clicked on, the choice is a colour of this very lightness."""
    picker = ColorPicker()
    picker.set_lightness(lightness)
    picker.square._choose(a, b)
    assert look_at(picker.color, lightness) == pytest.approx(picker.color, abs=4)


def test_arrow_keys_move_through_the_colours(desk: Desk) -> None:
    """Right is redder, up is yellower; Shift is faster."""
    desk.picker.set_color((128.0, 128.0, 128.0))
    start = desk.picker.square.ab
    QTest.keyClick(desk.picker.square, Qt.Key.Key_Right)
    assert desk.picker.square.ab == pytest.approx((start[0] + 1, start[1]), abs=0.01)
    QTest.keyClick(desk.picker.square, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert desk.picker.square.ab == pytest.approx((start[0] + 1, start[1] + 8), abs=0.01)
    assert len(desk.chosen) == 2


def test_dragging_chooses_all_the_way(desk: Desk) -> None:
    """Each move of the mouse with the button down is a choice."""
    square = desk.picker.square
    QTest.mousePress(square, Qt.MouseButton.LeftButton, pos=square.point_of(0, 0).toPoint())
    QTest.mouseMove(square, square.point_of(20, 20).toPoint())
    QTest.mouseRelease(square, Qt.MouseButton.LeftButton, pos=square.point_of(20, 20).toPoint())
    assert square.ab == pytest.approx((20, 20), abs=1.5)


def test_colour_of_another_lightness_is_shown_as_it_looks_here(desk: Desk) -> None:
    """The wish stays what it was; patch, code and marker show what comes of it here."""
    desk.picker.set_color(GINGER)
    desk.picker.set_lightness(30)
    assert desk.picker.color == GINGER
    dark = desk.picker.look
    assert sum(dark) < sum(GINGER)
    assert desk.picker.code.text() == QColor(*(round(c) for c in dark)).name()
    assert desk.picker.square.color == pytest.approx(dark, abs=3)
    desk.picker.set_lightness(62)
    assert sum(desk.picker.look) > sum(dark)
    assert not desk.chosen


def test_lightness_is_told(desk: Desk) -> None:
    """The lightness in use is said, and that black and white can hardly take colour."""
    desk.picker.set_lightness(61.7)
    assert desk.picker.place.text() == "at lightness 62"
    assert not desk.picker.note.told()
    desk.picker.set_lightness(2)
    assert "so dark can hardly take colour" in desk.picker.note.told()
    desk.picker.set_lightness(99)
    assert "so light can hardly take colour" in desk.picker.note.told()


@pytest.mark.parametrize("lightness", [0, 1, 50, 99, 100])
def test_ends_of_lightness_are_no_trouble(desk: Desk, lightness: int) -> None:
    """Black and white have one colour, and it can be chosen."""
    desk.picker.set_lightness(lightness)
    desk.press(desk.picker.square.point_of(0, 0).toPoint())
    assert desk.chosen


def test_code_chooses(desk: Desk) -> None:
    """Six digits with or without #, or a name."""
    for text in ("#ce7430", "ce7430", "orange"):
        desk.type(text)
    assert desk.chosen == [GINGER, GINGER, (255, 165, 0)]


@pytest.mark.parametrize("text", ["#12", "no colour", "", "#80ce7430"])
def test_wrong_code_is_told(desk: Desk, text: str) -> None:
    """A code that is none changes nothing, and a sentence says how it is written."""
    desk.picker.code.setModified(True)
    desk.picker.code.setText(text)
    desk.picker.code.setModified(True)
    desk.picker.code.editingFinished.emit()
    assert not desk.chosen
    assert "six digits" in desk.picker.problem.told()


def test_nothing_is_offered_before_the_network_has_looked(qtbot: Any) -> None:
    """Until then, and again afterwards, the square is empty and clicks choose nothing."""
    picker = ColorPicker()
    qtbot.addWidget(picker)
    chosen: list[Any] = []
    picker.chosen.connect(chosen.append)
    picker.set_lightness(60)
    picker.end()
    QTest.mouseClick(picker.square, Qt.MouseButton.LeftButton, pos=QPoint(90, 90))
    QTest.keyClick(picker.square, Qt.Key.Key_Left)
    assert not chosen
    assert not picker.place.text()


def test_slices_are_cut_from_the_ab_plane() -> None:
    """Red is to the right of the middle, yellow above it; the far corners are empty."""
    colors = slice_at(60)
    side = len(colors)
    middle = side // 2
    assert colors.shape == (side, side, 4)
    red, green, blue, alpha = colors[middle, middle].tolist()
    assert max(red, green, blue) - min(red, green, blue) <= 2
    assert alpha == 255
    assert colors[middle, middle + 60, 0] > red
    assert colors[middle - 60, middle, 2] < blue
    assert not colors[0, 0, 3]


def test_suggestions_show_their_shares(qtbot: Any) -> None:
    """Each is a swatch with its percentage; a press takes its colour."""
    row = Suggestions()
    qtbot.addWidget(row)
    taken: list[Any] = []
    row.taken.connect(taken.append)
    row.offer([Suggestion((206, 116, 48), 0.444), Suggestion((90, 90, 90), 0.001)])
    shown = [swatch for swatch in row.swatches if not swatch.isHidden()]
    assert [swatch.text() for swatch in shown] == ["44 %", "< 1 %"]
    assert "#ce7430" in shown[0].accessibleName()
    shown[0].click()
    assert taken == [GINGER]
    row.tell_problem("This model knows no suggestions.")
    assert all(swatch.isHidden() for swatch in row.swatches)
    assert row.problem.told() == "This model knows no suggestions."


def test_common_colours_look_like_the_place(qtbot: Any) -> None:
    """They are shown at its lightness, and taken as they are."""
    row = CommonColors()
    qtbot.addWidget(row)
    taken: list[Any] = []
    row.taken.connect(taken.append)
    row.show_looks(lambda color: look_at(color, 30))
    ginger = next(swatch for swatch in row.swatches if swatch.text() == "Ginger")
    assert ginger.look.lightness() < QColor(206, 116, 48).lightness()
    ginger.click()
    assert taken == [GINGER]


def test_common_colours_can_be_told_apart() -> None:
    """At middle lightness no two of them look the same."""
    looks = [np.array(look_at(color, 60)) for _, color in COMMON]
    for number, one in enumerate(looks):
        for other in looks[number + 1 :]:
            assert np.abs(one - other).max() > 15


def test_last_colours_are_few_and_new_first(qtbot: Any) -> None:
    """A colour that is used again comes to the front, and there are never more than eight."""
    row = LastColors()
    qtbot.addWidget(row)
    for red in (*range(10), 5):
        row.use((float(red), 0.0, 0.0), lambda color: color)
    assert row.colors[0] == (5, 0, 0)
    assert len(row.colors) == len(set(row.colors)) == 8


@given(share=st.floats(0, 1))
def test_share_in_words(share: float) -> None:
    """It is short, and 0 is never said of what is possible."""
    words = percent(share)
    assert words.endswith(" %")
    assert not words.startswith("0")
