"""The Train dock with the true training process, on a tiny data set."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from napari_colorize.files.models import list_models
from napari_colorize.runs import process
from napari_colorize.runs.events import Failed, Stopped

if TYPE_CHECKING:
    from pathlib import Path

    from napari_colorize.docks.training import TrainDock

TINY = {"batch_size": 8, "crop": 32, "working_size": 32, "threads": 1, "warmup": 2}


def set_up(training_desk: Any, photographs: Path, **settings: Any) -> TrainDock:
    """Return a dock that is ready to train the smallest network."""
    dock: TrainDock = training_desk.open()
    training_desk.fill_in(dock, photographs)
    dock.setup.task.choice.show_network("plain")
    dock.setup.task.advanced.show_changes(TINY | settings)
    return dock


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_stop_resume_and_kill(training_desk: Any, photographs: Path) -> None:
    """Start, Stop, Resume, a kill from outside, and Resume again; nothing that was kept is lost."""
    dock = set_up(training_desk, photographs, epochs=100_000)
    training_desk.press(dock.setup.start)
    run = dock.watch.run
    assert run is not None
    training_desk.wait(run.best_model.exists)
    training_desk.wait_for(dock, "running")
    training_desk.press(dock.watch.stop)
    assert dock.watch.stop.text() == "Stopping…"
    training_desk.wait_for(dock, "stopped")
    stopped = run.last_event()
    assert isinstance(stopped, Stopped)
    assert stopped.step > 0
    assert run.last_checkpoint.exists()

    training_desk.press(dock.watch.resume)
    training_desk.wait_for_step(dock)
    worker = run.worker()
    assert worker is not None
    psutil.Process(worker.pid).kill()
    training_desk.wait_for(dock, "died")
    assert dock.watch.state is not None
    assert "signal 9" in dock.watch.state.detail
    training_desk.press(dock.watch.resume)
    training_desk.wait_for_step(dock)
    assert run.last_event().step > stopped.step
    training_desk.press(dock.watch.stop)
    training_desk.wait_for(dock, "stopped")


@pytest.mark.slow
def test_training_to_the_end_gives_a_model(training_desk: Any, photographs: Path) -> None:
    """Two epochs, and the model is among the user's own."""
    dock = set_up(training_desk, photographs, epochs=2)
    training_desk.press(dock.setup.start)
    run = dock.watch.run
    assert run is not None
    training_desk.wait_for(dock, "finished", "failed", "died")
    assert run.state().name == "finished", run.state().detail
    status = dock.watch.view.status
    training_desk.wait(lambda: "is in the Colorize dock" in training_desk.words(status))
    model = next(model for model in list_models() if model.name == run.path.name)
    assert model.card["network"] == "plain"
    assert "photographs to learn from" in training_desk.words(dock.watch.view)
    assert training_desk.shown(dock.watch.view.plot.widget)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits are for Linux")
def test_full_disk_is_told_and_resumed(
    training_desk: Any, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that does not fit ends the run in a sentence; with room again it goes on."""
    spawn = process._spawn

    def limited(command: list[str], log: Path) -> int:
        child = spawn(command, log)
        psutil.Process(child).rlimit(psutil.RLIMIT_FSIZE, (200_000, 200_000))
        return child

    monkeypatch.setattr(process, "_spawn", limited)
    dock = set_up(training_desk, photographs, epochs=1)
    training_desk.press(dock.setup.start)
    training_desk.wait_for(dock, "failed", "died", "finished")
    run = dock.watch.run
    assert run is not None
    told = run.last_event()
    assert isinstance(told, Failed)
    assert told.kind == "StorageError"
    # Of the checkpoint, or of the cache where the photographs had not been looked at to the end.
    assert "file too large" in training_desk.words(dock.watch.view.status).lower()
    monkeypatch.setattr(process, "_spawn", spawn)
    training_desk.press(dock.watch.resume)
    training_desk.wait_for(dock, "finished", "failed", "died")
    assert run.state().name == "finished", run.state().detail
