"""How much to train: three presets with the time that each takes on this machine."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from psygnal import Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.setup.speed_probe import Speed
from napari_colorize.runs.presets import PRESETS, about, seconds

_INDENT = 24
_MNEMONICS = {"quick": "&Quick try", "normal": "N&ormal", "long": "Lon&g"}
_DEVICES = {"cpu": "the processor", "cuda": "the NVIDIA GPU", "mps": "the Apple GPU"}
NORMAL = "normal"


class PresetChoice(QWidget):
    """Radio buttons; ``changed`` tells that a person has chosen another preset."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QRadioButton] = {}
        self.told: dict[str, FieldNote] = {}
        self.where = FieldNote("aside")
        self.obstacle = FieldNote()
        self.copy = QPushButton("Copy the command that mends it")
        self.copy.setToolTip("Run it in a shell, then start napari anew.")
        self.copy.hide()
        self._advice = ""
        self._lay_out()
        self.buttons[NORMAL].setChecked(True)
        self._group.buttonClicked.connect(lambda _: self.changed.emit())
        self.copy.clicked.connect(self._copy)

    @property
    def key(self) -> str:
        """The chosen preset: ``"quick"``, ``"normal"`` or ``"long"``."""
        return next(key for key, button in self.buttons.items() if button.isChecked())

    def choose(self, key: str) -> None:
        """Choose a preset without telling."""
        self.buttons[key].setChecked(True)

    def show_words(self, *, fine_tuning: bool) -> None:
        """Tell what to expect of each preset."""
        for preset in PRESETS:
            self.told[preset.key].tell(preset.fine_tuning if fine_tuning else preset.fresh)

    def show_times(
        self,
        settings: Mapping[str, Mapping[str, Any]],
        photographs: int | None,
        rates: Mapping[str, float],
        otherwise: str,
    ) -> None:
        """Tell how long each preset takes.

        Parameters
        ----------
        settings
            The settings of each preset, by its key.
        photographs
            How many there are to learn from; None while that is not known.
        rates
            Photographs a second of each preset; empty while they are not known.
        otherwise
            What is said in the place of a time that is not known.
        """
        for key, button in self.buttons.items():
            time = otherwise
            if key in rates:
                time = about(seconds(settings[key], photographs, rates[key]))
            button.setText(f"{_MNEMONICS[key]}: {time}" if time else _MNEMONICS[key])

    def show_speed(self, speed: Speed | None, note: str = "") -> None:
        """Tell where it will be trained, and what keeps a GPU from being used."""
        self.where.tell(note if speed is None else _where(speed))
        self.where.setToolTip("" if speed is None else f"<p>{html.escape(speed.reason)}</p>")
        self._advice = "" if speed is None else speed.advice
        mend = f"\nThis mends it: {self._advice}" if self._advice else ""
        self.obstacle.tell(f"{_sentence(speed.reason)}{mend}" if speed and self._advice else "")
        self.copy.setVisible(bool(self._advice))

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self._advice)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._group = QButtonGroup(self)
        for preset in PRESETS:
            self.buttons[preset.key] = button = QRadioButton(_MNEMONICS[preset.key])
            button.setToolTip("<p>The time is what this machine needs, as far as is known.</p>")
            self.told[preset.key] = told = FieldNote("aside")
            told.setContentsMargins(_INDENT, 0, 0, 4)
            self._group.addButton(button)
            layout.addWidget(button)
            layout.addWidget(told)
        row = QHBoxLayout()
        row.addWidget(self.copy)
        row.addStretch()
        layout.addWidget(self.where)
        layout.addWidget(self.obstacle)
        layout.addLayout(row)


def _where(speed: Speed) -> str:
    """Return where and how fast it trains."""
    device = _DEVICES.get(speed.device.partition(":")[0], speed.device)
    return f"Measured on {device}: {_short(speed.rate)} photographs a second."


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 9.5 else f"{rate:.1f}"


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
