"""A model at work on one picture: it looks once, colours come out often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from napari_colorize.color.gamut import confidence_of
from napari_colorize.color.guided import Guide, GuidedColor
from napari_colorize.color.hints import checked_hints
from napari_colorize.color.lightness import Lightness
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.cards import default_vividness
from napari_colorize.files.models import find_model
from napari_colorize.networks.devices import choose_device, choose_precision
from napari_colorize.networks.palette import Palette
from napari_colorize.networks.weights import load_network
from napari_colorize.prediction.alternatives import self_hints
from napari_colorize.prediction.checks import MOST_ALTERNATIVES, output_type, whole_number
from napari_colorize.prediction.guards import Cancel, cancellable, leave_if, mapped_errors
from napari_colorize.prediction.seeing import Seen, reference_histogram, working_shape
from napari_colorize.prediction.strips import Progress, recombined, threads
from napari_colorize.prediction.suggestions import Suggestion, suggestions_at
from napari_colorize.prediction.vividness import checked_vividness, vivid_ab

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.color.hints import Hint
    from napari_colorize.networks.interface import ColorNetwork, Prediction

# Short side of the small picture whose edges the colour follows, in working sizes.
GUIDE = 2
LARGEST_SEED = 2**63 - 1

OutputType = Literal["uint8", "uint16"]


class Colorizer:
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

    def __init__(self, model: str | Path | None = None, device: str = "auto") -> None:
        choice = choose_device(device)
        self.device = choice.device
        self.device_reason = choice.reason
        network, self.card = load_network(find_model(model))
        self._network: ColorNetwork | None = network
        with mapped_errors():
            network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._seen: Seen | None = None
        self._reference: tuple[Any, Tensor] | None = None

    @property
    def model_name(self) -> str:
        """Name of the model, from its card."""
        return str(self.card["name"])

    @property
    def has_distribution(self) -> bool:
        """Whether the model knows hints, vividness, references, alternatives and confidence."""
        return self._open().has_distribution

    def set_picture(
        self,
        image: Any,
        *,
        contrast_limits: Sequence[float] | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """Let the network look at a picture.

        Parameters
        ----------
        image : array_like of shape (H, W), (H, W, 3) or (H, W, 4)
            bool; integers, by the range of their type; floats 0..1; others by `contrast_limits`.
            It must not change until the picture is coloured.
        contrast_limits : (low, high), optional
            The values of black and white of a grey picture.
        cancel : callable, optional
            Is asked often; the work ends with `Cancelled` when it returns True.

        Raises
        ------
        PictureError
            If the picture cannot be coloured.
        ColorizeError
            If the memory does not suffice.
        """
        self._seen = None
        self._open()
        lightness = Lightness(image, contrast_limits, cancel)
        with mapped_errors():
            self._seen = self._look(lightness, cancel)

    def colorize(
        self,
        hints: Sequence[Hint] = (),
        *,
        vividness: float | None = None,
        reference: Any = None,
        dtype: OutputType = "uint8",
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.generic]:
        """Return the picture in colour.

        Parameters
        ----------
        hints : sequence of Hint
            Colours wanted at places.
        vividness : float, optional
            0 is the safe average, 1 the likeliest colours; None takes the model's default.
        reference : array_like of shape (h, w, 3), optional
            A colour picture, uint8 or float 0..1, whose palette sets the mood. What is known of
            it is kept while the same object is given, so it must not change meanwhile.
        dtype : "uint8" or "uint16"
        cancel, progress : callable, optional
            `progress` is told strips done and all strips.

        Returns
        -------
        ndarray of shape (H, W, 3)
            sRGB over the whole range of the type, with the L of the picture.

        Raises
        ------
        PictureError
            If no picture was set, `dtype` is another, a hint lies outside the picture, the
            vividness is none, or the reference is no colour picture.
        ColorizeError
            If the memory does not suffice, or the model knows no hints, vividness or references
            and some were given.
        """
        seen = self._picture()
        kind = output_type(dtype)
        with mapped_errors(), torch.inference_mode():
            prediction = self._predict(seen, hints, reference)
            color = self._guided(seen, self._ab(prediction, vividness))
            return recombined(seen.lightness, color, kind, cancel, progress)

    def alternatives(
        self,
        count: int = 4,
        hints: Sequence[Hint] = (),
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
        hints : sequence of Hint
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
        seen, network = self._picture(), self._palette("alternatives")
        kind = output_type(dtype)
        count = whole_number("The number of alternatives", count, 1, MOST_ALTERNATIVES)
        generator = torch.Generator().manual_seed(whole_number("seed", seed, 0, LARGEST_SEED))
        if vividness is not None:
            vividness = checked_vividness(vividness)
        with mapped_errors(), torch.inference_mode():
            given = self._planes(seen, checked_hints(hints, seen.lightness.shape))
            features = tuple(part.expand(count, -1, -1, -1) for part in seen.features)

            def decode(planes: Tensor) -> Prediction:
                leave_if(cancel)
                with self._autocast():
                    return network.decode(features, _joined(planes, given))

            planes = self_hints(decode, network.bins, count, seen.cells(network.cell), generator)
            ab = self._ab(decode(planes), vividness)
            results = []
            for one in ab.split(1):
                color = self._guided(seen, one)
                results.append(recombined(seen.lightness, color, kind, cancel, None))
                if progress is not None:
                    progress(len(results), count)
        return np.stack(results)

    def suggest(
        self, y: float, x: float, count: int = 5, hints: Sequence[Hint] = ()
    ) -> list[Suggestion]:
        """Return the colours that the model holds most likely at a place, the likeliest first.

        Parameters
        ----------
        y, x : float
            Row and column in pixels.
        count : int
            At most so many; there are fewer where few are likely, or look different.
        hints : sequence of Hint
            Colours known at places; what is likely elsewhere depends on them.

        Raises
        ------
        PictureError
            If no picture was set, the place is none or lies outside it, or `count` is less than 1.
        ColorizeError
            If the model has no distribution of colours.
        """
        seen, network = self._picture(), self._palette("suggestions")
        count = whole_number("The number of suggestions", count, 1, len(network.bins))
        row, column = seen.cell_at(y, x, network.cell)
        with mapped_errors(), torch.inference_mode():
            logits = cast("Tensor", self._predict(seen, hints, None).logits)
            shares = logits[0, :, row, column].softmax(dim=0).cpu()
            return suggestions_at(seen.lightness.at(y, x), shares, network.bins.cpu(), count)

    def confidence(self, hints: Sequence[Hint] = ()) -> NDArray[np.float32]:
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
        seen, network = self._picture(), self._palette("a confidence")
        with mapped_errors(), torch.inference_mode():
            logits = cast("Tensor", self._predict(seen, hints, None).logits)
            sure = confidence_of(logits)[:, None].cpu()
            full = network.enlarged(sure, seen.shape, seen.lightness.shape)
            return full[0, 0].clamp(0, 1).numpy()

    def close(self) -> None:
        """Let go of the network and the picture, and of the memory of the GPU."""
        self._seen = self._network = self._reference = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self.device == "mps":
            torch.mps.empty_cache()

    def _open(self) -> ColorNetwork:
        if self._network is None:
            raise ColorizeError("This Colorizer was closed: make a new one.")
        return self._network

    def _picture(self) -> Seen:
        self._open()
        if self._seen is None:
            raise PictureError("No picture was set: call set_picture(image) first.")
        return self._seen

    def _palette(self, wish: str) -> Palette:
        """Return the network, or raise ColorizeError if it has but one answer."""
        network = self._open()
        if not isinstance(network, Palette):
            raise ColorizeError(
                f"The model {self.model_name!r} gives one colour a place and knows no {wish}: "
                "choose a model of the network palette."
            )
        return network

    @torch.inference_mode()
    def _look(self, lightness: Lightness, cancel: Cancel | None) -> Seen:
        """Return what a picture is to the network, ready to be coloured."""
        network = self._open()
        size = int(self.card["working_size"])
        shape = working_shape(lightness.shape, size)
        with threads.pool() as pool:
            seen = pool.submit(lightness.reduced, *shape, cancel)
            reduced = pool.submit(
                lightness.reduced, *working_shape(lightness.shape, GUIDE * size), cancel
            )
            guide = Guide(reduced.result())
        with cancellable(network, cancel), self._autocast():
            features = network.encode(seen.result()[None, None].to(self.device))
        return Seen(lightness, guide, features, shape)

    def _autocast(self) -> torch.autocast:
        half = choose_precision(self.device) == "bf16-mixed"
        return torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=half)

    def _predict(self, seen: Seen, hints: Sequence[Hint], reference: Any) -> Prediction:
        """Return the network's answer for the picture."""
        network = self._open()
        hints = checked_hints(hints, seen.lightness.shape)
        planes = self._planes(seen, hints) if hints else None
        if reference is not None:
            reference = self._histogram(reference)
        with self._autocast():
            return network.decode(seen.features, planes, reference)

    def _histogram(self, reference: Any) -> Tensor:
        """Return the shares of the bins in a reference, (1, Q); of the last one they are kept."""
        bins = self._palette("references").bins
        if self._reference is None or self._reference[0] is not reference:
            shares = reference_histogram(reference, bins.cpu()).to(self.device)
            self._reference = (reference, shares)
        return self._reference[1]

    def _planes(self, seen: Seen, hints: Sequence[Hint]) -> Tensor:
        """Return hints as planes on the cells of the network's answer, (1, 3, h, w)."""
        network = self._palette("hints")
        return seen.hint_planes(hints, network.cell).to(self.device)

    def _ab(self, prediction: Prediction, vividness: float | None) -> Tensor:
        """Return a and b of the cells, (B, 2, h, w), at a vividness."""
        if vividness is None and prediction.logits is None:
            return prediction.ab
        network = self._palette("vividness")
        wanted = default_vividness(self.card) if vividness is None else vividness
        return vivid_ab(prediction, network.bins, network.log_prior, checked_vividness(wanted))

    def _guided(self, seen: Seen, ab: Tensor) -> GuidedColor:
        """Return the colours of cells (1, 2, h, w), ready for any strip of the picture."""
        small = self._open().enlarged(ab.float().cpu(), seen.shape, seen.guide.shape)
        return seen.guide.fit(small[0], seen.lightness.shape)


def _joined(planes: Tensor, given: Tensor) -> Tensor:
    """Return hint planes with others laid over them."""
    return torch.where(given[:, 2:] > 0, given, planes)
