"""Lazy planes: answered at once, coloured as they are looked at, ahead, within their room."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorize.errors import PictureError
from napari_colorize.stacks import lazy_planes
from napari_colorize.stacks.lazy import LazyColors
from napari_colorize.stacks.lazy_painter import Painter
from napari_colorize.stacks.lazy_planes import LazyPlanes, Part, Pyramid, Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

    Pan = Callable[..., NDArray[np.uint8]]

PATIENCE = 60.0  # seconds


class Desk:
    """Lazy planes, and what they told."""

    def __init__(self, pyramid: Pyramid, **how: Any) -> None:
        self.told: list[str] = []
        self.came = threading.Semaphore(0)
        self.planes = LazyPlanes(pyramid, arrived=self.came.release, told=self.told.append, **how)
        self.levels = [LazyColors(self.planes, level) for level in range(len(pyramid.levels))]
        self.colors = self.levels[0]

    def wait(self) -> None:
        """Wait until something that is looked at has its colours."""
        assert self.came.acquire(timeout=PATIENCE)

    def rest(self) -> list[tuple[int, ...]]:
        """Wait until nothing is left to do; return the places that are known, the oldest first."""
        self.planes.start()
        with self.planes._changed:
            assert self.planes._changed.wait_for(self.planes.idle, PATIENCE)
        return [part.place for part in self.planes.kept._values]


@pytest.fixture
def desk(model: Path) -> Iterator[Callable[..., Desk]]:
    """Return the maker of desks from levels and names; they are closed in the end."""
    made: list[Desk] = []

    def make(*levels: Any, names: str = "tyx", room: int | None = None, **how: Any) -> Desk:
        pyramid = Pyramid(levels, names, model=model, device="cpu", **how)
        made.append(Desk(pyramid, **({} if room is None else {"room": room})))
        return made[-1]

    yield make
    for each in made:
        each.planes.close()
        if each.planes._thread is not None:
            each.planes._thread.join(PATIENCE)
            assert not each.planes._thread.is_alive()


def is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Return whether there is no colour in a picture."""
    return bool((pixels == pixels[..., :1]).all())


def test_grey_at_once_then_colours(pan: Pan, desk: Callable[..., Desk], painter: Colorizer) -> None:
    """A plane is there at once in its own greys, and then as the network paints it."""
    movie = pan(3)
    here = desk(movie)
    first = here.colors[1]
    assert np.array_equal(first, np.stack([movie[1]] * 3, axis=-1))
    here.planes.start()
    here.wait()
    painter.set_picture(movie[1])
    assert np.array_equal(here.colors[1], painter.colorize())


def test_neighbours_are_carried_from(
    pan: Pan, desk: Callable[..., Desk], painter: Colorizer
) -> None:
    """The plane behind one that is known is coloured from it, also backwards."""
    movie = pan(4, noise=6)
    here = desk(movie)
    here.colors[2]
    here.rest()
    here.colors[1]
    here.rest()
    painter.set_picture(movie[1])
    alone = painter.colorize().astype(int)
    assert np.abs(here.colors[1] - alone).mean() > 1
    # what it is carried from does not depend on coherence of what came first
    lonely = desk(movie, coherent=False)
    lonely.colors[2]
    lonely.rest()
    lonely.colors[1]
    lonely.rest()
    assert np.array_equal(lonely.colors[1], alone)


def test_what_is_passed_by_is_dropped(pan: Pan, desk: Callable[..., Desk]) -> None:
    """Of planes that a slider ran over only the last is coloured, and those ahead of it."""
    here = desk(pan(12, side=48))
    for place in (0, 1, 2, 3, 8):
        here.colors[place]
    assert here.rest() == [(8, 0, 0), (9, 0, 0), (10, 0, 0), (11, 0, 0)]


def test_ahead_follows_the_direction(pan: Pan, desk: Callable[..., Desk]) -> None:
    """Backwards along the axis that was moved along, and no further than there are planes."""
    movie = np.stack([pan(5, side=48), pan(5, side=48, seed=2)])
    here = desk(movie, names="tzyx")
    here.colors[0, 3]
    here.colors[0, 2]
    assert here.rest() == [(0, 2, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0)]
    here.colors[1, 2]
    assert here.rest()[3:] == [(1, 2, 0, 0)]


def test_room_is_bounded(pan: Pan, desk: Callable[..., Desk]) -> None:
    """What was looked at longest ago goes; ahead goes no more than a quarter of the room."""
    movie = pan(12, side=48)
    plane = 48 * 48 * 3
    here = desk(movie, room=8 * plane)
    here.colors[0]
    here.rest()
    here.colors[1]
    assert here.rest() == [(place, 0, 0) for place in range(4)]
    for place in (2, 3, 4, 5, 6, 7, 8):
        here.colors[place]
        here.rest()
        assert here.planes.kept.bytes <= 8 * plane
    assert sorted(here.rest()) == [(place, 0, 0) for place in range(3, 11)]


def test_any_two_axes_are_a_plane(pan: Pan, desk: Callable[..., Desk]) -> None:
    """As napari slices when axes are moved: by numbers, by spans of one, or in two steps."""
    movie = pan(6, side=48)
    here = desk(movie)
    assert here.colors[:, 7].shape == (6, 48, 3)
    here.rest()
    colored = here.colors[:, 7, :]
    assert not is_grey(colored)
    assert np.array_equal(np.asarray(here.colors[:, 7:8]), colored[:, None])
    assert np.array_equal(here.colors[1:5, :, 4:20][:, 7, :], colored[1:5, 4:20])
    assert np.array_equal(here.colors[:, 7, ..., 1], colored[..., 1])
    assert np.array_equal(here.colors[::-2, -41, 30], colored[::-2, 30])


def test_many_planes_are_given_as_they_are_known(pan: Pan, desk: Callable[..., Desk]) -> None:
    """A volume in three dimensions fills up; the whole is refused, as saving it grey would be."""
    movie = pan(4, side=48)
    here = desk(movie)
    volume = here.colors[:, :, :]
    assert is_grey(np.asarray(volume))
    here.rest()
    filled = np.asarray(volume)
    assert filled.shape == (4, 48, 48, 3)
    assert not any(is_grey(plane) for plane in filled)
    assert np.array_equal(filled[2], here.colors[2])
    with pytest.raises(PictureError, match="Save all"):
        np.asarray(here.colors)
    with pytest.raises(IndexError, match="whole numbers"):
        here.colors[[0, 1]]
    with pytest.raises(IndexError):
        here.colors[4]


class Holed:
    """A stack with a plane that cannot be read."""

    def __init__(self, data: NDArray[Any], hole: int) -> None:
        self.data, self.hole, self.shape = data, hole, data.shape

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Return a plane or fail."""
        if key[0] == self.hole:
            raise OSError("the disk is gone")
        return self.data[key]


def test_unreadable_plane_is_told_once(pan: Pan, desk: Callable[..., Desk]) -> None:
    """It is black; the planes around it are coloured, and looking again tells nothing more."""
    here = desk(Holed(pan(5, side=48), 2))
    for place in (0, 1):
        here.colors[place]
    assert here.rest() == [(1, 0, 0), (3, 0, 0), (4, 0, 0)]
    assert here.told == []  # nobody looked at it
    for _ in range(3):
        assert not here.colors[2].any()
        here.rest()
    assert here.told == [
        "Plane 2 stays without colours: it cannot be read (OSError: the disk is gone)."
    ]


def test_values_that_are_no_numbers_are_black(pan: Pan, desk: Callable[..., Desk]) -> None:
    """NaN, a whole plane of it too, and values outside the limits."""
    movie = pan(2, side=48).astype(np.float32)
    movie[0, :20] = np.nan
    movie[1] = np.nan
    here = desk(movie, contrast_limits=(50.0, 150.0))
    first = here.colors[0]
    assert not first[:20].any()
    assert first.max() == 255
    here.rest()
    assert not is_grey(here.colors[0])
    here.colors[1]
    here.rest()
    assert not here.colors[1].any()
    assert here.told == []


def test_rgb_gives_its_lightness(desk: Callable[..., Desk], painter: Colorizer) -> None:
    """The grey that is shown first has the L of the colours."""
    picture = np.random.default_rng(0).integers(0, 255, (2, 40, 44, 3), np.uint8)
    here = desk(picture, rgb=True)
    grey = here.colors[0]
    painter.set_picture(picture[0])
    assert is_grey(grey)
    assert painter.trust(grey).largest < 0.7
    here.rest()
    assert np.array_equal(here.colors[0], painter.colorize())


def test_model_that_is_gone_is_told(pan: Pan, tmp_path: Path) -> None:
    """The planes stay grey, the thread ends."""
    here = Desk(Pyramid([pan(2)], "tyx", model=tmp_path / "gone.safetensors"))
    here.planes.start()
    assert here.planes._thread is not None
    here.planes._thread.join(PATIENCE)
    assert [text[:24] for text in here.told] == ["The planes stay grey: Th"]
    assert is_grey(here.colors[1])
    here.planes.close()


def test_levels_have_the_colours_of_one_look(
    pan: Pan, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of a fine level has its own lightness and the colours of the whole plane."""
    fine = pan(2, side=256)
    coarse = fine.reshape(2, 128, 2, 128, 2).mean(axis=(2, 4)).astype(np.uint8)
    monkeypatch.setattr("napari_colorize.stacks.lazy.WHOLE", 128 * 128)
    looked: list[int] = []
    look = Painter._look

    def counted(self: Painter, seen: Part, *rest: Any) -> Any:
        looked.append(seen.level)
        return look(self, seen, *rest)

    monkeypatch.setattr(Painter, "_look", counted)
    here, whole = desk(fine, coarse), desk(fine)
    whole.colors[1]
    whole.rest()
    expected = whole.colors[1][30:90, 100:200]
    looked.clear()
    view = here.levels[0][:, 30:90, 100:200]
    assert is_grey(view[1])
    here.levels[1][1]
    here.rest()
    assert looked == [1]
    assert np.abs(view[1].astype(int) - expected).mean() < 2
    assert not is_grey(here.levels[1][1])
    assert {part.window.shape for part in here.planes.kept._values} == {(60, 100), (128, 128)}


def test_levels_with_fewer_planes(pan: Pan, desk: Callable[..., Desk]) -> None:
    """A level that is coarser in depth too is looked at only where it has a plane of its own."""
    fine = pan(4, side=160)
    here = desk(fine, fine[::2, ::2, ::2], names="zyx")
    painter = Painter(here.planes.pyramid)
    for level, place in ((0, (3, 0, 0)), (1, (1, 0, 0))):
        array = here.levels[level]
        array[place[0]]
        part = next(iter(here.planes._in_view[level]))
        assert painter._seen_for(part) == part
        assert painter.paint(Wish(part), lambda: False).shape == array.shape[1:]
    painter.close()


def test_closing_ends_the_thread_at_once(
    pan: Pan, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a plane, and nothing is told any more."""
    begun, going = threading.Event(), threading.Event()

    def paint(self: Painter, wish: Wish, cancel: Callable[[], bool]) -> NDArray[np.uint8]:
        begun.set()
        going.wait(PATIENCE)
        assert cancel()
        return np.zeros((*wish.part.window.shape, 3), np.uint8)

    monkeypatch.setattr(Painter, "paint", paint)
    here = desk(pan(3))
    here.colors[0]
    here.planes.start()
    assert begun.wait(PATIENCE)
    here.planes.close()
    going.set()
    assert here.planes._thread is not None
    here.planes._thread.join(PATIENCE)
    assert not here.came.acquire(blocking=False)
    assert is_grey(here.colors[1])
    assert here.told == []


def test_array_needs_no_torch() -> None:
    """A layer is there at once: what is asked of it before it has colours loads no torch."""
    script = (
        "import sys, numpy as np\n"
        "from napari_colorize.stacks.lazy import LazyColors\n"
        "from napari_colorize.stacks.lazy_planes import LazyPlanes, Pyramid\n"
        "colors = LazyColors(LazyPlanes(Pyramid([np.zeros((3, 8, 8), np.uint8)], 'tyx')))\n"
        "assert colors[1].shape == (8, 8, 3)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert lazy_planes.ROOM < 1 << 30
