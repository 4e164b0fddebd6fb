"""The run folder: the only thing that a training and those who watch it share.

::

    config.json           settings, written once by whoever makes the run
    events.jsonl          what happened, one JSON object a line; only the training writes it
    process.json          number and start of the child process, written by whoever started it
    child.log             the child's output
    stop                  its presence asks the training to save and leave
    imported              its presence says that the model was put among the user's own
    lock.N                who trains in the folder (see `napari_colorize.runs.lock`)
    previews/             pictures coloured during the run, one folder an epoch
    last.ckpt             everything to go on from
    best.safetensors      the model with the best validation; epoch-NNNN.safetensors the others

After a kill ``events.jsonl`` may end in half a line: the next writer starts on a fresh one, and
readers skip what they cannot read.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from napari_colorize.errors import RunError, StorageError
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import CLOSING, Event, Failed, Finished, Stopped, decode, encode
from napari_colorize.runs.identity import Identity
from napari_colorize.runs.lock import Lock
from napari_colorize.runs.storage import storage_error, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG_MARK = "=== training started "

_TAIL_BYTES = 1 << 16
_LOG_LINES = 12


@dataclass(frozen=True)
class RunState:
    """How a run stands.

    ``name`` is ``"new"``, ``"running"``, ``"finished"``, ``"stopped"``, ``"failed"`` or ``"died"``,
    ``detail`` says more in words, ``last_event`` is the last one that was told.
    """

    name: str
    detail: str
    last_event: Event | None


class RunFolder:
    """One training run on disk.

    Parameters
    ----------
    path
        The folder; it need not exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self.config_file = self.path / "config.json"
        self.events_file = self.path / "events.jsonl"
        self.process_file = self.path / "process.json"
        self.log = self.path / "child.log"
        self.stop_file = self.path / "stop"
        self.imported_file = self.path / "imported"
        self.previews = self.path / "previews"
        self.last_checkpoint = self.path / "last.ckpt"
        self.best_model = self.path / "best.safetensors"
        self._lock = Lock(self.path, self.events_file)

    def __repr__(self) -> str:
        """Return how the object is made."""
        return f"RunFolder({str(self.path)!r})"

    def epoch_model(self, epoch: int) -> Path:
        """Return the path of the model of one epoch, counted from 1."""
        return self.path / f"epoch-{epoch:04d}.safetensors"

    # Making and reading.

    def create(self, config: TrainingConfig, *, force: bool = False) -> Self:
        """Make the folder, write its settings and return it.

        Parameters
        ----------
        config
            The settings of the run.
        force
            Throw away an earlier run in this folder. Files that are no run's stay.

        Raises
        ------
        RunError
            If the folder is in use, or has content and ``force`` is not set.
        StorageError
            If the folder cannot be written.
        """
        self.refuse_if_in_use()
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path} is a file, not a folder; choose another name for the run.")
        if not force and self._has_content():
            raise RunError(
                f"The run folder {self.path} is not empty; resume the run in it or choose another."
            )
        try:
            self._sweep()
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise storage_error(self.path, exc) from exc
        text = json.dumps(config.to_dict(), indent=2, ensure_ascii=False)
        write_whole(self.config_file, text + "\n")
        return self

    def exists(self) -> bool:
        """Return whether a run was made here."""
        return self.config_file.is_file()

    def read_config(self) -> TrainingConfig:
        """Return the settings of the run.

        Raises
        ------
        RunError
            If the folder is no run folder or its settings are not readable.
        TrainingError
            If the settings are wrong or of a newer version.
        """
        try:
            values = json.loads(self.config_file.read_text("utf-8"))
        except FileNotFoundError as exc:
            raise RunError(f"{self.path} is not a run folder: it has no config.json.") from exc
        except (OSError, ValueError, RecursionError) as exc:
            raise RunError(f"Cannot read the settings {self.config_file}: {exc}.") from exc
        if not isinstance(values, dict):
            raise RunError(f"{self.config_file} does not hold the settings of a training.")
        return TrainingConfig.from_dict(values)

    # Events.

    def append(self, event: Event) -> None:
        """Tell an event; only the process that holds the folder may do so.

        Raises
        ------
        StorageError
            If the disk is full or the folder cannot be written.
        """
        line = encode(event).encode() + b"\n"
        try:
            with self.events_file.open("a+b", buffering=0) as file:
                if _ends_in_half_a_line(file.fileno()):
                    line = b"\n" + line
                written = file.write(line)
                if isinstance(event, CLOSING):
                    os.fsync(file.fileno())
        except OSError as exc:
            raise storage_error(self.events_file, exc) from exc
        if written != len(line):
            raise StorageError(f"Cannot write {self.events_file}: the disk is full.")

    def last_event(self) -> Event | None:
        """Return the last event that was told, None if there is none."""
        with contextlib.suppress(OSError), self.events_file.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            for line in reversed(file.read().split(b"\n")[:-1]):
                event = decode(line.decode(errors="replace"))
                if event is not None:
                    return event
        return None

    # Stopping.

    def request_stop(self) -> None:
        """Ask the training to save and leave after the current step.

        Raises
        ------
        StorageError
            If the request cannot be written.
        """
        try:
            self.stop_file.touch()
        except OSError as exc:
            raise storage_error(self.stop_file, exc) from exc

    def stop_requested(self) -> bool:
        """Return whether someone asked the training to leave."""
        return self.stop_file.exists()

    def clear_stop(self) -> None:
        """Take back the wish to stop, as whoever starts a training does before it starts.

        A child that was started by another leaves the wish alone: it may have come meanwhile.
        """
        try:
            self.stop_file.unlink(missing_ok=True)
        except OSError as exc:
            raise storage_error(self.stop_file, exc) from exc

    # Who is at work.

    @contextlib.contextmanager
    def claim(self) -> Iterator[None]:
        """Hold the folder as its only writer while the block runs.

        A lock that a killed process left behind is taken over.

        Raises
        ------
        RunError
            If a living process holds the folder, or there is no such folder.
        StorageError
            If the folder cannot be written.
        """
        if not self.path.is_dir():
            raise RunError(f"There is no run folder {self.path}; make the run first.")
        number = self._lock.acquire()
        self._sweep_halves()
        try:
            yield
        finally:
            self._lock.release(number)

    def worker(self) -> Identity | None:
        """Return the living process that trains here or was started to, None if there is none."""
        holder = self._lock.holder()
        if holder is not None:
            return Identity(holder.pid, holder.started)
        child, since = self._child()
        # The child itself asks too: what it holds, the lock tells.
        if child is None or child.pid == os.getpid() or not child.is_alive():
            return None
        return None if self._said_goodbye(since) else child

    def refuse_if_in_use(self) -> None:
        """Raise RunError, with the process's number, if a training is at work here."""
        worker = self.worker()
        if worker is not None:
            raise RunError(
                f"The run folder {self.path} is in use by process {worker.pid}; "
                "stop that training first or choose another folder."
            )

    def record_child(self, child: Identity, since: float | None = None) -> None:
        """Write down which process was started to train here, and when by the clock of events.

        The system tells a start to the second only: too coarse beside the time of an event.
        """
        moment = child.started if since is None else since
        write_whole(self.process_file, json.dumps(asdict(child) | {"since": moment}))

    def started_child(self) -> Identity | None:
        """Return the process that was last started to train here, dead or alive."""
        return self._child()[0]

    def _child(self) -> tuple[Identity | None, float]:
        """Return the process that was last started, and when."""
        try:
            values = json.loads(self.process_file.read_text("utf-8"))
            child = Identity(int(values["pid"]), float(values["started"]))
            return child, float(values.get("since", child.started))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None, 0.0

    def state(self) -> RunState:
        """Return how the run stands, told from its files and its process."""
        # Asked before the last event is read: a process may say goodbye and end in between.
        holder, (child, started) = self._lock.holder(), self._child()
        since = max(holder.since if holder else 0.0, started)
        at_work = holder is not None or (child is not None and child.is_alive())
        last = self.last_event()
        if isinstance(last, CLOSING) and (last.time >= since or _is_idle_resume(last, at_work)):
            return _closed(last)
        if at_work:
            return RunState("running", "The training is running.", last)
        if last is None and child is None:
            return RunState("new", "The training has not been started.", None)
        return RunState("died", self._last_words(), last)

    def log_tail(self, lines: int = _LOG_LINES) -> str:
        """Return the last lines of the child's output since it was last started."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        text = text.rpartition(LOG_MARK)[2].partition("\n")[2] if LOG_MARK in text else text
        return "\n".join(text.strip().splitlines()[-lines:])

    def _last_words(self) -> str:
        """Return what can be said of a training that ended without a last event."""
        said, child = self.log_tail(), self.started_child()
        cause = "it was killed, ran out of memory or crashed"
        cause = cause if child is None else child.cause_of_death()
        detail = f"The training ended without a word: {cause}."
        return f"{detail} The end of its log:\n{said}" if said else detail

    def _said_goodbye(self, since: float) -> bool:
        """Return whether the last event closes the work that began at the given time."""
        last = self.last_event()
        return isinstance(last, CLOSING) and last.time >= since

    def _has_content(self) -> bool:
        """Return whether there is anything in the folder, apart from what systems leave there."""
        left_there = {".DS_Store", "Thumbs.db", "desktop.ini"}
        try:
            return bool(set(os.listdir(self.path)) - left_there)
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise storage_error(self.path, exc) from exc

    def _sweep_halves(self) -> None:
        """Remove what a killed training had half written; the starter's files are not its own."""
        for mine in ("last.ckpt", "*.safetensors"):
            for half in self.path.glob(f".{mine}.*.part"):
                with contextlib.suppress(OSError):
                    half.unlink()

    def _sweep(self) -> None:
        """Remove what an earlier run left."""
        files = (self.events_file, self.process_file, self.log, self.stop_file, self.imported_file)
        models = (self.last_checkpoint, self.best_model, *self.path.glob("epoch-*.safetensors"))
        for file in (*files, *models):
            file.unlink(missing_ok=True)
        if self.previews.exists():
            shutil.rmtree(self.previews)


class EventReader:
    """Reads on in the events of a run, from where it stopped the last time.

    Parameters
    ----------
    run
        The run to read; its folder need not exist yet and may vanish.
    """

    def __init__(self, run: RunFolder) -> None:
        self._file = run.events_file
        self._offset = 0

    def read(self, limit: int = -1) -> list[Event]:
        """Return the events that came since the last call; half a line is left for later.

        Parameters
        ----------
        limit
            Read about so many bytes at most, so that a long run does not hold up a window; the
            next call reads on. -1 reads all there is.
        """
        try:
            with self._file.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._offset:
                    self._offset = 0
                file.seek(self._offset)
                data = file.read(limit)
                whole = (data + file.readline()).rpartition(b"\n")
        except OSError:
            return []
        self._offset += len(whole[0]) + len(whole[1])
        lines = whole[0].decode(errors="replace").split("\n")
        return [event for event in map(decode, lines) if event is not None]


def _ends_in_half_a_line(descriptor: int) -> bool:
    """Return whether an open file lacks the end of its last line."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if not end:
        return False
    os.lseek(descriptor, end - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"


def _is_idle_resume(last: Event, at_work: bool) -> bool:
    """Return whether a finished run was resumed: there was nothing to do, so it stays finished."""
    return isinstance(last, Finished) and not at_work


def _closed(last: Event) -> RunState:
    """Return the state that a closing event stands for."""
    if isinstance(last, Finished):
        return RunState("finished", last.reason, last)
    if isinstance(last, Stopped):
        return RunState("stopped", last.reason, last)
    assert isinstance(last, Failed)
    return RunState("failed", f"{last.message} {last.advice}".strip(), last)
