"""The Train dock and runs that are there already: found again, looked at in turn, broken."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QSlider,
    QTabBar,
    QWidget,
)

from napari_colorize.docks.preferences import remember
from napari_colorize.files.models import list_models
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Finished, Step
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import start_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_run_folder_that_vanishes_is_no_crash(
    training_desk: Any, photographs: Path, tmp_path: Path
) -> None:
    """A run that is deleted while it is looked at leaves a sentence."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder=str(photographs)))
    dock = training_desk.open()
    with run.claim():
        run.append(Step(1, 10, 1, 0.5, 1e-3, 1.0, 9.0))
        dock.look_at(run)
        training_desk.wait_for(dock, "running")
        shutil.rmtree(run.path)
    training_desk.wait_for(dock, "new")
    assert "There is no run" in training_desk.words(dock.watch.view.status)
    assert dock.watch.chooser.run is None
    assert not dock.watch.stop.isEnabled()


def test_closed_dock_leaves_the_training_and_finds_it_again(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """A dock that is opened again shows the run that is under way, in the Watch tab."""
    first = training_desk.start(photographs)
    training_desk.wait_for_step(first)
    run = first.watch.run
    viewer.window.remove_dock_widget(first)
    watcher = first.watch.view._watcher
    training_desk.wait(lambda: not watcher.is_watching())
    assert run.state().name == "running"

    second = training_desk.open()
    assert second.tabs.currentWidget() is second.watch
    assert second.watch.run.path == run.path
    training_desk.wait_for(second, "running")
    training_desk.press(second.watch.stop)
    training_desk.wait_for(second, "stopped")


def test_stop_under_way_is_seen_by_a_dock_that_is_opened_meanwhile(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """The wish to stop stays in the run folder."""
    fake("deaf")
    first = training_desk.start(photographs)
    training_desk.wait_for_step(first)
    training_desk.press(first.watch.stop)
    viewer.window.remove_dock_widget(first)
    second = training_desk.open()
    assert second.watch.stop.text() == "Stopping…"
    training_desk.wait_for(second, "running")
    assert not second.watch.stop.isEnabled()


def test_closed_viewer_leaves_the_training(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """The training outlives the window; code that closes a viewer is not asked."""
    dock = training_desk.start(photographs)
    training_desk.wait_for_step(dock)
    run = dock.watch.run
    viewer.close()
    training_desk.qtbot.wait(700)
    assert run.state().name == "running"


def test_model_of_a_run_that_finished_meanwhile_is_fetched_once(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None], tmp_path: Path
) -> None:
    """A run that finished with napari closed brings its model; one that was deleted stays away."""
    fake("whole")
    run = RunFolder(tmp_path / "meadow").create(TrainingConfig(folder=str(photographs)))
    assert start_training(run).wait(120)
    dock = training_desk.open()
    assert dock.tabs.currentWidget() is dock.setup
    status = dock.watch.view.status
    training_desk.wait(lambda: "The model meadow is in" in training_desk.words(status))
    next(model.path for model in list_models() if model.name == "meadow").unlink()
    viewer.window.remove_dock_widget(dock)
    other = training_desk.open()
    status = other.watch.view.status
    training_desk.wait(lambda: "was put into the Colorize dock" in training_desk.words(status))
    assert "meadow" not in [model.name for model in list_models()]


def test_broken_model_is_told(training_desk: Any, tmp_path: Path) -> None:
    """A finished run whose model cannot be read says so."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    run.best_model.write_bytes(b"half a mod")
    run.append(Finished(1, 1, 0.1, run.best_model.name, "done"))
    dock = training_desk.open()
    dock.look_at(run)
    status = dock.watch.view.status
    training_desk.wait(lambda: "could not be put" in training_desk.words(status))


def test_two_trainings_go_on_side_by_side(
    training_desk: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """New run leaves the first one training; the list brings it back."""
    dock = training_desk.start(photographs)
    training_desk.wait_for_step(dock)
    first = dock.watch.run
    training_desk.press(dock.watch.new_run)
    training_desk.press(dock.setup.start)
    second = dock.watch.run
    assert second.path != first.path
    training_desk.wait_for_step(dock)
    assert first.state().name == "running"
    training_desk.press(dock.watch.stop)
    training_desk.wait_for(dock, "stopped")

    box = dock.watch.chooser.box
    assert [box.itemText(place).split(" · ")[1][:7] for place in range(2)] == ["running", "stopped"]
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert dock.watch.run.path == first.path
    training_desk.wait_for(dock, "running")
    assert dock.watch.stop.isEnabled()


def test_run_with_broken_settings_is_no_crash(training_desk: Any, tmp_path: Path) -> None:
    """A run folder whose settings cannot be read is shown as far as it goes."""
    (tmp_path / "config.json").write_text("{")
    dock = training_desk.open()
    dock.look_at(RunFolder(tmp_path))
    training_desk.wait_for(dock, "new")


def test_form_says_what_is_missing(training_desk: Any, photographs: Path, tmp_path: Path) -> None:
    """Start stays disabled with the reason beside it, until the form is right."""
    dock = training_desk.open()
    setup = dock.setup
    assert not setup.start.isEnabled()
    assert "Choose the folder" in training_desk.words(setup.reason)
    run = training_desk.fill_in(dock, photographs)
    assert run.path.name.startswith(f"{photographs.name}-2")
    others = tmp_path / "others"
    shutil.copytree(photographs / "shore", others)
    setup.photographs.show_folders(photographs / "meadow", others)
    training_desk.wait(setup.start.isEnabled)
    for place, reason in (
        (photographs / "meadow" / "run", "among the photographs"),
        (tmp_path / "run", ""),
        (others / "run", "among the photographs to check with"),
    ):
        setup.task.place.folder.setText(str(place))
        assert reason in training_desk.words(setup.reason)
        assert setup.start.isEnabled() is not bool(reason)


def test_folder_without_pictures_is_refused(training_desk: Any, tmp_path: Path) -> None:
    """A folder without pictures is refused before anything is started."""
    (tmp_path / "words.txt").write_text("no picture")
    dock = training_desk.open()
    dock.setup.photographs.folder_edit.take(tmp_path)
    training_desk.qtbot.wait(100)
    training_desk.wait(lambda: "picture" in training_desk.words(dock.setup.reason))
    assert not dock.setup.start.isEnabled()


def test_dock_is_found_by_napari_and_is_never_taller_than_the_window(
    training_desk: Any, viewer: Any
) -> None:
    """Napari opens the dock from the manifest and gives it the viewer; it scrolls."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-colorize", "Train")
    assert type(dock).__name__ == "TrainDock"
    assert dock.minimumSizeHint().height() < 300
    assert dock.minimumSizeHint().width() <= 400


def is_part_of_another(part: QWidget) -> bool:
    """Return whether Qt made a widget as a piece of a field, such as the line of a number."""
    around = part.parentWidget()
    if part.objectName().startswith("qt_"):
        return True
    return isinstance(around, (QAbstractSpinBox, QComboBox, QLineEdit, QTabBar))


def describe(part: QWidget, dock: QWidget) -> str:
    """Return the kinds of a widget and of those around it."""
    names = []
    around: QWidget | None = part
    while around is not None and around is not dock:
        names.append(type(around).__name__)
        around = around.parentWidget()
    return f"{getattr(part, 'text', str)()}: {' in '.join(names)}"


def test_everything_explains_itself(training_desk: Any) -> None:
    """Each button, field and tab has a tooltip, and the keyboard reaches the main ones."""
    dock = training_desk.open()
    watch, setup = dock.watch, dock.setup
    parts = [setup.start, setup.copy_python, setup.copy_command]
    parts += [watch.stop, watch.end_now, watch.resume, watch.new_run, watch.log]
    parts += [watch.chooser.box, watch.chooser.browse, watch.chooser.more]
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QSlider, QListWidget)
    found = {part for kind in kinds for part in dock.findChildren(kind)}
    dumb = [part for part in found if not is_part_of_another(part) and not part.toolTip()]
    assert [describe(part, dock) for part in dumb] == []
    assert all(part.focusPolicy() & Qt.FocusPolicy.TabFocus for part in parts)
    assert all(dock.tabs.tabToolTip(place) for place in range(3))


def test_long_run_is_read_without_holding_up_the_window(
    training_desk: Any, photographs: Path, tmp_path: Path
) -> None:
    """Many events come in pieces, and the window gets its turn in between."""
    run = RunFolder(tmp_path / "run").create(TrainingConfig(folder=str(photographs)))
    run.append(Step(1, 100_000, 1, 0.5, 1e-3, 1.0, 9.0))
    line = run.events_file.read_bytes()
    run.events_file.write_bytes(line * 20_000)
    dock = training_desk.open()
    dock.look_at(run)
    turns: list[int] = []
    dock.watch.view._watcher.told.connect(lambda events: turns.append(len(events)))
    training_desk.wait(lambda: dock.watch.state is not None)
    assert sum(turns) == 20_000
    assert max(turns) < 2_000


def test_settings_are_remembered(
    training_desk: Any, viewer: Any, photographs: Path, fake: Callable[[str], None]
) -> None:
    """The next dock begins where the last training was begun; a folder that is gone is not."""
    fake("whole")
    dock = training_desk.open()
    training_desk.fill_in(dock, photographs)
    dock.setup.task.choice.show_network("plain")
    dock.setup.task.presets.buttons["quick"].click()
    training_desk.press(dock.setup.start)
    training_desk.wait_for(dock, "finished")
    viewer.window.remove_dock_widget(dock)
    again = training_desk.open().setup
    assert again.photographs.folder == photographs
    assert (again.task.choice.task, again.task.presets.key) == ("fresh", "quick")
    remember("folder", str(photographs / "gone"))
    assert training_desk.open().setup.photographs.folder is None


def test_no_two_mnemonics_are_the_same(training_desk: Any) -> None:
    """Alt and a letter does one thing in each tab, and the menus of napari keep theirs."""
    dock = training_desk.open()
    menus = ["&File", "&View", "&Layers", "&Plugins", "&Window", "&Help"]
    tabs = [dock.tabs.tabText(place) for place in range(3)]
    for tab in range(3):
        inside = dock.tabs.widget(tab)
        parts = [*inside.findChildren(QAbstractButton), *inside.findChildren(QLabel)]
        # Of parts that stand in for each other, such as folder and layers, one is shown.
        texts = {p.text() for p in parts if isinstance(p, QAbstractButton) or p.buddy()}
        marked = [text for text in (*texts, *tabs, *menus) if "&" in text]
        letters = [text[text.index("&") + 1].lower() for text in marked]
        twice = [text for text, one in zip(marked, letters, strict=True) if letters.count(one) > 1]
        assert twice == [], tabs[tab]
