"""The curves of a run in the colours of napari's theme: losses above, PSNR over grey below.

pyqtgraph takes 0.4 s to import: `load` does that, in a thread, before the first curve is drawn.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.watch.run_history import Curve, LossHistory, smoothed
from napari_colorize.errors import StorageError
from napari_colorize.runs.storage import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# pyqtgraph moves the label of the axis so many pixels out of the plot.
_BELOW_LABEL = 6
_LOSS_HEIGHT, _PSNR_HEIGHT = 165, 140
_AXIS_WIDTH = 52  # pixels, the same for both plots: their epochs lie below each other
_SIDES = ("bottom", "left")
_MARGIN = 0.08  # of what is drawn, above and below
_LEAST_MARGIN = 0.03
# A range that is up to so many times too large stays: new ranges are what is dear to draw.
_TOO_LARGE = 1.4
_LOSS_TIP = (
    "How wrong the colours are, the lower the better.\n"
    "Training: on the photographs that the network learns from; faint as it was told, thick as "
    "its mean.\n"
    "Check: on photographs that it never learns from; if this rises for long while the "
    "other falls, more training does not help.\n"
    "The dotted line marks the best epoch."
)
_PSNR_TIP = (
    "How near the colours of the check photographs are to the true ones, in decibels (PSNR); the "
    "higher the better, and one more is a clear step.\n"
    "The dashed line is what leaving them grey would give: below it, no colour would be better.\n"
    "The dotted line marks the best epoch, the one with the lowest check loss."
)


def load() -> None:
    """Import what draws the plots."""
    import pyqtgraph  # noqa: F401


class LossPlot:
    """A plot of the losses and one of the PSNR; ``widget`` is what goes into a layout.

    Parameters
    ----------
    theme
        Name of napari's theme.
    tell
        Is told in words whether the curves could be saved.
    """

    def __init__(self, theme: str, tell: Callable[[str], None] | None = None) -> None:
        import pyqtgraph

        self._pg = pyqtgraph
        self._tell = tell
        self._history = LossHistory()
        self._asked_log = False
        self._make_loss()
        self._make_psnr()
        self._make_widget()
        self.restyle(theme)

    @property
    def widget(self) -> QWidget:
        """The Qt widget of the plots."""
        return self._widget

    def draw(self, history: LossHistory) -> None:
        """Show what the history holds."""
        self._history = history
        if not self._asked_log and history.is_wide() != self.log.isChecked():
            self.log.blockSignals(True)
            self.log.setChecked(history.is_wide())
            self.log.blockSignals(False)
            self._plot.setLogMode(y=self.log.isChecked())
        training, psnr = history.training, history.psnr
        means = smoothed(training.losses)
        self._raw.setData(training.epochs, training.losses)
        self._training.setData(training.epochs, means)
        _set_if_new(self._validation, history.validation)
        _set_if_new(self._gain, psnr)
        self._psnr.setVisible(bool(psnr.epochs))
        self._draw_marks()
        self._fit()

    def save_table(self, path: Path) -> str:
        """Write the curves as CSV and return what to say about it."""
        try:
            write_whole(path, self._history.table())
        except StorageError as exc:
            return str(exc)
        return f"The curves are in {path.name}."

    def restyle(self, theme: str) -> None:
        """Take the colours of a theme of napari."""
        colours = get_theme(theme)
        text = colours.text.as_hex()
        dark = colours.type == "dark"
        training = "#5fb0ff" if dark else "#1463b8"
        validation = "#ffb454" if dark else "#b45309"
        for plot in (self._plot, self._psnr):
            # A transparent plot keeps the old background until its size changes.
            plot.setBackground(colours.background.as_hex())
            for side in _SIDES:
                plot.getAxis(side).setPen(text)
                plot.getAxis(side).setTextPen(text)
        self._raw.setPen(self._faint(training, 70))
        self._training.setPen(training, width=2)
        for curve in (self._validation, self._gain):
            curve.setPen(validation, width=2)
            curve.setSymbolBrush(validation)
            curve.setSymbolPen(validation)
        for line in (self._best_loss, self._best_gain):
            line.setPen(self._pen(text, "DotLine"))
        self._grey.setPen(self._pen(text, "DashLine"))
        self.legend.setText(
            f'<span style="color:{training}">━</span> training &nbsp; '
            f'<span style="color:{validation}">●</span> check'
        )

    # Building.

    def _make_loss(self) -> None:
        self._plot = self._bare_plot(_LOSS_HEIGHT, "loss", _LOSS_TIP)
        self._raw = self._plot.plot()
        self._training = self._plot.plot()
        self._validation = self._plot.plot(symbol="o", symbolSize=6)
        self._best_loss = self._mark(self._plot, 90)

    def _make_psnr(self) -> None:
        self._psnr = self._bare_plot(_PSNR_HEIGHT, "check, dB", _PSNR_TIP)
        self._gain = self._psnr.plot(symbol="o", symbolSize=6)
        self._best_gain = self._mark(self._psnr, 90)
        self._psnr.setLabel("bottom", "epoch")
        self._grey = self._mark(self._psnr, 0)
        self._psnr.hide()

    def _make_widget(self) -> None:
        self._widget = QWidget()
        self.log = QCheckBox("Lo&garithmic")
        self.log.setToolTip("Draw the losses as logarithms: small changes late are seen better.")
        self.log.toggled.connect(self._set_log)
        self.save = QPushButton("Save &curves…")
        self.save.setToolTip("Write all points of the curves into a CSV file for a spreadsheet.")
        self.save.clicked.connect(self._ask_and_save)
        self.legend = QLabel()
        self.legend.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.legend.setToolTip(_LOSS_TIP)
        self.grey_line = QLabel()
        self.grey_line.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.grey_line.setToolTip(_PSNR_TIP)
        self.grey_line.hide()
        row = QHBoxLayout()
        row.addWidget(self.log)
        row.addStretch()
        row.addWidget(self.save)
        layout = QVBoxLayout(self._widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.legend)
        layout.addWidget(self._plot)
        layout.addWidget(self.grey_line)
        layout.addWidget(self._psnr)
        layout.addLayout(row)

    def _bare_plot(self, height: int, label: str, tip: str) -> Any:
        plot = self._pg.PlotWidget()
        plot.setFixedHeight(height)
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.getPlotItem().layout.setContentsMargins(0, 0, 0, _BELOW_LABEL)
        plot.setLabel("left", label)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        for side in _SIDES:
            # Once, and before there is anything to draw: pyqtgraph scales by what is in view then.
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.showGrid(x=True, y=True, alpha=0.15)
        plot.setToolTip(tip)
        return plot

    def _mark(self, plot: Any, angle: int) -> Any:
        """Add a hidden line across a plot."""
        line = self._pg.InfiniteLine(angle=angle)
        line.setVisible(False)
        plot.addItem(line)
        return line

    # Drawing.

    def _draw_marks(self) -> None:
        history = self._history
        for line in (self._best_loss, self._best_gain):
            line.setVisible(history.best is not None)
            if history.best is not None:
                line.setPos(float(history.best.epoch))
        known = bool(history.psnr.epochs) and math.isfinite(history.grey)
        self._grey.setVisible(known)
        # Not in the plot: there it would lie on the curve.
        self.grey_line.setText(f"┄ left grey {history.grey:.2f} dB" if known else "")
        self.grey_line.setVisible(known)
        if known:
            self._grey.setPos(history.grey)

    def _fit(self) -> None:
        """Fit the ranges to the curves; pyqtgraph would do so at each painting, and paint twice."""
        history, logarithmic = self._history, self.log.isChecked()
        last = max([*history.training.epochs[-1:], *history.validation.epochs[-1:], 1.0])
        losses = [*smoothed(history.training.losses).tolist(), *history.validation.losses]
        if logarithmic:
            losses = [math.log10(loss) for loss in losses if loss > 0]
        gains = [*history.psnr.losses, history.grey] if math.isfinite(history.grey) else []
        for plot, values in ((self._plot, losses), (self._psnr, gains)):
            plot.setXRange(0, math.ceil(last), padding=0.02)
            if values:
                plot.setYRange(*_calm_range(values, plot.viewRange()[1]), padding=0)

    def _set_log(self, on: bool) -> None:
        self._asked_log = True
        self._plot.setLogMode(y=on)
        self._fit()

    def _ask_and_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self._widget, "Save the curves", "curves.csv", "Tables (*.csv)"
        )
        if not chosen:
            return
        path = Path(chosen)
        if not path.suffix:
            path = path.with_suffix(".csv")
            if path.exists():  # the dialog asked about the name without it
                self._say(f"{path.name} exists already; choose another name.")
                return
        self._say(self.save_table(path))

    def _say(self, said: str) -> None:
        if self._tell is not None:
            self._tell(said)

    # Pens.

    def _faint_colour(self, colour: str, alpha: int) -> Any:
        faint = self._pg.mkColor(colour)
        faint.setAlpha(alpha)
        return faint

    def _faint(self, colour: str, alpha: int) -> Any:
        """Return a pen that hardly shows, for the losses as they were told."""
        return self._pg.mkPen(self._faint_colour(colour, alpha))

    def _pen(self, colour: str, style: str) -> Any:
        return self._pg.mkPen(
            self._faint_colour(colour, 170), width=1.2, style=getattr(Qt.PenStyle, style)
        )


def _set_if_new(drawn: Any, curve: Curve) -> None:
    """Give the points of a curve to what draws them, unless it has them."""
    has = drawn.getOriginalDataset()[1]
    if list(() if has is None else has) != curve.losses:
        drawn.setData(curve.epochs, curve.losses)


def _calm_range(values: Sequence[float], present: Sequence[float]) -> tuple[float, float]:
    """Return the range to draw some values in: the present one while it suits them."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    left, right = present
    suits = left <= low - _LEAST_MARGIN * span and high + _LEAST_MARGIN * span <= right
    if suits and right - left <= _TOO_LARGE * span * (1 + 2 * _MARGIN):
        return left, right
    return low - _MARGIN * span, high + _MARGIN * span
