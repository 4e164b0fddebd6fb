"""A person at the field for the photographs, and the field for what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from napari_colorize.docks.setup import speed_probe
from napari_colorize.docks.setup.task_field import TaskField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

import threading
import time
from typing import TYPE_CHECKING

from napari.components import ViewerModel

from napari_colorize.docks.setup import examining, photographs_field
from napari_colorize.docks.setup.photograph_check import _Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

from made_person import Person

# A finished measurement, as the child prints it.
ANSWERS = (
    "import json; print(json.dumps(dict(rate=20.0, device='cpu', reason='no GPU', advice='')))"
)


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """Return a person with a field, who need not wait long after the last letter."""
    monkeypatch.setattr(photographs_field, "PAUSE", 20)
    person = Person(qtbot, ViewerModel())
    yield person
    person.field.stop()
    person.wait(lambda: not _Look._living)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hold every look after it has found that there are pictures, until the event is set."""
    go = threading.Event()
    real = examining.open_photographs

    def open_photographs(*args: Any, **settings: Any) -> Any:
        settings["progress"](0, 24)
        while not go.is_set():
            if settings["cancel"]():
                raise examining.Cancelled("cancelled")
            time.sleep(0.005)
        return real(*args, **settings)

    monkeypatch.setattr(examining, "open_photographs", open_photographs)
    yield go
    go.set()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a script in the place of the process that measures."""
    monkeypatch.setattr(speed_probe, "DELAY", 0)
    monkeypatch.setattr(speed_probe, "command", lambda: ["-c", ANSWERS])


@pytest.fixture
def field(qtbot: QtBot, stand_in: None) -> Iterator[TaskField]:
    """Return the field, which has not been shown."""
    field = TaskField()
    qtbot.addWidget(field)
    yield field
    field.stop()
