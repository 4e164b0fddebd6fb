"""How long a step along an axis is, and the names that programs have for its unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple


class Step(NamedTuple):
    """The way from one index to the next along an axis.

    Attributes
    ----------
    size : float
        Above 0.
    unit : str
        Its English name, such as ``"micrometer"`` or ``"second"``; empty where it is not known.
    """

    size: float
    unit: str = ""


Scale = Mapping[str, Step]
"""From the letter of an axis to its step; an axis that is not there has a step of 1."""

_NAMES = {
    "micrometer": ("um", "µm", "μm", "micron", "microns", "micrometre", "micrometers", "\\u00b5m"),
    "nanometer": ("nm", "nanometre", "nanometers"),
    "millimeter": ("mm", "millimetre", "millimeters"),
    "centimeter": ("cm", "centimetre", "centimeters"),
    "meter": ("m", "metre", "meters"),
    "angstrom": ("å", "ångström"),
    "inch": ("in", "inches"),
    "second": ("s", "sec", "seconds"),
    "millisecond": ("ms", "msec", "milliseconds"),
    "microsecond": ("us", "µs", "μs", "microseconds"),
    "minute": ("min", "minutes"),
    "hour": ("h", "hr", "hours"),
    "day": ("d", "days"),
}
_KNOWN = {other: name for name, others in _NAMES.items() for other in (name, *others)}
SYMBOLS = {
    "micrometer": "µm",
    "nanometer": "nm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "inch": "in",
    "second": "s",
    "millisecond": "ms",
    "microsecond": "µs",
    "minute": "min",
    "hour": "h",
    "day": "d",
}
"""What OME calls a unit; `angstrom` has a sign that few fonts hold and is left out."""


def step_of(size: object, unit: object = "") -> Step | None:
    """Return a step from what a file tells, None if that makes no sense."""
    try:
        length = float(size)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    if not math.isfinite(length) or length <= 0:
        return None
    return Step(length, _KNOWN.get(str(unit or "").strip().lower(), ""))
