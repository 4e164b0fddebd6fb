"""A model at work on one picture: it looks once, colours come out often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from napari_colorize.color.gamut import confidence_of
from napari_colorize.color.steering import (
    UNADJUSTED,
    Adjustments,
    Reference,
    Steering,
    checked_hints,
    in_range,
)
from napari_colorize.networks.interface import Prediction
from napari_colorize.prediction.alternatives import self_hints
from napari_colorize.prediction.checks import MOST_ALTERNATIVES, output_type, whole_number
from napari_colorize.prediction.doubt import best_cell
from napari_colorize.prediction.guards import Cancel, leave_if, mapped_errors
from napari_colorize.prediction.look import palette_of
from napari_colorize.prediction.opening import OpenModel
from napari_colorize.prediction.seeing import reference_histogram
from napari_colorize.prediction.suggestions import Suggestion, suggestions_at
from napari_colorize.prediction.telling import Telling, told_logits
from napari_colorize.prediction.trust import Trust, lightness_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_colorize.color.hints import Hint
    from napari_colorize.color.steering import AnyHint
    from napari_colorize.prediction.strips import Progress
    from napari_colorize.prediction.window import Window

LARGEST_SEED = 2**63 - 1

OutputType = Literal["uint8", "uint16"]


class Rendered(NamedTuple):
    """What was drawn.

    Attributes
    ----------
    pixels : ndarray of shape (h, w, 3), uint8, or uint16 where that was asked for
    fitted : float
        Share of them whose colour lay outside the gamut and was brought into it, 0..1.
    """

    pixels: NDArray[Any]
    fitted: float


class Colorizer(OpenModel):
    """Colours pictures with one model.

    Parameters
    ----------
    model : str, Path or None
        Name or file of a model; None takes the default one.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".

    Raises
    ------
    ModelError
        If the model is unknown, broken, foreign or too new.
    ColorizeError
        If the device cannot be used.

    Examples
    --------
    >>> colorizer = Colorizer()  # doctest: +SKIP
    >>> colorizer.set_picture(picture)  # doctest: +SKIP
    >>> colored = colorizer.colorize()  # doctest: +SKIP
    >>> blue = Hint(40, 60, (40, 80, 200))  # doctest: +SKIP
    >>> steered = colorizer.colorize(hints=[blue])  # doctest: +SKIP
    """

    def colorize(
        self,
        hints: Sequence[AnyHint] = (),
        *,
        vividness: float | None = None,
        reference: Any = None,
        adjustments: Adjustments = UNADJUSTED,
        dtype: OutputType = "uint8",
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.generic]:
        """Return the picture in colour, (H, W, 3) sRGB of the type, with the L of the picture.

        Parameters
        ----------
        hints : sequence of Hint or Strokes
            Colours wanted at places.
        vividness : float, optional
            0 is the safe average, 1 the likeliest colours; None takes the model's default.
        reference : Reference or array_like of shape (h, w, 3), optional
            What `reference_of` gave, or a colour picture, uint8 or float 0..1, whose palette sets
            the mood.
        adjustments : Adjustments
            What is done to the colours behind the network.
        dtype : "uint8" or "uint16"
        cancel, progress : callable, optional
            `progress` is told strips done and all strips.

        Raises
        ------
        PictureError
            If no picture was set, `dtype` is another, a hint lies outside the picture, the
            vividness is none, or the reference is no colour picture.
        ColorizeError
            If the memory does not suffice, or the model knows no hints, vividness or references
            and some were given.
        """
        look = self._looked()
        if reference is not None and not isinstance(reference, Reference):
            reference = self.reference_of(reference)
        hints = checked_hints(hints, look.seen.lightness.shape)
        steering = Steering(hints, vividness, reference, adjustments)
        with mapped_errors(), torch.inference_mode():
            drawn = look.draw(steering, output_type(dtype), cancel=cancel, progress=progress)
        return drawn.pixels

    def render(
        self,
        steering: Steering,
        *,
        window: Window | None = None,
        dtype: OutputType = "uint8",
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> Rendered:
        """Return the picture, or what a window shows of it, steered in any way.

        The network's last few answers are kept: it is asked only for a palette that is
        new to it, not for the rest. Outside a region the pixels are as `steering.outside` says.

        Parameters
        ----------
        steering : Steering
        window : Window, optional
            The part that is wanted, and how finely; None is every pixel.
        dtype : "uint8" or "uint16"
        cancel, progress : callable, optional

        Raises
        ------
        PictureError, ColorizeError
            As `colorize`, and if the window or the region does not suit the picture.
        """
        look = self._looked()
        if window is not None:
            window.check(look.seen.lightness.shape)
        with mapped_errors(), torch.inference_mode():
            pixels, fitted = look.draw(
                steering,
                output_type(dtype),
                window=window,
                with_fitted=True,
                cancel=cancel,
                progress=progress,
            )
        assert fitted is not None
        return Rendered(pixels, float(fitted.mean()))

    def alternatives(
        self,
        count: int = 4,
        hints: Sequence[AnyHint] = (),
        *,
        vividness: float | None = None,
        seed: int = 0,
        dtype: OutputType = "uint8",
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.generic]:
        """Return the picture in several colourings, each coherent in itself.

        Parameters
        ----------
        count : int
            How many, 1 to 16.
        hints : sequence of Hint or Strokes
            Colours wanted at places, in all of them.
        vividness, dtype, cancel, progress
            As in `colorize`; `progress` is told alternatives done and all.
        seed : int
            The same gives the same.

        Returns
        -------
        ndarray of shape (count, H, W, 3)

        Raises
        ------
        PictureError, ColorizeError
            As `colorize`, and if `count` or `seed` is outside its range.
        """
        output_type(dtype)
        if vividness is not None:
            vividness = in_range("vividness", vividness)
        results = []
        for version in self.versions(count, hints, seed=seed, cancel=cancel):
            given = (*hints, *version)
            results.append(self.colorize(given, vividness=vividness, dtype=dtype, cancel=cancel))
            if progress is not None:
                progress(len(results), count)
        return np.stack(results)

    def versions(
        self,
        count: int = 4,
        hints: Sequence[AnyHint] = (),
        *,
        seed: int = 0,
        cancel: Cancel | None = None,
    ) -> list[tuple[Hint, ...]]:
        """Return the hints that make each of the alternatives, beside those that are given.

        Where a hint is given no version has one of its own.

        Raises
        ------
        PictureError, ColorizeError
            As `alternatives`.

        See Also
        --------
        alternatives : the pictures that they make.
        """
        look = self._looked()
        network, seen = look.palette("alternatives"), look.seen
        count = whole_number("The number of alternatives", count, 1, MOST_ALTERNATIVES)
        generator = torch.Generator().manual_seed(whole_number("seed", seed, 0, LARGEST_SEED))
        with mapped_errors(), torch.inference_mode():
            given, bins = look.planes(hints), network.bins.cpu()
            parts = (part.expand(count, -1, -1, -1) for part in look.predict() if part is not None)
            each = Prediction(*parts)
            keys = cast("Tensor", each.keys)

            def logits(planes: Tensor) -> Tensor:
                leave_if(cancel)
                return told_logits(each, Telling(keys, _joined(planes, given)), bins)

            cells, known = seen.cells(network.cell), given[0, 2].nonzero() + 0.5
            anchors = self_hints(logits, bins, count, cells, generator, known)
            versions = []
            for places, colors in zip(*anchors, strict=True):
                row, column = places.long().T
                free = given[0, 2, row, column] == 0  # what a person said goes before
                versions.append(seen.hints_at(places[free], colors[free], network.cell))
            return versions

    def suggest(
        self, y: float, x: float, count: int = 5, hints: Sequence[AnyHint] = ()
    ) -> list[Suggestion]:
        """Return the colours that the model holds most likely at a place, the likeliest first.

        Parameters
        ----------
        y, x : float
            Row and column in pixels.
        count : int
            At most so many; there are fewer where few are likely, or look different.
        hints : sequence of Hint or Strokes
            Colours known at places; what is likely elsewhere depends on them.

        Raises
        ------
        PictureError
            If no picture was set, the place is none or lies outside it, or `count` is less than 1.
        ColorizeError
            If the model has no distribution of colours.
        """
        look = self._looked()
        network, seen = look.palette("suggestions"), look.seen
        count = whole_number("The number of suggestions", count, 1, len(network.bins))
        row, column = seen.cell_at(y, x, network.cell)
        with mapped_errors(), torch.inference_mode():
            shares = look.logits(hints)[0, :, row, column].softmax(dim=0)
            return suggestions_at(seen.lightness.at(y, x), shares, network.bins.cpu(), count)

    def confidence(self, hints: Sequence[AnyHint] = ()) -> NDArray[np.float32]:
        """Return how sure the model is of its colours, (H, W) float32, 0..1.

        It is 1 less the entropy of the distribution over the ab bins, in parts of the largest
        possible.

        Raises
        ------
        PictureError
            If no picture was set.
        ColorizeError
            If the model has no distribution of colours.
        """
        look = self._looked()
        look.palette("a confidence")
        with mapped_errors(), torch.inference_mode():
            return look.enlarged(confidence_of(look.logits(hints))).clamp(0, 1).numpy()

    def doubt(self, hints: Sequence[AnyHint] = ()) -> NDArray[np.float32]:
        """Return the error to expect of the colours, (H, W) float32, in units of ab.

        It is calibrated: what the model's score card measured at such a confidence, on pictures
        without hints. A model without such a score card tells what its own distribution makes it
        expect.

        Raises
        ------
        PictureError, ColorizeError
            As `confidence`.
        """
        look = self._looked()
        with mapped_errors(), torch.inference_mode():
            return look.enlarged(look.expected_error(hints)).numpy()

    def best_place(self, hints: Sequence[AnyHint] = ()) -> tuple[float, float]:
        """Return row and column, in pixels, of the place where a hint would help most.

        It is where the expected error is largest over all that a hint would reach, away from the
        hints that are given.

        Raises
        ------
        PictureError, ColorizeError
            As `confidence`.
        """
        look = self._looked()
        cell, seen = look.palette("a confidence").cell, look.seen
        with mapped_errors(), torch.inference_mode():
            error = look.expected_error(hints)[0]
            known = look.planes(hints)[0, 2].nonzero() + 0.5
            return seen.middle_of(*best_cell(error, known), cell)

    def reference_of(self, image: Any, name: str = "", strength: float = 1.0) -> Reference:
        """Return the palette of a colour picture, as a reference.

        Parameters
        ----------
        image : array_like of shape (h, w, 3) or (h, w, 4)
            uint8, uint16 or float 0..1, sRGB.
        name : str
            What it is called, for people.
        strength : float
            0..2, 1 as networks were trained.

        Raises
        ------
        PictureError
            If it is no colour picture, or a grey one.
        ColorizeError
            If the model knows no references.
        """
        network = palette_of(self._open(), self.model_name, "references")
        with mapped_errors(), torch.inference_mode():
            shares = reference_histogram(image, network.bins.cpu())[0]
        return Reference(name, tuple(shares.clamp(0, 1).tolist()), strength)

    def trust(self, pixels: NDArray[Any], *, cancel: Cancel | None = None) -> Trust:
        """Return how far the lightness of a result, (H, W, 3), lies from the picture's.

        Raises
        ------
        PictureError
            If no picture was set, or the result is of another shape.
        """
        look = self._looked()
        with mapped_errors(), torch.inference_mode():
            return lightness_error(look.seen.lightness, pixels, cancel)

    def lightness_at(self, y: float, x: float) -> float:
        """Return L, 0..100, of the pixel at a place.

        Raises
        ------
        PictureError
            If no picture was set, or the place is none or lies outside it.
        """
        seen = self._looked().seen
        seen.cell_at(y, x, 1)  # checks the place
        return seen.lightness.at(y, x)


def _joined(planes: Tensor, given: Tensor) -> Tensor:
    """Return hint planes with others laid over them."""
    return torch.where(given[:, 2:] > 0, given, planes)
