"""A layer that is there at once and gets its colours as it is looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from napari.layers import Image
from napari.utils.notifications import show_warning
from qtpy.QtCore import QCoreApplication, QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication

from napari_colorize.docks.geometry import whole_geometry
from napari_colorize.docks.layers import RECORD, Facts, Source, record_of
from napari_colorize.files.cards import default_vividness, read_card
from napari_colorize.files.models import find_model
from napari_colorize.stacks.lazy import LazyColors
from napari_colorize.stacks.lazy_planes import LazyPlanes, Pyramid

if TYPE_CHECKING:
    from napari.viewer import Viewer

# Milliseconds after which the window has drawn a new layer.
FIRST_DRAWN = 100


def add_lazy_layer(
    viewer: Viewer,
    source: Source,
    *,
    axes: str | None = None,
    model: str | Path | None = None,
    device: str = "auto",
    vividness: float | None = None,
    coherent: bool = True,
) -> Image:
    """Return a coloured layer, added to the viewer at once, whose planes get their colours later.

    It lies where its source lies, has as many resolutions and a record of how it is made. Planes
    that are looked at are coloured in a thread, which ends when the layer or the viewer goes.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    source : Source
        Of the whole layer, whichever plane it says.
    axes : str, optional
        What the axes are, those of a plane last, as `Source.stack_axes` gives them, which is taken
        by default.
    model, device, vividness, coherent
        As for `colorize_stack`.

    Raises
    ------
    ModelError
        If the model is unknown or its file is broken.
    """
    card = read_card(find_model(model))
    pyramid = Pyramid(
        levels=list(source.layer.data) if source.layer.multiscale else [source.data],
        names=source.in_order_of_data(axes),
        rgb=source.rgb,
        contrast_limits=source.contrast_limits,
        model=model,
        device=device,
        vividness=vividness,
        coherent=coherent,
    )
    settings = {
        "device": device,
        "vividness": default_vividness(card) if vividness is None else vividness,
        "coherent": coherent,
        "axes": pyramid.names,
    }
    facts = Facts(str(card["name"]), str(card["hash"]), settings)
    return LazyLayer(viewer, source, pyramid, facts).added


class LazyLayer(QObject):
    """A lazy layer in its viewer: it is drawn anew when colours have come, as long as it is there.

    Attributes
    ----------
    planes : LazyPlanes
    added : napari.layers.Image
        As the viewer gave it back.
    """

    _arrived = Signal()
    _told = Signal(str)
    # It lives as long as its layer is in the viewer, whoever else forgets it.
    _living: ClassVar[set[LazyLayer]] = set()

    def __init__(self, viewer: Viewer, source: Source, pyramid: Pyramid, facts: Facts) -> None:
        super().__init__()
        self._viewer = viewer
        self._is_waiting = False
        # Both are called in a thread, and never once `close` has returned.
        self.planes = LazyPlanes(pyramid, arrived=self._tell_once, told=self._told.emit)
        self.planes.is_looked_at = False
        levels = [LazyColors(self.planes, level) for level in range(len(pyramid.levels))]
        self._layer = Image(
            levels if len(levels) > 1 else levels[0],
            rgb=True,
            multiscale=len(levels) > 1,
            name=f"{source.layer.name} [colorized]",
            metadata={RECORD: record_of(replace(source, place=None), facts)},
            # Planes one upon the other are no colours.
            projection_mode="none",
            **whole_geometry(source.layer),
        )
        self._arrived.connect(self._draw)
        self._told.connect(self._say)
        self._follow()
        self._living.add(self)
        self.planes.is_looked_at = True
        self.added: Image = viewer.add_layer(self._layer)
        if not self.planes.in_view:  # it is looked at where it was sliced before
            self._layer.refresh(extent=False)
        # Not before the grey is drawn: the import of torch would hold that up.
        QTimer.singleShot(FIRST_DRAWN, self.planes.start)

    def close(self) -> None:
        """End the thread and hear nothing any more."""
        self.planes.close()
        if self not in self._living:
            return
        self._living.discard(self)
        self._viewer.layers.events.removed.disconnect(self._hear_removed)
        _application().aboutToQuit.disconnect(self.close)
        self.deleteLater()

    def _follow(self) -> None:
        """Hear when the layer, the viewer or the program goes."""
        self._viewer.layers.events.removed.connect(self._hear_removed)
        _application().aboutToQuit.connect(self.close)
        window = getattr(self._viewer, "window", None)
        if window is not None:
            window.main_menu.destroyed.connect(self.close)

    def _tell_once(self) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self._arrived.emit()

    def _draw(self) -> None:
        self._is_waiting = False
        if not self.planes.closed:
            self._layer.refresh(extent=False)

    def _say(self, text: str) -> None:
        if not self.planes.closed:
            show_warning(f"{self._layer.name!r}: {text}")

    def _hear_removed(self, event: Any) -> None:
        if event.value == self._layer:
            self.close()


def lazy_planes_of(layer: Any) -> LazyPlanes | None:
    """Return what colours a layer of a viewer as it is looked at, None for any other layer."""
    # napari hands out proxies of all that a layer holds; a thread must not be given one.
    return next((each.planes for each in LazyLayer._living if each._layer == layer), None)


def _application() -> QCoreApplication:
    application = QApplication.instance()
    assert application is not None  # there is a viewer
    return application
