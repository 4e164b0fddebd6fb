"""Colour the whole stack so: what steers one plane, and the hints of all, lead the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton, QVBoxLayout

from napari_colorize.docks import preferences
from napari_colorize.docks.colorizing.cost import cost, shortage
from napari_colorize.docks.colorizing.orders import Ending, Order
from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.layers import take_source
from napari_colorize.docks.steering.panels.panel import SteeringPanel
from napari_colorize.docks.steering.stack_hints import stack_hints
from napari_colorize.docks.steering.steered import Steered
from napari_colorize.errors import ColorizeError

if TYPE_CHECKING:
    import napari

    from napari_colorize.docks.steering.session.session import Session

_START, _CANCEL = "Colour the whole stack so", "Cancel the whole stack"
_TIP = (
    "Give all planes colours as they are wanted here: vividness, adjustments and reference hold "
    "for all; each hint follows its thing to the planes around, until another says otherwise. "
    "It gives a layer of its own. A region holds for its plane alone and is left out."
)


class StackRow(SteeringPanel):
    """A button that colours all planes, and cancels that; it is there for stacks only."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._run: Run | None = None
        self.button = QPushButton(_START)
        self.button.setToolTip(_TIP)
        self.note = FieldNote("aside")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.button)
        layout.addWidget(self.note)
        self.button.clicked.connect(self._press)
        self.setVisible(False)

    def order(self) -> Order:
        """Return the whole stack, steered as its plane in view is, with the hints of all planes.

        Raises
        ------
        ColorizeError
            When it cannot be coloured now.
        """
        session = self._session
        steered = None if session is None else Steered.of(session.layer)
        if session is None or steered is None:
            raise ColorizeError("Nothing is steered: press Start first.")
        source = take_source(self._viewer, session.layer, whole=True)
        source = replace(source, hints=stack_hints(self._viewer, source))
        common = replace(session.steering, hints=(), region=None, outside=None)
        scheduler = preferences.remembered("scheduler", "", "colorizing")
        return Order((source,), steered.model, steered.device, common, scheduler=scheduler)

    def _begin(self, session: Session) -> None:
        self.setVisible(session.layer.ndim > 2)

    def detach(self) -> None:
        """Follow nothing any more; a run goes on."""
        super().detach()
        if not self._life.over:
            self.setVisible(False)

    def _press(self) -> None:
        if self._run is not None:
            self._run.cancel()
            self.button.setEnabled(False)
            self.note.tell("Cancelling…")
            return
        try:
            order = self.order()
            if Run.living_in(self._viewer) is not None:
                raise ColorizeError("Another run is under way: wait until it has ended.")
            if reason := shortage(order):
                raise ColorizeError(reason)
        except ColorizeError as error:
            self.note.tell(str(error))
            return
        self.note.tell(cost(order))
        self._run = Run(self._viewer, order)
        self._run.noted.connect(self._hear_note)
        self._run.ended.connect(self._hear_ending)
        self.button.setText(_CANCEL)
        self._run.start()

    def _hear_note(self, text: str) -> None:
        if not self._life.over and self.button.isEnabled():
            self.note.tell(text)

    def _hear_ending(self, ending: Ending) -> None:
        if self._life.over:
            return
        self._run = None
        self.button.setText(_START)
        self.button.setEnabled(True)
        above = " It lies above: hide it to go on steering." if ending.kind == "finished" else ""
        self.note.tell(f"{ending.text}{above}")
