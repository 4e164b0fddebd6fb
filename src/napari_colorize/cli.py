"""The command line: ``napari-colorize colorize | stack | evaluate | train | models | ...``.

Results go to stdout, errors to stderr, one line each. The exit status is 0 when all went well,
1 when a file or a training failed, 2 for bad input, 130 after Ctrl-C. Torch, napari and Qt are
not loaded before a command needs them, and no command needs the latter two.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from napari_colorize.commands.colorizing import colorize
from napari_colorize.commands.options import Device, Model
from napari_colorize.commands.sharding import shards
from napari_colorize.commands.stacking import stack
from napari_colorize.commands.store import cache_app, models_app
from napari_colorize.commands.terminal import complain, progress_bar, say
from napari_colorize.errors import Cancelled, ColorizeError, StorageError
from napari_colorize.runs.config import TrainingConfig

app = typer.Typer(
    help="Colour grey pictures, and train on your own photographs.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models_app, name="models")
app.add_typer(cache_app, name="cache")


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    # Whatever a file's name holds can then be printed.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # As Ctrl-C does, SIGTERM ends work by an exception: temporary files are then removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit status; errors are told on stderr, one line each."""
    if "--debug" in arguments:
        arguments = [argument for argument in arguments if argument != "--debug"]
        return int(app(arguments, standalone_mode=False, prog_name="napari-colorize") or 0)
    try:
        return int(app(arguments, standalone_mode=False, prog_name="napari-colorize") or 0)
    except (KeyboardInterrupt, Cancelled, typer.Abort):
        return 130
    except ColorizeError as error:
        return complain(str(error), 1 if isinstance(error, StorageError) else 2)
    except Exception as error:
        if hasattr(error, "format_message"):  # click's errors of usage; typer brings its own click
            return complain(error.format_message(), getattr(error, "exit_code", 2))
        what = f"{type(error).__name__}: {error}"
        return complain(f"{what} (a fault of the program; --debug tells where)", 1)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; goes anywhere.")
    ] = False,
) -> None:
    if version:
        from napari_colorize.files.record import program_version

        print(f"napari-colorize {program_version()}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


app.command()(colorize)
app.command()(shards)
app.command()(stack)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder of colour photographs.", metavar="FOLDER")],
    model: Model = None,
    device: Device = "auto",
    json: Annotated[
        Path | None, typer.Option(help="File for all figures as JSON.", metavar="FILE")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="PNG file for a contact sheet of the best, the median and the worst pictures: "
            "grey, as models colour them, and true, side by side.",
            metavar="FILE",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            help="Look at so many pictures only, evenly spaced in the folder.",
            min=1,
            metavar="N",
            show_default="all",
        ),
    ] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Keep the score card in the model's own file too.")
    ] = False,
) -> None:
    """Print the score card of a model beside a grey result and the true mean colour.

    PSNR in dB, AuC in per cent, CIEDE2000, colourfulness over that of the truth, and whether the
    colour depends on the picture's size. Pictures are reduced to a short side of 256 px.
    """
    from napari_colorize import api
    from napari_colorize.files import changing
    from napari_colorize.files.models import find_model

    if store:
        changing.own_model(find_model(model))  # refused before the work, not after it
    console = Console()
    with progress_bar(console) as progress:
        task = progress.add_task("evaluating", total=None)
        card = api.evaluate(
            folder,
            model=model,
            device=device,
            limit=limit,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    say(console, card.table())
    if json is not None:
        from json import dumps

        from napari_colorize.files.writing import written_whole

        with written_whole(json) as file:
            file.write(dumps(card.to_dict(), indent=2, ensure_ascii=False).encode() + b"\n")
    if sheet is not None:
        card.contact_sheet(sheet)
    if store:
        changing.store_score_card(find_model(model), card.to_dict())


def _setting(name: str, told: str) -> Any:
    """Return the option of a setting of a training, with its default in the help."""
    default = getattr(TrainingConfig, name, None)
    stated = "" if default is None else f" Default: {default}."
    return typer.Option(help=told + stated)


@app.command()
def train(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="Folder of photographs to learn from.", metavar="FOLDER")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The run folder: all results go there.")],
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in the run folder, if there is one."),
    ] = False,
    network: Annotated[
        str | None, _setting("network", "The network to train: palette or plain; that of --init.")
    ] = None,
    epochs: Annotated[int | None, _setting("epochs", "Times that each photograph is seen.")] = None,
    loss: Annotated[str | None, _setting("loss", "What is made small: huber or squared.")] = None,
    rebalance: Annotated[
        float | None,
        _setting("rebalance", "How many times more a rare colour counts at most; 1 is no more."),
    ] = None,
    tone: Annotated[
        float | None,
        _setting("tone", "How often pictures are seen aged, soft, noisy or compressed, 0 to 1."),
    ] = None,
    batch_size: Annotated[int | None, _setting("batch_size", "Photographs in one step.")] = None,
    crop: Annotated[
        int | None, _setting("crop", "Side in pixels of the pieces that are learned from.")
    ] = None,
    working_size: Annotated[
        int | None,
        _setting("working_size", "Short side in pixels at which the model will see pictures."),
    ] = None,
    learning_rate: Annotated[
        float | None, _setting("learning_rate", "Highest size of a step of the weights.")
    ] = None,
    encoder_rate: Annotated[
        float | None,
        _setting("encoder_rate", "Share of the learning rate at which the encoder learns."),
    ] = None,
    weight_decay: Annotated[
        float | None, _setting("weight_decay", "Pull of the weights towards zero.")
    ] = None,
    warmup: Annotated[
        int | None, _setting("warmup", "Steps in which the learning rate rises.")
    ] = None,
    ema: Annotated[
        float | None, _setting("ema", "Decay, 0 to 1, of the average of weights that is kept.")
    ] = None,
    validation: Annotated[
        Path | None,
        _setting("validation", "Folder to judge by; a tenth of FOLDER is kept aside without it."),
    ] = None,
    init: Annotated[
        str | None, _setting("init", "Model, by name or file, to start from; else from scratch.")
    ] = None,
    rehearsal: Annotated[
        float | None, _setting("rehearsal", "How much --init keeps of what it knew; 0 lets it go.")
    ] = None,
    photographs: Annotated[
        int | None, _setting("photographs", "Use so many photographs at most.")
    ] = None,
    patience: Annotated[
        int | None, _setting("patience", "End after so many epochs without a gain; 0 is never.")
    ] = None,
    seed: Annotated[int | None, _setting("seed", "Number that all chance comes from.")] = None,
    device: Annotated[
        str | None, _setting("device", "Where to compute: auto, cpu, cuda, cuda:1 or mps.")
    ] = None,
    precision: Annotated[
        str | None, _setting("precision", "auto, 32-true, bf16-mixed or 16-mixed.")
    ] = None,
    threads: Annotated[int | None, _setting("threads", "Processor threads; torch chooses.")] = None,
    processes: Annotated[
        int | None, _setting("processes", "Processes, one a device, that train together.")
    ] = None,
    nodes: Annotated[int | None, _setting("nodes", "Machines that train together.")] = None,
    checkpoint_every: Annotated[
        float | None, _setting("checkpoint_every", "Seconds between saves to resume from.")
    ] = None,
    cache: Annotated[
        Path | None, _setting("cache", "Folder for decoded photographs; the user's cache else.")
    ] = None,
    name: Annotated[
        str | None, _setting("name", "Name of the model; that of the run folder else.")
    ] = None,
    logger: Annotated[
        str | None,
        _setting("logger", "tensorboard writes the curves for TensorBoard too; or none."),
    ] = None,
) -> None:
    """Train a network on a folder of colour photographs.

    The folder is examined first: grey, broken, tiny and repeated pictures are left out and told.
    Ctrl-C saves and leaves after the current step; --resume goes on from there.
    """
    from napari_colorize.commands import training
    from napari_colorize.files.models import find_model
    from napari_colorize.runs.folder import RunFolder

    known = TrainingConfig.__dataclass_fields__
    given = {key: value for key, value in context.params.items() if value is not None}
    settings = {key: value for key, value in given.items() if key in known}
    for key, value in settings.items():
        if isinstance(value, Path):
            settings[key] = str(value.expanduser().absolute())
    for place in (folder, validation):  # told before the run folder is made
        if place is not None and not place.is_dir():
            raise typer.BadParameter(f"{place} is not a folder.")
    if init is not None:
        find_model(init)
    status = training.train(RunFolder(out), settings, resume=resume, console=Console())
    raise typer.Exit(status)


@app.command()
def info() -> None:
    """Print versions, devices and why a GPU is not used: what to paste into a bug report."""
    from napari_colorize import api
    from napari_colorize.files import models

    report = api.device_report()
    told = [f"{one.name} ({one.card['hash'][:12]})" for one in models.list_models()]
    report["models"] = ", ".join(told) or "none"
    width = max(map(len, report))
    for key, value in report.items():
        print(f"{key:<{width}}  {value.replace(str(Path.home()), '~')}")
