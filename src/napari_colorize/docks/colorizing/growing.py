"""The result of a stack while it grows: seen at once, kept when it is cut short, gone on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_colorize.docks.colorizing.orders import SURE
from napari_colorize.docks.layers import (
    RECORD,
    confidence_layer,
    place_in_view,
    plane_axes,
    result_layer,
)
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_colorize.docks.colorizing.orders import Order
    from napari_colorize.docks.layers import Facts, Source
    from napari_colorize.files.stacks.axes import Place

BREATH = 300  # milliseconds between two looks of the window at what has grown
NAMED = 3  # gaps that are told one by one


@dataclass(eq=False)
class Growth:
    """The arrays of a result that planes are written into, and which of them are there.

    The thread writes pixels; `done` and `gaps` belong to the main thread.

    Attributes
    ----------
    source : Source
    wish : tuple
        What makes it, as `Order.wish` has it.
    facts : Facts
    pixels : ndarray of shape (..., 4), uint8
        Alpha is 0 where no plane is coloured yet, so that the source is seen through it.
    sure : ndarray, float32, or None
        NaN where no plane is.
    done : set of places
    gaps : dict of places
        Why a plane could not be coloured.
    """

    source: Source
    wish: tuple[Any, ...]
    facts: Facts
    pixels: NDArray[np.uint8]
    sure: NDArray[np.float32] | None
    done: set[Place] = field(default_factory=set)
    gaps: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def begun(cls, source: Source, order: Order, facts: Facts) -> Growth:
        """Return one without planes."""
        pixels = np.zeros((*source.shape, 4), np.uint8)
        sure = np.full(source.shape, np.nan, SURE) if order.confidence else None
        return cls(source, order.wish(source), facts, pixels, sure)

    def write(
        self, place: Place, pixels: NDArray[np.uint8], sure: NDArray[np.float32] | None
    ) -> None:
        """Put a plane where it belongs; the window may look at any moment: alpha comes last."""
        key = self.source.key_of(place)
        self.pixels[(*key, slice(3))] = pixels
        if self.sure is not None and sure is not None:
            self.sure[key] = sure
        self.pixels[(*key, 3)] = 255

    @property
    def is_whole(self) -> bool:
        """Whether all planes are there."""
        return len(self.done) == self.source.planes

    def gaps_told(self) -> str:
        """Return which planes are missing since they could not be coloured, and why."""
        told = []
        for place, reason in sorted(self.gaps.items())[:NAMED]:
            outer = self.source.stack_axes.outer
            number = int(np.ravel_multi_index(place, outer)) + 1
            sliders = "slider at" if len(place) == 1 else "sliders at"
            where = ", ".join(map(str, place))
            told.append(f"Plane {number} ({sliders} {where}): {reason.rstrip('.')}.")
        more = len(self.gaps) - NAMED
        return " ".join([*told, *([f"So for {more} more planes."] if more > 0 else [])])


class GrowingLayers(QObject):
    """The layers of a growth in a viewer; a plane in view is shown when it has come.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    growth : Growth
    is_over : callable
        Whether the viewer is being closed: then nothing is touched.
    """

    def __init__(
        self, parent: QObject, viewer: Viewer, growth: Growth, is_over: Callable[[], bool]
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.growth = growth
        self._is_over = is_over
        self._layer, self._sure = _layers_of(growth)
        self._is_stale = False
        self._breath = QTimer(self)
        self._breath.setSingleShot(True)
        self._breath.setInterval(BREATH)
        self._breath.timeout.connect(self._refresh)

    @property
    def is_deleted(self) -> bool:
        """Whether a person has taken the result out of the viewer."""
        return self._layer is not None and self._layer not in self._viewer.layers

    def told(self) -> str:
        """Return what is missing of the result, in a sentence or two, or nothing."""
        growth = self.growth
        if self.is_deleted:
            return f"'{self._layer and self._layer.name}' was deleted: its colouring was stopped."
        missing = ""
        if self._layer is not None and not growth.is_whole:
            done, planes = len(growth.done), growth.source.planes
            tries = len(growth.gaps) == planes - done
            rest = "tries the missing ones" if tries else "does the rest"
            missing = f"'{self._layer.name}' holds {done} of {planes} planes; Run {rest}."
        return " ".join(filter(None, [missing, growth.gaps_told()]))

    def take(self, place: Place, reason: str) -> None:
        """Show that a plane has come, or note why it has not."""
        growth = self.growth
        if reason:
            growth.gaps[place] = reason
            return
        growth.done.add(place)
        growth.gaps.pop(place, None)
        if self._layer is None:
            self._add()
        elif self._is_in_view(place):
            self._is_stale = True
            if not self._breath.isActive():
                self._refresh()
        self._record(place)

    def end(self) -> None:
        """Let the result be plain colours if it is whole, else keep in mind how to go on."""
        self._breath.stop()
        layer, growth = self._layer, self.growth
        if layer is None or self.is_deleted:
            return
        if growth.is_whole:
            _unfinished.pop(layer, None)
            # A view: to give back the fourth byte of each pixel all would have to be there twice.
            layer.data = growth.pixels[..., :3]
        else:
            _unfinished[layer] = _Left(growth, None if self._sure is None else ref(self._sure))
        self._is_stale = True
        self._refresh()
        self._breath.stop()

    def _add(self) -> None:
        growth = self.growth
        if growth.sure is not None:  # first: the colours are to lie above it
            self._sure = confidence_layer(growth.source, growth.sure, growth.facts)
            self._viewer.add_layer(self._sure)
        self._layer = result_layer(growth.source, growth.pixels, growth.facts)
        self._viewer.add_layer(self._layer)

    def _refresh(self) -> None:
        if self._is_over() or not self._is_stale:
            return
        self._is_stale = False
        for layer in (self._layer, self._sure):
            if layer is not None and layer in self._viewer.layers:
                layer.refresh(extent=False)
        self._breath.start()

    def _is_in_view(self, place: Place) -> bool:
        layer, source = self._layer, self.growth.source
        if layer is None or self._is_stale:
            return False
        if self._viewer.dims.ndisplay > 2 or plane_axes(self._viewer, layer.ndim) != source.axes:
            return True
        try:
            return source.place_of(place_in_view(self._viewer, layer, source.axes)) == place
        except PictureError:
            return False

    def _record(self, place: Place) -> None:
        """Say in the layers that a plane is there."""
        for layer in (self._layer, self._sure):
            if layer is not None:
                settings = layer.metadata[RECORD]["settings"]
                settings.setdefault("done", []).append(list(place))
                settings["planes"] = len(settings["done"])


@dataclass(frozen=True)
class _Left:
    """A growth that was cut short, and the layer of its confidence."""

    growth: Growth
    sure: ref[Image] | None


# Nothing here outlives its layer.
_unfinished: WeakKeyDictionary[Image, _Left] = WeakKeyDictionary()


def unfinished(viewer: Viewer, source: Source, order: Order) -> Growth | None:
    """Return what an earlier run of the same wish left in a viewer, if anything."""
    wish = order.wish(source)
    for layer, left in list(_unfinished.items()):
        growth = left.growth
        same = growth.wish == wish and growth.source.data is source.data
        if same and layer.data is growth.pixels and layer in viewer.layers:
            return growth
    return None


def done_before(viewer: Viewer, order: Order) -> int:
    """Return how many planes of an order are there already."""
    found = [unfinished(viewer, source, order) for source in order.sources if source.is_stack]
    return sum(len(growth.done) for growth in found if growth is not None)


def _layers_of(growth: Growth) -> tuple[Image | None, Image | None]:
    """Return the layers that an earlier run left of a growth."""
    for layer, left in list(_unfinished.items()):
        if left.growth is growth:
            return layer, None if left.sure is None else left.sure()
    return None, None
