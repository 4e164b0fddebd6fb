"""The command ``stack``: a movie, a time-lapse or a volume in colour that holds still."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from napari_colorize.commands.options import (
    Blend,
    Chroma,
    Device,
    HueShift,
    Model,
    ReferenceFile,
    ReferenceStrength,
    Vividness,
    Warmth,
)
from napari_colorize.commands.terminal import progress_bar, say


def stack(
    source: Annotated[
        Path,
        typer.Argument(
            help="A movie (mp4, mov, avi, webm, mkv, gif), a folder of frames, a TIFF, a zarr or "
            "an OME-Zarr.",
            metavar="INPUT",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The result, by its suffix: .mp4, .ome.zarr, .zarr, .tif; without one a folder of "
            "PNG files.",
            metavar="OUTPUT",
        ),
    ],
    axes: Annotated[
        str | None,
        typer.Option(
            help="A letter for each axis: t time, z depth, y and x rows and columns, s colours; "
            "along any other letter planes have nothing to do with one another.",
            show_default="what the file says",
            metavar="AXES",
        ),
    ] = None,
    model: Model = None,
    device: Device = "auto",
    vividness: Vividness = None,
    chroma: Chroma = 1.0,
    warmth: Warmth = 0.0,
    hue_shift: HueShift = 0.0,
    blend: Blend = 0.0,
    reference: ReferenceFile = None,
    reference_strength: ReferenceStrength = None,
    hints: Annotated[
        Path | None,
        typer.Option(
            help="A file of hints, which follow their things from plane to plane: CSV with a first "
            "line time,y,x,color,size, or plane or t,z instead of time (seconds or m:ss.s; planes "
            "are counted from 0); or JSON as napari-colorize writes it.",
            metavar="FILE",
        ),
    ] = None,
    independent: Annotated[
        bool, typer.Option("--independent", help="Colour each plane by itself.")
    ] = False,
    contrast: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="The values of black and white of all planes; those of the type of the pixels "
            "else.",
            metavar="LOW HIGH",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Frames a second, for a movie of what has no times.",
            show_default="25",
            metavar="R",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786: its workers colour.",
            metavar="ADDRESS",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace OUTPUT, and begun work of other settings."),
    ] = False,
) -> None:
    """Colour a movie, a time-lapse or a volume, with colour that holds still from plane to plane.

    Ctrl-C, or a crash, loses nothing that is done: the same command goes on. An .mp4 keeps the
    times and the sound of the movie. The path of the result is printed; planes that cannot be
    read are told at the end.
    """
    from napari_colorize.commands.stack_work import StackWork, checked_places
    from napari_colorize.commands.wishes import left_out, read_wishes

    wishes = read_wishes(
        vividness=vividness,
        adjustments={"chroma": chroma, "warmth": warmth, "hue": hue_shift, "blend": blend},
        reference=reference,
        reference_strength=reference_strength,
    )
    checked_places(source, out, force=force)
    if hints and (warning := left_out(hints)):
        print(warning, file=sys.stderr)
    console = Console()
    work = StackWork.opened(
        source,
        out,
        wishes,
        axes=axes,
        hints_file=hints,
        model=model,
        device=device,
        coherent=not independent,
        contrast=contrast,
        rate=rate,
        scheduler=scheduler,
    )
    for note in work.notes:
        say(console, note)
    with progress_bar(console, "planes") as progress:
        task = progress.add_task("colouring", total=None)
        try:
            saved = work.run(
                force=force,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        except (KeyboardInterrupt, SystemExit):
            progress.stop()
            print(f"Stopped; the same command goes on: {work.told}.", file=sys.stderr)
            raise
    for warning in work.warnings:
        print(warning, file=sys.stderr)
    say(console, str(saved.path))
    for place, reason in saved.gaps:
        print(work.missing(place, reason), file=sys.stderr)
    if saved.gaps:
        raise typer.Exit(1)
