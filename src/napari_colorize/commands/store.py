"""What is kept on this computer: ``models`` and ``cache`` of the command line."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations while running
from typing import Annotated

import typer
from rich.console import Console

from napari_colorize.commands.terminal import say

models_app = typer.Typer(help="List, show, import and export models.")
cache_app = typer.Typer(help="Show or clear the cache of decoded photographs.")


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
