"""What a person wants of the colours: read from the shell's options before any picture is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_colorize.color.hints import SIZE, Hint
from napari_colorize.color.steering import RANGES, Adjustments, in_range
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.cards import default_vividness, read_card
from napari_colorize.files.models import find_model
from napari_colorize.files.pictures import read_picture
from napari_colorize.files.steering_file import read_hints, read_steering
from napari_colorize.files.steering_parts import color_from_text
from napari_colorize.prediction.checks import MOST_ALTERNATIVES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.color.steering import AnyHint

# Options whose name is another than that of the adjustment.
_OPTIONS = {"hue": "hue-shift"}


@dataclass(frozen=True)
class Mood:
    """A colour picture whose palette sets the mood.

    Attributes
    ----------
    name : str
        Of its file.
    pixels : ndarray of shape (h, w, 3)
        uint8 or uint16 sRGB.
    strength : float
        0..2, how much it counts.
    """

    name: str
    pixels: NDArray[Any]
    strength: float = 1.0


@dataclass(frozen=True)
class Wishes:
    """What the colours shall be like; nothing is wished at first.

    Attributes
    ----------
    vividness : float or None
        0..1; None takes the model's own.
    reference : Mood or None
        A picture whose palette sets the mood.
    hints : tuple of Hint or Strokes
        Colours known at places.
    alternatives : int
        How many colourings of each picture; 0 is one, as `colorize` gives it.
    adjustments : Adjustments
        What is done to the colours behind the network.
    """

    vividness: float | None = None
    reference: Mood | None = None
    hints: tuple[AnyHint, ...] = ()
    alternatives: int = 0
    adjustments: Adjustments = field(default_factory=Adjustments)

    @property
    def names(self) -> str:
        """What is wished of the network, in words; empty if nothing is."""
        wished = {
            "vividness": self.vividness is not None,
            "references": self.reference is not None,
            "hints": bool(self.hints),
            "alternatives": bool(self.alternatives),
        }
        return " and ".join(name for name, is_wished in wished.items() if is_wished)

    def check_model(self, model: str | None) -> None:
        """Raise ColorizeError if something is wished of a model that knows no such thing.

        Raises
        ------
        ModelError
            If there is no such model.
        """
        if not self.names:
            return
        card = read_card(find_model(model))
        if default_vividness(card) is None:
            raise ColorizeError(
                f"The model {card['name']!r} gives one colour a place and knows no {self.names}: "
                "choose a model of the network palette with --model."
            )


def read_wishes(
    *,
    vividness: float | None = None,
    adjustments: Mapping[str, float] | None = None,
    reference: Path | None = None,
    reference_strength: float | None = None,
    hints: Sequence[str] = (),
    hints_file: Path | None = None,
    alternatives: int | None = None,
) -> Wishes:
    """Return the wishes that the options of the shell tell.

    Raises
    ------
    PictureError
        If a value is none, a file cannot be read, the reference is grey, or two of them do not go
        together; the text names the option.
    """
    if vividness is not None:
        vividness = _number("vividness", vividness, "vividness")
    adjusted = Adjustments(
        **{
            name: _number(_OPTIONS.get(name, name), value, name)
            for name, value in (adjustments or {}).items()
        }
    )
    if alternatives is not None and not 1 <= alternatives <= MOST_ALTERNATIVES:
        raise PictureError(
            f"--alternatives has to be 1 to {MOST_ALTERNATIVES}, got {alternatives}."
        )
    if reference is not None and alternatives:
        raise PictureError("--reference and --alternatives do not go together: leave one out.")
    if adjusted != Adjustments() and alternatives:
        raise PictureError(
            "--chroma, --warmth, --hue-shift, --blend and --alternatives do not go together: "
            "leave one out."
        )
    known = read_hints(hints_file) if hints_file else ()
    return Wishes(
        vividness,
        _mood(reference, reference_strength),
        (*known, *(_hint(text) for text in hints)),
        alternatives or 0,
        adjusted,
    )


def left_out(hints_file: Path) -> str:
    """Return a sentence on what a file of hints tells that the shell does not take, or nothing."""
    try:
        steering = read_steering(hints_file).steering
    except PictureError:  # a table or a plain list, which tell hints alone
        return ""
    told = {
        "a region": steering.region is not None,
        "a reference": steering.reference is not None,
        "sliders": steering.vividness is not None or steering.adjustments != Adjustments(),
    }
    more = " and ".join(name for name, there in told.items() if there)
    if not more:
        return ""
    return (
        f"{hints_file} tells {more} besides, which are not taken from it: the result will look "
        "other than in napari."
    )


def _number(option: str, value: float, name: str) -> float:
    """Return the value of an option, or raise PictureError if it is out of its range."""
    try:
        return in_range(name, value)
    except PictureError as error:
        low, high = RANGES[name]
        raise PictureError(
            f"--{option} has to be a number from {low:g} to {high:g}, got {value:g}."
        ) from error


def _hint(text: str) -> Hint:
    """Return the hint that an option tells."""
    wanted = "--hint has to be Y,X,#RRGGBB or Y,X,#RRGGBB,SIZE"
    parts = [part.strip() for part in text.split(",")]
    color = color_from_text(parts[2]) if len(parts) in {3, 4} else None
    if color is None:
        raise PictureError(f"{wanted}, such as 120,80,#1e5ac8; got {text!r}.")
    try:
        y, x, size = (float(part) for part in (*parts[:2], *(parts[3:] or [str(SIZE)])))
    except ValueError as error:
        raise PictureError(f"{wanted}, with numbers of pixels; got {text!r}.") from error
    try:
        return Hint(y, x, color, size)
    except PictureError as error:
        raise PictureError(f"--hint {text}: {error}") from error


def _mood(path: Path | None, strength: float | None) -> Mood | None:
    """Return the reference that the options tell."""
    if path is None:
        if strength is not None:
            raise PictureError("--reference-strength goes with --reference FILE: give that too.")
        return None
    wanted = 1.0 if strength is None else _number("reference-strength", strength, "strength")
    try:
        pixels = read_picture(path).pixels
    except PictureError as error:
        raise PictureError(f"The reference {path} cannot be used: {error}.") from error
    if pixels.ndim != 3:
        raise PictureError(f"The reference {path} is grey: choose a colour picture.")
    return Mood(path.name, pixels, wanted)
