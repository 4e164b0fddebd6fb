"""What is kept on this computer: ``models`` and ``cache`` of the command line."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations while running
from typing import Annotated

import typer
from rich.console import Console

from napari_colorize.commands.terminal import progress_bar, say

models_app = typer.Typer(help="List, show, change, measure, import and export models.")
cache_app = typer.Typer(help="Show or clear the cache of decoded photographs.")

Name = Annotated[str, typer.Argument(help="The model, by name or file.", metavar="MODEL")]
OwnName = Annotated[str, typer.Argument(help="One of your own models, by name.", metavar="MODEL")]


@models_app.callback(invoke_without_command=True)
def _models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_models()


@models_app.command("list")
def list_models() -> None:
    """List the models: name, network, where it is from, and the first digits of its hash."""
    from napari_colorize.files import models

    console = Console()
    for model in models.list_models():
        origin = "bundled" if model.bundled else "own"
        card = model.card
        say(console, f"{model.name:<24} {card['network']:<10} {origin:<8} {card['hash'][:12]}")
    for path, reason in models.unusable_models().items():
        print(f"{path}: {reason}", file=sys.stderr)


@models_app.command()
def show(
    name: Annotated[str, typer.Argument(help="The model, by name or file.", metavar="MODEL")],
) -> None:
    """Print the card of a model as JSON: network, training, score card, licence, hash."""
    from json import dumps

    from napari_colorize.files import cards, models

    print(dumps(cards.read_card(models.find_model(name)), indent=2, ensure_ascii=False))


@models_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A model file (.safetensors).", metavar="FILE")],
    name: Annotated[
        str | None, typer.Option(help="Its name here.", show_default="that on its card")
    ] = None,
) -> None:
    """Put a model among your own and print its name; no other model is overwritten."""
    from napari_colorize.files import models

    print(models.import_model(file, name).name)


@models_app.command()
def export(
    name: Annotated[str, typer.Argument(help="The model, by name.", metavar="MODEL")],
    path: Annotated[
        Path, typer.Argument(help="Folder, or file that is to be written.", metavar="PATH")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Copy a model to a file of its own and print the file's path."""
    from napari_colorize.files import models

    print(models.export_model(name, path, force))


@models_app.command()
def duplicate(name: Name) -> None:
    """Copy a model, a bundled one too, among your own and print the copy's name."""
    from napari_colorize.files import models

    print(models.duplicate_model(name).name)


@models_app.command()
def rename(
    name: OwnName,
    new_name: Annotated[
        str,
        typer.Argument(
            help="Letters, digits, - _ and . are kept, all else becomes -.", metavar="NEW_NAME"
        ),
    ],
) -> None:
    """Give one of your own models another name and print it."""
    from napari_colorize.files import changing

    print(changing.rename_model(name, new_name).name)


@models_app.command()
def note(
    name: OwnName,
    text: Annotated[
        str, typer.Argument(help="Your notes; an empty text removes them.", metavar="TEXT")
    ],
) -> None:
    """Keep notes in the file of one of your own models, in place of those that it has."""
    from napari_colorize.files import changing

    changing.note_model(name, text)


@models_app.command()
def remove(name: OwnName) -> None:
    """Put one of your own models into the bin; restore takes it out again."""
    from napari_colorize.files import removed

    print(
        f"{removed.remove_model(name).name} is in the bin; napari-colorize models restore undoes it"
    )


@models_app.command()
def restore(
    name: Annotated[
        str | None,
        typer.Argument(
            help="The model, by name.", show_default="the last removed", metavar="MODEL"
        ),
    ] = None,
) -> None:
    """Take a model out of the bin and print its name; another one of that name stays."""
    from napari_colorize.files import removed

    print(removed.restore_model(name).stem)


@models_app.command("bin")
def show_bin(
    empty: Annotated[
        bool, typer.Option("--empty", help="Delete what is in the bin for good.")
    ] = False,
) -> None:
    """List what is in the bin, the last removed first, with its size and age."""
    from napari_colorize.files import removed

    if empty:
        count, size = removed.empty_bin()
        print(f"{count:,} deleted, {size / 1e6:,.1f} MB freed")
        return
    for one in removed.removed_models():
        print(f"{one.name:<24} {one.size / 1e6:>8,.1f} MB   removed {one.days:,} days ago")


@models_app.command()
def measure(
    name: OwnName,
    folder: Annotated[Path, typer.Argument(help="Folder of colour photographs.", metavar="FOLDER")],
    limit: Annotated[
        int | None,
        typer.Option(
            help="Look at so many only, evenly spaced.", min=1, metavar="N", show_default="all"
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1 or mps.", metavar="D")
    ] = "auto",
    lines: Annotated[
        bool, typer.Option("--lines", help="Tell the progress in lines on stderr, for programs.")
    ] = False,
) -> None:
    """Measure one of your own models and keep its score card in its file.

    The same as evaluate with --store.
    """
    from napari_colorize import api
    from napari_colorize.files import changing

    path = changing.own_model(name)
    console = Console()
    with progress_bar(console) as bar:
        task = bar.add_task("measuring", total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if lines:
                print(f"{done}/{total}", file=sys.stderr, flush=True)

        card = api.evaluate(folder, model=path, limit=limit, device=device, progress=tell)
    changing.store_score_card(path, card.to_dict())
    say(console, card.table())


@cache_app.callback(invoke_without_command=True)
def _cache(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        size()


@cache_app.command()
def size() -> None:
    """Print how much disk the decoded photographs take, in MB, and where they are."""
    from napari_colorize.files.cache import cache_folder, cache_size

    print(f"{cache_size() / 1e6:,.1f} MB in {cache_folder()}")


@cache_app.command()
def clear() -> None:
    """Remove the decoded photographs; they are decoded anew when a training needs them."""
    from napari_colorize.files.cache import clear_cache

    print(f"{clear_cache() / 1e6:,.1f} MB freed")
