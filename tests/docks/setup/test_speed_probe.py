"""How fast this machine trains: asked once of a child process, remembered, ended with the form."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from napari_colorize.docks.setup import speed_probe
from napari_colorize.docks.setup.speed_probe import (
    Question,
    Speed,
    SpeedProbe,
    keep,
    read_answer,
    recall,
)
from napari_colorize.runs.storage import data_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

QUESTION = Question("palette", 112, 32)
SPEED = Speed(14.5, "cpu", "no GPU")
ANSWER = {"rate": 14.5, "device": "cpu", "reason": "no GPU", "advice": ""}
PATIENCE = 60_000


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no further question."""
    monkeypatch.setattr(speed_probe, "DELAY", 0)


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that puts a script in the place of the process that measures."""

    def put(script: str) -> None:
        monkeypatch.setattr(speed_probe, "command", lambda: ["-c", script])

    return put


@pytest.fixture
def probe(qapp: Any) -> Iterator[SpeedProbe]:
    """Return a probe, which is stopped at the end."""
    probe = SpeedProbe()
    yield probe
    probe.stop()


def children() -> list[psutil.Process]:
    """Return the living children of this process, but for helpers of multiprocessing."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and "-c" in child.cmdline()
        and "multiprocessing" not in " ".join(child.cmdline())
    ]


def listened(probe: SpeedProbe) -> tuple[list[tuple[Question, Speed]], list[str]]:
    """Return two lists that fill with what a probe tells."""
    measured: list[tuple[Question, Speed]] = []
    failed: list[str] = []
    probe.measured.connect(lambda question, speed: measured.append((question, speed)))
    probe.failed.connect(failed.append)
    return measured, failed


def test_it_is_measured_once(probe: SpeedProbe, says: Callable[[str], None], qtbot: QtBot) -> None:
    """The first answer takes a process; the second comes from the disk."""
    says(f"print('a warning'); print({json.dumps(json.dumps(ANSWER))})")
    measured, failed = listened(probe)
    assert probe.ask(QUESTION) is None
    assert probe.ask(QUESTION) is None  # the same question again starts nothing anew
    assert probe.is_busy()
    qtbot.waitUntil(lambda: bool(measured), timeout=PATIENCE)
    assert measured == [(QUESTION, SPEED)]
    assert not failed
    assert not probe.is_busy()
    assert SpeedProbe().ask(QUESTION) == SPEED
    assert SpeedProbe().ask(Question("plain", 112, 32)) is None


def test_a_gpu_that_can_be_mended_is_asked_again(
    probe: SpeedProbe, says: Callable[[str], None], qtbot: QtBot
) -> None:
    """Once it is mended all is faster, and nothing else has changed."""
    says(f"print({json.dumps(json.dumps(ANSWER | {'advice': 'nvidia-smi'}))})")
    measured, _ = listened(probe)
    probe.ask(QUESTION)
    qtbot.waitUntil(lambda: bool(measured), timeout=PATIENCE)
    assert measured[0][1].advice == "nvidia-smi"
    assert recall(QUESTION) is None


@pytest.mark.parametrize("script", ["import sys; sys.exit(1)", "print('rate')", "print('{}')"])
def test_no_answer(
    probe: SpeedProbe, says: Callable[[str], None], qtbot: QtBot, script: str
) -> None:
    """It is told, and nothing is remembered."""
    says(script)
    measured, failed = listened(probe)
    probe.ask(QUESTION)
    qtbot.waitUntil(lambda: bool(failed), timeout=PATIENCE)
    assert failed == ["How long it takes could not be measured."]
    assert not measured
    assert recall(QUESTION) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("sys.exit('a warning\\nThere is no GPU.\\n')", "There is no GPU."),
        ("raise ValueError('inner')", ""),
        ("print('usage', file=sys.stderr); sys.exit(2)", ""),
    ],
)
def test_a_reason_is_told(
    probe: SpeedProbe, says: Callable[[str], None], qtbot: QtBot, script: str, why: str
) -> None:
    """The last line is told, unless the process broke or was started in a wrong way."""
    says(f"import sys; {script}")
    _, failed = listened(probe)
    refused: list[tuple[Question, str]] = []
    probe.refused.connect(lambda question, why: refused.append((question, why)))
    probe.ask(QUESTION)
    qtbot.waitUntil(lambda: bool(failed or refused), timeout=PATIENCE)
    assert refused == ([(QUESTION, why)] if why else [])
    assert failed == ([] if why else ["How long it takes could not be measured."])
    assert recall(QUESTION) is None


def test_a_python_that_is_not_there(
    probe: SpeedProbe, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """It is told once."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    _, failed = listened(probe)
    probe.ask(QUESTION)
    qtbot.waitUntil(lambda: bool(failed), timeout=PATIENCE)
    assert len(failed) == 1


@pytest.mark.parametrize("way", ["stop", "delete", "ask"])
def test_no_process_is_left(says: Callable[[str], None], qtbot: QtBot, way: str) -> None:
    """Whether it is stopped, destroyed with its form, or asked something else."""
    says("import time; time.sleep(600)")
    probe = SpeedProbe()
    measured, failed = listened(probe)
    probe.ask(QUESTION)
    qtbot.waitUntil(lambda: bool(children()), timeout=PATIENCE)
    (child,) = children()
    if way == "delete":
        probe.deleteLater()
        qtbot.wait(1)
    elif way == "ask":
        keep(Question("plain", 64, 8), SPEED)
        assert probe.ask(Question("plain", 64, 8)) == SPEED
    else:
        probe.stop()
    qtbot.waitUntil(lambda: not children(), timeout=PATIENCE)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not measured
    assert not failed


def test_one_that_takes_too_long(
    probe: SpeedProbe, says: Callable[[str], None], qtbot: QtBot
) -> None:
    """It is ended and told."""
    says("import time; time.sleep(600)")
    probe._limit.setInterval(50)
    _, failed = listened(probe)
    probe.ask(QUESTION)
    qtbot.waitUntil(lambda: bool(failed), timeout=PATIENCE)
    assert "took too long" in failed[0]
    assert not children()


def test_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which weights are trained does not matter; machine, programs, network and crop do."""
    keys = {QUESTION.key(), Question("palette", 112, 32, model="mine").key()}
    assert len(keys) == 1
    keys |= {Question("palette", 96, 32).key(), Question("palette", 112, 32, build="{}").key()}
    monkeypatch.setattr(speed_probe, "_version", lambda package: "2.0")
    keys.add(QUESTION.key())
    monkeypatch.setattr("platform.node", lambda: "another")
    keys.add(QUESTION.key())
    assert len(keys) == 5


def test_what_is_remembered_is_limited() -> None:
    """The oldest go; a file that cannot be read is begun anew, one that cannot be written told."""
    for crop in range(16, 80):
        keep(Question("plain", crop, 8), SPEED)
    assert recall(Question("plain", 16, 8)) is None
    assert recall(Question("plain", 79, 8)) == SPEED
    for garbage in ("{", "[1]", '{"x": 1}'):
        (data_folder() / "speed.json").write_text(garbage)
        assert recall(QUESTION) is None
    keep(QUESTION, SPEED)
    assert recall(QUESTION) == SPEED
    data_folder().rename(data_folder().with_name("away"))
    data_folder().write_text("a file where the folder should be")
    keep(QUESTION, SPEED)
    assert recall(QUESTION) is None


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", '"fast"', "null"])
def test_a_rate_that_is_none(rate: str) -> None:
    """It is no answer."""
    assert read_answer(f'{{"rate": {rate}, "device": "", "reason": "", "advice": ""}}') is None


@pytest.mark.slow
def test_the_real_process(probe: SpeedProbe, qtbot: QtBot) -> None:
    """Real steps of the smallest network, within a time that a person waits."""
    measured, failed = listened(probe)
    began = time.monotonic()
    probe.ask(Question("plain", 32, 8, device="cpu", threads=1))
    qtbot.waitUntil(lambda: bool(measured or failed), timeout=PATIENCE)
    assert not failed
    assert measured[0][1].device == "cpu"
    assert measured[0][1].rate > 1
    assert time.monotonic() - began < PATIENCE / 1000
