"""How the commands speak and what several ask: results as they are, errors on one line, a bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from rich.console import Console

Model = Annotated[
    str | None,
    typer.Option(help="The model, by name or file.", show_default="the bundled one", metavar="M"),
]
Device = Annotated[
    str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1 or mps.", metavar="D")
]


def say(console: Console, text: str) -> None:
    """Print text as it is, above a bar of progress if there is one."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def complain(text: str, status: int) -> int:
    """Print an error on one line of stderr and return the exit status."""
    print(f"Error: {' '.join(text.split())}", file=sys.stderr)
    return status


def progress_bar(console: Console) -> Progress:
    """Return a bar of progress, silent where there is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
