"""The colour that a layer shows at a place, of any kind of layer that has colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Points, Shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.color.hints import Color

_SEEN = 0.02  # what is more transparent than this is not there


def color_at(
    viewer: Viewer,
    position: Sequence[float],
    view_direction: Any = None,
    dims_displayed: list[int] | None = None,
) -> Color | None:
    """Return the colour (r, g, b), 0..255, of the topmost layer that shows one at a place.

    It is the layer's own colour, through its colormap, contrast limits and gamma; what lies below
    does not shine through.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    position : sequence of float
        In the viewer's world.
    view_direction, dims_displayed
        As an event of napari's mouse tells them.

    Returns
    -------
    (r, g, b) or None
        None where no visible layer has a colour.
    """
    for layer in reversed(viewer.layers):
        if not layer.visible or layer.opacity < _SEEN:
            continue
        value = layer.get_value(
            position, view_direction=view_direction, dims_displayed=dims_displayed, world=True
        )
        rgba = None if value is None else _rgba(layer, value)
        if rgba is not None and np.isfinite(rgba).all() and rgba[3] >= _SEEN:
            red, green, blue = np.clip(255 * rgba[:3], 0, 255).tolist()
            return red, green, blue
    return None


def _rgba(layer: Layer, value: Any) -> NDArray[np.float64] | None:
    """Return red, green, blue and alpha, 0..1, of what a layer has at a place; None for nothing."""
    if isinstance(layer, Points):
        return np.asarray(layer.face_color[int(value)], float)
    if isinstance(layer, Shapes):
        return None if value[0] is None else np.asarray(layer.face_color[int(value[0])], float)
    if not isinstance(layer, (Image, Labels)):
        return None
    if layer.multiscale:
        value = value[1]
    if value is None:
        return None
    if isinstance(layer, Labels):
        color = layer.get_color(value)
        return None if color is None else np.asarray(color, float).reshape(-1)
    return _of_colors(np.asarray(value)) if layer.rgb else _of_grey(layer, float(value))


def _of_colors(value: NDArray[Any]) -> NDArray[np.float64]:
    """Return RGBA of a pixel of an RGB layer, as napari draws it."""
    whole = np.iinfo(value.dtype).max if value.dtype.kind in "ui" else 1
    rgba = np.ones(4)
    rgba[: len(value)] = np.clip(np.asarray(value, float) / whole, 0, 1)
    return rgba


def _of_grey(layer: Image, value: float) -> NDArray[np.float64]:
    """Return RGBA of a grey value, through contrast limits, gamma and colormap."""
    low, high = layer.contrast_limits
    share = np.clip((value - low) / (high - low), 0, 1) if high > low else float(value >= high)
    return np.asarray(layer.colormap.map(share**layer.gamma), float).reshape(-1)
