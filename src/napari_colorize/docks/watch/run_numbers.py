"""How far a run is: a bar, the time that is left, and the few numbers that one looks at."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from napari_colorize.docks.labels import sentence, tell
from napari_colorize.runs import words
from napari_colorize.runs.events import Event, Preparing, Started, Step, Usage

_BAR = 1000
_LEAVES = "The training goes on when this dock or napari is closed; open the dock again to see it."
_UNKNOWN = "–"
_TIPS = {
    "device": "What computes: the processor (cpu) or a graphics card (cuda: NVIDIA, mps: Apple).",
    "precision": "How numbers are kept; half is quicker and takes half the memory.",
    "speed": "Photographs that are learned from in a second, as a mean over the last steps.",
    "memory": "Memory that the training process holds; after it what it holds of the graphics "
    "card's own memory, where there is one.",
}

_PRECISIONS = {"bf16-mixed": "half", "16-mixed": "half", "32-true": "full"}


class RunNumbers(QWidget):
    """Bar, place, time left and a grid of device, precision, speed and memory."""

    def __init__(self) -> None:
        super().__init__()
        self.place = sentence("How far the training is.")
        self.bar = QProgressBar()
        self.bar.setToolTip(_LEAVES)
        self.bar.setAccessibleName("Progress")
        self.time = sentence("How long it will take at the present speed, and until when.")
        self.values: dict[str, QLabel] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for part in (self.place, self.bar, self.time, self._make_grid()):
            layout.addWidget(part)
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self._epochs = 0
        self._news: Step | Preparing | None = None
        self._started: Started | None = None
        self._usage: Usage | None = None
        tell(self.place, "")
        tell(self.time, "")
        self.bar.hide()
        self._grid.hide()

    def add(self, event: Event) -> None:
        """Take in an event; `show_numbers` and `show_progress` show what came of it."""
        if isinstance(event, Started):
            # What an earlier process told of its pace says nothing any more.
            self._started, self._usage, self._news = event, None, None
        elif isinstance(event, Step | Preparing):
            self._news = event
        elif isinstance(event, Usage):
            self._usage = event

    def show_reading(self, share: float) -> None:
        """Show that a long run is being read."""
        tell(self.place, "Reading what the run has told so far…")
        self._fill(share)

    def show_starting(self) -> None:
        """Show that the process has been started and has told nothing yet."""
        tell(self.place, "Starting the training process…")
        tell(self.time, "")
        self._fill(None)

    def show_progress(self) -> None:
        """Show how far the run is, as it told last."""
        news = self._news
        if isinstance(news, Preparing):
            line = words.preparing_line(news)
            tell(self.place, line[:1].upper() + line[1:])
            tell(self.time, "")
            self._fill(_share(news.done, news.total))
        elif isinstance(news, Step):
            epochs = self._started.epochs if self._started else 0
            of = f" of {epochs:,}" if epochs else ""
            tell(self.place, f"Epoch {news.epoch:,}{of} · step {news.step:,} of {news.steps:,}")
            tell(self.time, words.time_left(news))
            self._fill(_share(news.step, news.steps))

    def show_numbers(self) -> None:
        """Bring the grid up to date."""
        started, news, usage = self._started, self._news, self._usage
        if started is None:
            return
        self._grid.show()
        self._set("device", started.device)
        self._set("precision", _PRECISIONS.get(started.precision, started.precision))
        if isinstance(news, Step) and 0 < news.rate < math.inf:
            digits = 0 if news.rate >= 10 else 1
            self._set("speed", f"{news.rate:,.{digits}f} photographs/s")
        if usage is not None:
            memory = words.size(usage.memory)
            if usage.device_memory > 0:
                memory += f" + {words.size(usage.device_memory)} on {started.device}"
            self._set("memory", memory)

    def end(self, *, finished: bool) -> None:
        """Show that the run is over: a full bar if it is finished, none if not."""
        tell(self.time, "")
        if finished:
            tell(self.place, "")
            self._fill(1.0)
        else:
            self.bar.hide()

    def _make_grid(self) -> QWidget:
        self._grid = QWidget()
        grid = QGridLayout(self._grid)
        grid.setContentsMargins(0, 2, 0, 2)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for number, (name, tip) in enumerate(_TIPS.items()):
            title, value = QLabel(name.capitalize()), QLabel(_UNKNOWN)
            title.setEnabled(False)  # fainter than the value
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
            for label in (title, value):
                label.setToolTip(tip)
            self.values[name] = value
            row, column = divmod(number, 2)
            # The speed is long and the memory may be two numbers: each has a line for itself.
            lines = {"speed": (1, 0, 3), "memory": (2, 0, 3)}
            row, column, span = lines.get(name, (row, column, 1))
            grid.addWidget(title, row, 2 * column)
            grid.addWidget(value, row, 2 * column + 1, 1, span)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return self._grid

    def _set(self, name: str, text: str) -> None:
        self.values[name].setText(text)

    def _fill(self, share: float | None) -> None:
        """Fill the bar; None lets it move without end."""
        # A bar paints itself, and all that waits in its window, at each change while it may.
        self.bar.setUpdatesEnabled(False)
        self.bar.setRange(0, 0 if share is None else _BAR)
        self.bar.setValue(0 if share is None else round(share * _BAR))
        self.bar.setUpdatesEnabled(True)
        self.bar.show()


def _share(done: int, total: int) -> float:
    """Return how much is done, 0..1, whatever the numbers are."""
    return min(1.0, max(0, done) / total) if total > 0 else 0.0
