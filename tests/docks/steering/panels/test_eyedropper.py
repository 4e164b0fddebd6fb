"""What the eyedropper takes, and what it leaves as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.utils.colormaps.standardize_color import transform_color
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_colorize.docks.steering.panels.eyedropper import Eyedropper
from napari_colorize.docks.steering.panels.layer_colors import color_at

if TYPE_CHECKING:
    from collections.abc import Callable

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


class Desk:
    """A viewer with an eyedropper, clicked as by a person."""

    def __init__(self, viewer: Any, qtbot: Any) -> None:
        self.viewer = viewer
        self.dropper = Eyedropper(viewer)
        viewer.window.add_dock_widget(self.dropper, name="Eyedropper")
        self.colors: list[tuple[float, ...]] = []
        self.told: list[str] = []
        self.dropper.taken.connect(self.colors.append)
        self.dropper.told.connect(self.told.append)

    def click(self, *place: float) -> None:
        """Click into the canvas at a place of the world."""
        canvas = self.viewer.window._qt_viewer.canvas
        QApplication.processEvents()
        way = canvas.view.transform * canvas.view.scene.transform
        x, y = way.map([place[-1], place[-2]])[:2]
        QTest.mouseClick(
            canvas.native,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            QPoint(round(x), round(y)),
        )


@pytest.fixture
def desk(make_napari_viewer: Callable[..., Any], qtbot: Any) -> Desk:
    """Return a viewer with an eyedropper that can be clicked into."""
    return Desk(make_napari_viewer(show=True), qtbot)


def halves(left: tuple[int, ...], right: tuple[int, ...], side: int = 40) -> np.ndarray:
    """Return a picture of two colours."""
    picture = np.empty((side, side, 3), np.uint8)
    picture[:, : side // 2], picture[:, side // 2 :] = left, right
    return picture


def test_click_takes_the_colour_and_ends(desk: Desk) -> None:
    """A click takes what is under it; the button comes up, and the next click takes nothing."""
    desk.viewer.add_image(halves(RED, BLUE), rgb=True)
    desk.dropper.click()
    desk.click(20, 10)
    assert desk.colors == [RED]
    assert not desk.dropper.isChecked()
    desk.click(20, 30)
    assert desk.colors == [RED]


def test_no_point_is_added_meanwhile(desk: Desk) -> None:
    """A layer that takes clicks has its mode back afterwards, and no new point."""
    desk.viewer.add_image(halves(RED, BLUE), rgb=True)
    points = desk.viewer.add_points(np.array([[5.0, 5.0]]), size=2)
    points.mode = "add"
    points.selected_data = {0}
    desk.dropper.click()
    assert points.mode == "pan_zoom"
    desk.click(20, 30)
    assert desk.colors == [BLUE]
    assert points.mode == "add"
    assert set(points.selected_data) == {0}
    assert len(points.data) == 1
    desk.click(20, 30)
    assert len(points.data) == 2


def test_nothing_is_painted_meanwhile(desk: Desk) -> None:
    """A brush stays where it is, too, even of a layer that becomes active later."""
    desk.viewer.add_image(halves(RED, BLUE), rgb=True)
    desk.dropper.click()
    labels = desk.viewer.add_labels(np.zeros((40, 40), int))
    labels.mode = "pan_zoom"
    assert desk.dropper.isChecked()
    desk.dropper.click()
    labels.mode = "paint"
    desk.dropper.click()
    desk.click(20, 10)
    assert desk.colors == [RED]
    assert labels.mode == "paint"
    assert not labels.data.any()


def test_escape_lets_the_button_up(desk: Desk) -> None:
    """Escape ends it wherever the focus is, and the tool comes back."""
    points = desk.viewer.add_points(np.array([[5.0, 5.0]]))
    points.mode = "select"
    desk.dropper.click()
    QTest.keyClick(desk.viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Escape)
    assert not desk.dropper.isChecked()
    assert points.mode == "select"
    assert desk.told[-1] == ""


def test_the_chosen_colour_outlives_it(desk: Desk) -> None:
    """What was selected is selected again, and keeps the colour it has."""
    points = desk.viewer.add_points(np.array([[5.0, 5.0]]), face_color="orange")
    points.mode = "add"
    points.selected_data = {0}
    with points.block_update_properties():
        points.current_face_color = "teal"
    desk.dropper.click()
    desk.dropper.click()
    assert set(points.selected_data) == {0}
    assert np.allclose(transform_color(points.current_face_color), transform_color("teal"))
    assert np.allclose(points.face_color, transform_color("orange"))


def test_another_tool_ends_it(desk: Desk) -> None:
    """Who takes up another tool wants that one."""
    points = desk.viewer.add_points(np.array([[5.0, 5.0]]))
    desk.dropper.click()
    points.mode = "add"
    assert not desk.dropper.isChecked()
    assert points.mode == "add"


def test_place_without_a_layer_is_told(desk: Desk) -> None:
    """Beside all layers there is no colour: a sentence, and it stays on."""
    desk.viewer.add_image(halves(RED, BLUE), rgb=True)
    desk.dropper.click()
    desk.click(-1, -3)
    assert not desk.colors
    assert "no layer" in desk.told[-1]
    assert desk.dropper.isChecked()


def test_out_of_sight_it_ends(desk: Desk) -> None:
    """A hidden button takes no clicks."""
    desk.viewer.add_image(halves(RED, BLUE), rgb=True)
    desk.dropper.click()
    desk.dropper.hide()
    desk.click(20, 10)
    assert not desk.colors


def test_removed_layer_is_left_alone(desk: Desk) -> None:
    """A layer that leaves meanwhile does not matter."""
    points = desk.viewer.add_points(np.array([[5.0, 5.0]]))
    desk.dropper.click()
    desk.viewer.layers.remove(points)
    desk.dropper.click()
    assert not desk.dropper.isChecked()


def test_grey_goes_through_colormap_and_limits(make_napari_viewer: Callable[..., Any]) -> None:
    """A grey layer gives the colour that it is shown in."""
    viewer = make_napari_viewer()
    viewer.add_image(np.full((40, 40), 150.0), contrast_limits=(100, 200), colormap="gray")
    assert color_at(viewer, (5, 5)) == pytest.approx((127.5,) * 3, abs=2)
    viewer.layers[0].colormap = "green"
    assert color_at(viewer, (5, 5)) == pytest.approx((0, 127.5, 0), abs=2)
    viewer.layers[0].gamma = 2
    assert color_at(viewer, (5, 5)) == pytest.approx((0, 64, 0), abs=2)


@pytest.mark.parametrize(
    ("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)]
)
def test_colours_of_any_type(
    dtype: type, full: float, make_napari_viewer: Callable[..., Any]
) -> None:
    """RGB of 8 bit, 16 bit and floats, and RGBA that hides what is transparent."""
    viewer = make_napari_viewer()
    viewer.add_image(halves(RED, BLUE), rgb=True)
    above = np.zeros((40, 40, 4), dtype)
    above[:20, :, 1] = above[:20, :, 3] = full
    viewer.add_image(above, rgb=True)
    assert color_at(viewer, (5, 5)) == GREEN
    assert color_at(viewer, (25, 5)) == RED


def test_topmost_visible_layer_counts(make_napari_viewer: Callable[..., Any]) -> None:
    """Points, shapes and labels give their colours; where they are not, what is below does."""
    viewer = make_napari_viewer()
    viewer.add_image(halves(RED, BLUE), rgb=True)
    labels = np.zeros((40, 40), int)
    labels[30:, :] = 1
    layer = viewer.add_labels(labels)
    corners = np.array([[20, 0], [20, 9], [28, 9], [28, 0]])
    viewer.add_shapes([corners], face_color="yellow")
    viewer.add_points(np.array([[5.0, 5.0]]), size=4, face_color="lime")
    assert color_at(viewer, (5, 5)) == GREEN
    assert color_at(viewer, (24, 4)) == (255, 255, 0)
    assert color_at(viewer, (35, 5)) == pytest.approx(255 * layer.get_color(1)[:3], abs=1)
    assert color_at(viewer, (5, 15)) == RED
    for above in viewer.layers[1:]:
        above.visible = False
    assert color_at(viewer, (5, 5)) == RED


def test_stack_and_transform(make_napari_viewer: Callable[..., Any]) -> None:
    """In a stack it is the plane in view, and a layer is found where it lies in the world."""
    viewer = make_napari_viewer()
    stack = np.stack([halves(RED, BLUE), halves(GREEN, BLUE)])
    viewer.add_image(stack, rgb=True, scale=(1, 2, 2), translate=(0, 100, 0))
    viewer.dims.set_point(0, 1)
    assert color_at(viewer, (1, 110, 10)) == GREEN
    assert color_at(viewer, (1, 110, 70)) == BLUE
    assert color_at(viewer, (1, 10, 10)) is None


def test_multiscale(make_napari_viewer: Callable[..., Any]) -> None:
    """A picture of several levels gives its colour, whichever level is shown."""
    viewer = make_napari_viewer()
    whole = halves(RED, BLUE, 400)
    viewer.add_image([whole, whole[::2, ::2]], rgb=True)
    assert color_at(viewer, (50, 50)) == RED
    assert color_at(viewer, (50, 350)) == BLUE


def test_closed_dock_takes_no_clicks(desk: Desk, qtbot: Any) -> None:
    """When the dock goes while it is on, the layer has its mode back and clicks are its own."""
    points = desk.viewer.add_points(np.array([[5.0, 5.0], [35.0, 35.0]]), size=2)
    points.mode = "add"
    desk.dropper.click()
    desk.viewer.window.remove_dock_widget("all")
    qtbot.wait(20)
    assert points.mode == "add"
    desk.click(20, 20)
    assert len(points.data) == 3
    assert not desk.colors


def test_viewer_can_be_closed_while_it_is_on(desk: Desk, qtbot: Any) -> None:
    """Closing the window with the button down is no trouble."""
    desk.viewer.add_image(halves(RED, BLUE), rgb=True)
    desk.dropper.click()
    desk.viewer.close()
    qtbot.wait(20)
    assert not desk.colors
