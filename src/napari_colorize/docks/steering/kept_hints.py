"""What was painted is written down at every change, and comes back with its picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_colorize.docks.life import Life

if TYPE_CHECKING:
    from napari_colorize.docks.steering.hint_layers import HintLayers
    from napari_colorize.docks.steering.session import Session


class KeptHints(QObject):
    """Keeps the steering of a session in a file of the user's data, named after the pixels.

    Parameters
    ----------
    session : Session
    hint_layers : HintLayers
        They know the hints of other planes.

    Attributes
    ----------
    came_back : Signal(str)
        What was kept is there again; the sentence tells it.
    problem_changed : Signal(str)
        Why it cannot be written or read, in a sentence; empty when it can.
    """

    came_back = Signal(str)
    problem_changed = Signal(str)

    def __init__(self, session: Session, hint_layers: HintLayers) -> None:
        super().__init__()
        self._session = session
        self._hint_layers = hint_layers
        self._life = Life(self)

    def keep_beside(self, picture: Path) -> Path:
        """Write NAME.hints.json beside a saved picture, now and at every change; return it."""
        return picture.with_suffix(".hints.json")

    def close(self) -> None:
        """Write what is not yet written, and follow the session no more."""
