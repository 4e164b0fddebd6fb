"""A training as a person would write it: as a call in Python and as a command in the shell."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from napari_colorize.runs.config import TrainingConfig

# What is no option: the first argument, and what is written by itself.
_NO_OPTIONS = frozenset({"folder", "version"})


def as_python(config: TrainingConfig, run: Path, resume: bool = False) -> str:
    """Return the Python that trains so, in whole lines; only what differs from the defaults.

    See Also
    --------
    as_command : The same in the shell.
    """
    arguments = [repr(config.folder), repr(str(run))]
    arguments += ["resume=True"] * resume
    arguments += [f"{name}={value!r}" for name, value in differing(config).items()]
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"from napari_colorize import train\n\ntrain(\n{lines})\n"


def as_command(config: TrainingConfig, run: Path, resume: bool = False) -> str:
    """Return the command that trains so, quoted for this system's shell.

    See Also
    --------
    as_python : The same in Python.
    """
    words = ["napari-colorize", "train", *_option("--out", str(run))]
    words += ["--resume"] * resume
    for name, value in differing(config).items():
        words += _option("--" + name.replace("_", "-"), str(value))
    # A folder that looks like an option stands behind two dashes.
    dashed = config.folder.startswith("-")
    place = len(words) if dashed else 2
    words[place:place] = ["--"] * dashed + [config.folder]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def differing(config: TrainingConfig) -> dict[str, Any]:
    """Return the settings that are not as they are by default, without the folder."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    return {
        name: value
        for name, value in values.items()
        if value != defaults[name] and name not in _NO_OPTIONS
    }


def _option(name: str, value: str) -> list[str]:
    """Return an option and its value as words; one that looks like an option is tied to it."""
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
