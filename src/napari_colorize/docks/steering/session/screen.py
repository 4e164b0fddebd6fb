"""What of a session is on screen: its result layer, and which part of it is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_colorize.docks.geometry import lay
from napari_colorize.docks.steering.session.result import (
    add_result,
    find_result,
    made_of,
    pixels_in,
    suits,
    tell,
    tell_wanted,
)
from napari_colorize.docks.steering.session.view_window import part_on_screen

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Image, Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.color.steering import Steering
    from napari_colorize.docks.layers import Facts, Source
    from napari_colorize.prediction.window import Window


class Screen:
    """The layer that shows the colours of one picture.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    source : Source
    result : napari.layers.Image or None
        The layer to go on with; None takes the one that is there, if there is one.

    Attributes
    ----------
    result : napari.layers.Image or None
        None before the first colours, and when a person has deleted it.
    may_add : bool
        Whether a layer is made if there is none.
    """

    def __init__(self, viewer: Viewer, source: Source, result: Image | None) -> None:
        self._viewer = viewer
        found = find_result(viewer, source) if result is None else result
        self.result = found if found is not None and suits(found, source) else None
        self.may_add = True
        self._is_hidden = False
        self._hidden_too: list[Layer] = []
        self._picture = source.layer

    @property
    def is_in_view(self) -> bool:
        """Whether there are colours, and they are shown."""
        return self.result is not None and bool(self.result.visible)

    def hide(self, hidden: bool) -> None:
        """Show the original; or again the colours, and what else was made of the picture."""
        self._is_hidden = hidden
        if self.result is not None:
            self.result.visible = not hidden
        if hidden:
            made = made_of(self._viewer, self._picture)
            self._hidden_too = [one for one in made if one.visible and one != self.result]
        for layer in self._hidden_too:
            layer.visible = not hidden

    def part(self, source: Source) -> Window | None:
        """Return which part of the colours is in view; None if there are none yet."""
        if self.result is None or not suits(self.result, source):
            return None
        axes = source.axes if self.result.ndim == len(source.shape) else (0, 1)
        return part_on_screen(self._viewer, self.result, axes)

    def pixels(self, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
        """Return the colours that are shown, (H, W, 3), if they can be gone on with."""
        return None if self.result is None else pixels_in(self.result, shape)

    def put(self, source: Source, pixels: NDArray[np.uint8], facts: Facts) -> None:
        """Show pixels, (H, W, 3)."""
        pixels = pixels.reshape(source.result_shape)
        self.lay(source)
        if self.result is None and self.may_add:
            self.result = find_result(self._viewer, source)
        if self.result is not None:
            self.result.data = pixels
        elif self.may_add:
            self.result = add_result(self._viewer, source, pixels, facts, not self._is_hidden)

    def lay(self, source: Source) -> None:
        """Lay the colours where their picture lies; a layer of other axes is left as it is."""
        result = self.result
        if result is None:
            return
        axes = len(source.result_shape) - 1
        if result.multiscale or result.ndim != axes or result not in self._viewer.layers:
            self.result = None
        else:
            lay(result, source.geometry)

    def tell(self, source: Source, facts: Facts, steering: dict[str, Any]) -> None:
        """Write down in the layer what made it."""
        if self.result is not None:
            tell(self.result, source, facts, steering)

    def tell_wanted(self, steering: Steering) -> None:
        """Write down in the layer what is wanted of it, though it may not show it yet."""
        if self.result is not None:
            tell_wanted(self.result, steering)

    def forget(self, removed: Layer) -> bool:
        """Let go of the colours if that is what a person has deleted; return whether it is.

        They do not come back by themselves.
        """
        if self.result is None or removed != self.result:
            return False
        self._is_hidden = not self.result.visible
        self.result, self.may_add = None, False
        return True
