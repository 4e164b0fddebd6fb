"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option(help="The model, by name or file.", show_default="the bundled one", metavar="M"),
]
Device = Annotated[
    str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1 or mps.", metavar="D")
]
Vividness = Annotated[
    float | None,
    typer.Option(
        help="0 to 1: from the safe average of what a thing may look like to its likeliest colour.",
        show_default="the model's own",
        metavar="V",
    ),
]
Chroma = Annotated[
    float, typer.Option(help="0 to 2: factor on how strong all colours are.", metavar="C")
]
Warmth = Annotated[
    float, typer.Option(help="-1 to 1: towards blue or towards orange.", metavar="W")
]
HueShift = Annotated[
    float, typer.Option(help="-180 to 180: degrees by which all hues turn.", metavar="DEG")
]
Blend = Annotated[
    float, typer.Option(help="0 to 1: from the colours to the original picture.", metavar="B")
]
ReferenceFile = Annotated[
    Path | None,
    typer.Option(help="A colour picture whose palette sets the mood.", metavar="FILE"),
]
ReferenceStrength = Annotated[
    float | None,
    typer.Option(help="0 to 2: how much the reference counts.", show_default="1", metavar="S"),
]
