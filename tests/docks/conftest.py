"""A viewer with the Colorize dock, and a stand-in for the network that can be held and broken."""

from __future__ import annotations

import sys
import threading
import time
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from superqt.utils import WorkerBase

from napari_colorize.errors import Cancelled
from napari_colorize.files.models import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

STEPS = 4  # times that the stand-in looks whether it is cancelled, for each plane


@dataclass
class Stand:
    """What a stand-in for the network does and has seen.

    Attributes
    ----------
    open : threading.Event
        Colouring waits until it is set; it is from the start.
    hold_at : int
        From this picture on colouring waits until it is cancelled.
    error : Exception or None
        Raised instead of colouring, from the plane `error_at` on.
    seen : list of (shape, contrast limits)
        The pictures that came.
    """

    open: threading.Event = field(default_factory=threading.Event)
    hold_at: int = 1_000_000
    error: Exception | None = None
    error_at: int = 0
    seen: list[tuple[tuple[int, ...], tuple[float, float] | None]] = field(default_factory=list)
    orders: list[tuple[str | None, str]] = field(default_factory=list)
    working: bool = False
    closed: int = 0


class StandInColorizer:
    """Gives red = the grey values, green and blue half of it."""

    model_name = "stand-in"
    device = "cpu"
    device_reason = "no GPU: a stand-in"

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.card = {"hash": "cd" * 32}

    def set_picture(
        self,
        image: NDArray[Any],
        *,
        contrast_limits: tuple[float, float] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> None:
        """Keep the picture; fail if the stand says so."""
        if self.stand.error is not None and len(self.stand.seen) >= self.stand.error_at:
            raise self.stand.error
        self.stand.seen.append((image.shape, contrast_limits))
        self.image = image if image.ndim == 2 else image[..., 0]

    def colorize(
        self,
        *,
        dtype: str,
        cancel: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> NDArray[np.uint8]:
        """Return the picture in red, after waiting for the stand."""
        self.stand.working = True
        while len(self.stand.seen) > self.stand.hold_at or not self.stand.open.is_set():
            time.sleep(0.005)
            if cancel():
                raise Cancelled("cancelled")
        for step in range(STEPS):
            if cancel():
                raise Cancelled("cancelled")
            progress(step + 1, STEPS)
        self.stand.working = False
        return np.stack([self.image, self.image // 2, self.image // 2], axis=-1).astype(dtype)

    def close(self) -> None:
        """Count that it was closed."""
        self.stand.closed += 1


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stand]:
    """Put a stand-in in the place of the network and two models into the list."""
    stand = Stand()
    stand.open.set()

    def open_colorizer(model: str | None = None, device: str = "auto") -> StandInColorizer:
        stand.orders.append((model, device))
        return StandInColorizer(stand)

    api = types.ModuleType("napari_colorize.api")
    api.open_colorizer = open_colorizer
    monkeypatch.setitem(sys.modules, "napari_colorize.api", api)
    models = [ModelInfo(name, tmp_path / f"{name}.safetensors", {}, True) for name in "ab"]
    monkeypatch.setattr("napari_colorize.docks.colorize_form.list_models", lambda: models)
    yield stand
    stand.open.set()


@pytest.fixture(autouse=True)
def no_worker_left() -> Iterator[None]:
    """Wait for the workers of a test: one that outlives its window ends the process."""
    yield
    WorkerBase.await_workers(5000)


@pytest.fixture
def seeded_model(own_places: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the only model: seeded weights that paint all in an orange hue."""
    import torch

    from napari_colorize.files.models import DEFAULT_MODEL, models_folder
    from napari_colorize.networks.plain import Plain
    from napari_colorize.networks.weights import save_network

    monkeypatch.setattr("napari_colorize.files.models.BUNDLED", own_places / "bundled")
    torch.manual_seed(0)
    network = Plain()
    last = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
    with torch.no_grad():
        last.bias.copy_(torch.tensor([0.2, 0.4]))
    models_folder().mkdir(parents=True)
    card = {"name": DEFAULT_MODEL, "network": "plain", "settings": {}, "working_size": 128}
    save_network(models_folder() / f"{DEFAULT_MODEL}.safetensors", network, card)
    return DEFAULT_MODEL
