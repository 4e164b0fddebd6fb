"""A viewer to look at lazy layers in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_colorize.docks.layers import take_source
from napari_colorize.docks.lazy.opening import LazyLayer, add_lazy_layer, lazy_planes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from napari_colorize.stacks.lazy_planes import LazyPlanes

PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small model with loud colours."""
    from made_models import save_loud_palette

    return save_loud_palette(tmp_path_factory.mktemp("model") / "paint.safetensors")


@pytest.fixture(autouse=True)
def threads_end() -> Iterator[None]:
    """End the threads of lazy layers that a test left in a viewer."""
    yield
    for each in list(LazyLayer._living):
        each.close()


@pytest.fixture
def stack() -> NDArray[np.uint8]:
    """Return six planes of 40 x 48."""
    return np.random.default_rng(0).integers(0, 255, (6, 40, 48), np.uint8)


class LazyDesk:
    """A viewer with layers that are coloured as one looks."""

    def __init__(self, viewer: Any, qtbot: QtBot, model: Path) -> None:
        self.viewer, self.qtbot, self.model = viewer, qtbot, model

    def add(self, data: Any, **how: Any) -> tuple[Any, LazyPlanes]:
        """Add a layer and its lazy colours; return these and what colours them."""
        layer = self.viewer.add_image(data, name="grey", **how)
        source = take_source(self.viewer, layer, whole=True)
        lazy = add_lazy_layer(self.viewer, source, model=self.model, device="cpu")
        planes = lazy_planes_of(lazy)
        assert planes is not None
        return lazy, planes

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window work until something is so."""
        self.qtbot.waitUntil(condition, timeout=PATIENCE)

    def wait_for_colours(self, planes: LazyPlanes) -> None:
        """Wait until nothing is left to do and what is in view has its colours on the canvas."""
        self.wait(planes.idle)
        self.wait(self.is_coloured)

    def is_coloured(self) -> bool:
        """Return whether the topmost layer shows any colour; its thumbnail is made of its view."""
        picture = np.asarray(self.viewer.layers[-1].thumbnail)[..., :3].astype(int)
        return bool((np.ptp(picture, axis=-1) > 10).any())


@pytest.fixture
def lazy_desk(viewer: Any, qtbot: QtBot, model: Path) -> LazyDesk:
    """Return a viewer to look at lazy layers in."""
    return LazyDesk(viewer, qtbot, model)


@pytest.fixture
def bare_desk(qtbot: QtBot, model: Path) -> LazyDesk:
    """Return the model of a viewer: its layers are sliced as they are in a window, in less time."""
    return LazyDesk(ViewerModel(), qtbot, model)
