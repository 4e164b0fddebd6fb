"""One picture being steered, whole: its session, the layers of its hints, and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_colorize.color.steering import Steering
from napari_colorize.docks.steering.hints.hint_layers import HintLayers
from napari_colorize.docks.steering.hints.kept_hints import KeptHints
from napari_colorize.docks.steering.session.session import Session

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


class Steered:
    """Begins all three together, and ends them so that nothing painted is lost.

    Parameters
    ----------
    steering : Steering or None
        What is wanted from the start; None takes what was kept of the picture.

    Raises
    ------
    PictureError
        When the layer cannot be coloured.
    """

    _living: ClassVar[list[Steered]] = []

    def __init__(
        self,
        viewer: Viewer,
        layer: Layer,
        model: str | None,
        device: str,
        steering: Steering | None = None,
    ) -> None:
        self.model, self.device = model, device
        self.session = Session(viewer, layer, model, device)
        if steering is not None:
            self.session.change(steering, undoable=False)
        self.hint_layers = HintLayers(viewer, self.session)
        self.kept = KeptHints(self.session, self.hint_layers)
        self._living.append(self)

    @classmethod
    def of(cls, layer: Layer) -> Steered | None:
        """Return what steers a layer now, if anything does."""
        wanted = layer.unique_id
        living = (one for one in cls._living if not one.session.has_ended)
        return next((one for one in living if one.session.layer.unique_id == wanted), None)

    def close(self, _: object = None) -> None:
        """Write what is not yet written, then let go of layers and network."""
        if self in self._living:
            self._living.remove(self)
        self.hint_layers.close()
        self.kept.close()
        self.session.close()
