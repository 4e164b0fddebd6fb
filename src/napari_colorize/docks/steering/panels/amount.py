"""A row of a form that sets one number: its name, a slider, the number, a way back."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QSlider, QToolButton
from superqt.utils import signals_blocked


@dataclass(frozen=True)
class Scale:
    """What a row shows of a number.

    Attributes
    ----------
    low, high, step : float
        In the units that are shown.
    unit : str
        Stands behind the number.
    decimals : int
        Of the number.
    factor : float
        Units that are shown for 1 of the value.
    """

    low: float
    high: float
    step: float = 1.0
    unit: str = ""
    decimals: int = 0
    factor: float = 1.0


class AmountRow(QObject):
    """A name, a slider that acts while it is dragged, a number and a small reset button.

    A double click on the name or on the slider resets it too. The wheel turns the slider only
    while it has the focus: elsewhere it scrolls the dock.

    Attributes
    ----------
    moved : Signal(float)
        A person has set another value.
    reset_wanted : Signal()
        A person wants the value that it has by itself.
    """

    moved = Signal(float)
    reset_wanted = Signal()

    def __init__(self, parent: QObject, name: str, scale: Scale, tooltip: str) -> None:
        super().__init__(parent)
        self.scale = scale
        self.default = 0.0
        self.label = QLabel(name)
        self.slider = _CalmSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round((scale.high - scale.low) / scale.step))
        self.slider.setPageStep(max(1, self.slider.maximum() // 20))
        self.number = _CalmNumber()
        self.number.setDecimals(scale.decimals)
        self.number.setRange(scale.low, scale.high)
        self.number.setSingleStep(scale.step)
        self.number.setSuffix(scale.unit)
        self.number.setKeyboardTracking(False)
        self.number.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.reset = QToolButton()
        self.reset.setText("↺")
        self.reset.setAutoRaise(True)
        self.label.setBuddy(self.slider)
        self.explain(tooltip)
        self._listen()

    def place(self, grid: QGridLayout, row: int) -> None:
        """Put the four parts into a row of a grid."""
        for column, part in enumerate((self.label, self.slider, self.number, self.reset)):
            grid.addWidget(part, row, column)
        grid.setColumnStretch(1, 1)

    def explain(self, tooltip: str) -> None:
        """Say what the number does, or why it cannot be set."""
        for part in (self.label, self.slider, self.number):
            part.setToolTip(tooltip)

    def set_enabled(self, enabled: bool) -> None:
        """Let the row be used, or not."""
        for part in (self.label, self.slider, self.number):
            part.setEnabled(enabled)
        self._update_reset()

    def show_value(self, value: float, default: float) -> None:
        """Show a value, silently, and know what it is by itself."""
        self.default = default
        shown = value * self.scale.factor
        with signals_blocked(self.slider), signals_blocked(self.number):
            self.slider.setValue(round((shown - self.scale.low) / self.scale.step))
            self.number.setValue(shown)
        self._update_reset()

    def _listen(self) -> None:
        self.slider.valueChanged.connect(self._hear_slider)
        self.number.valueChanged.connect(self._hear_number)
        self.reset.clicked.connect(self.reset_wanted)
        self.slider.double_clicked.connect(self.reset_wanted)
        self.label.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Reset at a double click on the name."""
        if event is not None and event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset_wanted.emit()
        return False

    def _hear_slider(self, ticks: int) -> None:
        shown = self.scale.low + ticks * self.scale.step
        with signals_blocked(self.number):
            self.number.setValue(shown)
        self._tell(shown)

    def _hear_number(self, shown: float) -> None:
        with signals_blocked(self.slider):
            self.slider.setValue(round((shown - self.scale.low) / self.scale.step))
        self._tell(shown)

    def _tell(self, shown: float) -> None:
        self._update_reset()
        self.moved.emit(round(shown / self.scale.factor, 6))

    def _update_reset(self) -> None:
        off = abs(self.number.value() - self.default * self.scale.factor) > 1e-6
        self.reset.setEnabled(off and self.slider.isEnabled())
        shown = f"{self.default * self.scale.factor:.{self.scale.decimals}f}{self.scale.unit}"
        self.reset.setToolTip(f"Back to {shown}; a double click on the slider does the same.")


class _CalmSlider(QSlider):
    """A slider that lets the wheel pass unless it has the focus, and tells of double clicks."""

    double_clicked = Signal()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Turn only with the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
            return
        super().wheelEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Tell of it instead of moving a page on."""
        self.double_clicked.emit()


class _CalmNumber(QDoubleSpinBox):
    """A number that lets the wheel pass unless it has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedWidth(62)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Turn only with the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
            return
        super().wheelEvent(event)
