"""Open the Steer dock from elsewhere, and a picture that was saved with its record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_info, show_warning
from qtpy.QtWidgets import QFileDialog

from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.steering.dock import SteerDock
from napari_colorize.errors import PictureError
from napari_colorize.files.pictures import PICTURE_SUFFIXES, read_picture
from napari_colorize.files.record import read_record
from napari_colorize.files.steering_file import from_dict

if TYPE_CHECKING:
    import napari
    from numpy.typing import NDArray

    from napari_colorize.color.steering import Steering


@dataclass(frozen=True)
class Opened:
    """A picture that was coloured, grey if it was before, and what it was steered by.

    `note` is what is good to know of it, if there is anything.
    """

    path: Path
    pixels: NDArray[Any]
    steering: Steering
    model: str
    note: str = ""


def open_steer_dock(viewer: napari.Viewer) -> SteerDock:
    """Return the Steer dock, opened as a tab beside other docks and brought to the front."""
    found = viewer.window.add_plugin_dock_widget("napari-colorize", "Steer", tabify=True)
    dock_widget, dock = found
    dock_widget.show()
    dock_widget.raise_()
    steer_dock: SteerDock = dock
    return steer_dock


def open_coloured_picture(viewer: napari.Viewer) -> None:
    """Ask for a picture that was saved by this plugin, and restore what it was steered by."""
    patterns = " ".join(f"*{suffix}" for suffix in sorted(PICTURE_SUFFIXES))
    path, _ = QFileDialog.getOpenFileName(
        None, "Open a coloured picture", "", f"Pictures ({patterns})"
    )
    if path:
        restore(viewer, Path(path))


def restore(viewer: napari.Viewer, path: Path) -> None:
    """Add a coloured picture and steer it as its record says; it returns at once."""
    run_errand(partial(read_opened, path), partial(_show, viewer), show_warning)


def read_opened(path: Path) -> Opened:
    """Return a coloured picture with its steering.

    One whose source was grey comes as that: its own colours are the steering's. One into whose
    colours the original's were mixed comes as it was saved: they cannot be told apart any more, and
    would be mixed in twice.

    Raises
    ------
    PictureError
        When the file cannot be read or has no record.
    """
    try:
        record = read_record(path)
        if record is None:
            raise PictureError(
                "it has no record of napari-colorize: only pictures saved from the Steer dock do"
            )
        steering = from_dict(record.get("steering"))
        pixels = read_picture(path).pixels
        if record.get("grey") is True:
            from napari_colorize.color.lightness import grey_picture

            pixels = grey_picture(pixels)
        opened = Opened(path, pixels, steering, str(record.get("model", "")))
        return _with_blend_in(opened) if pixels.ndim == 3 and steering.adjustments.blend else opened
    except PictureError as error:  # the text does not name the file
        reason = str(error).rstrip(".")
        raise PictureError(f"{path.name} cannot be opened: {reason}.") from error


def _with_blend_in(opened: Opened) -> Opened:
    """Return a picture that shows what was saved, the original's colours among it."""
    adjustments = opened.steering.adjustments
    share = f"{adjustments.blend * 100:.0f} %"
    note = (
        f"{opened.path.name} was saved with {share} of its original's colours. "
        "They are part of it now: Original is at 100 % to show it as it was saved. To mix anew, "
        "open the original itself."
    )
    steering = replace(opened.steering, adjustments=replace(adjustments, blend=1.0))
    return replace(opened, steering=steering, note=note)


def _show(viewer: napari.Viewer, opened: Opened) -> None:
    rgb = opened.pixels.ndim == 3
    limits = None if rgb else (0, np.iinfo(opened.pixels.dtype).max)
    layer = viewer.add_image(opened.pixels, rgb=rgb, name=opened.path.stem, contrast_limits=limits)
    dock = open_steer_dock(viewer)
    if opened.model and not dock.choice.choose_model(opened.model):
        show_warning(
            f"{opened.path.name} was coloured by the model {opened.model!r}, which is not in the "
            "list of those that can be steered: its colours come out otherwise."
        )
    if opened.note:
        show_info(opened.note)
    dock.steer(layer, opened.steering)
