"""The command ``shards``: a folder of photographs in tar files, for trainings on many machines."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003 - Typer reads the annotations while running
from typing import Annotated

import typer
from rich.console import Console

from napari_colorize.commands.terminal import progress_bar, say

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def shards(
    folder: Annotated[Path, typer.Argument(help="Folder of photographs.", metavar="FOLDER")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tar files.")],
    size: Annotated[
        str, typer.Option(help="Size of a tar file at most, such as 256MB or 1GB.", metavar="SIZE")
    ] = "256MB",
) -> None:
    """Put photographs into tar files (WebDataset), which `train` reads as it reads a folder.

    Files go in as they are, in an order as good as random that is always the same; grey, broken,
    tiny and repeated pictures are left out and told. The same command goes on after a break.
    """
    from napari_colorize.files.sharding import write_shards

    limit = bytes_of(size)
    console = Console()
    with progress_bar(console) as progress:
        task = progress.add_task("photographs", total=None)
        made = write_shards(
            folder,
            out,
            limit,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    shards = "1 shard" if len(made.paths) == 1 else f"{len(made.paths):,} shards"
    say(console, f"{made.pictures:,} photographs in {shards}: {out}")
    for reason, count in made.left_out.items():
        say(console, f"  left out: {count:,} {reason}")


def bytes_of(size: str) -> int:
    """Return a size such as ``256MB`` in bytes."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)b?\s*", size.lower())
    number = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if number < 1:
        raise typer.BadParameter(f"{size!r} is no size: write for example 256MB or 1GB.")
    return int(number)
