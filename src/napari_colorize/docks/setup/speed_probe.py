"""How fast this machine trains: measured by a child process, once, and remembered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QByteArray, QObject, QProcess, QProcessEnvironment, QTimer
from qtpy.QtWidgets import QApplication

from napari_colorize.errors import StorageError
from napari_colorize.runs.storage import data_folder, write_whole

# Milliseconds without another question before a process is started.
DELAY = 800
# Milliseconds after which a measurement is given up: the first import of torch can take a minute.
LONGEST = 180_000
# Remembered measurements, the oldest go first.
_KEPT = 50
# Milliseconds that a killed process gets to be gone.
_GONE = 2000
# What the process returns when it has said why it cannot be measured.
_REFUSED = 1
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Question:
    """What the speed is wanted of: `model` is to be fine-tuned, `build` is how it is made."""

    network: str
    crop: int
    batch_size: int
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    model: str | None = None
    build: str = ""

    def arguments(self) -> list[str]:
        """Return the options of the process that measures."""
        options = {
            "--network": self.network,
            "--crop": self.crop,
            "--batch-size": self.batch_size,
            "--device": self.device,
            "--precision": self.precision,
            "--threads": self.threads,
            "--model": self.model,
        }
        return [f"{name}={value}" for name, value in options.items() if value is not None]

    def key(self) -> str:
        """Return a name for the answer: other programs, machines and settings have other names."""
        # A network is as fast with these weights as with those.
        asked = {name: value for name, value in asdict(self).items() if name != "model"}
        machine = [platform.node(), platform.machine(), os.cpu_count()]
        programs = [_version("napari-colorize"), _version("torch")]
        text = json.dumps([programs, machine, asked], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Speed:
    """Photographs a second, where, why there, and the command that lets a GPU be used, if any."""

    rate: float
    device: str
    reason: str
    advice: str = ""


class SpeedProbe(QObject):
    """Answers how fast a training would be; one process at a time, the last question counts.

    ``measured`` carries the question and the `Speed`, ``refused`` the question and why it cannot
    be trained so, ``failed`` a sentence.
    """

    measured = Signal(Question, Speed)
    refused = Signal(Question, str)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._question: Question | None = None
        self._process: QProcess | None = None
        self._delay = self._timer(DELAY, self._start)
        self._limit = self._timer(LONGEST, self._give_up)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)

    def ask(self, question: Question) -> Speed | None:
        """Return a remembered answer, or None: it is then measured and told by a signal."""
        if self._question == question:
            return None
        self.stop()
        known = recall(question)
        if known is None:
            self._question = question
            self._delay.start()
        return known

    def is_busy(self) -> bool:
        """Return whether an answer is on its way."""
        return self._question is not None

    def stop(self) -> None:
        """Forget the question and end the process that measures."""
        self._question = None
        self._delay.stop()
        self._limit.stop()
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._finished)
            process.kill()
            process.waitForFinished(_GONE)
            process.deleteLater()

    def _timer(self, interval: int, slot: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def _start(self) -> None:
        """Start the process that measures."""
        if self._question is None:
            return
        self._process = process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONIOENCODING", "utf-8")
        process.setProcessEnvironment(environment)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._broken)
        process.start(sys.executable, [*command(), *self._question.arguments()])
        process.closeWriteChannel()
        self._limit.start()

    def _finished(self) -> None:
        """Read what the process said."""
        process, question = self._process, self._question
        self._limit.stop()
        self._process = self._question = None
        if process is None or question is None:
            return
        speed = read_answer(_text(process.readAllStandardOutput()))
        why = ""
        if _was_refused(process):
            why = read_reason(_text(process.readAllStandardError()))
        process.deleteLater()
        if why:
            self.refused.emit(question, why)
            return
        if speed is None:
            self.failed.emit("How long it takes could not be measured.")
            return
        if not speed.advice:  # with a GPU that was mended it is another speed
            keep(question, speed)
        self.measured.emit(question, speed)

    def _broken(self, error: QProcess.ProcessError) -> None:
        """Tell of a process that could not be started; others end by themselves."""
        if error == QProcess.ProcessError.FailedToStart:
            self._finished()

    def _give_up(self) -> None:
        self.stop()
        self.failed.emit("How long it takes could not be measured: it took too long.")


def command() -> list[str]:
    """Return the arguments of Python that measure; replaced in tests."""
    return ["-P", "-m", "napari_colorize.training.speed"]


def read_answer(text: str) -> Speed | None:
    """Return the speed in the last line of what the process said, None if there is none."""
    try:
        values = json.loads(text.strip().splitlines()[-1])
        return _speed_of(values)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def read_reason(text: str) -> str:
    """Return the last line of what the process complained, nothing if it broke without a word."""
    lines = text.strip().splitlines()
    return "" if not lines or _TRACEBACK in text else lines[-1].strip()


def recall(question: Question) -> Speed | None:
    """Return a remembered answer."""
    try:
        return _speed_of(_remembered()[question.key()])
    except (ValueError, LookupError, TypeError):
        return None


def keep(question: Question, speed: Speed) -> None:
    """Remember an answer; where that cannot be written it is measured again the next time."""
    answers = {key: value for key, value in _remembered().items() if key != question.key()}
    newest = [*answers.items(), (question.key(), asdict(speed))][-_KEPT:]
    with contextlib.suppress(OSError, StorageError):
        data_folder().mkdir(parents=True, exist_ok=True)
        write_whole(_file(), json.dumps(dict(newest), indent=1))


def _was_refused(process: QProcess) -> bool:
    """Return whether a process ended as one that says why; crashes and wrong options do not."""
    normal = process.exitStatus() == QProcess.ExitStatus.NormalExit
    return normal and process.exitCode() == _REFUSED


def _text(data: QByteArray) -> str:
    return bytes(data.data()).decode("utf-8", errors="replace")


def _file() -> Path:
    return data_folder() / "speed.json"


def _remembered() -> dict[str, Any]:
    try:
        values = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _speed_of(values: Any) -> Speed:
    """Return the speed in what was read, or raise ValueError, LookupError or TypeError."""
    rate = float(values["rate"])
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(rate)
    return Speed(rate, str(values["device"]), str(values["reason"]), str(values["advice"]))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
