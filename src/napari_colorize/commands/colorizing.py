"""The command ``colorize``: pictures in colour, as its options wish them."""

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
from napari_colorize.errors import PictureError


def colorize(
    pictures: Annotated[
        list[Path],
        typer.Argument(help="Files, or folders that are looked through.", metavar="PICTURES..."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the results, made if need be.")
    ] = Path("colorized"),
    model: Model = None,
    device: Device = "auto",
    vividness: Vividness = None,
    chroma: Chroma = 1.0,
    warmth: Warmth = 0.0,
    hue_shift: HueShift = 0.0,
    blend: Blend = 0.0,
    reference: ReferenceFile = None,
    reference_strength: ReferenceStrength = None,
    hint: Annotated[
        list[str] | None,
        typer.Option(
            help="A colour known at a place: row, column, colour and side of its patch in pixels, "
            "such as 120,80,#1e5ac8 or 120,80,#1e5ac8,10; counted from 0 in the upright picture. "
            "Again for more; for one picture only.",
            metavar="Y,X,#RRGGBB[,SIZE]",
        ),
    ] = None,
    hints: Annotated[
        Path | None,
        typer.Option(
            help="A file of hints: CSV with a first line y,x,color,size or y,x,r,g,b,size, or JSON "
            "as napari-colorize writes it; for one picture only.",
            metavar="FILE",
        ),
    ] = None,
    alternatives: Annotated[
        int | None,
        typer.Option(
            help="So many different colourings of each picture, in NAME-1, NAME-2 and so on.",
            metavar="N",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write results anew that exist; else they are skipped.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786: its workers colour; "
            "they have to see the same disk.",
            metavar="ADDRESS",
        ),
    ] = None,
) -> None:
    """Colour pictures; OUT gets the same names, and what the files say beside their pixels.

    8-bit pictures keep their format, 16-bit pictures become 16-bit TIFF; each file but BMP says
    that and how it was coloured (XMP). The paths of the results are printed. A file that cannot
    be coloured does not stop the others; it is told at the end.
    """
    from napari_colorize.commands.batch import colour_all, plan
    from napari_colorize.commands.sharing import colour_all_on
    from napari_colorize.commands.wishes import left_out, read_wishes
    from napari_colorize.files.stacks.movies import MOVIE_SUFFIXES

    wishes = read_wishes(
        vividness=vividness,
        adjustments={"chroma": chroma, "warmth": warmth, "hue": hue_shift, "blend": blend},
        reference=reference,
        reference_strength=reference_strength,
        hints=hint or (),
        hints_file=hints,
        alternatives=alternatives,
    )
    for movie in pictures:
        if movie.suffix.lower() in MOVIE_SUFFIXES and movie.is_file():
            raise PictureError(
                f"{movie} is a movie: napari-colorize stack {movie} --out "
                f"{movie.stem}-coloured.mp4 colours it."
            )
    jobs = plan(pictures, out, wishes.alternatives)
    if wishes.hints and len(jobs) > 1:
        option = "--hints" if hints else "--hint"
        raise PictureError(
            f"{option} is for one picture and {len(jobs):,} were given: colour that one by itself."
        )
    wishes.check_model(model)
    if hints and (warning := left_out(hints)):
        print(warning, file=sys.stderr)
    if scheduler is None:
        outcomes = colour_all(jobs, model=model, device=device, force=force, wishes=wishes)
    else:
        outcomes = colour_all_on(
            scheduler, jobs, out, model=model, device=device, force=force, wishes=wishes
        )
    console = Console()
    failed: list[str] = []
    written = skipped = 0
    with progress_bar(console) as progress:
        task = progress.add_task("colouring", total=len(jobs))
        try:
            for outcome in outcomes:
                progress.advance(task)
                for path in outcome.written:
                    say(console, str(path))
                skipped += outcome.skipped
                written += not outcome.skipped and not outcome.reason
                if outcome.reason:
                    failed.append(f"{outcome.source}: {outcome.reason}")
        except KeyboardInterrupt:
            progress.stop()
            print(f"Interrupted; {written} of {len(jobs)} were coloured.", file=sys.stderr)
            raise
    if skipped or failed or written > 1:
        parts = [f"{written:,} coloured"]
        parts += [f"{skipped:,} skipped because they exist (--force replaces them)"] * bool(skipped)
        parts += [f"{len(failed):,} failed"] * bool(failed)
        say(console, ", ".join(parts))
    for line in failed:
        print(line, file=sys.stderr)
    if failed:
        raise typer.Exit(1)
