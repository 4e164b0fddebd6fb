"""The tab in which a training is watched, stopped and resumed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.labels import sentence, tell
from napari_colorize.docks.life import Life
from napari_colorize.docks.scroll import scrolled
from napari_colorize.docks.watch.run_chooser import RunChooser
from napari_colorize.docks.watch.run_view import RunView
from napari_colorize.errors import ColorizeError, StorageError
from napari_colorize.runs.events import Step
from napari_colorize.runs.folder import RunFolder, RunState
from napari_colorize.runs.process import ChildProcess, start_training

if TYPE_CHECKING:
    import napari

RESUMABLE = ("stopped", "failed", "died")
# A stop is obeyed after the step under way; so many seconds more are for saving.
PATIENCE = 5.0
_LONGEST_PATIENCE = 120.0
_LOG_HEIGHT = 140
_NOTHING = "There is no training yet. Choose photographs under Set up and press Start."


class TrainingWatch(QWidget):
    """A run, and what can be done with it.

    ``started`` tells that a run was resumed, ``new_run_wanted`` that another is to be set up.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to.
    """

    started = Signal()
    new_run_wanted = Signal()

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._life = Life(self)
        self._state: RunState | None = None
        self._stopping = self._killed = False
        self.chooser = RunChooser()
        self.view = RunView(viewer)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._make_foot()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.chooser)
        layout.addWidget(scrolled(self.view), 1)
        layout.addWidget(self.log)
        layout.addWidget(self.said)
        layout.addLayout(self._buttons)
        self._patience.timeout.connect(self._offer_the_end)
        self.chooser.chosen.connect(self.look_at)
        self.view.stands.connect(self._take_state)
        self.look_at(None)

    @property
    def run(self) -> RunFolder | None:
        """The run that is looked at."""
        return self.view.run

    @property
    def state(self) -> RunState | None:
        """How it stood at the last look."""
        return self._state

    def look_at(self, run: RunFolder | None) -> None:
        """Show another run, or the same from its beginning; None shows nothing."""
        self.view.leave()
        self._state = None
        self._killed = False
        self._patience.stop()
        self.end_now.setVisible(False)
        tell(self.said, _NOTHING if run is None else "")
        self._show_log("")
        self.chooser.show_run(run)
        self._stopping = run is not None and run.stop_requested()
        if run is not None:
            self.view.watch(run)
        if self._stopping:
            self._wait_for_the_end()
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done."""
        name = "" if self._state is None else self._state.name
        self.stop.setEnabled(name == "running" and not self._stopping)
        self.stop.setText("Stopping…" if self._stopping and name in ("", "running") else "S&top")
        self.stop.setVisible(self.run is not None and name in ("", "new", "running"))
        self.resume.setVisible(name in RESUMABLE)

    # Making.

    def _make_foot(self) -> None:
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setToolTip("The last lines that the training process wrote.")
        self.log.setMaximumHeight(_LOG_HEIGHT)
        self.log.setTabChangesFocus(True)
        self.log.setVisible(False)
        self.said = sentence("What was done with the training.")
        self.stop = self._button(
            "S&top",
            "Save after the step under way and leave. The best and the last weights are kept, "
            "and Resume goes on from there.",
            self._stop,
        )
        self.end_now = self._button(
            "End now…",
            "The training has not stopped by itself yet. End its process at once: what it has "
            "learned since it last saved is lost.",
            self._end_now,
        )
        self.resume = self._button(
            "&Resume", "Go on from where the training saved itself last.", self._resume
        )
        self.new_run = self._button(
            "&New run…",
            "Set up another training; the one that is under way goes on beside it.",
            self.new_run_wanted.emit,
        )
        self.end_now.setVisible(False)
        self._buttons = QHBoxLayout()
        for button in (self.stop, self.end_now, self.resume, self.new_run):
            self._buttons.addWidget(button)

    def _button(self, text: str, tooltip: str, press: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda: press())
        return button

    # What the user does.

    def _stop(self) -> None:
        """Ask the training to leave after the step under way."""
        if self.run is None:
            return
        try:
            self.run.request_stop()
        except StorageError as error:
            tell(self.said, str(error))
            return
        self._stopping = True
        self._wait_for_the_end()
        self.refresh()

    def _wait_for_the_end(self) -> None:
        """Give a training that was asked to stop the time for a step and for saving."""
        self._patience.start(round(1000 * (PATIENCE + self._step_takes())))

    def _offer_the_end(self) -> None:
        """Offer to end a training that does not stop."""
        if self._stopping and not self._life.over:
            tell(
                self.said,
                "The training is still busy: with a slow step, or with checking an epoch. "
                "It leaves as soon as that is done; End now does not wait for it.",
            )
            self.end_now.setVisible(True)

    def _end_now(self) -> None:
        """End the process, if that is really wanted."""
        run = self.run
        if run is None or not self._is_sure():
            return
        worker = run.worker()
        if worker is None:
            tell(self.said, "The training has ended by itself meanwhile.")
        elif not worker.is_alive():
            tell(self.said, "The training runs on another computer: end its process there.")
        else:
            self._kill(ChildProcess(worker.pid, worker.started))

    def _kill(self, child: ChildProcess) -> None:
        try:
            child.kill()
        except ColorizeError as error:
            tell(self.said, str(error))
        else:
            self._killed = True

    def _is_sure(self) -> bool:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("End the training now")
        box.setText("End the training at once?")
        box.setInformativeText(
            "What it has learned since it last saved is lost; the best and the last weights that "
            "it saved are kept, and Resume goes on from there."
        )
        end = box.addButton("&End now", QMessageBox.ButtonRole.DestructiveRole)
        wait = box.addButton("&Wait", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(wait)
        box.setEscapeButton(wait)
        box.exec()
        sure = box.clickedButton() is end
        box.deleteLater()
        return sure

    def _resume(self) -> None:
        """Go on with the training."""
        run = self.run
        if run is None:
            return
        try:
            start_training(run, resume=True)
        except ColorizeError as error:
            tell(self.said, str(error))
            return
        self.look_at(run)
        self.started.emit()

    # What the run tells.

    def _take_state(self, state: RunState) -> None:
        """Follow how the run stands."""
        if self._life.over or self.run is None:
            return
        previous, self._state = self._state, state
        if state.name == "running":
            self._repeat_stop(self.run)
        if previous is not None and (previous.name, previous.detail) == (state.name, state.detail):
            return
        if state.name != "running":
            self._take_ending(self.run, state)
        elif previous is not None and previous.name != "running":  # resumed from elsewhere
            self._show_log("")
            tell(self.said, "")
        self.refresh()
        self.chooser.refresh()

    def _take_ending(self, run: RunFolder, state: RunState) -> None:
        """Say what the view does not: who ended the run, and the end of its log."""
        was_killed, self._killed = self._killed, False
        self._stopping = False
        self._patience.stop()
        self.end_now.setVisible(False)
        tail = run.log_tail() if state.name in ("died", "failed") and not was_killed else ""
        # A failure that was foreseen is told whole by the view.
        self._show_log(tail if state.name == "died" or "Traceback" in tail else "")
        tell(self.said, "You ended the training." if was_killed and state.name == "died" else "")

    def _repeat_stop(self, run: RunFolder) -> None:
        """Ask again, where a starting child overlooked the wish."""
        if self._stopping and not run.stop_requested():
            with contextlib.suppress(StorageError):
                run.request_stop()

    def _show_log(self, text: str) -> None:
        self.log.setPlainText(text)
        self.log.setVisible(bool(text))
        bar = self.log.verticalScrollBar()
        if bar is not None:
            bar.setValue(bar.maximum())

    def _step_takes(self) -> float:
        """Return how many seconds a step takes, 0 while that is not known."""
        last = None if self._state is None else self._state.last_event
        if self.run is None or not isinstance(last, Step) or last.rate <= 0:
            return 0.0
        with contextlib.suppress(ColorizeError):
            return min(self.run.read_config().batch_size / last.rate, _LONGEST_PATIENCE)
        return 0.0
