"""The slider shows each epoch's previews in one layer, and its weights can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from napari_colorize.docks.layers import is_result
from napari_colorize.docks.model_events import model_wanted
from napari_colorize.docks.watch.epoch_slider import EpochSlider
from napari_colorize.docks.watch.preview_layer import read_sheet
from napari_colorize.errors import PictureError
from napari_colorize.files.models import list_models
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import PreviewWritten, Started, Validated
from napari_colorize.runs.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 60_000


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run folder."""
    return RunFolder(tmp_path / "meadow").create(TrainingConfig(folder=str(tmp_path)))


@pytest.fixture
def slider(viewer: Any, qtbot: Any, run: RunFolder) -> EpochSlider:
    """Return a slider that shows the run."""
    slider = EpochSlider(viewer)
    viewer.window.add_dock_widget(slider, name="slider")
    slider.show_run(run)
    slider.add(Started("cpu", "", "32-true", 90, 10, {}, 5, 10, 0, 1))
    return slider


def write_previews(run: RunFolder, epoch: int, count: int = 2) -> PreviewWritten:
    """Write strips whose middle third is as bright as the epoch is late."""
    folder = run.previews / f"epoch-{epoch:04d}"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        strip = np.zeros((10, 30, 3), np.uint8)
        strip[:, :10], strip[:, 10:20], strip[:, 20:] = 7, 20 * epoch, 250
        Image.fromarray(strip).save(folder / f"{number:02d}.png")
    return PreviewWritten(epoch, folder.relative_to(run.path).as_posix())


def tell_epoch(slider: EpochSlider, run: RunFolder, epoch: int, best: bool = True) -> None:
    """Let an epoch end."""
    slider.add(Validated(epoch, 1 / epoch, 20.0 + epoch, 19.5, best))
    slider.add(write_previews(run, epoch))
    slider.refresh()


def shown_epoch(viewer: Any) -> int:
    """Return which epoch's pixels the layer holds, 0 without a layer."""
    if not len(viewer.layers):
        return 0
    return int(np.asarray(viewer.layers[-1].data)[0, 20, 0]) // 20


def wait(qtbot: Any, condition: Callable[[], bool]) -> None:
    """Let the window work until something is so."""
    qtbot.waitUntil(condition, timeout=PATIENCE)


def wait_for(qtbot: Any, viewer: Any, epoch: int) -> None:
    """Let the window work until the layer shows an epoch."""
    wait(qtbot, lambda: shown_epoch(viewer) == epoch)


def test_sheet_has_the_rows_below_each_other(run: RunFolder) -> None:
    """Two strips of three pictures give one sheet with gaps between all of them."""
    folder = run.path / write_previews(run, 3).folder
    sheet = read_sheet(folder)
    assert sheet.shape == (26, 42, 3)
    assert sheet.dtype == np.uint8
    assert [sheet[0, place, 0] for place in (0, 10, 16, 26, 32)] == [7, 0, 60, 0, 250]
    assert sheet[10:16].max() == 0
    assert sheet[25, 41, 0] == 250


def test_sheet_that_cannot_be_read_is_one_sentence(run: RunFolder) -> None:
    """No folder, half a picture and something else than a picture are told in words."""
    with pytest.raises(PictureError, match="There are no previews in epoch-0001"):
        read_sheet(run.previews / "epoch-0001")
    folder = run.path / write_previews(run, 2).folder
    whole = (folder / "01.png").read_bytes()
    for content in (whole[: len(whole) // 2], b"no picture", b""):
        (folder / "01.png").write_bytes(content)
        with pytest.raises(PictureError, match="epoch-0002 cannot be read"):
            read_sheet(folder)


def test_slider_follows_the_newest_epoch_in_one_layer(
    slider: EpochSlider, run: RunFolder, viewer: Any, qtbot: Any
) -> None:
    """While the run is under way the layer comes by itself and always shows the newest epoch."""
    assert slider.isHidden()
    slider.let_appear()
    for epoch in (1, 2, 3):
        tell_epoch(slider, run, epoch)
        wait_for(qtbot, viewer, epoch)
        assert slider.epoch == epoch
    [layer] = viewer.layers
    assert (layer.name, layer.rgb, is_result(layer)) == ("meadow preview", True, True)
    assert "Epoch 3 of 5 · best so far · 23.00 dB" in slider.label.text()
    assert slider.columns.text().endswith("grey, coloured, true.")


def test_slider_that_was_moved_back_stays(
    slider: EpochSlider, run: RunFolder, viewer: Any, qtbot: Any
) -> None:
    """Who looks at an old epoch goes on looking at it; at the end the slider follows again."""
    slider.let_appear()
    for epoch in (1, 2, 3):
        tell_epoch(slider, run, epoch, best=epoch == 1)
    slider.slider.setValue(1)
    wait(qtbot, lambda: shown_epoch(viewer) == 2)
    tell_epoch(slider, run, 4, best=False)
    assert slider.epoch == 2
    slider.best.click()
    wait(qtbot, lambda: shown_epoch(viewer) == 1)
    assert "best" in slider.label.text()
    assert not slider.best.isEnabled()
    slider.slider.setValue(3)
    tell_epoch(slider, run, 5, best=False)
    assert slider.epoch == 5
    wait(qtbot, lambda: shown_epoch(viewer) == 5)
    assert len(viewer.layers) == 1


def test_layer_of_an_old_run_comes_when_it_is_asked_for(
    slider: EpochSlider, run: RunFolder, viewer: Any, qtbot: Any
) -> None:
    """A run that is only looked at adds nothing to the viewer until Show, or the slider, asks."""
    tell_epoch(slider, run, 1)
    assert not slider._reading
    slider.show_layer.click()
    wait(qtbot, lambda: shown_epoch(viewer) == 1)


def test_deleted_layer_stays_away_until_show(
    slider: EpochSlider, run: RunFolder, viewer: Any, qtbot: Any
) -> None:
    """The user's deletion is respected, and can be undone."""
    slider.let_appear()
    tell_epoch(slider, run, 1)
    wait(qtbot, lambda: shown_epoch(viewer) == 1)
    qtbot.wait(50)
    viewer.layers.clear()
    tell_epoch(slider, run, 2)
    slider.slider.setValue(0)
    assert not slider._reading
    assert not len(viewer.layers)
    slider.slider.setValue(1)
    slider.show_layer.click()
    wait(qtbot, lambda: shown_epoch(viewer) == 2)


def test_layer_lies_beside_what_is_open_and_takes_no_selection(
    slider: EpochSlider, run: RunFolder, viewer: Any, qtbot: Any
) -> None:
    """The sheet covers nobody's picture, whatever its scale, and what is selected stays so."""
    mine = viewer.add_image(np.zeros((50, 40)), scale=(0.1, 0.1), units=("um", "um"))
    slider.let_appear()
    tell_epoch(slider, run, 1)
    wait(qtbot, lambda: len(viewer.layers) == 2)
    sheet = viewer.layers[-1]
    assert sheet.extent.world[0][1] > mine.extent.world[1][1]
    assert np.ptp(sheet.extent.world[:, 0]) == pytest.approx(5.0, rel=0.1)
    assert sheet.units == mine.units
    assert set(viewer.layers.selection) == {mine}


def test_second_dock_takes_the_same_layer(
    slider: EpochSlider, run: RunFolder, viewer: Any, qtbot: Any
) -> None:
    """Two sliders of one run share the layer."""
    other = EpochSlider(viewer)
    qtbot.addWidget(other)
    other.show_run(run)
    slider.let_appear()
    tell_epoch(slider, run, 1)
    wait(qtbot, lambda: shown_epoch(viewer) == 1)
    other.let_appear()
    tell_epoch(other, run, 2)
    wait(qtbot, lambda: shown_epoch(viewer) == 2)
    assert len(viewer.layers) == 1


def test_previews_that_are_broken_are_told_at_the_slider(
    slider: EpochSlider, run: RunFolder, viewer: Any, qtbot: Any
) -> None:
    """Half a picture is a sentence; the next epoch is shown all the same."""
    slider.let_appear()
    event = write_previews(run, 1)
    (run.path / event.folder / "01.png").write_bytes(b"half")
    slider.add(event)
    slider.refresh()
    wait(qtbot, lambda: "cannot be read" in slider.label.text())
    assert not len(viewer.layers)
    tell_epoch(slider, run, 2)
    wait(qtbot, lambda: shown_epoch(viewer) == 2)
    assert "cannot be read" not in slider.label.text()


def test_epoch_is_used_in_the_colorize_dock(
    slider: EpochSlider,
    run: RunFolder,
    viewer: Any,
    qtbot: Any,
    write_model: Callable[..., None],
) -> None:
    """The weights become a model of one's own, and the Colorize dock, opened if need be, has it."""
    for epoch in (1, 2, 3):
        tell_epoch(slider, run, epoch, best=epoch == 2)
    write_model(run.epoch_model(3), b"\1\0\0\0")
    write_model(run.best_model, b"\2\0\0\0")
    slider.refresh()
    said: list[str] = []
    slider.said.connect(said.append)
    slider.use.click()
    assert not slider.use.isEnabled()
    wait(qtbot, lambda: bool(said))
    assert said == ["The model meadow-epoch-3 is chosen in the Colorize dock."]
    dock = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]
    assert dock.form.model.value.endswith("meadow-epoch-3.safetensors")

    slider.best.click()  # of the best epoch there are weights, though its own were not kept
    assert slider.use.isEnabled()
    slider.use.click()
    wait(qtbot, lambda: len(said) == 2)
    assert dock.form.model.value.endswith("meadow-epoch-2.safetensors")
    assert {"meadow-epoch-2", "meadow-epoch-3"} <= {model.name for model in list_models()}

    slider.slider.setValue(0)
    assert not slider.use.isEnabled()
    assert "weights of epoch 1 were not kept" in slider.use.toolTip()


def test_broken_weights_are_told(slider: EpochSlider, run: RunFolder, qtbot: Any) -> None:
    """A file that is no model becomes a sentence, and nothing is chosen."""
    tell_epoch(slider, run, 1)
    run.epoch_model(1).write_bytes(b"half")
    slider.refresh()
    said: list[str] = []
    wanted: list[str] = []
    slider.said.connect(said.append)
    model_wanted.connect(wanted.append)
    slider.use.click()
    wait(qtbot, lambda: bool(said))
    model_wanted.disconnect(wanted.append)
    assert said[0].startswith("This epoch cannot be used: ")
    assert not wanted


def test_resume_forgets_later_epochs(slider: EpochSlider, run: RunFolder) -> None:
    """Epochs that a resume undid are offered no more."""
    for epoch in (1, 2, 3):
        tell_epoch(slider, run, epoch)
    slider.add(Started("cpu", "", "32-true", 90, 10, {}, 5, 10, 12, 1))
    slider.refresh()
    assert (slider.epoch, slider.slider.maximum()) == (1, 0)
