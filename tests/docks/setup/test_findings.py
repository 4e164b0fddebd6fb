"""The box with the findings, and what its words are made from."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers import Image

from napari_colorize.docks.setup import examining
from napari_colorize.docks.setup.examining import (
    Ended,
    Examining,
    Failure,
    Findings,
    LeftOut,
    Progress,
    Question,
    Thumbnail,
    folder_trouble,
)
from napari_colorize.docks.setup.findings import FindingsBox
from napari_colorize.docks.setup.layer_pictures import take_pictures
from napari_colorize.files import building
from napari_colorize.files.cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot


def look(question: Question, cancelled: Callable[[], bool] = lambda: False) -> list[Any]:
    """Return all that a look tells, done in this thread."""
    told: list[Any] = []
    Examining(question, told.append, cancelled)()
    return told


def findings(**other: Any) -> Findings:
    """Return findings as a look may tell them."""
    values: dict[str, Any] = {
        "folder": Path("folder"),
        "total": 30,
        "train": 22,
        "validation": 3,
        "doubles": 0,
        "left_out": (
            LeftOut("grey or sepia", 4, ("a.png", "b.png")),
            LeftOut("unreadable", 1, ("c.png",)),
        ),
        "near_sought": True,
        "thumbnails": (Thumbnail("d.png", np.full((96, 96, 3), (200, 10, 10), np.uint8)),),
        "problem": "",
    }
    return Findings(**{**values, **other})


@pytest.fixture
def box(qtbot: QtBot) -> FindingsBox:
    """Return a box that is shown."""
    box = FindingsBox()
    qtbot.addWidget(box)
    box.show()
    return box


def test_findings_are_told_in_words(box: FindingsBox) -> None:
    """How many are used and for what, how many are left out and why, and their names."""
    box.show_findings(findings())
    assert box.summary.text() == "25 of 30 pictures can be used: 22 to learn from, 3 to check with."
    assert box.toggle.text() == "5 left out"
    assert box.why.text() == "4 grey or sepia, 1 unreadable"
    assert not box.details.isVisible()
    box.toggle.click()
    assert box.details.isVisible()
    assert box.details.toPlainText().splitlines() == [
        "grey or sepia (4):",
        "    a.png",
        "    b.png",
        "    and 2 more",
        "unreadable (1):",
        "    c.png",
    ]
    box.show_findings(findings(left_out=(), total=1, train=1, validation=0, doubles=2))
    assert not box.toggle.isVisible()
    assert not box.details.isVisible()
    assert box.summary.text().splitlines() == [
        "1 of 1 picture can be used: 1 to learn from, 0 to check with.",
        "2 are only checked with: they are in both folders.",
    ]
    box.show_findings(findings(near_sought=False))
    assert "Near duplicates were not looked for" in box.summary.text()


def test_thumbnails_are_drawn(box: FindingsBox) -> None:
    """A small picture has its colours and tells its name; places without one are empty."""
    box.show_findings(findings())
    first, second = box.strip.labels[:2]
    assert first.toolTip() == "d.png"
    assert first.pixmap().toImage().pixelColor(20, 20).getRgb() == (200, 10, 10, 255)
    assert not second.isVisible()


def test_progress_takes_the_place_of_findings(box: FindingsBox, qtbot: QtBot) -> None:
    """While it is looked, only the bar and Cancel are there; both buttons tell."""
    box.show_findings(findings())
    with qtbot.waitSignal(box.look_again.clicked):
        box.look_again.click()
    box.show_progress(Progress("Looking", 0, 0))
    assert box.bar.maximum() == 0
    box.show_progress(Progress("Looking", 3, 12))
    assert (box.bar.value(), box.bar.maximum()) == (3, 12)
    assert box.bar.text() == "Looking: 3 of 12"
    assert box.bar.isVisible()
    assert not any(part.isVisible() for part in (box.summary, box.strip, box.toggle))
    heard: list[str] = []
    box.cancelled.connect(lambda: heard.append("cancelled"))
    box.cancel.click()
    assert heard == ["cancelled"]


def test_box_is_narrow_and_explains_itself(box: FindingsBox) -> None:
    """It fits into a dock 400 pixels wide; all parts have a tooltip."""
    box.show_findings(findings(thumbnails=findings().thumbnails * 8))
    assert box.minimumSizeHint().width() < 370
    parts = (box.bar, box.cancel, box.look_again, box.summary, box.toggle, box.why, box.details)
    assert all(part.toolTip() for part in parts)


def test_folder_is_looked_at(photographs: Path) -> None:
    """A good folder gives its numbers, thumbnails of what is learned from, and no problem."""
    *progress, found = look(Question(photographs))
    assert isinstance(found, Findings)
    assert (found.total, found.train, found.validation, found.problem) == (24, 22, 2, "")
    assert len({thumbnail.name for thumbnail in found.thumbnails}) == 8
    assert all(thumbnail.pixels.shape == (96, 96, 3) for thumbnail in found.thumbnails)
    assert progress[-1] == Progress("Looking at the photographs", 24, 24)


def test_training_finds_the_cache_that_a_look_made(
    photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is decoded twice: the training opens what the look has left."""
    from napari_colorize.runs.config import TrainingConfig
    from napari_colorize.training.data import open_data

    found = look(Question(photographs, validation=photographs / "meadow"))[-1]
    monkeypatch.setattr(building, "examine_bytes", None)
    config = TrainingConfig(folder=str(photographs))
    data = open_data(config)
    assert (len(data.indices), len(data.validation)) == (22, 2)
    assert (found.train, found.validation, found.doubles) == (8, 16, 16)
    assert found.problem.startswith("Only 8 pictures can be learned from, and at least 20")
    assert found.problem.endswith("; 16 more are among those to check with.")


def test_layers_are_written_and_looked_at(make_photograph: Callable[..., Any]) -> None:
    """Planes come into a folder of the cache, which the findings name."""
    stack = np.stack([make_photograph(i) for i in range(21)] + [np.zeros((80, 96, 3), np.uint8)])
    pictures = take_pictures(Image(stack, rgb=True, name="s"))
    *progress, found = look(Question(None, (pictures,)))
    assert found.folder.parent == cache_folder()
    assert len(list(found.folder.iterdir())) == 22
    assert (found.total, found.train, found.problem) == (22, 19, "")
    assert found.left_out == (LeftOut("grey or sepia", 1, ("01-s-plane-0021.png",)),)
    assert progress[0].doing == "Reading the layers"


def test_layers_of_nan_cannot_be_learned_from() -> None:
    """What is no number is black, and black is grey."""
    layer = Image(np.full((3, 80, 96, 3), np.nan), rgb=True)
    found = look(Question(None, (take_pictures(layer),)))[-1]
    assert found.problem == "None of the 3 pictures can be used: 3 grey or sepia."


def test_what_a_dead_napari_left_is_deleted(make_photograph: Callable[..., Any]) -> None:
    """Folders of processes that are gone go, one of a living process stays."""
    dead, living = (cache_folder() / f"layers-{pid}-ab" for pid in (2**22 + 1, os.getpid()))
    for folder in (dead, living):
        folder.mkdir(parents=True)
    look(Question(None, (take_pictures(Image(make_photograph(1), rgb=True)),)))
    assert not dead.exists()
    assert living.exists()


@pytest.mark.parametrize(
    ("folder", "text"),
    [("nowhere", "There is no folder"), ("file", "is a file"), ("empty", "no pictures in")],
)
def test_wrong_folders_are_named(photographs: Path, tmp_path: Path, folder: str, text: str) -> None:
    """A folder that cannot be used is told, and at which of the two fields."""
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    failure = look(Question(tmp_path / folder))[-1]
    assert text in failure.text
    assert failure.where == "photographs"
    failure = look(Question(photographs, validation=tmp_path / folder))[-1]
    assert text in failure.text
    assert failure.where == "validation"


def test_folder_to_check_with_has_to_be_another(photographs: Path, tmp_path: Path) -> None:
    """The same folder under another name is found out; so is one without use."""
    (tmp_path / "link").symlink_to(photographs, target_is_directory=True)
    failure = look(Question(photographs, validation=tmp_path / "link"))[-1]
    assert failure == Failure(
        "The photographs to check with have to be in another folder.", "validation"
    )
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"no picture")
    failure = look(Question(photographs, validation=tmp_path / "broken"))[-1]
    assert failure.text == "None of these can be used to check with: 1 unreadable."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not be read"),
        (OSError(errno.ESTALE, "Stale file handle"), "(Stale file handle); is its disk"),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), "network share still there"),
    ],
)
def test_disk_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    """A folder without rights, a share that went, are told as such."""

    def scandir(_: Path) -> Any:
        raise error

    monkeypatch.setattr(examining.os, "scandir", scandir)
    assert words in folder_trouble(tmp_path)


def test_folder_that_goes_meanwhile_is_told(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the folder is deleted under the look, that is said, not what failed first."""
    folder = tmp_path / "photographs"
    shutil.copytree(photographs, folder)
    real = building.examine_bytes

    def examine(*args: Any) -> Any:
        shutil.rmtree(folder, ignore_errors=True)
        return real(*args)

    monkeypatch.setattr(building, "examine_bytes", examine)
    assert look(Question(folder))[-1] == Failure(f"There is no folder {folder}.")


def test_look_can_be_cancelled(
    photographs: Path, make_photograph: Callable[..., Any], qtbot: QtBot
) -> None:
    """Cancelling ends it at once, and leaves nothing in the cache."""
    assert look(Question(photographs), lambda: True) == [Ended()]
    wanted_out = threading.Event()
    stack = Image(np.stack([make_photograph(i) for i in range(4)]), rgb=True)
    told: list[Any] = []

    def tell(message: Any) -> None:
        told.append(message)
        wanted_out.set()

    Examining(Question(None, (take_pictures(stack),)), tell, wanted_out.is_set)()
    assert told[-1] == Ended()
    qtbot.waitUntil(lambda: not list(cache_folder().glob("layers-*")), timeout=60_000)


def test_unforeseen_error_is_told(
    photographs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Any error, a RuntimeError too, comes as a sentence; the log has the rest."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault\nwith details")

    monkeypatch.setattr(examining, "open_photographs", fail)
    assert look(Question(photographs)) == [Failure("They cannot be looked at: a fault")]
    assert "Traceback" in caplog.text
