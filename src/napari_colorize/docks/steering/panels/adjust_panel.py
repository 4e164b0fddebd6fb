"""Sliders that act at once: vividness, chroma, warmth, hue, and a blend with the original."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QGridLayout

from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.docks.colorizing.vividness_field import EXPLANATION
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.steering.panels.amount import AmountRow, Scale
from napari_colorize.docks.steering.panels.panel import SteeringPanel, column
from napari_colorize.files.cards import VIVIDNESS, default_vividness

if TYPE_CHECKING:
    import napari

    from napari_colorize.docks.steering.session.session import Session

# name in Adjustments -> what is shown of it
_ROWS = {
    "chroma": (
        "Chroma",
        Scale(0, 200, 1, " %", factor=100),
        "How strong all colours are: 0 % is grey, 100 % as the network gave them. "
        "The lightness stays.",
    ),
    "warmth": (
        "Warmth",
        Scale(-100, 100, 1, " %", factor=100),
        "Shifts all colours: below 0 towards blue, as in shade; above towards orange, as in "
        "evening light.",
    ),
    "hue": (
        "Hue shift",
        Scale(-180, 180, 1, "°"),
        "Turns every hue by as many degrees; at 180° each becomes its opposite.",
    ),
    "blend": (
        "Original",
        Scale(0, 100, 1, " %", factor=100),
        "How much of the original picture shows through: 0 % only the new colours, 100 % the "
        "original.",
    ),
}


class AdjustPanel(SteeringPanel):
    """What is done to the colours behind the network: no new look at the picture is needed."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._own_vividness = VIVIDNESS
        vivid = Scale(0, 1, 0.01, decimals=2)
        self.vividness = AmountRow(self, "Vividness", vivid, EXPLANATION)
        self.rows = {
            name: AmountRow(self, title, scale, tip) for name, (title, scale, tip) in _ROWS.items()
        }
        self._lay_out()
        self._listen()
        self._show(Steering())
        self.setEnabled(False)

    def _lay_out(self) -> None:
        layout = column(self)
        grid = QGridLayout()
        grid.setVerticalSpacing(8)
        for row, amount in enumerate((self.vividness, *self.rows.values())):
            amount.place(grid, row)
        layout.addLayout(grid)
        note = FieldNote("aside")
        note.tell("Each acts at once; a double click takes one back.")
        layout.addWidget(note)
        layout.addStretch()

    def _listen(self) -> None:
        self.vividness.moved.connect(self._set_vividness)
        self.vividness.reset_wanted.connect(lambda: self._set_vividness(None))
        for name, row in self.rows.items():
            row.moved.connect(partial(self._adjust, name))
            row.reset_wanted.connect(partial(self._reset, name))

    def _begin(self, session: Session) -> None:
        own = default_vividness(session.card) if session.is_ready else None
        self._own_vividness = VIVIDNESS if own is None else own

    def _show(self, steering: Steering) -> None:
        own = self._own_vividness
        self.vividness.show_value(own if steering.vividness is None else steering.vividness, own)
        for name, row in self.rows.items():
            row.show_value(getattr(steering.adjustments, name), getattr(Adjustments(), name))

    def _set_vividness(self, value: float | None) -> None:
        if self._session is None:
            return
        if value is not None and abs(value - self._own_vividness) < 1e-6:
            value = None
        self._change(replace(self._session.steering, vividness=value))

    def _adjust(self, name: str, value: float) -> None:
        if self._session is None:
            return
        steering = self._session.steering
        adjusted = replace(steering.adjustments, **{name: value})
        self._change(replace(steering, adjustments=adjusted))

    def _reset(self, name: str) -> None:
        self._adjust(name, getattr(Adjustments(), name))
