"""The slider for vividness: at each model's own until a person moves it."""

from __future__ import annotations

from typing import Any

from magicgui import widgets
from qtpy.QtWidgets import QDoubleSpinBox, QSizePolicy

EXPLANATION = (
    "How bold the colours are. 0: the safe average of what a thing may look like, muted. "
    "1: its likeliest colour, strong and at times wrong."
)

READOUT = 40  # pixels; napari's style leaves room for far longer numbers


class VividnessField(widgets.Container[Any]):
    """A slider from 0 to 1, and a button that takes it back to the model's own vividness.

    What a person has chosen stays when another model is chosen; what nobody has chosen follows
    the model.
    """

    def __init__(self) -> None:
        self._default: float | None = None
        self._chosen: float | None = None
        self.slider = widgets.FloatSlider(name="slider", min=0, max=1, step=0.05, tracking=True)
        readout = self.slider.native.findChild(QDoubleSpinBox)
        readout.setStyleSheet(f"min-width: {READOUT}px; max-width: {READOUT}px")
        self.reset = widgets.PushButton(name="reset", text="Reset")
        self.reset.native.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        super().__init__(
            name="vividness",
            label="Vividness",
            layout="horizontal",
            labels=False,
            widgets=[self.slider, self.reset],
        )
        self.margins = (0, 0, 0, 0)
        self.slider.changed.connect(self._choose)
        self.reset.changed.connect(self._reset)

    @property
    def wanted(self) -> float | None:
        """The vividness that a person has chosen; None for the model's own, and if it has none."""
        return None if self._default is None else self._chosen

    def suit(self, default: float | None, why_not: str = "") -> None:
        """Suit a model with this vividness of its own; None for one that knows none, and why."""
        self._default = default
        self._show()
        self.slider.enabled = default is not None
        self.tooltip = self.slider.tooltip = self.reset.tooltip = why_not or EXPLANATION
        if default is not None:
            self.reset.tooltip = f"Take the model's own vividness again, {default:g}."

    def _choose(self, value: float) -> None:
        self._chosen = None if self._default is None or _same(value, self._default) else value
        self.reset.enabled = self._chosen is not None

    def _reset(self) -> None:
        self._chosen = None
        self._show()
        self.changed.emit(self)

    def _show(self) -> None:
        """Bring the slider and the button to what is chosen."""
        shown = 0.0  # the safe average is what a model that knows no vividness gives
        if self._default is not None:
            if self._chosen is not None and _same(self._chosen, self._default):
                self._chosen = None
            shown = self._default if self._chosen is None else self._chosen
        with self.slider.changed.blocked():
            self.slider.value = shown
        self.reset.enabled = self.wanted is not None


def _same(one: float, other: float) -> bool:
    return abs(one - other) < 1e-6
