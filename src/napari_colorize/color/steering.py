"""All that a person wants of the colours of one picture: what is shown, kept, undone and saved."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_colorize.color.hints import Hint, inside
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterable

# What may stand in a list of hints.
AnyHint: TypeAlias = Hint | Strokes

# Smallest and largest value of all that has one.
RANGES = {
    "chroma": (0.0, 2.0),
    "warmth": (-1.0, 1.0),
    "hue": (-180.0, 180.0),
    "blend": (0.0, 1.0),
    "strength": (0.0, 2.0),
    "vividness": (0.0, 1.0),
}


def checked_hints(hints: Iterable[AnyHint], shape: tuple[int, int]) -> tuple[AnyHint, ...]:
    """Return the hints; PictureError if one is none, or does not suit a picture of shape (H, W)."""
    for number, hint in enumerate(listed := _listed(hints), start=1):
        match hint:
            case Strokes():
                if hint.areas.shape != shape:
                    raise PictureError(
                        f"The strokes are of a picture of {hint.areas.shape[0]} x "
                        f"{hint.areas.shape[1]} px, this one has {shape[0]} x {shape[1]} px."
                    )
            case Hint():
                if not inside(hint.y, hint.x, shape):
                    raise PictureError(
                        f"Hint {number} at row {hint.y:g}, column {hint.x:g} lies outside the "
                        f"picture of {shape[0]} x {shape[1]} px; move or remove it."
                    )
            case _:
                raise PictureError(
                    f"Hints have to be Hint(y, x, (r, g, b)), got {type(hint).__name__} as number "
                    f"{number}."
                )
    return listed


def _listed(hints: Any) -> tuple[Any, ...]:
    try:
        return tuple(hints)
    except TypeError as error:
        raise PictureError(
            f"Hints have to be a list, [Hint(y, x, (r, g, b)), ...], got {type(hints).__name__}."
        ) from error


def in_range(name: str, value: object) -> float:
    """Return the number, or raise PictureError if it is outside the range of its name."""
    low, high = RANGES[name]
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise PictureError(f"{name} has to be a number from {low:g} to {high:g}, got {value!r}.")
    return number


@dataclass(frozen=True)
class Adjustments:
    """What is done to the colours behind the network, at once; nothing at first.

    Attributes
    ----------
    chroma : float
        Factor on chroma, 0..2; 1 leaves it.
    warmth : float
        -1..1: towards blue below 0, towards orange above.
    hue : float
        Degrees by which every hue is turned in the ab plane, -180..180.
    blend : float
        0..1: 0 is the colours, 1 the original picture.

    Raises
    ------
    PictureError
        If a value is outside its range.
    """

    chroma: float = 1.0
    warmth: float = 0.0
    hue: float = 0.0
    blend: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for field in fields(self):
            object.__setattr__(self, field.name, in_range(field.name, getattr(self, field.name)))


UNADJUSTED = Adjustments()


@dataclass(frozen=True)
class Reference:
    """The palette of another picture.

    Attributes
    ----------
    name : str
        What it was taken from, for people.
    shares : tuple of float
        Share of each ab bin of `napari_colorize.color.gamut.gamut_bins`; they sum to 1.
    strength : float
        0..2: 0 is as if there were none, 1 as networks were trained.

    Raises
    ------
    PictureError
        If a share or the strength is none.
    """

    name: str
    shares: tuple[float, ...]
    strength: float = 1.0

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "strength", in_range("strength", self.strength))
        if not self.shares or not all(0 <= share <= 1 for share in self.shares):
            raise PictureError(f"The palette of the reference {self.name!r} is none.")


@dataclass(frozen=True)
class Steering:
    """All that steers the colours of one picture; nothing at first.

    Attributes
    ----------
    hints : tuple of Hint or Strokes
        Colours wanted at places.
    vividness : float or None
        0..1; None takes the model's own.
    reference : Reference or None
        The palette that sets the mood.
    adjustments : Adjustments
        What is done behind the network.
    region : LabelMap or None
        Where all this holds: where the label is not 0. None is everywhere.
    outside : Steering or None
        What holds outside the region; None is no steering at all. Without a region it is None.

    Raises
    ------
    PictureError
        If the vividness is outside 0..1.
    """

    hints: tuple[AnyHint, ...] = ()
    vividness: float | None = None
    reference: Reference | None = None
    adjustments: Adjustments = UNADJUSTED
    region: LabelMap | None = None
    outside: Steering | None = None

    def __post_init__(self) -> None:
        """Check the vividness."""
        if self.vividness is not None:
            object.__setattr__(self, "vividness", in_range("vividness", self.vividness))
