"""Desks to try the docks at, with stand-ins for the network and for the training process."""

from __future__ import annotations

import importlib.util
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QLabel, QMessageBox, QWidget
from stand_in_colorizer import Stand, StandInColorizer, stand_in_planes
from superqt.utils import WorkerBase

from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.docks.training import TrainDock
from napari_colorize.files.models import ModelInfo
from napari_colorize.runs import process
from napari_colorize.runs.events import Step
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import ChildProcess, known_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from napari_colorize.docks.colorize import ColorizeDock

FAKE_TRAINING = Path(__file__).with_name("fake_training.py")
# Milliseconds to wait for what takes a moment: nothing fails only because the machine is busy.
PATIENCE = 120_000


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stand]:
    """Put a stand-in in the place of the network and two models into the list.

    They know a distribution of colours; each has a vividness of its own.
    """
    stand = Stand()
    stand.open.set()

    def open_colorizer(model: str | None = None, device: str = "auto") -> StandInColorizer:
        stand.orders.append((model, device))
        return StandInColorizer(stand)

    api = types.ModuleType("napari_colorize.api")
    api.open_colorizer = open_colorizer
    monkeypatch.setitem(sys.modules, "napari_colorize.api", api)
    stacks = types.ModuleType("napari_colorize.stacks.api")
    stacks.stack_planes = stand_in_planes
    monkeypatch.setitem(sys.modules, "napari_colorize.stacks.api", stacks)
    models = [
        ModelInfo(name, tmp_path / f"{name}.safetensors", card, True)
        for name, card in (
            ("a", {"network": "palette", "vividness": 0.35}),
            ("b", {"network": "palette", "vividness": 0.6}),
        )
    ]
    monkeypatch.setattr("napari_colorize.docks.colorize_form.list_models", lambda: models)
    yield stand
    stand.open.set()


@pytest.fixture(autouse=True)
def own_preferences(tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any) -> None:
    """Keep what the docks remember in a folder of each test's own.

    napari reads the preferences of plugins once, from the folder of its own settings.
    """
    import napari.settings

    place = tmp_path_factory.mktemp("preferences") / "settings.yaml"
    monkeypatch.setattr(napari.settings, "_CFG_PATH", str(place))
    monkeypatch.setattr(napari.settings, "_PLUGIN_SETTINGS", {})


@pytest.fixture(autouse=True)
def no_worker_left() -> Iterator[None]:
    """Wait for the workers of a test: one that outlives its window ends the process."""
    yield
    WorkerBase.await_workers(PATIENCE)


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


@pytest.fixture
def viewer(make_napari_viewer_proxy: Callable[..., Any]) -> Any:
    """Return a viewer as a dock gets it."""
    return make_napari_viewer_proxy()


@dataclass
class ColorizeDesk:
    """A viewer with the Colorize dock, used as a person does."""

    viewer: Any
    qtbot: QtBot

    def open(self) -> ColorizeDock:
        """Return the dock, opened as from the menu."""
        dock: ColorizeDock = self.viewer.window.add_plugin_dock_widget(
            "napari-colorize", "Colorize"
        )[1]
        return dock

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window work until something is so."""
        self.qtbot.waitUntil(condition, timeout=PATIENCE)

    def wait_for_end(self) -> None:
        """Let the window work until no run is under way."""
        self.wait(lambda: Run.living_in(self.viewer) is None)

    def run_to_end(self, dock: ColorizeDock) -> None:
        """Press Run and wait until the run is over."""
        assert dock.run.enabled, dock.reason.value
        dock.run.native.click()
        self.wait_for_end()


@pytest.fixture
def colorize_desk(stand: Stand, viewer: Any, qtbot: QtBot) -> ColorizeDesk:
    """Return a viewer to colour in; the stand-in for the network is in place."""
    return ColorizeDesk(viewer, qtbot)


def _answer(words: str, press: Callable[[], object]) -> str:
    """Do something that asks, press the button with these words, return the question."""
    asked: list[str] = []

    def look() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            return
        timer.stop()
        asked.append(f"{box.text()} {box.informativeText()}")
        buttons = [b for b in box.buttons() if words in b.text().replace("&", "")]
        # A question without an answer would wait for ever.
        (buttons[0].click if len(buttons) == 1 else box.reject)()
        assert len(buttons) == 1, [b.text() for b in box.buttons()]

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    try:
        press()
    finally:
        timer.stop()
    return "".join(asked)


@pytest.fixture
def answer() -> Callable[[str, Callable[[], object]], str]:
    """Return the function that answers a question."""
    return _answer


@dataclass
class TrainingDesk:
    """A viewer with the Train dock, used as a person does."""

    viewer: Any
    qtbot: QtBot

    def open(self) -> TrainDock:
        """Return a Train dock in the viewer."""
        dock = TrainDock(self.viewer)
        self.viewer.window.add_dock_widget(dock, name="Train")
        return dock

    def fill_in(self, dock: TrainDock, photographs: Path) -> RunFolder:
        """Name the photographs, as one who types their folder; return where the run will be."""
        edit = dock.setup.photographs.folder_edit
        edit.take(photographs)
        self.wait(lambda: not dock.setup.photographs.problem())
        path = dock.setup.task.run_folder
        assert path is not None
        return RunFolder(path)

    def start(self, photographs: Path) -> TrainDock:
        """Open a dock, name the photographs, press Start."""
        dock = self.open()
        self.fill_in(dock, photographs)
        self.press(dock.setup.start)
        return dock

    def press(self, button: Any) -> None:
        """Press a button that can be pressed."""
        assert button.isEnabled(), button.toolTip()
        assert self.shown(button), button.text()
        button.click()

    def answer(self, words: str, press: Callable[[], object]) -> str:
        """Do something that asks, press the button with these words, return the question."""
        return _answer(words, press)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window work until something is so."""
        self.qtbot.waitUntil(condition, timeout=PATIENCE)

    def wait_for(self, dock: TrainDock, *states: str) -> None:
        """Wait until the run that is looked at stands so."""
        self.wait(lambda: dock.watch.state is not None and dock.watch.state.name in states)

    def wait_for_step(self, dock: TrainDock) -> None:
        """Wait until the training is under way, past its first steps."""
        run = dock.watch.run
        assert run is not None
        self.wait(lambda: isinstance(run.last_event(), Step))
        self.wait_for(dock, "running")

    @staticmethod
    def shown(part: QWidget) -> bool:
        """Return whether a part of the dock is visible when the dock is."""
        return not part.isHidden()

    @staticmethod
    def words(part: QWidget) -> str:
        """Return all words that labels show in a part of the dock."""
        labels = [part] if isinstance(part, QLabel) else part.findChildren(QLabel)
        shown = [label.text() for label in labels if not label.isHidden()]
        return "\n".join(shown).replace("\u200b", "")


@pytest.fixture
def training_desk(viewer: Any, qtbot: QtBot) -> Iterator[TrainingDesk]:
    """Return a viewer to train from; trainings that a test left running on purpose are ended."""
    yield TrainingDesk(viewer, qtbot)
    for path in known_runs():
        worker = RunFolder(path).worker()
        if worker is not None:
            child = ChildProcess(worker.pid, worker.started)
            child.kill()
            child.wait(PATIENCE / 1000)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return the function that chooses what the training process does; at first it waits."""
    spawn = process._spawn

    def choose(mode: str) -> None:
        monkeypatch.setattr(
            process,
            "_spawn",
            lambda command, log: spawn([command[0], str(FAKE_TRAINING), mode, *command[4:]], log),
        )

    choose("stop")
    return choose


@pytest.fixture
def write_model() -> Callable[[Path, bytes], None]:
    """Return the maker of tiny models out of the stand-in for the training process."""
    spec = importlib.util.spec_from_file_location("fake_training", FAKE_TRAINING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    write: Callable[[Path, bytes], None] = module.write_model
    return write
