"""The loss as it falls: what was told of it, and its drawing in the colours of napari's theme.

pyqtgraph takes 0.4 s to import and is only loaded when the first curve is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtWidgets import QWidget

from napari_colorize.runs.events import Event, Started, Step, Validated

_MOST_POINTS = 4000
_SMOOTHED_REACH = 20
# pyqtgraph moves the label of the axis so many pixels out of the plot.
_BELOW_LABEL = 6
_SIDES = ("bottom", "left")


@dataclass
class Curve:
    """Points of one curve: the epoch as a real number, and the loss."""

    epochs: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def add(self, epoch: float, loss: float) -> None:
        """Add a point; a long curve keeps every second of its older ones."""
        if not math.isfinite(loss):
            return
        self.epochs.append(epoch)
        self.losses.append(loss)
        if len(self.epochs) > _MOST_POINTS:
            del self.epochs[: _MOST_POINTS // 2 : 2]
            del self.losses[: _MOST_POINTS // 2 : 2]

    def cut(self, epoch: float) -> None:
        """Forget the points after an epoch."""
        kept = sum(1 for place in self.epochs if place <= epoch)
        del self.epochs[kept:]
        del self.losses[kept:]


class LossHistory:
    """The losses that a run told, as two curves over the epochs."""

    def __init__(self) -> None:
        self.training = Curve()
        self.validation = Curve()
        self._steps_per_epoch = 1

    def add(self, event: Event) -> None:
        """Take in an event; a resume forgets what lies after its checkpoint."""
        if isinstance(event, Started):
            self._steps_per_epoch = max(1, event.steps_per_epoch)
            for curve in (self.training, self.validation):
                curve.cut(event.step / self._steps_per_epoch)
        elif isinstance(event, Step):
            self.training.add(event.step / self._steps_per_epoch, event.loss)
        elif isinstance(event, Validated):
            self.validation.add(float(event.epoch), event.loss)

    def is_empty(self) -> bool:
        """Return whether there is nothing to draw."""
        return not self.training.epochs and not self.validation.epochs


def smoothed(losses: list[float]) -> NDArray[np.float64]:
    """Return the mean of each loss and its neighbours on both sides, shape (N,).

    A mean over past losses alone would lie above a falling curve.
    """
    reach = min(_SMOOTHED_REACH, len(losses) // 20)
    sums = np.cumsum([0.0, *losses])
    place = np.arange(len(losses))
    first, end = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(losses))
    means: NDArray[np.float64] = (sums[end] - sums[first]) / (end - first)
    return means


class LossPlot:
    """A plot of both curves; ``widget`` is what goes into a layout.

    Parameters
    ----------
    theme
        Name of napari's theme.
    """

    def __init__(self, theme: str) -> None:
        import pyqtgraph

        self._pg = pyqtgraph
        self._plot = pyqtgraph.PlotWidget()
        self._plot.setFixedHeight(190)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setLabel("bottom", "epoch")
        self._plot.getPlotItem().layout.setContentsMargins(0, 0, 0, _BELOW_LABEL)
        self._plot.setLabel("left", "loss")
        for side in _SIDES:
            # Once, and before there is anything to draw: pyqtgraph scales by what is in view then.
            self._plot.getAxis(side).enableAutoSIPrefix(False)
        self._plot.showGrid(x=True, y=True, alpha=0.15)
        self._plot.setToolTip(
            "How wrong the colours are, the lower the better.\n"
            "Training: on the photographs that the network learns from.\n"
            "Check: on photographs that it never learns from; if this rises for long while the "
            "other falls, more training does not help."
        )
        self._legend = self._plot.addLegend(offset=(-8, 6))
        self._raw = self._plot.plot()
        self._training = self._plot.plot(name="training")
        self._validation = self._plot.plot(name="check", symbol="o", symbolSize=6)
        self.restyle(theme)

    @property
    def widget(self) -> QWidget:
        """The Qt widget of the plot."""
        widget: QWidget = self._plot
        return widget

    def draw(self, history: LossHistory) -> None:
        """Show what the history holds."""
        training, validation = history.training, history.validation
        self._raw.setData(training.epochs, training.losses)
        self._training.setData(training.epochs, smoothed(training.losses))
        self._validation.setData(validation.epochs, validation.losses)

    def restyle(self, theme: str) -> None:
        """Take the colours of a theme of napari."""
        colours = get_theme(theme)
        text = colours.text.as_hex()
        dark = colours.type == "dark"
        training = "#5fb0ff" if dark else "#1463b8"
        validation = "#ffb454" if dark else "#b45309"
        # A transparent plot keeps the old background until its size changes.
        self._plot.setBackground(colours.background.as_hex())
        for side in _SIDES:
            axis = self._plot.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
        self._raw.setPen(self._faint(training))
        self._training.setPen(training, width=2)
        self._validation.setPen(validation, width=2)
        self._validation.setSymbolBrush(validation)
        self._validation.setSymbolPen(validation)
        self._legend.setLabelTextColor(text)
        for _, label in self._legend.items:
            label.setText(label.text, color=text)

    def _faint(self, colour: str) -> Any:
        """Return a pen that hardly shows, for the losses as they were told."""
        faint = self._pg.mkColor(colour)
        faint.setAlpha(70)
        return self._pg.mkPen(faint)
