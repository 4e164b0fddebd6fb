"""What goes to and fro between the window and the worker of a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_colorize.color.steering import Steering
    from napari_colorize.docks.layers import Source
    from napari_colorize.prediction.colorizer import Colorizer, Rendered
    from napari_colorize.prediction.trust import Trust
    from napari_colorize.prediction.window import Window


@dataclass(frozen=True)
class View:
    """A plane to look at, and the colours that are on screen of it, (H, W, 3), if any."""

    source: Source
    shown: NDArray[np.uint8] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = (self.source.shape[axis] for axis in self.source.axes)
        return height, width


@dataclass(frozen=True)
class Wish:
    """What is to be seen, and what part of it is on screen; None is unknown."""

    steering: Steering
    part: Window | None


class Question(NamedTuple):
    """Something to work out, and who hears of it in the main thread.

    It is dropped when another view is looked at, or all is closed; one `of` a view is not, and
    is answered from that view.
    """

    work: Callable[[Colorizer], Any]
    done: Callable[[Any], None]
    failed: Callable[[str], None]
    of: View | None = None


@dataclass(frozen=True)
class Looked:
    """The network has looked at a view."""

    view: View
    model_name: str
    card: dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """Pixels of the whole view, (H, W, 3); `rendered` and the steering as a dict if all are new."""

    view: View
    wish: Wish
    pixels: NDArray[np.uint8]
    rendered: Rendered | None = None
    record: dict[str, Any] | None = None


@dataclass(frozen=True)
class Trusted:
    """How far the lightness moved, and the share of pixels brought into the gamut."""

    wish: Wish
    trust: Trust
    fitted: float


@dataclass(frozen=True)
class Answered:
    """The end of a question: call `hear` with `answer`."""

    hear: Callable[[Any], None]
    answer: Any


@dataclass(frozen=True)
class Failed:
    """Why colours could not be made."""

    text: str


Message = Looked | Shown | Trusted | Answered | Failed
