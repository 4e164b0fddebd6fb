"""A network that has looked at one picture: it answers hints, and draws what is wanted."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np
import torch
from torch.nn import functional

from napari_colorize.color.adjusting import adjusted
from napari_colorize.color.gamut import confidence_of, toward_median
from napari_colorize.color.guided import Guide
from napari_colorize.color.steering import Steering, checked_hints
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.cards import default_vividness
from napari_colorize.networks.devices import choose_precision
from napari_colorize.networks.palette import Palette
from napari_colorize.prediction.doubt import expected_error
from napari_colorize.prediction.strips import recombined, threads
from napari_colorize.prediction.telling import Telling, told_logits
from napari_colorize.prediction.vividness import EVENED, vivid_ab

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_colorize.color.guided import GuidedColor
    from napari_colorize.color.lightness import Lightness
    from napari_colorize.color.steering import AnyHint, Reference
    from napari_colorize.color.strokes import LabelMap
    from napari_colorize.networks.interface import ColorNetwork, Prediction
    from napari_colorize.prediction.guards import Cancel
    from napari_colorize.prediction.seeing import Seen
    from napari_colorize.prediction.strips import Progress
    from napari_colorize.prediction.window import Window

WHOLE = (slice(None), slice(None))
# Answers that are kept: with and without reference, inside and outside a region.
KEPT_ANSWERS = 4
# The shares of the bins in a reference, if there is one.
Question: TypeAlias = "tuple[float, ...] | None"

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Steady: TypeAlias = "Callable[[str, Prediction], Prediction]"


class Drawn(NamedTuple):
    """Pixels, (H, W, 3), and which of them lay outside the gamut, (H, W) bool, if asked for."""

    pixels: NDArray[np.generic]
    fitted: NDArray[np.bool_] | None


class Look:
    """What a network knows of a picture; the last answer is kept.

    Parameters
    ----------
    network : ColorNetwork
    card : dict
        The model's.
    device : str
        Where the network is.
    seen : Seen
        The picture.
    """

    def __init__(
        self,
        network: ColorNetwork,
        card: dict[str, Any],
        device: str,
        seen: Seen,
    ) -> None:
        self.network = network
        self.card = card
        self.device = device
        self.seen = seen
        self._steady: Steady | None = None
        self._answers: deque[tuple[Question, Prediction]] = deque(maxlen=KEPT_ANSWERS)
        self._vivid: deque[tuple[tuple[Question, float | None], Tensor]] = deque(
            maxlen=KEPT_ANSWERS
        )
        self._told: deque[tuple[tuple[AnyHint, ...], Telling]] = deque(maxlen=KEPT_ANSWERS)
        self._outside: tuple[Steering, np.dtype[np.generic], Drawn] | None = None
        self._inside: tuple[LabelMap, NDArray[np.bool_]] | None = None

    def palette(self, wish: str) -> Palette:
        """Return the network, or raise ColorizeError if it has but one answer."""
        return palette_of(self.network, self.card["name"], wish)

    def small_lightness(self) -> Tensor:
        """Return L of the picture made small, (h, w) float32: what `steady` may go by."""
        small = self.seen.guide.lightness[None]
        return functional.avg_pool2d(small, 2, ceil_mode=True, count_include_pad=False)[0]

    def steady(self, steady: Steady | None) -> None:
        """Have answers changed before they are used; those that were given are forgotten.

        `steady` gets the kind of a question, "plain" or "reference", and the network's answer;
        what it returns is taken instead.
        """
        self._steady = steady
        for kept in (self._answers, self._vivid, self._told):
            kept.clear()
        self._outside = None

    def predict(self, reference: Question = None) -> Prediction:
        """Return the network's answer for the cells of the picture, on the CPU; it is kept."""
        return _kept(self._answers, reference, self._ask)

    def _ask(self, reference: Question) -> Prediction:
        shares = None if reference is None else torch.tensor(reference, device=self.device)[None]
        with autocast(self.device):
            prediction = self.network.decode(self.seen.features, shares)
        if self._steady is not None:
            prediction = self._steady("plain" if reference is None else "reference", prediction)
        prediction = prediction.inside(*self.seen.cells(self.network.cell))
        if prediction.logits is None:
            return prediction
        bins = self.palette("a distribution").bins.cpu()
        return prediction._replace(ab=toward_median(prediction.ab, prediction.logits, bins))

    def telling(self, hints: Sequence[AnyHint]) -> Telling:
        """Return what hints tell of the cells of the picture; it is kept."""
        self.palette("hints")
        hints = checked_hints(hints, self.seen.lightness.shape)
        keys = cast("Tensor", self.predict().keys)
        return _kept(self._told, hints, lambda hints: Telling(keys, self.planes(hints)))

    def logits(self, hints: Sequence[AnyHint] = ()) -> Tensor:
        """Return the distribution of the cells' colours where hints are known, (1, Q, h, w)."""
        prediction, bins = self.predict(), self.palette("a distribution").bins.cpu()
        if hints:
            return told_logits(prediction, self.telling(hints), bins)
        return cast("Tensor", prediction.logits)

    def planes(self, hints: Sequence[AnyHint]) -> Tensor:
        """Return hints as planes on the cells of the network's answer, (1, 3, h, w) on the CPU."""
        cell = self.palette("hints").cell
        return self.seen.hint_planes(checked_hints(hints, self.seen.lightness.shape), cell)

    def draw(
        self,
        steering: Steering,
        dtype: np.dtype[np.generic],
        *,
        window: Window | None = None,
        with_fitted: bool = False,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> Drawn:
        """Return the picture, or what a window shows of it, as it is steered."""
        inside = None if steering.region is None else self._where(steering.region)
        color, lightness = threads.alone(lambda: self._small(steering, window))
        place = WHOLE if window is None else window.slices
        blend = steering.adjustments.blend
        fitted = np.empty(lightness.shape, dtype=bool) if with_fitted else None
        pixels = recombined(lightness, color, dtype, cancel, progress, blend=blend, fitted=fitted)
        if inside is None:
            return Drawn(pixels, fitted)
        kept, elsewhere = self._kept_outside(steering.outside or Steering(), dtype, cancel), ~inside
        np.copyto(pixels, kept.pixels[place], where=elsewhere[place][..., None])
        if fitted is not None and kept.fitted is not None:
            np.copyto(fitted, kept.fitted[place], where=elsewhere[place])
        return Drawn(pixels, fitted)

    def expected_error(self, hints: Sequence[AnyHint]) -> Tensor:
        """Return the expected distance in ab from the true colours, (1, h, w) in cells."""
        bins, logits = self.palette("a confidence").bins.cpu(), self.logits(hints)
        return expected_error(confidence_of(logits), logits, bins, self.card)

    def enlarged(self, cells: Tensor) -> Tensor:
        """Return what cells say, (1, h, w), at every pixel of the picture, (H, W) on the CPU."""
        seen = self.seen
        full = self.network.enlarged(cells[:, None], seen.shape, seen.lightness.shape)
        return full[0, 0]

    def guided(self, ab: Tensor) -> GuidedColor:
        """Return the colours of cells (1, 2, h, w), ready for any strip of the picture."""
        seen = self.seen
        small = self.network.enlarged(ab, seen.shape, seen.guide.shape)
        return seen.guide.fit(small[0], seen.lightness.shape)

    @torch.inference_mode()
    def lines(self, steering: Steering) -> Tensor:
        """Return the colours as lines from L to ab, for `GuidedColor` at any size of the picture.

        What is not of the colours of the network is left out: a region, and a blend.
        """
        return self.guided(self._ab(steering)).lines

    @torch.inference_mode()
    def _small(self, steering: Steering, window: Window | None) -> tuple[GuidedColor, Lightness]:
        """Return all that the pixels of the picture, or of a window, are made of."""
        color, lightness = self.guided(self._ab(steering)), self.seen.lightness
        if window is None:
            return color, lightness
        return color.part(*window.slices), lightness.part(*window.slices)

    def _ab(self, steering: Steering) -> Tensor:
        """Return a and b of the cells, (1, 2, h, w), as they are steered."""
        vividness = steering.vividness
        if vividness is None:
            vividness = default_vividness(self.card)
        ab = _kept(self._vivid, (None, vividness), self._make_vivid)
        if steering.reference is not None:
            moved = (self._shares(steering.reference), vividness)
            moved_ab = _kept(self._vivid, moved, self._make_vivid)
            ab = torch.lerp(ab, moved_ab, steering.reference.strength)
        if steering.hints:
            ab = self.telling(steering.hints).carry(ab)
        return adjusted(ab, steering.adjustments)

    def _make_vivid(self, asked: tuple[Question, float | None]) -> Tensor:
        """Return a and b of the cells with a reference or without, at a vividness."""
        reference, vividness = asked
        prediction = self.predict(reference)
        if vividness is None:
            return prediction.ab
        network = self.palette("vividness")
        bins, log_prior = network.bins.cpu(), network.log_prior.cpu()
        return vivid_ab(prediction, bins, log_prior, vividness, self._cells)

    @cached_property
    def _cells(self) -> Guide:
        """L of the picture in cells of the network's answer."""
        lightness, shape = self.seen.guide.lightness[None, None], self.seen.shape
        seen = functional.interpolate(lightness, shape, mode="bilinear", antialias=True)
        means = functional.avg_pool2d(
            seen, self.network.cell, ceil_mode=True, count_include_pad=False
        )
        return Guide(means[0, 0], EVENED)

    def _shares(self, reference: Reference) -> tuple[float, ...]:
        count = len(self.palette("references").bins)
        if len(reference.shares) != count:
            raise PictureError(
                f"The palette of the reference {reference.name!r} has {len(reference.shares)} "
                f"colours and not {count}: choose the reference again."
            )
        return reference.shares

    def _where(self, region: LabelMap) -> NDArray[np.bool_]:
        """Return which pixels lie in a region, (H, W); of the last one it is kept."""
        if region.shape != self.seen.lightness.shape:
            raise PictureError(
                f"The region is of a picture of {region.shape[0]} x {region.shape[1]} px, this one "
                f"has {self.seen.lightness.shape[0]} x {self.seen.lightness.shape[1]} px."
            )
        if self._inside is None or self._inside[0] != region:
            self._inside = (region, region.to_array() > 0)
        return self._inside[1]

    def _kept_outside(
        self, steering: Steering, dtype: np.dtype[np.generic], cancel: Cancel | None
    ) -> Drawn:
        """Return the whole picture as it holds outside a region; the last one is kept."""
        if self._outside is None or self._outside[:2] != (steering, dtype):
            inside = self._inside
            drawn = self.draw(steering, dtype, with_fitted=True, cancel=cancel)
            self._outside, self._inside = (steering, dtype, drawn), inside
        return self._outside[2]


def _kept(
    known: deque[tuple[Asked, Answer]], asked: Asked, answer: Callable[[Asked], Answer]
) -> Answer:
    """Return the answer to a question, which is kept among the last few."""
    for question, given in known:
        if question == asked:
            return given
    known.append((asked, answer(asked)))
    return known[-1][1]


def palette_of(network: ColorNetwork, model: str, wish: str) -> Palette:
    """Return the network, or raise ColorizeError if it has but one answer."""
    if not isinstance(network, Palette):
        raise ColorizeError(
            f"The model {model!r} gives one colour a place and knows no {wish}: "
            "choose a model of the network palette."
        )
    return network


def autocast(device: str) -> torch.autocast:
    """Return the context in which a network runs on a device."""
    half = choose_precision(device) == "bf16-mixed"
    return torch.autocast(device.split(":")[0], torch.bfloat16, enabled=half)
