"""What was painted is written at every change and comes back with its picture."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hint_desk import BLUE, GINGER, StandInSession

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.docks.layers import Source, take_source
from napari_colorize.docks.steering.hints import kept_hints
from napari_colorize.docks.steering.hints.hint_layers import HintLayers
from napari_colorize.docks.steering.hints.kept_hints import KeptHints, kept_file
from napari_colorize.docks.steering.hints.late_writer import LateWriter
from napari_colorize.docks.steering.hints.picture_key import picture_key
from napari_colorize.files.steering_file import read_steering, write_steering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PATIENCE = 60_000


class Desk:
    """A viewer whose pictures are steered and kept."""

    def __init__(self, viewer: Any, qtbot: QtBot) -> None:
        self.viewer = viewer
        self.qtbot = qtbot
        self.opened: list[Any] = []

    def steer(
        self, pixels: Any, *, step: tuple[int, ...] = (), wait: bool = True
    ) -> tuple[StandInSession, HintLayers, KeptHints]:
        """Show a picture, steer it and wait until it was looked for."""
        layer = self.viewer.add_image(pixels, name="cat")
        if step:
            self.viewer.dims.current_step = step
        session = StandInSession(self.viewer, layer)
        layers = HintLayers(self.viewer, session)
        kept = KeptHints(session, layers)
        self.opened += [layers, kept]
        if wait:
            self.qtbot.waitUntil(lambda: kept.file is not None, timeout=PATIENCE)
            self.qtbot.wait(20)
        return session, layers, kept

    def forget(self) -> None:
        """End everything, and take all layers away."""
        for part in self.opened:
            part.close()
        self.opened.clear()
        self.viewer.layers.clear()
        self.qtbot.wait(60)


@pytest.fixture
def desk(make_napari_viewer: Callable[..., Any], qtbot: QtBot) -> Iterator[Desk]:
    """Return the desk; what was opened at it is closed."""
    desk = Desk(make_napari_viewer(), qtbot)
    yield desk
    for part in desk.opened:
        part.close()
    qtbot.wait(10)


def picture(seed: int = 0) -> Any:
    """Return a picture that has its like nowhere."""
    return np.random.default_rng(seed).integers(0, 255, (40, 50), np.uint8)


def test_hints_come_back(desk: Desk) -> None:
    """Points, strokes and sliders come back with the same pixels, under any name."""
    session, layers, _ = desk.steer(picture())
    layers.set_color(GINGER)
    layers.add_points().add([10, 20])
    layers.add_strokes().paint((30, 40), 1)
    layers.look()
    session.change(replace(session.steering, adjustments=Adjustments(warmth=0.5)))
    before = session.steering
    desk.forget()
    desk.steer(picture(1))
    assert desk.opened[0].hints == ()
    desk.forget()
    session, layers, kept = desk.steer(picture())
    assert session.steering == before
    assert layers.points is not None
    assert layers.points.data.tolist() == [[10, 20]]
    assert layers.strokes is not None
    assert layers.strokes.data[30, 40]
    saved = read_steering(kept.file)
    assert saved.model == "a model"
    assert saved.picture["name"] == "cat"


def test_written_while_painting(desk: Desk) -> None:
    """Soon after a change the file has it, and nobody has closed anything."""
    _, layers, kept = desk.steer(picture())
    layers.add_points().add([10, 20])
    file = kept.file
    assert file is not None
    desk.qtbot.waitUntil(file.exists, timeout=PATIENCE)
    assert len(read_steering(file).steering.hints) == 1
    layers.add_points().add([11, 21])
    desk.qtbot.waitUntil(lambda: len(read_steering(file).steering.hints) == 2, timeout=PATIENCE)


def test_closed_in_the_same_turn(desk: Desk) -> None:
    """What was painted in the turn in which all is closed is written."""
    session, layers, kept = desk.steer(picture())
    file = kept.file
    layers.add_points().add([10, 20])
    desk.viewer.layers.clear()
    session.has_ended = True
    session.ended.emit()
    assert file is not None
    assert len(read_steering(file).steering.hints) == 1


def test_viewer_closed_without_a_word(make_napari_viewer: Callable[..., Any], qtbot: QtBot) -> None:
    """Nobody tells the parts that the viewer is closed: the file is written all the same."""
    desk = Desk(make_napari_viewer(), qtbot)
    _, layers, kept = desk.steer(picture(2))
    file = kept.file
    layers.add_points().add([10, 20])
    qtbot.wait(1)
    desk.viewer.close()
    assert file is not None
    qtbot.waitUntil(file.exists, timeout=PATIENCE)
    assert len(read_steering(file).steering.hints) == 1
    for part in desk.opened:
        part.close()


def test_painted_before_it_was_found(desk: Desk) -> None:
    """Who paints before the old hints are found has both."""
    desk.steer(picture())[1].add_points().add([10, 20])
    desk.forget()
    session, layers, kept = desk.steer(picture(), wait=False)
    layers.add_points().add([30, 40])
    layers.look()
    desk.qtbot.waitUntil(lambda: kept.file is not None, timeout=PATIENCE)
    assert [hint.y for hint in session.steering.hints] == [10, 30]
    desk.forget()
    session, layers, kept = desk.steer(picture(), wait=False)
    layers.add_points().add([5, 6])
    desk.forget()
    session, layers, kept = desk.steer(picture())
    assert [hint.y for hint in session.steering.hints] == [10, 30, 5]


def test_what_is_wanted_already_stays(desk: Desk) -> None:
    """A picture that is opened with its settings does not get older ones on top."""
    desk.steer(picture())[1].add_points().add([10, 20])
    desk.forget()
    layer = desk.viewer.add_image(picture(), name="cat")
    session = StandInSession(desk.viewer, layer)
    session.change(Steering(hints=(Hint(3, 4, BLUE),)))
    layers = HintLayers(desk.viewer, session)
    kept = KeptHints(session, layers)
    desk.opened += [layers, kept]
    desk.qtbot.waitUntil(lambda: kept.file is not None, timeout=PATIENCE)
    assert session.steering.hints == (Hint(3, 4, BLUE),)


def test_planes_of_a_stack(desk: Desk) -> None:
    """The hints of every plane come back, whichever is in view then."""
    stack = np.stack([picture(n) for n in range(4)])
    session, layers, _ = desk.steer(stack, step=(1, 0, 0))
    layers.set_color(GINGER)
    points = layers.add_points()
    points.add([1, 10, 20])
    points.add([3, 30, 40])
    layers.add_strokes().paint((5, 6), 1)
    desk.qtbot.wait(90)
    session.move(2, 0, 0)
    desk.forget()
    session, layers, _ = desk.steer(stack, step=(3, 0, 0))
    assert session.steering.hints == (Hint(30, 40, GINGER, 6),)
    assert list(layers.elsewhere) == [(1, 0, 0)]
    session.move(1, 0, 0)
    desk.qtbot.wait(90)
    assert [type(hint).__name__ for hint in session.steering.hints] == ["Hint", "Strokes"]


def test_beside_the_saved_picture(desk: Desk, tmp_path: Path) -> None:
    """After a save the hints lie beside the picture too, and follow."""
    _, layers, kept = desk.steer(picture())
    layers.add_points().add([10, 20])
    desk.qtbot.wait(20)
    kept.keep_beside(tmp_path / "cat-colored.png")
    file = tmp_path / "cat-colored.hints.json"
    desk.qtbot.waitUntil(file.exists, timeout=PATIENCE)
    layers.add_points().add([11, 21])
    desk.qtbot.waitUntil(lambda: len(read_steering(file).steering.hints) == 2, timeout=PATIENCE)


def test_foreign_file_beside_the_saved_picture_stays(desk: Desk, tmp_path: Path) -> None:
    """It is told; the hints are kept all the same."""
    _, layers, kept = desk.steer(picture())
    layers.add_points().add([10, 20])
    desk.qtbot.wait(20)
    foreign = tmp_path / "cat.hints.json"
    foreign.write_text("of somebody else")
    kept.keep_beside(tmp_path / "cat.png")
    assert "'cat.hints.json' is there already" in kept.problem
    layers.add_points().add([11, 21])
    desk.forget()
    assert foreign.read_text() == "of somebody else"
    assert len(read_steering(kept.file).steering.hints) == 2


def test_other_values_have_a_file_of_their_own(desk: Desk) -> None:
    """Who puts another picture into the layer loses no hint of the first."""
    session, layers, kept = desk.steer(picture())
    layers.add_points().add([10, 20])
    desk.qtbot.wait(20)
    first = kept.file
    desk.qtbot.waitUntil(first.exists, timeout=PATIENCE)
    session.layer.data = picture(1)
    assert kept.file is None
    session.look_anew()
    desk.qtbot.waitUntil(lambda: kept.file is not None, timeout=PATIENCE)
    layers.add_points().add([11, 21])
    desk.forget()
    assert kept.file != first
    assert len(read_steering(first).steering.hints) == 1
    assert len(read_steering(kept.file).steering.hints) == 2


def test_two_viewers_with_one_picture(desk: Desk) -> None:
    """What is painted in one stays when the other writes, and what was deleted comes not back."""
    first = desk.steer(picture())
    second = desk.steer(picture())
    for number in range(4):
        for column, (_, layers, _) in enumerate((first, second)):
            layers.add_points().add([number, 20 * column])
            desk.qtbot.wait(30)
    desk.forget()
    session, layers, _ = desk.steer(picture())
    assert len(session.steering.hints) == 8
    layers.points.selected_data = {0, 1, 2}
    layers.points.remove_selected()
    desk.forget()
    session, *_ = desk.steer(picture())
    assert len(session.steering.hints) == 5


def test_disk_that_cannot_be_written(desk: Desk, own_places: Path) -> None:
    """It is told in one sentence, painting goes on, and all is written once the disk can."""
    blocked = own_places / "data"
    blocked.write_text("no folder")
    session, layers, kept = desk.steer(picture())
    told: list[str] = []
    kept.problem_changed.connect(told.append)
    layers.add_points().add([10, 20])
    desk.qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE)
    assert told[0].startswith("The hints are not kept: Cannot write")
    assert len(session.steering.hints) == 1
    blocked.unlink()
    layers.add_points().add([11, 21])
    desk.qtbot.waitUntil(lambda: told[-1] == "", timeout=PATIENCE)
    assert kept.file is not None
    assert len(read_steering(kept.file).steering.hints) == 2


def file_of_a_hint(desk: Desk) -> Path:
    """Return the file in which a picture's only hint is kept; nothing is steered any more."""
    _, layers, kept = desk.steer(picture())
    layers.add_points().add([10, 20])
    file = kept.file
    desk.forget()
    assert file is not None
    return file


def test_file_that_cannot_be_read(desk: Desk) -> None:
    """A broken file is told and put aside, not written over."""
    file = file_of_a_hint(desk)
    file.write_text(file.read_text()[:-30])
    _, _, kept = desk.steer(picture())
    assert "did not come back" in kept.problem
    assert not file.exists()
    assert [aside.stem for aside in file.parent.glob("*.unreadable")] == [file.stem]
    assert f"It is called {file.stem}.unreadable now" in kept.problem


def test_hints_of_a_newer_version_wait_for_it(desk: Desk) -> None:
    """They are put aside, none over another, and come back once they can be read."""
    file = file_of_a_hint(desk)
    known = file.read_text()
    for number in range(2):
        file.write_text(known.replace('"version":1', f'"version":{90 + number}'))
        _, _, kept = desk.steer(picture())
        assert "written by a newer version" in kept.problem
        desk.forget()
    aside = sorted(file.parent.glob("*.unreadable"))
    assert [path.name for path in aside] == [
        f"{file.stem}-2.unreadable",
        f"{file.stem}.unreadable",
    ]
    aside[0].write_text(known)
    session, _, kept = desk.steer(picture())
    assert len(session.steering.hints) == 1
    assert kept.problem == ""


def test_lazy_data_that_fail(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that cannot be read for its key is told, and painting goes on."""

    def fail(source: Source) -> str:
        raise OSError("the share is gone")

    monkeypatch.setattr(kept_hints, "picture_key", fail)
    session, layers, kept = desk.steer(picture(), wait=False)
    desk.qtbot.waitUntil(lambda: bool(kept.problem), timeout=PATIENCE)
    layers.add_points().add([10, 20])
    layers.look()
    assert len(session.steering.hints) == 1
    assert kept.problem == "The hints of this picture are not kept: the share is gone."


def test_unknown_entries_stay(desk: Desk) -> None:
    """What a newer version wrote into the file is not lost."""
    file = file_of_a_hint(desk)
    write_steering(file, replace(read_steering(file), unknown={"mood": 3}))
    _, layers, _ = desk.steer(picture())
    layers.add_points().add([11, 21])
    desk.forget()
    assert json.loads(file.read_text())["mood"] == 3


def test_key_of_a_picture(desk: Desk) -> None:
    """One pixel makes another picture, in huge ones a row of the sample; a name makes none."""

    def key(pixels: Any) -> str:
        layer = desk.viewer.add_image(pixels)
        found = picture_key(take_source(desk.viewer, layer, whole=False))
        desk.viewer.layers.remove(layer)
        desk.qtbot.wait(10)
        return found

    other = picture()
    other[3, 4] ^= 1
    known = key(picture())
    assert known == key(picture())
    assert known != key(other)
    assert known != key(picture().astype(np.int16))
    assert kept_file(known).parent.name == "hints"


def test_writer_does_the_last(qtbot: QtBot) -> None:
    """Of many jobs the last is done; a flush does not wait for the pause."""
    done: list[int] = []
    writer = LateWriter(lambda problem: None)
    for number in range(20):
        writer.put(lambda number=number: done.append(number))
    writer.flush()
    assert done == [19]
    assert all(thread.name != "kept hints" for thread in threading.enumerate())
