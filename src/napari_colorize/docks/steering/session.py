"""One picture being steered: what is wanted of its colours, and the layer that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtCore import QObject, Signal

from napari_colorize.color.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Labels, Layer
    from napari.viewer import Viewer

    from napari_colorize.docks.layers import Source
    from napari_colorize.prediction.colorizer import Colorizer

T = TypeVar("T")


class Session(QObject):
    """Shows, remembers and takes back what a person wants of the colours of one picture.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    layer : napari.layers.Layer
        The picture; of a result of ours its source, if that is there. Of a stack it is the plane
        in view.
    model : str or None
        None takes the default.
    device : str

    Raises
    ------
    PictureError
        When the layer cannot be coloured.

    Attributes
    ----------
    ready : Signal()
        The network has looked at the picture, first or anew: `model_name` and `card` are known.
    changed : Signal(Steering)
        What is wanted is another, whoever changed it.
    rendered : Signal(Rendered)
        The colours are on screen in full resolution.
    trusted : Signal(Trust, float)
        How far the lightness moved, and the share of pixels that were brought into the gamut.
    moved : Signal()
        Another plane of the stack is in view: `place` and `source` are others, and `steering`
        has the hints and the region of that plane.
    noted : Signal(str)
        Something that is good to know.
    failed : Signal(str)
        The colours could not be made; the session goes on.
    ended : Signal()
        It is over; nothing is sent any more.
    """

    ready = Signal()
    changed = Signal(object)
    rendered = Signal(object)
    trusted = Signal(object, float)
    moved = Signal()
    noted = Signal(str)
    failed = Signal(str)
    ended = Signal()

    layer: Image
    source: Source
    result: Image | None
    steering: Steering
    model_name: str
    card: dict[str, Any]
    is_ready: bool
    has_ended: bool

    def __init__(
        self, viewer: Viewer, layer: Layer, model: str | None = None, device: str = "auto"
    ) -> None:
        super().__init__()

    @property
    def place(self) -> tuple[int, ...] | None:
        """Index of the plane in its stack, 0 along the axes of the plane; None without a stack."""
        return self.source.place

    def change(self, steering: Steering, undoable: bool = True) -> None:
        """Show what is wanted, and remember what was."""

    def undo(self) -> None:
        """Go back one step."""

    def redo(self) -> None:
        """Take the last undo back."""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back."""
        return False

    @property
    def can_redo(self) -> bool:
        """Whether an undo can be taken back."""
        return False

    def reset(self) -> None:
        """Want nothing any more: the colours are the network's own. It can be undone."""

    def show_original(self, original: bool) -> None:
        """Show the picture as it was, or in colour again."""

    def ask(
        self,
        work: Callable[[Colorizer], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Have something worked out by the Colorizer, beside the window.

        Parameters
        ----------
        work : callable
            Runs in a thread, after the colours on screen; touches no widget and no layer.
        done : callable
            Gets the answer in the main thread. It is not called once the session has ended.
        failed : callable, optional
            Gets a sentence in the main thread instead; without it `failed` is sent.
        """

    def limit_to(self, layer: Labels | None) -> None:
        """Limit all changes from now on to where a layer has labels, also later ones; None lifts.

        What held before holds outside.
        """

    @property
    def region_layer(self) -> Labels | None:
        """The layer that limits the changes, as long as it is in the viewer."""
        return None

    def close(self) -> None:
        """End: drop what is under way, let go of layers and network; the result stays."""
