"""How the commands speak: results as they are, errors on one line, a bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task


def say(console: Console, text: str) -> None:
    """Print text as it is, above a bar of progress if there is one."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def complain(text: str, status: int) -> int:
    """Print an error on one line of stderr and return the exit status."""
    print(f"Error: {' '.join(text.split())}", file=sys.stderr)
    return status


class Pace(ProgressColumn):
    """How many of something are done in a second."""

    def __init__(self, things: str) -> None:
        super().__init__()
        self._things = things

    def render(self, task: Task) -> Text:
        """Return the pace in words; nothing before it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.3g} {self._things}/s")


def progress_bar(console: Console, things: str = "") -> Progress:
    """Return a bar of progress, silent where there is no terminal; with the pace of `things`."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *[Pace(things)] * bool(things),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
