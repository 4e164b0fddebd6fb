"""A training in the shell: made or resumed, and told in lines and a bar of progress."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn

from napari_colorize.commands.terminal import complain, say
from napari_colorize.errors import RunError, StorageError
from napari_colorize.files.starting import with_network_of_init
from napari_colorize.runs import words
from napari_colorize.runs.events import (
    Event,
    Failed,
    Finished,
    Healed,
    Preparing,
    Started,
    Step,
    Validated,
)
from napari_colorize.runs.identity import own_identity
from napari_colorize.runs.making import make_or_resume
from napari_colorize.runs.process import remember_run
from napari_colorize.runs.ranks import is_first_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from rich.console import Console

    from napari_colorize.runs.folder import RunFolder

# Seconds that the other processes of a training wait for the first to make the run folder.
PATIENCE = 60.0
# Errors of what was given rather than of the work.
BAD_INPUT = frozenset({"DataError", "ModelError", "RunError"})


def train(run: RunFolder, settings: dict[str, Any], *, resume: bool, console: Console) -> int:
    """Train in this process and return the exit status of the command.

    Parameters
    ----------
    run : RunFolder
        Where to.
    settings : dict
        The settings that were given, "folder" among them; the others have their defaults, or what
        they were when the run is resumed.
    resume : bool
        Go on with the run if there is one.
    console : Console
        Where progress is told.

    Returns
    -------
    int
        0 finished, 1 failed, 2 nothing to train on, 130 stopped, 143 stopped by SIGTERM.

    Raises
    ------
    ModelError
        When there is no such model to start from.
    RunError
        When the folder is in use, holds something else, or was made with other settings, or the
        model to start from is of another network.
    TrainingError
        When a setting is wrong.
    """
    from napari_colorize.api import train_here

    if not is_first_process(_processes(run, settings)):
        _wait_for(run)
        last = train_here(run, resume=resume)
        return complain(f"{last.message} {last.advice}", 1) if isinstance(last, Failed) else 0
    before = run.last_event() if resume and run.exists() else None
    if isinstance(before, Finished):
        say(console, f"The run has finished already: {_end_of(before)}.\n{run.best_model}")
        return 0
    make_or_resume(run, with_network_of_init(settings), resume=resume)
    # The Train dock finds it, and sees that it is under way, before torch is loaded.
    run.record_child(own_identity())
    with contextlib.suppress(StorageError):
        remember_run(run.path)
    with _heard_signals() as heard, Watch(console) as watch:
        last = train_here(run, resume=resume, listen=watch)
    if isinstance(last, Finished):
        say(console, f"Finished: {_end_of(last)}.\n{run.best_model}")
        return 0
    if isinstance(last, Failed):
        return complain(f"{last.message} {last.advice}", 2 if last.kind in BAD_INPUT else 1)
    print(f"Stopped; the same command with --resume goes on: {run.path}", file=sys.stderr)
    return 143 if signal.SIGTERM in heard else 130


class Watch:
    """Tells the events of a training on a console: lines, and a bar where it is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}  {task.fields[rest]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=1, rest="")
        self._epochs = 0

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        if isinstance(event, Preparing):
            self._move("decoding photographs", event.done, event.total, "")
        elif isinstance(event, Started):
            self._epochs = event.epochs
            say(self._console, _summary(event))
        elif isinstance(event, Step):
            rest = ", ".join(words.pace(event))
            self._move(f"epoch {event.epoch}/{self._epochs}", event.step, event.steps, rest)
        elif isinstance(event, Validated):
            gain = event.psnr - event.psnr_grey
            best = ", the best so far" if event.best else ""
            say(
                self._console,
                f"epoch {event.epoch}/{self._epochs}: loss {event.loss:.5f}, "
                f"PSNR {event.psnr:.2f} dB ({gain:+.2f} over grey){best}",
            )
        elif isinstance(event, Healed):
            say(self._console, words.healed_line(event))

    def _move(self, what: str, done: int, total: int, rest: str) -> None:
        self._bar.update(self._task, description=what, completed=done, total=total, rest=rest)


def _summary(event: Started) -> str:
    """Return what is trained on, what was left out and why, and on which device."""
    lines = [f"{event.photographs:,} photographs to train on, {event.validation:,} kept to look at"]
    lines += [
        f"  left out: {count:,} {reason}" for reason, count in event.left_out.items() if count
    ]
    where = f"{event.epochs:,} epochs of {event.steps_per_epoch:,} steps on {event.device}"
    lines.append(f"{where}, {event.precision} ({event.reason})")
    if event.step:
        lines.append(f"going on after step {event.step:,}")
    return "\n".join(lines)


def _end_of(event: Finished) -> str:
    reason = f", {event.reason}" if event.reason else ""
    return f"{event.epochs} epochs, the best was epoch {event.best_epoch}{reason}"


def _processes(run: RunFolder, settings: dict[str, Any]) -> int:
    """Return how many processes train together: as given, else as the run was made."""
    made = run.read_config().to_dict() if run.exists() else {}
    processes, nodes = ((made | settings).get(name, 1) for name in ("processes", "nodes"))
    return int(processes * nodes)


def _wait_for(run: RunFolder) -> None:
    """Wait until the first process has made the run folder."""
    limit = time.monotonic() + PATIENCE
    while not run.exists():
        if time.monotonic() > limit:
            raise RunError(f"The first process has not made the run folder {run.path}.")
        time.sleep(0.1)


@contextlib.contextmanager
def _heard_signals() -> Iterator[set[int]]:
    """Hear which signals come, though the training has its own handlers for them.

    Yields a set that holds their numbers when the block has ended.
    """
    heard: set[int] = set()
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield heard
        finally:
            signal.set_wakeup_fd(before)
            with contextlib.suppress(BlockingIOError):
                heard.update(reader.recv(4096))
