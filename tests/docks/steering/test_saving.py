"""Saving what is steered: whatever the view does meanwhile, and with what the original said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_colorize.color.steering import Steering
from napari_colorize.docks.steering.dock import SteerDock
from napari_colorize.files.pictures import read_picture
from napari_colorize.files.record import read_record

if TYPE_CHECKING:
    from pathlib import Path

STACK = np.stack([np.full((40, 60), grey, np.uint8) for grey in (60, 120)])


def steered(desk: Any, dock: SteerDock, layer: Any) -> Any:
    """Steer a layer, and return its session when the colours are on screen."""
    dock.steer(layer)
    assert dock.steered is not None, dock.note.told()
    session, kept = dock.steered.session, dock.steered.kept
    desk.wait(lambda: session.is_ready and kept.file is not None)
    desk.settle(session)
    return session


def test_the_plane_that_was_in_view_is_saved(
    steering_desk: Any, steering_stand: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    """The slider moves before it is written; "Saved" is told all the same, with its hints."""
    layer = viewer.add_image(STACK, contrast_limits=(0, 255), name="film")
    viewer.dims.set_current_step(0, 0)
    dock = SteerDock(viewer)
    qtbot.addWidget(dock)
    session = steered(steering_desk, dock, layer)
    steering_stand.open.clear()
    session.change(Steering(vividness=0.5))
    steering_desk.wait(lambda: steering_stand.waiting)
    dock.foot.save_to(tmp_path / "film.png")
    viewer.dims.set_current_step(0, 1)
    assert dock.foot.state.told() == "Saving film.png…"
    steering_stand.open.set()
    steering_desk.wait(lambda: dock.foot.save.isEnabled())
    assert dock.foot.state.told() == "Saved film.png, its hints beside it."
    assert tuple(read_picture(tmp_path / "film.png").pixels[5, 5]) == (110, 60, 60)
    beside = tmp_path / "film.hints.json"
    steering_desk.wait(beside.exists)
    dock.stop()


def test_what_the_file_of_the_original_says_is_kept(
    steering_desk: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    """16 bits, EXIF and resolution; not in a JPEG, which holds 8 bits."""
    exif = Image.Exif()
    exif[0x010F] = "Zeiss"
    deep = np.full((40, 60), 30_000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png", exif=exif, dpi=(300, 300))
    (layer,) = viewer.open(str(tmp_path / "deep.png"), plugin="napari")
    layer.contrast_limits = (0, 65535)
    dock = SteerDock(viewer)
    qtbot.addWidget(dock)
    steered(steering_desk, dock, layer)
    for name, dtype in (("new.png", np.uint16), ("new.tif", np.uint16), ("new.jpg", np.uint8)):
        dock.foot.save_to(tmp_path / name)
        steering_desk.wait(dock.foot.save.isEnabled)
        assert dock.foot.problem.told() == ""
        new = read_picture(tmp_path / name)
        assert new.pixels.dtype == dtype
        assert new.exif is not None
        assert b"Zeiss" in new.exif
        assert new.resolution is not None
        np.testing.assert_allclose(new.resolution, 300, atol=1)
        assert read_record(tmp_path / name)["source"] == "deep"  # type: ignore[index]
    dock.stop()
