"""A lazy layer in the viewer: there at once, coloured as it is looked at, gone without a trace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_colorize.docks.layers import RECORD, take_source
from napari_colorize.docks.lazy.opening import LazyLayer, add_lazy_layer
from napari_colorize.errors import ModelError
from napari_colorize.stacks.lazy import LazyColors
from napari_colorize.stacks.lazy_painter import Painter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_colorize.stacks.lazy_planes import Wish

PATIENCE = 60.0  # seconds


def test_grey_first_and_then_colours_on_the_canvas(
    lazy_desk: Any, stack: NDArray[np.uint8]
) -> None:
    """The layer lies where its source lies and is drawn anew when the colours have come."""
    lazy, planes = lazy_desk.add(stack, scale=(2, 3, 3), translate=(0, 5, 7))
    assert lazy.name == "grey [colorized]"
    assert lazy.rgb
    assert lazy.data.shape == (6, 40, 48, 3)
    assert tuple(lazy.scale) == (2, 3, 3)
    assert tuple(lazy.translate) == (0, 5, 7)
    record = lazy.metadata[RECORD]
    assert record["model"] == "paint"
    assert record["settings"]["axes"] == "tyx"
    assert not lazy_desk.is_coloured()
    lazy_desk.wait_for_colours(planes)


def test_axes_that_are_moved(bare_desk: Any, stack: NDArray[np.uint8]) -> None:
    """The plane that comes into view is coloured, along whichever axes; so in three dimensions."""
    _, planes = bare_desk.add(stack)
    bare_desk.viewer.dims.order = (1, 0, 2)
    bare_desk.viewer.dims.set_point(1, 9)
    bare_desk.wait(planes.idle)
    assert ((0, 2), (0, 9, 0)) in {(part.axes, part.place) for part in planes.kept._values}
    bare_desk.viewer.reset_view()
    bare_desk.wait_for_colours(planes)
    bare_desk.viewer.dims.order = (0, 1, 2)
    bare_desk.viewer.dims.ndisplay = 3
    bare_desk.wait(planes.idle)
    assert {part.place[0] for part in planes.kept._values if part.axes == (1, 2)} == set(range(6))


def test_resolutions_stay(lazy_desk: Any) -> None:
    """A layer of several resolutions gives one of as many, from dask too."""
    fine = np.random.default_rng(0).integers(0, 255, (3, 256, 256), np.uint8)
    levels = [da.from_array(fine, chunks=(1, 64, 64)), fine[:, ::2, ::2], fine[:, ::4, ::4]]
    lazy, planes = lazy_desk.add(levels, multiscale=True)
    assert lazy.multiscale
    assert [level.shape for level in lazy.data] == [(3, s, s, 3) for s in (256, 128, 64)]
    assert all(isinstance(level, LazyColors) for level in lazy.data)
    lazy_desk.wait_for_colours(planes)
    lazy_desk.viewer.dims.set_point(0, 2)
    lazy_desk.viewer.scene.camera.zoom = 20
    lazy_desk.wait_for_colours(planes)


class Held:
    """The thread is held in the middle of its first plane."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Hold the thread until `go` is set, or it is to end."""
    hold, paint = Held(), Painter.paint

    def slowly(self: Painter, wish: Wish, cancel: Callable[[], bool]) -> NDArray[np.uint8]:
        hold.begun.set()
        while not cancel() and not hold.go.wait(0.01):
            pass
        return paint(self, wish, cancel)

    monkeypatch.setattr(Painter, "paint", slowly)
    yield hold
    hold.go.set()


def test_slider_that_is_moved_quickly(bare_desk: Any, stack: NDArray[np.uint8], held: Held) -> None:
    """What is at work is finished; then the plane where it stops, and those ahead of it."""
    lazy, planes = bare_desk.add(stack)
    bare_desk.wait(held.begun.is_set)
    assert [part.place[0] for part in planes.in_view] == [2]  # where napari puts the slider
    for place in (0, 1, 3, 4):
        bare_desk.viewer.dims.set_point(0, place)
    held.go.set()
    bare_desk.wait_for_colours(planes)
    assert [part.place[0] for part in planes.kept._values if part.place[0] != 4] == [2, 5]
    bare_desk.viewer.dims.set_point(0, 5)
    assert (np.ptp(lazy.data[5], axis=-1) > 0).any()


def test_layer_removed_in_the_middle(bare_desk: Any, stack: NDArray[np.uint8], held: Held) -> None:
    """The thread ends, and nothing is left that listens."""
    lazy, planes = bare_desk.add(stack)
    bare_desk.wait(held.begun.is_set)
    assert planes._thread is not None
    bare_desk.viewer.layers.move(1, 0)
    assert not planes.closed
    bare_desk.viewer.layers.remove(lazy)
    assert planes.closed
    planes._thread.join(PATIENCE)
    assert not planes._thread.is_alive()
    assert not LazyLayer._living


def test_viewer_closed_in_the_middle(lazy_desk: Any, stack: NDArray[np.uint8], held: Held) -> None:
    """The thread ends with the window."""
    _, planes = lazy_desk.add(stack)
    lazy_desk.wait(held.begun.is_set)
    assert planes._thread is not None
    lazy_desk.viewer.close()
    lazy_desk.wait(lambda: planes.closed)
    planes._thread.join(PATIENCE)
    assert not planes._thread.is_alive()
    assert not LazyLayer._living


def test_unreadable_plane_is_told_once(bare_desk: Any, stack: NDArray[np.uint8]) -> None:
    """A notification names it; the planes beside it are coloured."""

    def block(block_info: Any = None) -> NDArray[np.uint8]:
        place = block_info[None]["chunk-location"][0]
        if place == 3:
            raise OSError("the disk is gone")
        return stack[place : place + 1]

    data = da.map_blocks(block, chunks=((1,) * 6, 40, 48), dtype=np.uint8)
    lazy, planes = bare_desk.add(data)
    bare_desk.wait_for_colours(planes)
    bare_desk.viewer.layers["grey"].visible = False  # it would raise, which is napari's own
    before = len(notification_manager.records)
    for place in (3, 4, 3, 5, 3):
        bare_desk.viewer.dims.set_point(0, place)
        bare_desk.wait(planes.idle)
    told = [str(record.message) for record in notification_manager.records[before:]]
    assert told == [
        "'grey [colorized]': Plane 3 stays without colours: it cannot be read (OSError: the disk "
        "is gone)."
    ]
    assert not lazy.data[3].any()


def test_unknown_model(bare_desk: Any, stack: NDArray[np.uint8]) -> None:
    """It is told before a layer is there."""
    layer = bare_desk.viewer.add_image(stack)
    source = take_source(bare_desk.viewer, layer, whole=True)
    with pytest.raises(ModelError, match="no model called"):
        add_lazy_layer(bare_desk.viewer, source, model="nobody")
    assert len(bare_desk.viewer.layers) == 1


def test_only_the_plane_in_view_is_read(bare_desk: Any, stack: NDArray[np.uint8]) -> None:
    """Opening reads one plane, wherever the slider stands, and no neighbour before it is moved."""
    layer = bare_desk.viewer.add_image(stack)
    for place in (4, 0):
        bare_desk.viewer.dims.set_point(0, place)
        source = take_source(bare_desk.viewer, layer, whole=True)
        add_lazy_layer(bare_desk.viewer, source, model=bare_desk.model, device="cpu")
        planes = next(iter(LazyLayer._living)).planes
        bare_desk.wait_for_colours(planes)
        assert [part.place[0] for part in planes.kept._values] == [place]
        bare_desk.viewer.layers.remove(bare_desk.viewer.layers[-1])
        bare_desk.qtbot.wait(1)  # napari is not to add and remove layers in one turn
