"""Fields for one setting each: a number, a choice or a text, all asked and told in the same way."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget


class Editor(QObject):
    """A widget for one setting; ``edited`` tells that a person changed it, ``left`` is after that.

    Attributes
    ----------
    widget
        What goes into a form.
    """

    edited = Signal()
    left = Signal()
    widget: QWidget

    def value(self) -> Any:
        """Return the setting as `TrainingConfig` takes it."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a setting without telling that it was edited."""
        self.widget.blockSignals(True)
        try:
            self._show(value)
        finally:
            self.widget.blockSignals(False)

    def is_typed_in(self) -> bool:
        """Return whether there may be letters in it that do not count yet."""
        return False

    def _show(self, value: Any) -> None:
        raise NotImplementedError


class _CalmSpinBox(QSpinBox):
    """A whole number that the wheel changes only once it was clicked: forms are scrolled."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the form while another field has the focus."""
        _wheel(self, event, super().wheelEvent)


class _CalmDoubleSpinBox(QDoubleSpinBox):
    """A number, shown as short as it can be."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the form while another field has the focus."""
        _wheel(self, event, super().wheelEvent)

    def textFromValue(self, value: float) -> str:
        """Return the number without needless zeros."""
        text: str = self.locale().toString(value, "f", self.decimals())
        point = self.locale().decimalPoint()
        return text.rstrip(self.locale().zeroDigit()).rstrip(point) if point in text else text


class CalmComboBox(QComboBox):
    """A choice that the wheel changes only once it was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # As wide as the dock lets it be, however long the names are.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the form while another field has the focus."""
        _wheel(self, event, super().wheelEvent)


def _wheel(widget: QWidget, event: QWheelEvent | None, otherwise: Any) -> None:
    if event is not None and not widget.hasFocus():
        event.ignore()
    else:
        otherwise(event)


class WholeNumber(Editor):
    """A whole number; with `nothing` the smallest one is shown as these words and means None."""

    def __init__(
        self, low: int, high: int, *, step: int = 1, unit: str = "", nothing: str = ""
    ) -> None:
        super().__init__()
        self.widget = self._box = _CalmSpinBox()
        self._nothing = bool(nothing)
        self._box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._box.setRange(low, high)
        self._box.setSingleStep(step)
        self._box.setSuffix(unit)
        self._box.setSpecialValueText(nothing)
        self._box.setKeyboardTracking(False)
        self._box.setGroupSeparatorShown(True)
        self._box.valueChanged.connect(lambda _: self.edited.emit())
        self._box.editingFinished.connect(self.left.emit)

    def is_typed_in(self) -> bool:
        """Return whether there may be letters in it that do not count yet."""
        return self._box.hasFocus()

    def value(self) -> int | None:
        """Return the number, None for the words."""
        value = self._box.value()
        return None if self._nothing and value == self._box.minimum() else value

    def _show(self, value: int | None) -> None:
        self._box.setValue(self._box.minimum() if value is None else value)


class ShownWord(WholeNumber):
    """A whole number whose smallest value is shown as a word and means what it is."""

    def __init__(self, low: int, high: int, word: str, *, unit: str = "") -> None:
        super().__init__(low, high, unit=unit, nothing=word)
        self._nothing = False


class RealNumber(Editor):
    """A number with a fraction."""

    def __init__(
        self, low: float, high: float, step: float | None, *, decimals: int = 6, unit: str = ""
    ) -> None:
        super().__init__()
        self.widget = self._box = _CalmDoubleSpinBox()
        self._box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._box.setDecimals(decimals)
        self._box.setRange(low, high)
        if step is None:
            self._box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        else:
            self._box.setSingleStep(step)
        self._box.setSuffix(unit)
        self._box.setKeyboardTracking(False)
        self._exact: float | None = None
        self._box.valueChanged.connect(self._take)
        self._box.editingFinished.connect(self.left.emit)

    def is_typed_in(self) -> bool:
        """Return whether there may be letters in it that do not count yet."""
        return self._box.hasFocus()

    def value(self) -> float:
        """Return the number as it was given: the box may have rounded it."""
        return self._box.value() if self._exact is None else self._exact

    def _take(self) -> None:
        self._exact = None
        self.edited.emit()

    def _show(self, value: float) -> None:
        self._box.setValue(value)
        self._exact = float(value)


class Choice(Editor):
    """One of several values, each shown by its words."""

    def __init__(self, choices: dict[str, str]) -> None:
        super().__init__()
        self.widget = self._box = CalmComboBox()
        for value, words in choices.items():
            self._box.addItem(words, value)
        self._box.currentIndexChanged.connect(lambda _: self.edited.emit())

    def value(self) -> str:
        """Return what is chosen."""
        return str(self._box.currentData())

    def _show(self, value: str) -> None:
        if self._box.findData(value) < 0:  # of a run that was started elsewhere
            self._box.addItem(value, value)
        self._box.setCurrentIndex(self._box.findData(value))


class Text(Editor):
    """A text; the empty one means None."""

    def __init__(self, empty: str) -> None:
        super().__init__()
        self.widget = self._line = QLineEdit()
        self._line.setPlaceholderText(empty)
        self._line.textChanged.connect(lambda _: self.edited.emit())

    def value(self) -> str | None:
        """Return the text without blanks around it."""
        return self._line.text().strip() or None

    def _show(self, value: str | None) -> None:
        self._line.setText(value or "")
