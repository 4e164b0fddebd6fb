"""Starting a training as a process of its own, and the list of runs that the user has made."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import psutil

from napari_colorize.errors import RunError, StorageError, TrainingError
from napari_colorize.runs.folder import LOG_MARK, RunFolder
from napari_colorize.runs.identity import Identity, identity_of
from napari_colorize.runs.storage import data_folder, storage_error, write_whole

_KEPT_RUNS = 100
_POLL = 0.05


class ChildProcess:
    """A training process, known by its number and its start.

    Parameters
    ----------
    pid
        Number of the process.
    started
        Its start in seconds since 1970.
    """

    def __init__(self, pid: int, started: float) -> None:
        self.identity = Identity(pid, started)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.identity.pid

    @property
    def started(self) -> float:
        """Start of the process in seconds since 1970."""
        return self.identity.started

    def __repr__(self) -> str:
        """Return how the object is made."""
        return f"ChildProcess({self.pid}, {self.started})"

    def is_alive(self) -> bool:
        """Return whether this very process still runs."""
        return self.identity.is_alive()

    def kill(self) -> None:
        """End the process and those that it started at once; does nothing if it is gone.

        Raises
        ------
        TrainingError
            If this user may not end it.
        """
        if not self.is_alive():
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            family = [*process.children(recursive=True), process]
            for member in family:
                try:
                    member.kill()
                except psutil.AccessDenied as exc:
                    raise TrainingError(
                        f"The process {member.pid} may not be ended by you; ask whoever started it."
                    ) from exc
                except psutil.NoSuchProcess:
                    continue

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the process has ended.

        Parameters
        ----------
        timeout
            Longest time to wait in seconds, None for ever.

        Returns
        -------
        bool
            True if it has ended, False if the time ran out.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while self.is_alive():
            if end is not None and time.monotonic() >= end:
                return False
            time.sleep(_POLL)
        return True


def start_training(run: RunFolder, *, resume: bool = False) -> ChildProcess:
    """Start the training of a run in a process that outlives this one, and return at once.

    The child has a session of its own, reads nothing, and writes its output to the run's log.

    Parameters
    ----------
    run
        A run that has been made.
    resume
        Go on from the last checkpoint.

    Raises
    ------
    RunError
        If the run was not made or a training is at work in it.
    StorageError
        If the run folder cannot be written.
    TrainingError
        If the process cannot be started.
    """
    if not run.exists():
        raise RunError(f"{run.path} is not a run folder: it has no config.json.")
    run.refuse_if_in_use()
    run.clear_stop()
    command = [sys.executable, "-P", "-m", "napari_colorize.training", str(run.path)]
    since = time.time()
    child = _spawn(command + ["--resume"] * resume, run.log)
    identity = identity_of(child) or Identity(child, time.time())
    process = ChildProcess(identity.pid, identity.started)
    try:
        run.record_child(identity, since)
    except StorageError:
        process.kill()
        raise
    with contextlib.suppress(StorageError):
        remember_run(run.path)
    return process


def known_runs() -> list[Path]:
    """Return the run folders that still exist, the one that was used last first."""
    return [path for path in _read_runs() if RunFolder(path).exists()]


def remember_run(path: str | os.PathLike[str]) -> None:
    """Put a run folder at the head of the known runs.

    Raises
    ------
    StorageError
        If the list cannot be written.
    """
    first = Path(path).expanduser().absolute()
    others = [known for known in _read_runs() if known != first]
    _write_runs([first, *others])


def forget_run(path: str | os.PathLike[str]) -> None:
    """Take a run folder off the known runs; the folder itself stays.

    Raises
    ------
    StorageError
        If the list cannot be written.
    """
    gone = Path(path).expanduser().absolute()
    _write_runs([known for known in _read_runs() if known != gone])


def _write_runs(paths: list[Path]) -> None:
    """Write the list of known runs."""
    runs = [str(path) for path in paths[:_KEPT_RUNS]]
    try:
        data_folder().mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise storage_error(data_folder(), exc) from exc
    write_whole(_list_file(), json.dumps({"runs": runs}, indent=1, ensure_ascii=False))


def _list_file() -> Path:
    """Return the file that lists the known runs."""
    return data_folder() / "runs.json"


def _read_runs() -> list[Path]:
    """Return the listed run folders; a list that is not readable is empty."""
    try:
        values = json.loads(_list_file().read_text("utf-8"))
        return [Path(path) for path in values["runs"] if isinstance(path, str)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _spawn(command: list[str], log: Path) -> int:
    """Start a detached process whose output goes to the end of the log; return its number."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    try:
        file: IO[bytes] = log.open("ab")
    except OSError as exc:
        raise storage_error(log, exc) from exc
    with file:
        try:
            file.write(f"{LOG_MARK}{time.strftime('%Y-%m-%d %H:%M:%S')} ===\n".encode())
            file.flush()
        except OSError as exc:
            raise storage_error(log, exc) from exc
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                **_detachment(),
            )
        except OSError as exc:
            raise TrainingError(f"Cannot start the training process {command[0]}: {exc}.") from exc
    # The number and the start are all that is kept, and `Identity` reaps. An object that does not
    # know how its process ended would warn when it is collected.
    child.returncode = 0
    return child.pid


def _detachment() -> dict[str, Any]:
    """Return the options that cut a child off from this process's terminal and end."""
    if sys.platform == "win32":
        return {
            "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
            "close_fds": True,
        }
    return {"start_new_session": True, "close_fds": True}
