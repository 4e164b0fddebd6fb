"""What a run tells is shown: numbers, warnings, curves, how it ended, whatever its files hold."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.watch.run_view import RunView
from napari_colorize.docks.watch.run_watcher import RunReader
from napari_colorize.files.models import list_models
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import (
    Failed,
    Finished,
    Healed,
    Preparing,
    PreviewWritten,
    Started,
    Step,
    Stopped,
    Usage,
    Validated,
    encode,
)
from napari_colorize.runs.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qtpy.QtWidgets import QLabel

    from napari_colorize.runs.events import Event
    from napari_colorize.runs.folder import RunState

PATIENCE = 60_000


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run folder."""
    return RunFolder(tmp_path / "meadow").create(TrainingConfig(folder=str(tmp_path)))


@pytest.fixture
def view(viewer: Any) -> RunView:
    """Return a view in a dock."""
    view = RunView(viewer)
    viewer.window.add_dock_widget(view, name="view")
    return view


@pytest.fixture
def at_work(run: RunFolder) -> Iterator[None]:
    """Let this process be the one that trains in the folder."""
    with run.claim():
        yield


def begin(run: RunFolder, steps: int = 25, epochs: int = 4) -> None:
    """Tell the start of a run and some steps, ten an epoch."""
    told: list[Event] = [
        Preparing(60, 60),
        Started("cpu", "no GPU", "bf16-mixed", 50, 10, {"grey": 3}, epochs, 10, 0, os.getpid()),
    ]
    for step in range(1, steps + 1):
        told.append(Step(step, 10 * epochs, (step - 1) // 10 + 1, 1 / step, 1e-3, 41.0, 90.0))
        if step % 10 == 0:
            told.append(Validated(step // 10, 1 / step, 20 + step / 10, 19.5, True))
    for event in told:
        run.append(event)


def words(label: QLabel) -> str:
    """Return what a label shows, nothing if it is hidden."""
    return "" if label.isHidden() else label.text().replace("\u200b", "")


def look(view: RunView, run: RunFolder, qtbot: Any) -> RunState:
    """Watch a run until all that it told is shown."""
    seen: list[RunState] = []
    view.stands.connect(seen.append)
    view.watch(run)
    qtbot.waitUntil(lambda: bool(seen), timeout=PATIENCE)
    view.stands.disconnect(seen.append)
    return seen[0]


def wait_for(view: RunView, text: str, qtbot: Any) -> None:
    """Wait until the status has the words."""
    qtbot.waitUntil(lambda: text in words(view.status), timeout=PATIENCE)


@pytest.mark.usefixtures("at_work")
def test_running_training_shows_place_time_and_numbers(
    view: RunView, run: RunFolder, qtbot: Any
) -> None:
    """Epoch, step, time left, device, precision, speed and memory are what the run told."""
    begin(run)
    run.append(Usage(1_440_000_000, 2_500_000_000))
    assert look(view, run, qtbot).name == "running"
    assert view.state is not None
    numbers = view.numbers
    assert words(numbers.place) == "Epoch 3 of 4 · step 25 of 40"
    assert words(numbers.time).startswith("2 min left, done about ")
    assert numbers.bar.value() / numbers.bar.maximum() == 25 / 40
    assert {name: label.text() for name, label in numbers.values.items()} == {
        "device": "cpu",
        "precision": "half",
        "speed": "41 photographs/s",
        "memory": "1.4 GB + 2.5 GB on cpu",
    }
    assert words(view.score) == "Best so far after epoch 2: 22.00 dB PSNR (left grey: 19.50 dB)."
    assert "left out: 3 grey" in words(view.facts)
    assert words(view.warnings) == words(view.status) == ""
    qtbot.waitUntil(lambda: view.plot is not None, timeout=PATIENCE)  # its library is loaded first
    assert len(view._history.training.epochs) == 25


@pytest.mark.usefixtures("at_work")
def test_warnings_are_told_while_it_goes_on(view: RunView, run: RunFolder, qtbot: Any) -> None:
    """What is healed stands there with what follows."""
    begin(run)
    look(view, run, qtbot)
    run.append(Healed("out of memory", 16, 2))
    qtbot.waitUntil(lambda: "Out of memory; it goes on" in words(view.warnings), timeout=PATIENCE)


def test_finished_run_gives_its_model_once(
    view: RunView, run: RunFolder, qtbot: Any, write_model: Callable[..., None]
) -> None:
    """The model is put among one's own in the background, and not again after it was removed."""
    heard: list[int] = []
    models_changed.connect(lambda: heard.append(1))
    begin(run, 40)
    write_model(run.best_model)
    run.append(Finished(4, 4, 0.03, run.best_model.name, "all 4 epochs done"))
    look(view, run, qtbot)
    wait_for(view, "Finished; the best epoch was 4 of 4.", qtbot)
    wait_for(view, "The model meadow is in the Colorize dock.", qtbot)
    models_changed.disconnect()
    assert heard == [1]
    [own] = [model for model in list_models() if model.name == "meadow"]
    own.path.unlink()
    look(view, run, qtbot)
    wait_for(view, "Its model was put into the Colorize dock.", qtbot)
    assert "meadow" not in [model.name for model in list_models()]
    assert view.numbers.bar.value() == view.numbers.bar.maximum()


def test_finished_run_without_a_model_says_so(view: RunView, run: RunFolder, qtbot: Any) -> None:
    """A model that is missing is a sentence."""
    begin(run, 40)
    run.append(Finished(4, 4, 0.03, run.best_model.name, "all 4 epochs done"))
    look(view, run, qtbot)
    wait_for(view, "could not be put into the Colorize dock", qtbot)


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (Stopped(25, "stopped as asked; resume to go on"), "Stopped as asked; resume to go on."),
        (Failed("DataError", "Only 1 picture.", "Add some."), "failed. Only 1 picture. Add some."),
        (None, "Resume goes on from the last checkpoint."),
    ],
)
def test_other_endings(
    view: RunView, run: RunFolder, qtbot: Any, last: Event | None, said: str
) -> None:
    """Stopped, failed and died are told with what to do; the bar is gone."""
    begin(run)
    if last is not None:
        run.append(last)
    look(view, run, qtbot)
    assert said in words(view.status)
    assert view.numbers.bar.isHidden()


@pytest.mark.usefixtures("at_work")
def test_folder_that_vanishes_is_one_sentence(view: RunView, run: RunFolder, qtbot: Any) -> None:
    """Whoever deletes a run that is watched reads that it is gone."""
    begin(run)
    look(view, run, qtbot)
    shutil.rmtree(run.path)
    wait_for(view, f"There is no run in {run.path}.", qtbot)
    assert not view.epochs.use.isEnabled()


@pytest.mark.usefixtures("at_work")
def test_garbage_is_passed_over(view: RunView, run: RunFolder, qtbot: Any) -> None:
    """Noise, absurd numbers and a long line without an end leave the view as it is."""
    begin(run)
    absurd: tuple[Event, ...] = (
        Step(2**70, -5, 2**70, float("nan"), 0.0, float("inf"), float("nan")),
        Validated(-3, float("inf"), float("nan"), float("-inf"), True),
        PreviewWritten(2**70, "../../../etc"),
        Usage(-1, 2**70),
    )
    with run.events_file.open("ab") as file:
        for event in absurd:
            file.write(encode(event).encode() + b"\n\xff\xfe\n[[[[\n{}\n")
        file.write(b"x" * 300_000 + b"\n")
    run.append(Step(26, 40, 3, 0.1, 1e-3, 41.0, 80.0))
    assert look(view, run, qtbot).name == "running"
    assert words(view.numbers.place) == "Epoch 3 of 4 · step 26 of 40"


@pytest.mark.usefixtures("at_work")
def test_two_views_show_one_run(view: RunView, viewer: Any, run: RunFolder, qtbot: Any) -> None:
    """Views do not disturb each other."""
    other = RunView(viewer)
    viewer.window.add_dock_widget(other, name="other")
    begin(run)
    look(view, run, qtbot)
    look(other, run, qtbot)
    run.append(Step(26, 40, 3, 0.1, 1e-3, 41.0, 80.0))
    for each in (view, other):
        qtbot.waitUntil(lambda each=each: "step 26" in words(each.numbers.place), timeout=PATIENCE)


@pytest.mark.usefixtures("at_work")
def test_other_run_and_none(view: RunView, run: RunFolder, tmp_path: Path, qtbot: Any) -> None:
    """Nothing of a run is left when another is shown, or none."""
    begin(run)
    look(view, run, qtbot)
    other = RunFolder(tmp_path / "shore").create(TrainingConfig(folder=str(tmp_path)))
    assert look(view, other, qtbot).name == "new"
    assert words(view.status) == "Not started yet."
    assert view.plot is not None
    assert view.plot.widget.isHidden()
    assert words(view.score) == words(view.facts) == words(view.numbers.place) == ""
    view.leave()
    assert (view.run, view.state, words(view.status)) == (None, None, "")


@pytest.mark.usefixtures("at_work")
def test_view_that_is_closed_hears_nothing_more(viewer: Any, run: RunFolder, qtbot: Any) -> None:
    """Events after the end of the widget, and a change of theme, touch nothing."""
    view = RunView(viewer)
    viewer.window.add_dock_widget(view, name="view")
    begin(run)
    look(view, run, qtbot)
    view.deleteLater()
    qtbot.waitUntil(lambda: view._life.over, timeout=PATIENCE)
    view._take_events([Step(26, 40, 3, 0.1, 1e-3, 41.0, 80.0)])
    view._take_model(run, "", None)
    view._take_state(run.state())
    viewer.theme = "light"


@pytest.mark.usefixtures("at_work")
def test_theme_is_followed(view: RunView, viewer: Any, run: RunFolder, qtbot: Any) -> None:
    """Curves and warnings take the colours of the other theme."""
    begin(run)
    look(view, run, qtbot)
    assert view.plot is not None
    for theme, light in (("light", True), ("dark", False)):
        viewer.theme = theme
        corner = view.plot._plot.grab().toImage().pixelColor(2, 2).lightness()
        assert (corner > 150) is light


def test_long_past_steps_are_read_in_a_hurry(tmp_path: Path) -> None:
    """Of a huge file every other event is read, of steps some from everywhere and the last ones."""
    file = tmp_path / "events.jsonl"
    count = 100_000
    with file.open("wb") as writer:
        for step in range(1, count + 1):
            writer.write(encode(Step(step, count, 1, 0.5, 1e-3, 40.0, 9.0, time=1.0)).encode())
            writer.write(b"\n")
            if step % 1000 == 0:
                check = Validated(step // 1000, 0.5, 20.0, 19.0, True, time=1.0)
                writer.write(encode(check).encode() + b"\n")
    reader = RunReader(file)
    told: list[Event] = []
    pieces = 0
    while (events := reader.read()) is not None:
        told += events
        pieces += 1
    assert reader.share == 1.0
    steps = [event.step for event in told if isinstance(event, Step)]
    checks = [event.epoch for event in told if isinstance(event, Validated)]
    assert checks == list(range(1, 101))
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (1, count)
    assert 10_000 < len(steps) < count / 2
    assert pieces < 150
    with file.open("ab") as writer:
        writer.write(encode(Stopped(3, "", time=1.0)).encode()[:20])
    assert reader.read() is None
    file.unlink()
    assert reader.read() is None


@pytest.mark.usefixtures("at_work")
def test_look_at_a_long_run_is_short(view: RunView, run: RunFolder, qtbot: Any) -> None:
    """However much a run told, each look reads a piece of it only."""
    line = encode(Step(7, 10**6, 1, 0.5, 1e-3, 40.0, 9.0, time=1.0)).encode() + b"\n"
    with run.events_file.open("wb") as file:
        for _ in range(20):
            file.write(line * 5_000)
    view.watch(run)
    view._watcher._timer.stop()
    took = []
    for _ in range(5):
        before = time.process_time()
        view._watcher.look()
        took.append(time.process_time() - before)
    assert 0 < view._watcher.share < 1
    assert "Reading what the run has told" in words(view.numbers.place)
    assert sorted(took)[2] < 0.5  # of seconds, on whatever machine
