"""Desks to try hints at, and a viewer without a window, which takes a tenth of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hint_desk import Desk
from napari.components import ViewerModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def desk(make_napari_viewer: Callable[..., Any], qtbot: QtBot) -> Iterator[Desk]:
    """Return the desk; what was opened at it is closed."""
    desk = Desk(make_napari_viewer(), qtbot)
    yield desk
    for layers in desk.opened:
        layers.close()
    qtbot.wait(10)


@pytest.fixture
def viewer(qapp: object) -> ViewerModel:
    """Return a viewer that has layers, sliders and a theme."""
    return ViewerModel()
