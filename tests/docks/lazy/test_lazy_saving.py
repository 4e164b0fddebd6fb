"""All planes of a lazy layer on the disk: in the order of their row, gone on with, told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QFileDialog

from napari_colorize.docks.lazy.saving import Saving, save_all, save_stack
from napari_colorize.errors import ColorizeError
from napari_colorize.stacks.api import colorize_stack
from napari_colorize.stacks.coloring import Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def end_of(lazy_desk: Any, saving: Saving) -> str:
    """Wait for the end and return its sentence."""
    with lazy_desk.qtbot.waitSignal(saving.ended, timeout=60_000) as ended:
        pass
    return str(ended.args[0])


def test_tiff_holds_the_row_in_its_order(
    bare_desk: Any, stack: NDArray[np.uint8], model: Path, tmp_path: Path
) -> None:
    """Whatever was looked at before; the sentence says where it is and how to open it."""
    lazy, planes = bare_desk.add(stack)
    bare_desk.wait(planes.idle)
    path = tmp_path / "colored.tif"
    text = end_of(bare_desk, save_all(bare_desk.viewer, lazy, path))
    assert text.startswith(f"All planes are in {path}. To open it: drag")
    expected = colorize_stack(stack, "tyx", model=model, device="cpu", contrast_limits=(0, 255))
    assert np.array_equal(tifffile.imread(path), expected)


def test_cancelled_saving_goes_on(
    bare_desk: Any,
    stack: NDArray[np.uint8],
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second run colours only what is missing, and gives the same in the end."""
    lazy, _ = bare_desk.add(stack)
    path = tmp_path / "colored.ome.zarr"
    painted: list[Any] = []
    paint: Callable[..., Any] = Row._painted
    saving: list[Saving] = []

    def counted(self: Row, place: Any, *rest: Any) -> Any:
        painted.append(place)
        if len(painted) == 4:
            saving[0].cancel()
        return paint(self, place, *rest)

    monkeypatch.setattr(Row, "_painted", counted)
    saving.append(save_all(bare_desk.viewer, lazy, path))
    assert "again to go on" in end_of(bare_desk, saving[0])
    assert not path.exists()
    text = end_of(bare_desk, save_all(bare_desk.viewer, lazy, path))
    assert text.startswith("All planes are in")
    assert painted[-1] == (5,)
    assert len(painted) <= 7
    colored = np.asarray(zarr.open_group(path, mode="r")["0"])
    assert colored.shape == (6, 3, 40, 48)
    again = end_of(bare_desk, save_all(bare_desk.viewer, lazy, path))
    assert "already" in again or "there" in again


def test_gap_is_named(bare_desk: Any, stack: NDArray[np.uint8], tmp_path: Path) -> None:
    """A plane that cannot be read is black in the result, the rest is done."""

    def block(block_info: Any = None) -> NDArray[np.uint8]:
        place = block_info[None]["chunk-location"][0]
        if place == 3:
            raise OSError("the disk is gone")
        return stack[place : place + 1]

    lazy, _ = bare_desk.add(da.map_blocks(block, chunks=((1,) * 6, 40, 48), dtype=np.uint8))
    path = tmp_path / "colored.tif"
    text = end_of(bare_desk, save_all(bare_desk.viewer, lazy, path))
    assert "1 of them are black; plane 3: it cannot be read (OSError: the disk is gone)" in text
    written = tifffile.imread(path)
    assert not written[3].any()
    assert all(written[place].any() for place in (0, 1, 2, 4, 5))


def test_viewer_closed_while_saving(
    lazy_desk: Any, stack: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the window; what is done stays for the next time."""
    lazy, _ = lazy_desk.add(stack)
    begun: list[Any] = []
    paint: Callable[..., Any] = Row._painted

    def slowly(self: Row, *rest: Any) -> Any:
        begun.append(rest)
        while len(begun) == 3 and not saving.abandoned:
            time.sleep(0.01)
        return paint(self, *rest)

    monkeypatch.setattr(Row, "_painted", slowly)
    saving = save_all(lazy_desk.viewer, lazy, tmp_path / "colored.tif")
    lazy_desk.wait(lambda: len(begun) == 3)
    lazy_desk.viewer.close()
    lazy_desk.wait(lambda: saving not in Saving._living)
    assert not (tmp_path / "colored.tif").exists()
    assert (tmp_path / "colored.tif.part").is_dir()


def test_command_asks_where_to(
    lazy_desk: Any, stack: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the active layer, and says so if that is none of these."""
    grey = lazy_desk.viewer.add_image(stack, name="stack")
    save_stack(lazy_desk.viewer)
    told = str(notification_manager.records[-1].message)
    assert told.startswith("'stack' is no stack in colour: click one that the Colorize dock")
    with pytest.raises(ColorizeError, match="no stack in colour"):
        save_all(lazy_desk.viewer, grey, tmp_path / "grey.tif")
    lazy_desk.add(stack)
    asked = (str(tmp_path / "movie"), "TIFF, BigTIFF where it is large (*.tif)")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: asked)
    save_stack(lazy_desk.viewer)
    lazy_desk.wait(lambda: not Saving._living)
    assert (tmp_path / "movie.tif").is_file()
    save_stack(lazy_desk.viewer)
    told = str(notification_manager.records[-1].message)
    assert told.endswith("movie.tif exists already: choose another name.")
