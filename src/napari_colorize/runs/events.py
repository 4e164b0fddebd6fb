"""What a run tells: one frozen dataclass a kind, one JSON object a line.

A run that was resumed went back to its checkpoint, so lines of later steps may stand before its
`Started`: whoever draws curves drops what lies after ``Started.step`` when a `Started` comes.
The last event of a run that ended is one of `CLOSING`.

Lines are standard JSON: the numbers that JSON lacks are the texts ``"nan"``, ``"inf"`` and
``"-inf"``.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from dataclasses import dataclass, field
from typing import Any, Union


@dataclass(frozen=True)
class Started:
    """A process began to train.

    ``photographs`` are trained on, ``validation`` looked at, ``left_out`` counts the others by
    reason. ``step`` is the number of steps that were done before, 0 for a new run.
    """

    device: str
    reason: str
    precision: str
    photographs: int
    validation: int
    left_out: dict[str, int]
    epochs: int
    steps_per_epoch: int
    step: int
    pid: int
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Preparing:
    """So many of the photographs are decoded."""

    done: int
    total: int
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Step:
    """A step was done: the ``step``-th of ``steps``, counted from 1 over the whole run.

    ``epoch`` counts from 1, ``rate`` is photographs a second, ``remaining`` is in seconds.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    learning_rate: float
    rate: float
    remaining: float
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Validated:
    """The photographs kept aside were coloured after an epoch; ``psnr_grey`` is the grey result."""

    epoch: int
    loss: float
    psnr: float
    psnr_grey: float
    best: bool
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class PreviewWritten:
    """Coloured validation pictures lie in ``folder``, relative to the run folder."""

    epoch: int
    folder: str
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class CheckpointWritten:
    """A resume would go on from ``step``."""

    step: int
    path: str
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Healed:
    """The run met a difficulty and goes on: ``accumulate`` pieces of ``micro_batch`` a step."""

    reason: str
    micro_batch: int
    accumulate: int
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Usage:
    """Bytes that the process holds, and those it holds of its device's own memory (0 for none)."""

    memory: int
    device_memory: int
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Finished:
    """The run is done; ``model`` is the name of the file with the best weights."""

    epochs: int
    best_epoch: int
    best_loss: float
    model: str
    reason: str
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Stopped:
    """The run was asked to leave after ``step`` and can be resumed."""

    step: int
    reason: str
    time: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Failed:
    """The run could not go on: the error's class name, its text, and what to do."""

    kind: str
    message: str
    advice: str
    time: float = field(default_factory=time.time)


Event = Union[  # noqa: UP007 - isinstance and get_args both read it in one piece
    Started,
    Preparing,
    Step,
    Validated,
    PreviewWritten,
    CheckpointWritten,
    Healed,
    Usage,
    Finished,
    Stopped,
    Failed,
]

CLOSING = (Finished, Stopped, Failed)

_KINDS: dict[str, type[Event]] = {
    "started": Started,
    "preparing": Preparing,
    "step": Step,
    "validated": Validated,
    "preview": PreviewWritten,
    "checkpoint": CheckpointWritten,
    "healed": Healed,
    "usage": Usage,
    "finished": Finished,
    "stopped": Stopped,
    "failed": Failed,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(event: Event) -> str:
    """Return the event as one line of JSON, without the line's end.

    See Also
    --------
    decode : The inverse.
    """
    values = {"event": _NAMES[type(event)], **dataclasses.asdict(event)}
    plain = {key: _json_number(value) for key, value in values.items()}
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def decode(line: str) -> Event | None:
    """Return the event of a line, or None for an unknown kind or a line that is no event.

    Keys that this version does not know are ignored.

    See Also
    --------
    encode : The inverse.
    """
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("event"), str):
        return None
    kind = _KINDS.get(values["event"])
    if kind is None:
        return None
    try:
        return kind(
            **{f.name: _typed(str(f.type), values[f.name]) for f in dataclasses.fields(kind)}
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _json_number(value: Any) -> Any:
    """Return a number that JSON lacks as a text, everything else as it is."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _typed(kind: str, value: Any) -> Any:
    """Return the value in its declared type, or raise TypeError or ValueError."""
    if kind == "float":
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise TypeError(value)
        return float(value)
    if kind == "dict[str, int]":
        return {str(key): _typed("int", count) for key, count in value.items()}
    wanted = {"int": int, "str": str, "bool": bool}[kind]
    if type(value) is not wanted:
        raise TypeError(value)
    return value
