"""What steers the colours of a picture, as a JSON file: hints, strokes, sliders, palette, region.

::

    {"format": "napari-colorize steering", "version": 1, "written_by": "0.3.0",
     "picture": {"name": ..., "shape": [H, W], "hash": ...}, "model": ..., "model_hash": ...,
     "steering": {"hints": [...], "vividness": 0.7, "reference": ..., "adjustments": {...},
                  "region": ..., "outside": ...},
     "hints_elsewhere": [{"place": [3], "hints": [...]}]}

The parts are told in :mod:`napari_colorize.files.steering_parts`.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.errors import PictureError
from napari_colorize.files.hints_table import PlacedHint, hints_of_table, placed_hints_of_table
from napari_colorize.files.steering_parts import (
    area_from_json,
    area_to_json,
    hints_from_json,
    hints_to_json,
    list_of,
    number_of,
    reference_from_json,
    reference_to_json,
    shortened,
    table_of,
    text_of,
)
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_colorize.color.steering import AnyHint

FORMAT = "napari-colorize steering"
VERSION = 1
LARGEST = 200_000_000
"""Bytes above which a file is not read."""

_TABLES = {".csv", ".tsv", ".txt"}
_STEERING_KEYS = {field.name for field in fields(Steering)} | {"version"}
_FILE_KEYS = {
    "format",
    "version",
    "written_by",
    "picture",
    "model",
    "model_hash",
    "steering",
    "hints_elsewhere",
}


@dataclass(frozen=True)
class Saved:
    """What a file of steering holds.

    Attributes
    ----------
    steering : Steering
        Of the picture, or of the plane of a stack that was steered last.
    hints_elsewhere : mapping of place to hints
        Hints of other planes, by the index of the plane, a tuple of int.
    picture : dict
        What they belong to: name, shape (a tuple) and hash, as far as known.
    model, model_hash : str
        The model whose colours were steered; empty if unknown.
    version : str
        Version of napari-colorize that wrote the file; empty if unknown.
    unknown : dict
        Entries of the file that this version does not know: written again as they are.
    """

    steering: Steering = field(default_factory=Steering)
    hints_elsewhere: Mapping[tuple[int, ...], tuple[AnyHint, ...]] = field(default_factory=dict)
    picture: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    model_hash: str = ""
    version: str = ""
    unknown: dict[str, Any] = field(default_factory=dict)


def write_steering(path: str | os.PathLike[str], saved: Saved) -> None:
    """Write a file of steering; it is there whole or not at all.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written; an older file is then as it was.

    See Also
    --------
    read_steering : the inverse.
    """
    elsewhere = [
        {"place": list(place), "hints": hints_to_json(hints)}
        for place, hints in saved.hints_elsewhere.items()
    ]
    told = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": saved.version,
        "picture": saved.picture,
        "model": saved.model,
        "model_hash": saved.model_hash,
        "steering": as_dict(saved.steering),
        "hints_elsewhere": elsewhere,
    }
    # ASCII: any text comes back, also a name that is no Unicode.
    text = json.dumps(saved.unknown | told, separators=(",", ":"), allow_nan=False)
    with written_whole(Path(path)) as file:
        file.write(text.encode() + b"\n")


def read_steering(path: str | os.PathLike[str]) -> Saved:
    """Read a file of steering; nothing of it is executed.

    Raises
    ------
    PictureError
        When the file is missing, cut short, too large, of something else or of a newer version,
        or an entry of it is none; the text names the file and what is wrong.
    """
    try:
        return _saved(_load(path))
    except PictureError as error:
        _refuse(path, error)


def read_hints(path: str | os.PathLike[str]) -> tuple[AnyHint, ...]:
    """Read hints from a table (.csv, .tsv, .txt) or from JSON: a file of steering, or a plain list.

    Parameters
    ----------
    path
        A table has a first line ``y,x,color,size`` or ``y,x,r,g,b,size`` (size may lack). A list
        is ``[{"y": 120, "x": 80, "color": "#1e5ac8", "size": 6}, ...]``, with ``[r, g, b]`` if
        wanted; of a file of steering the hints of its picture count.

    Raises
    ------
    PictureError
        When the file cannot be read or a hint is none; the text tells where.
    """
    try:
        if Path(path).suffix.lower() in _TABLES:
            return hints_of_table(_text(path))
        told = _load(path)
        return hints_from_json(told) if isinstance(told, list) else _saved(told).steering.hints
    except PictureError as error:
        _refuse(path, error)


def read_placed_hints(path: str | os.PathLike[str]) -> tuple[PlacedHint, ...]:
    """Read the hints of a stack, each with its plane, from a table or a file of steering.

    Parameters
    ----------
    path
        A table has columns as for `read_hints`, and ``time``, ``plane``, ``frame`` or letters of
        axes; see `napari_colorize.files.hints_table.placed_hints_of_table`.

    Raises
    ------
    PictureError
        When the file cannot be read, a hint is none or stands on no plane; the text tells where.
    """
    try:
        if Path(path).suffix.lower() in _TABLES:
            return placed_hints_of_table(_text(path))
        saved = _saved(_load(path))
        planes = dict(saved.hints_elsewhere)
        if saved.steering.hints:
            place = saved.picture.get("place")
            if not isinstance(place, list):
                raise PictureError("its hints are those of a single picture, of no plane")
            planes[tuple(place)] = (*planes.get(tuple(place), ()), *saved.steering.hints)
        return tuple(PlacedHint(hint, place) for place, hints in planes.items() for hint in hints)
    except PictureError as error:
        _refuse(path, error)


def as_dict(steering: Steering) -> dict[str, Any]:
    """Return a steering as JSON can hold it, with the version of the format."""
    return {"version": VERSION, **_as_dict(steering)}


def from_dict(told: Any) -> Steering:
    """Return the steering that `as_dict` made this of.

    Raises
    ------
    PictureError
        When it is none, or one of a newer version.
    """
    _check_version(told)
    return _from_dict(told, "the steering")


def _as_dict(steering: Steering) -> dict[str, Any]:
    reference, region, outside = steering.reference, steering.region, steering.outside
    return {
        "hints": hints_to_json(steering.hints),
        "vividness": steering.vividness,
        "reference": None if reference is None else reference_to_json(reference),
        "adjustments": asdict(steering.adjustments),
        "region": None if region is None else area_to_json(region),
        "outside": None if outside is None else _as_dict(outside),
    }


def _from_dict(value: Any, what: str) -> Steering:
    told = table_of(value, what, _STEERING_KEYS)
    vividness, reference = told.get("vividness"), told.get("reference")
    region, outside = told.get("region"), told.get("outside")
    return Steering(
        hints_from_json(told.get("hints", [])),
        None if vividness is None else number_of(vividness, "the vividness"),
        None if reference is None else reference_from_json(reference),
        _adjustments(told.get("adjustments", {})),
        None if region is None else area_from_json(region, "the region"),
        None if outside is None else _from_dict(outside, "what holds outside the region"),
    )


def _adjustments(value: Any) -> Adjustments:
    known = {one.name for one in fields(Adjustments)}
    told = table_of(value, "the entry of adjustments", known)
    return Adjustments(**{name: number_of(number, name) for name, number in told.items()})


def _saved(told: Any) -> Saved:
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise PictureError(f'it is no file of steering: "format" is not "{FORMAT}"')
    _check_version(told)
    picture = told.get("picture", {})
    if not isinstance(picture, dict):
        raise PictureError(f"the picture has to be an object in braces, got {shortened(picture)}")
    if isinstance(picture.get("shape"), list):
        picture = picture | {"shape": tuple(picture["shape"])}
    texts = {name: text_of(told.get(name, ""), name) for name in ("model", "model_hash")}
    return Saved(
        from_dict(told.get("steering")),
        dict(
            _elsewhere(entry)
            for entry in list_of(told.get("hints_elsewhere", []), "the list of planes")
        ),
        picture,
        version=text_of(told.get("written_by", ""), "written_by"),
        unknown={name: value for name, value in told.items() if name not in _FILE_KEYS},
        **texts,
    )


def _elsewhere(entry: Any) -> tuple[tuple[int, ...], tuple[AnyHint, ...]]:
    told = table_of(entry, "a plane", {"place", "hints"})
    place = list_of(told.get("place"), "the place of a plane")
    if not all(type(index) is int for index in place):
        raise PictureError("the place of a plane has to be whole numbers")
    return tuple(place), hints_from_json(told.get("hints"))


def _check_version(told: Any) -> None:
    version = told.get("version") if isinstance(told, dict) else None
    if type(version) is not int or version < 1:
        raise PictureError(f"its version is none: {shortened(version)}")
    if version > VERSION:
        raise PictureError(
            f"it was written by a newer version of napari-colorize (format {shortened(version)}, "
            f"known is {VERSION}); update napari-colorize"
        )


def _load(path: str | os.PathLike[str]) -> Any:
    text = _text(path)
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as exc:
        raise PictureError(
            f"it is no JSON or is cut short (line {exc.lineno}, column {exc.colno}: {exc.msg})"
        ) from exc
    except PictureError:
        raise
    except (ValueError, RecursionError) as exc:  # numbers of thousands of digits; brackets too
        raise PictureError("it is no JSON that makes sense") from exc


def _no_number(name: str) -> NoReturn:
    raise PictureError(f"it holds {name}, which is no number")


def _text(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError as exc:
        raise PictureError("there is no such file") from exc
    except OSError as exc:
        raise PictureError((exc.strerror or type(exc).__name__).lower()) from exc
    if len(data) > LARGEST:
        raise PictureError(f"it is larger than {LARGEST // 1_000_000} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise PictureError("it is no text in UTF-8; save it as that") from exc


def _refuse(path: str | os.PathLike[str], error: PictureError) -> NoReturn:
    reason = str(error).rstrip(".")
    raise PictureError(f"{os.fspath(path)} cannot be used: {reason}.") from error
