"""A person at the field for the photographs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from napari.components import ViewerModel

from napari_colorize.docks.setup import examining, photographs_field
from napari_colorize.docks.setup.photograph_check import _Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

from made_person import Person


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
