"""The previews of a run as a layer: one contact sheet, each row grey, predicted, true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from PIL import Image as Pillow

from napari_colorize.docks.layers import RECORD
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.runs.folder import RunFolder

_VERSIONS = 3  # grey, predicted, true
_GAP = 6  # pixels between the pictures
_MOST_PICTURES = 24
_MOST_PIXELS = 4096 * 4096


def read_sheet(folder: Path) -> NDArray[np.uint8]:
    """Return the previews of one epoch below each other, (H, W, 3) uint8 sRGB.

    Raises
    ------
    PictureError
        If there are none, or one cannot be read.
    """
    try:
        files = sorted(folder.glob("[0-9]*.png"))[:_MOST_PICTURES]
        strips = [_read_strip(file) for file in files]
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as exc:
        raise PictureError(f"The previews in {folder.name} cannot be read.") from exc
    if not strips:
        raise PictureError(f"There are no previews in {folder.name}.")
    width = max(strip.shape[1] for strip in strips)
    height = sum(strip.shape[0] + _GAP for strip in strips) - _GAP
    sheet = np.zeros((height, width, 3), np.uint8)
    top = 0
    for strip in strips:
        sheet[top : top + strip.shape[0], : strip.shape[1]] = strip
        top += strip.shape[0] + _GAP
    return sheet


def _read_strip(file: Path) -> NDArray[np.uint8]:
    """Return the versions of one picture beside each other, with gaps."""
    with Pillow.open(file) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError(file)
        pixels = np.asarray(picture.convert("RGB"))
    pieces = np.array_split(pixels, _VERSIONS, axis=1)
    gap = np.zeros((pixels.shape[0], _GAP, 3), np.uint8)
    return np.concatenate([pieces[0], gap, pieces[1], gap, pieces[2]], axis=1)


class PreviewLayer:
    """Keeps the contact sheet of a run in the viewer, as one layer whose pixels are swapped.

    Parameters
    ----------
    viewer
        Gets the layer. A dock that watches the same run uses the same layer.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def find(self, run: RunFolder) -> Layer | None:
        """Return the layer of a run, None when there is none, or none any more."""
        for layer in self._viewer.layers:
            record = layer.metadata.get(RECORD)
            if isinstance(record, dict) and record.get("preview_of") == str(run.path):
                return layer
        return None

    def put(self, run: RunFolder, sheet: NDArray[np.uint8], epoch: int, *, make: bool) -> bool:
        """Show a sheet in the layer of a run; where there is none, make it if that is allowed."""
        layer = self.find(run)
        if layer is None:
            if make:
                self._add(run, sheet, epoch)
            return make
        layer.data = sheet
        layer.metadata[RECORD]["epoch"] = epoch
        return True

    def reveal(self, run: RunFolder) -> None:
        """Bring the layer into view."""
        layer = self.find(run)
        if layer is not None:
            layer.visible = True
            self._viewer.reset_view()

    def _add(self, run: RunFolder, sheet: NDArray[np.uint8], epoch: int) -> None:
        record = {"preview_of": str(run.path), "model": run.path.name, "epoch": epoch}
        selected = set(self._viewer.layers.selection)
        layer = Image(
            sheet,
            rgb=True,
            name=f"{run.path.name} preview",
            metadata={RECORD: record},
            **_place_beside(self._viewer, sheet.shape[:2]),
        )
        self._viewer.add_layer(layer)
        if selected:  # what somebody works at stays chosen
            self._viewer.layers.selection = selected


def _place_beside(viewer: Viewer, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the geometry of a sheet right of all layers and as high as they are."""
    layers = [layer for layer in viewer.layers if layer.ndim >= 2]
    if not layers:
        return {}
    first, last = (np.asarray(corner)[-2:] for corner in viewer.layers.extent.world)
    size = last - first
    if not (np.isfinite(size).all() and (size > 0).all()):
        return {}
    scale = float(size[0]) / shape[0]
    left = float(last[1]) + 0.05 * float(size[1])
    units = layers[0].units[-2:]
    return {"scale": (scale, scale), "translate": (float(first[0]), left), "units": units}
