"""Follows the layer of labels that limits a session's changes to what is painted in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.life import Life
from napari_colorize.docks.steering.session.places import GEOMETRY
from napari_colorize.docks.steering.session.region import Painted, region_in, region_layer
from napari_colorize.docks.steering.session.result import put_above
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels, Layer
    from napari.viewer import Viewer

    from napari_colorize.color.steering import Steering
    from napari_colorize.color.strokes import LabelMap
    from napari_colorize.docks.layers import Source

WAIT = 100  # milliseconds: a stroke tells of itself many times
TELLING = ("paint", "labels_update", "data", *GEOMETRY)


class Limit(QObject):
    """Tells which part of a picture is painted in a layer, now and whenever that changes.

    Attributes
    ----------
    found : Signal(LabelMap)
        Where in the picture labels are.
    refused : Signal(str)
        Why the layer cannot limit anything.
    """

    found = Signal(object)
    refused = Signal(str)

    def __init__(self, layer: Labels, source: Source, parent: QObject) -> None:
        super().__init__(parent)
        self.layer = layer
        self._source = source
        self._life = Life(self)
        self._is_closed = False
        self._is_looking = self._is_outdated = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(WAIT)
        self._soon.timeout.connect(self._look)
        for name in TELLING:
            getattr(layer.events, name).connect(self._stir)
        self._stir()

    def follow(self, source: Source) -> None:
        """Look at another plane, or at the same one anew."""
        self._source = source
        self._stir()

    def close(self) -> None:
        """Follow the layer no more."""
        if self._is_closed:
            return
        self._is_closed = True
        self._soon.stop()
        for name in TELLING:
            getattr(self.layer.events, name).disconnect(self._stir)
        self.deleteLater()

    def _stir(self, _: object = None) -> None:
        if not self._is_closed and not self._life.over and not self._soon.isActive():
            self._soon.start()

    def _look(self) -> None:
        if self._is_looking:  # one errand at a time, however long it takes
            self._is_outdated = True
            return
        try:
            painted = Painted.of(self.layer, self._source)
        except PictureError as error:
            self.refused.emit(str(error))
            return
        self._is_looking, self._is_outdated = True, False
        run_errand(painted.region, self._tell(self.found.emit), self._tell(self.refused.emit))

    def _tell(self, tell: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return what hears the end of an errand, and begins another if there is need."""

        def heard(answer: Any) -> None:
            if self._life.over or self._is_closed:
                return
            self._is_looking = False
            if self._is_outdated:
                self._look()
            else:
                tell(answer)

        return heard


class Limits(QObject):
    """Limits what a session wants to what is painted in a layer, as long as one is chosen.

    Parameters
    ----------
    parent : QObject
    steering : callable
        Gives what is wanted now.

    Attributes
    ----------
    wanted : Signal(Steering, bool)
        What is to be wanted, as the area is another; whether that is a step of its own.
    refused, noted : Signal(str)
        Why the layer limits nothing any more, and what else is good to know.
    """

    wanted = Signal(object, bool)
    refused = Signal(str)
    noted = Signal(str)

    def __init__(self, parent: QObject, steering: Callable[[], Steering]) -> None:
        super().__init__(parent)
        self._steering = steering
        self._limit: Limit | None = None
        self._before: Steering | None = None  # holds outside an area that is still looked for
        self._shown: LabelMap | None = None  # the area at the last look whether it has a layer
        self._lifted: Labels | None = None  # limits again when its area is brought back

    @property
    def layer(self) -> Labels | None:
        """The layer that limits."""
        return None if self._limit is None else self._limit.layer

    def begin(self, layer: Labels, source: Source) -> None:
        """Limit all changes from now on; a layer that cannot leaves all as it was."""
        try:
            Painted.of(layer, source)
        except PictureError as error:
            self.refused.emit(str(error))
            return
        self._before = self._steering()
        self._begin(layer, source)

    def show(self, viewer: Viewer, source: Source, result: Layer | None) -> None:
        """Let an area that came back by itself be seen, and be changed, in a layer again."""
        region, before = self._steering().region, self._shown
        self._shown = region
        if region is None or region is before or self._limit is not None:
            return  # deleted, its layer does not come back by itself
        layer = region_in(viewer, source)
        if layer is None:
            layer = region_layer(source, region)
            put_above(viewer, layer, result or source.layer)
        self._begin(layer, source)

    def lift(self) -> None:
        """Want all that is wanted everywhere."""
        self.close()
        self._lifted = None
        self.wanted.emit(replace(self._steering(), region=None, outside=None), True)

    def close(self) -> None:
        """Follow no layer; the area stays."""
        if self._limit is not None:
            self._limit.close()
        self._limit = self._before = None

    def follow(self, source: Source) -> None:
        """Look at another plane, or at the same one anew."""
        if self._limit is not None:
            self._limit.follow(source)

    def match(self, source: Source) -> None:
        """Follow the layer of an area that came back by undo, none where the area went."""
        region = self._steering().region
        if self._limit is not None and region is None:
            lifted = self._limit.layer
            self.close()
            self._lifted = lifted
        elif self._limit is not None:
            self._limit.follow(source)
        elif self._lifted is not None and region is not None:
            self._begin(self._lifted, source)

    def forget(self, removed: Layer) -> None:
        """Let go of a layer that has left the viewer."""
        if removed == self._lifted:
            self._lifted = None
        if self.layer is not None and removed == self.layer:
            self.close()
            self.noted.emit(f"'{removed.name}' was removed; its area still limits the changes.")

    def _begin(self, layer: Labels, source: Source) -> None:
        before = self._before
        self.close()
        self._before = before
        self._limit = Limit(layer, source, self)
        self._limit.found.connect(self._take)
        self._limit.refused.connect(self._refuse)

    def _take(self, region: LabelMap) -> None:
        now, before, self._before = self._steering(), self._before, None
        outside: Steering | None = before
        if outside is None:  # of another plane, nothing may have been limited yet
            outside = now if now.region is None else now.outside
        self._shown = region
        self.wanted.emit(replace(now, region=region, outside=outside), before is not None)
        if not region.labels and self.layer is not None:
            self.noted.emit(f"Paint in '{self.layer.name}' where changes are to hold.")

    def _refuse(self, reason: str) -> None:
        self.close()
        self.refused.emit(reason)
