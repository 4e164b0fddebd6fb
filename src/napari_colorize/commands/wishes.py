"""What a person wants of the colours: read from the shell's options before any picture is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_colorize.color.hints import SIZE, Hint
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.cards import default_vividness, read_card
from napari_colorize.files.models import find_model
from napari_colorize.files.pictures import read_picture
from napari_colorize.prediction.checks import MOST_ALTERNATIVES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_COLOR = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


@dataclass(frozen=True)
class Wishes:
    """What the colours shall be like; nothing is wished at first.

    Attributes
    ----------
    vividness : float or None
        0..1; None takes the model's own.
    reference : ndarray of shape (h, w, 3) or None
        uint8 or uint16 sRGB, a picture whose palette sets the mood.
    hints : tuple of Hint
        Colours known at places.
    alternatives : int
        How many colourings of each picture; 0 is one, as `colorize` gives it.
    """

    vividness: float | None = None
    reference: NDArray[Any] | None = None
    hints: tuple[Hint, ...] = ()
    alternatives: int = 0

    @property
    def names(self) -> str:
        """What is wished, in words; empty if nothing is."""
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
    reference: Path | None = None,
    hints: Sequence[str] = (),
    alternatives: int | None = None,
) -> Wishes:
    """Return the wishes that the options of the shell tell.

    Raises
    ------
    PictureError
        If a value is none, the reference cannot be read or is grey, or two of them do not go
        together; the text names the option.
    """
    if vividness is not None and not 0 <= vividness <= 1:
        raise PictureError(f"--vividness has to be a number from 0 to 1, got {vividness:g}.")
    if alternatives is not None and not 1 <= alternatives <= MOST_ALTERNATIVES:
        raise PictureError(
            f"--alternatives has to be 1 to {MOST_ALTERNATIVES}, got {alternatives}."
        )
    if reference is not None and alternatives:
        raise PictureError("--reference and --alternatives do not go together: leave one out.")
    return Wishes(
        vividness,
        None if reference is None else _colour_picture(reference),
        tuple(_hint(text) for text in hints),
        alternatives or 0,
    )


def _hint(text: str) -> Hint:
    """Return the hint that an option tells."""
    wanted = "--hint has to be Y,X,#RRGGBB or Y,X,#RRGGBB,SIZE"
    parts = [part.strip() for part in text.split(",")]
    color = _COLOR.fullmatch(parts[2]) if len(parts) in {3, 4} else None
    if color is None:
        raise PictureError(f"{wanted}, such as 120,80,#1e5ac8; got {text!r}.")
    red, green, blue = (int(channel, 16) for channel in color.groups())
    try:
        y, x, size = (float(part) for part in (*parts[:2], *(parts[3:] or [str(SIZE)])))
    except ValueError as error:
        raise PictureError(f"{wanted}, with numbers of pixels; got {text!r}.") from error
    try:
        return Hint(y, x, (red, green, blue), size)
    except PictureError as error:
        raise PictureError(f"--hint {text}: {error}") from error


def _colour_picture(path: Path) -> NDArray[Any]:
    """Return the pixels of a colour picture."""
    try:
        pixels = read_picture(path).pixels
    except PictureError as error:
        raise PictureError(f"The reference {path} cannot be used: {error}.") from error
    if pixels.ndim != 3:
        raise PictureError(f"The reference {path} is grey: choose a colour picture.")
    return pixels
