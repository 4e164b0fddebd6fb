"""The colour picker: it offers the colours that a place can have, and no others."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from napari_colorize.color.hints import Color
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.steering.panels.gamut_square import GamutSquare
from napari_colorize.docks.steering.panels.inks import color_of, paint_patch
from napari_colorize.docks.steering.panels.shades import look_at, slice_at

NO_PLACE = 60.0  # the lightness that is used as long as none is known
_DARK, _LIGHT = 8, 96  # beyond these sRGB has little colour to give


class ColorPicker(QWidget):
    """A square of colours, a patch of the chosen one, and its code.

    A colour that was chosen at another lightness is kept, and shown as it looks at this one.

    Attributes
    ----------
    chosen : Signal(object)
        A person has chosen a colour (r, g, b), 0..255.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._color: Color = (128.0, 128.0, 128.0)
        self._lightness = NO_PLACE
        self._is_ready = False
        self.square = GamutSquare()
        self.patch = _Patch()
        self.code = QLineEdit()
        self.code.setMaxLength(40)
        self.code.setAccessibleName("Code of the colour")
        self.code.setToolTip(
            "The colour as six hexadecimal digits, like #d67832, or a name, like orange.\n"
            "Type another one and press Enter."
        )
        self.place = QLabel()
        self.place.setToolTip("How light the picture is there, from 0, black, to 100, white.")
        self.note, self.problem = FieldNote("aside"), FieldNote()
        self._lay_out()
        self.square.chosen.connect(self._take)
        self.code.editingFinished.connect(self._read_code)
        self._show()

    @property
    def color(self) -> Color:
        """The colour (r, g, b), 0..255, as it was chosen."""
        return self._color

    @property
    def look(self) -> Color:
        """The colour as it looks at the lightness in use."""
        return look_at(self._color, self.lightness) if self._is_ready else self._color

    @property
    def is_ready(self) -> bool:
        """Whether a lightness is known, and its colours are shown."""
        return self._is_ready

    @property
    def lightness(self) -> int:
        """The lightness in use, to a whole number."""
        return round(min(100.0, max(0.0, self._lightness)))

    def end(self) -> None:
        """Show no colours until a lightness is known again."""
        self._is_ready = False
        self.square.show_slice(None)
        self._show()

    def set_color(self, color: Color) -> None:
        """Show a colour (r, g, b), 0..255, that was chosen elsewhere."""
        if color != self._color:
            self._color = color
            self._show()

    def set_lightness(self, lightness: float) -> None:
        """Offer the colours of a lightness, 0..100; it loads torch."""
        self._lightness = lightness
        self._is_ready = True
        self.square.show_slice(slice_at(self.lightness))
        self._show()

    def _lay_out(self) -> None:
        self.side = QVBoxLayout()
        self.side.setSpacing(6)
        for part in (self.patch, self.code, self.place):
            self.side.addWidget(part)
        self.side.addWidget(self.note)
        self.side.addWidget(self.problem)
        self.side.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.square, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(self.side, 1)

    def _take(self, color: Color) -> None:
        self._color = color
        self._show(marked=True)
        self.chosen.emit(color)

    def _read_code(self) -> None:
        text = self.code.text().strip()
        if not self.code.isModified():
            return
        self.code.setModified(False)
        digits = text if text.startswith("#") else f"#{text}"
        color = QColor(digits) if QColor(digits).isValid() else QColor(text)
        if not text or not color.isValid() or color.alpha() < 255:
            self.problem.tell("Write a colour as # and six digits, like #d67832.")
            return
        self.set_color((float(color.red()), float(color.green()), float(color.blue())))
        self._show()
        self.chosen.emit(self._color)

    def _show(self, marked: bool = False) -> None:
        look = self.look
        if self._is_ready and not marked:
            self.square.mark(look)
        self.patch.show_color(color_of(look))
        self.code.setText(color_of(look).name())
        self.problem.tell("")
        self.place.setText(f"at lightness {self.lightness}" if self._is_ready else "")
        dark, light = self.lightness < _DARK, self.lightness > _LIGHT
        hardly = f"A place so {'dark' if dark else 'light'} can hardly take colour."
        self.note.tell(hardly if self._is_ready and (dark or light) else "")


class _Patch(QWidget):
    """The chosen colour, large."""

    def __init__(self) -> None:
        super().__init__()
        self._color = QColor(128, 128, 128)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Chosen colour")

    def show_color(self, color: QColor) -> None:
        """Show a colour."""
        self._color = color
        self.setToolTip(f"The colour as it will look there, {color.name()}.")
        self.setAccessibleDescription(color.name())
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size."""
        return QSize(120, 44)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the colour."""
        painter = QPainter(self)
        paint_patch(painter, QRectF(self.rect()), self._color, 6)
        painter.end()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow napari's theme."""
        super().changeEvent(event)
        self.update()
