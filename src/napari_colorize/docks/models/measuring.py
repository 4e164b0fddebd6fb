"""Measuring a model in a child process, which tells how far it is and can be stopped."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QProcess, QProcessEnvironment, QTimer
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from pathlib import Path

_GRACE = 5_000  # milliseconds from asking the child to leave to ending it
_PROGRESS = re.compile(r"(\d+)/(\d+)\s*")


class Measuring:
    """One measurement; the child keeps the figures in the model's file itself.

    ``progressed`` tells (done, total), ``ended`` the reason if it failed, the empty text if not,
    "cancelled" after `cancel`.

    Parameters
    ----------
    model : Path
        One of one's own models.
    folder : str
        Colour photographs.
    limit : int
        At most so many of them.
    """

    progressed = Signal(int, int)
    ended = Signal(str)

    def __init__(self, model: Path, folder: str, limit: int) -> None:
        self.model = model
        self._cancelled = False
        self._over = False
        self._said = ""
        application = QApplication.instance()
        self._grace = QTimer()
        self._grace.setSingleShot(True)
        self._grace.timeout.connect(self.kill)
        self._process = QProcess(application)
        self._process.setProgram(sys.executable)
        self._process.setArguments(
            [
                *("-m", "napari_colorize", "models", "measure", "--lines"),
                *("--limit", str(limit), "--", str(model), folder),
            ]
        )
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONIOENCODING", "utf-8")
        environment.insert("PYTORCH_ENABLE_MPS_FALLBACK", "1")
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardError.connect(self._read)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)
        if application is not None:
            application.aboutToQuit.connect(self.kill)

    def start(self) -> None:
        """Start the child."""
        self._process.start()

    def cancel(self) -> None:
        """Ask the child to leave, and end it if it does not."""
        self._cancelled = True
        self._process.terminate()
        self._grace.start(_GRACE)

    def kill(self) -> None:
        """End the child at once; nothing is half written by that."""
        self._cancelled = True
        if not self._over:
            self._process.kill()
            self._process.waitForFinished(_GRACE)

    def _read(self) -> None:
        """Take what the child says: lines of progress, or an error."""
        said = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        for line in said.splitlines():
            if told := _PROGRESS.fullmatch(line):
                self.progressed.emit(int(told[1]), int(told[2]))
            elif line.strip():
                self._said = line.strip().removeprefix("Error: ")

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        self._read()
        if self._cancelled:
            self._end("cancelled")
        elif how != QProcess.ExitStatus.NormalExit:
            self._end("The measuring process was ended from outside; measure again.")
        else:
            self._end("" if status == 0 else self._said or f"It ended with status {status}.")

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(f"The measuring process cannot start: {self._process.errorString()}.")

    def _end(self, reason: str) -> None:
        if self._over:
            return
        self._over = True
        self._grace.stop()
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.disconnect(self.kill)
        self._process.deleteLater()
        self.ended.emit(reason)
