"""What every panel of the Steer dock is: it follows one session, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_colorize.color.steering import Steering
from napari_colorize.docks.life import Life

if TYPE_CHECKING:
    import napari

    from napari_colorize.docks.steering.session.session import Session
    from napari_colorize.prediction.colorizer import Colorizer

Answer = TypeVar("Answer")


class SteeringPanel(QWidget):
    """Shows what a session says, and tells it what a person wants.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._session: Session | None = None
        self._life = Life(self)
        self._links: list[tuple[Any, Callable[..., None]]] = []

    def attach(self, session: Session) -> None:
        """Follow a session, and show how it stands."""
        self.detach()
        self._session = session
        self._link(session.changed, self._hear_change)
        self._link(session.ready, self._hear_ready)
        self._link(session.moved, self._hear_move)
        self.setEnabled(True)
        self._listen_to(session)
        self._begin(session)
        self._show(session.steering)

    def detach(self) -> None:
        """Follow nothing any more; what is shown is the state of no picture."""
        if self._session is None:
            return
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()
        self._session = None
        if not self._life.over:
            self._end()
            self._show(Steering())
            self.setEnabled(False)

    def _listen_to(self, session: Session) -> None:
        """Link what else is to be heard of a session; once for each."""

    def _begin(self, session: Session) -> None:
        """Suit a session that was attached, or whose network has looked at the picture."""

    def _end(self) -> None:
        """Let go of what belongs to a picture, or a plane, that is not steered any more."""

    def _show(self, steering: Steering) -> None:
        """Bring the widgets to a steering, without telling the session."""

    def _link(self, signal: Any, slot: Callable[..., None]) -> None:
        """Connect a signal of the session, until the panel is detached."""
        signal.connect(slot)
        self._links.append((signal, slot))

    def _hear_change(self, steering: Steering) -> None:
        if self._session is not None and not self._life.over:
            self._show(steering)

    def _hear_ready(self) -> None:
        if self._session is not None and not self._life.over:
            self._begin(self._session)
            self._show(self._session.steering)

    def _hear_move(self) -> None:
        if self._session is not None and not self._life.over:
            self._end()
            self._hear_ready()

    def _change(self, steering: Steering) -> None:
        if self._session is not None:
            self._session.change(steering)

    def _ask(
        self,
        work: Callable[[Colorizer], Answer],
        done: Callable[[Answer], None],
        failed: Callable[[str], None],
        *,
        kept: bool = False,
    ) -> None:
        """Have the session do some work; the answer comes only while it is still followed.

        What is `kept` is done whatever comes, as Session.ask says.
        """
        session = self._session
        if session is None:
            return

        def still(hear: Callable[[Any], None]) -> Callable[[Any], None]:
            def heard(answer: Any) -> None:
                if not self._life.over and self._session is session:
                    hear(answer)

            return heard

        session.ask(work, still(done), still(failed), kept=kept)


def column(panel: QWidget) -> QVBoxLayout:
    """Return the layout of a panel: its parts below each other, alike in all tabs."""
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 2, 0, 0)
    layout.setSpacing(6)
    return layout
