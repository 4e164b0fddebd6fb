"""The score card of a model: how far its colours are from the true ones, and a sheet to look at.

Protocol, version 2. Every picture of the folder is reduced to a short side of 256 px (Lanczos,
aspect kept, never enlarged) as uint8 sRGB: the truth. What the model sees is the truth's own
CIELAB lightness as an 8-bit grey, once; all its results are uint8. The rows:

- *model*: its result, at its default vividness if it has a distribution of colours.
- *vividness 0*: its safe average; only of a model with a distribution.
- *plain*: the bundled model of that name; left out where the model itself is of that network.
- *grey* (a = b = 0) and *mean ab* (the truth's own mean colour, an oracle), of the same grey.

Each row has these figures:

- PSNR: uint8 RGB, mean square over the 3 channels, for each picture (at most 100 dB), then the
  mean. Truths of a mean chroma below 3 are left out of it, and only of it.
- AuC: share of pixels whose ab lies within distance t of the truth, t = 0, 1, ... 150, mean over
  t, per cent; all pixels pooled, from the uint8 result. raw: pixels alike. balanced: a pixel
  weighs 1 / p of the bin of its truth, bins floor((ab + 120) / 10) on 24 x 24. half: weight
  1 / (p / 2 + 1 / (2 Q)), Q the occupied bins. p is measured on these pictures and given along.
- CIEDE2000: mean over the pixels of a picture, then over pictures.
- Colourfulness (Hasler and Suesstrunk 2003): mean over the results / mean over the truths.
- Edges, flats: how far colour stops where lightness does. The gradient length at a pixel is the
  root of the squared differences from the pixel to the right and from that below, summed over the
  channels. Where that of the truth's L is at least 10 units per px, L has an edge, and where it is
  at most 1, it is flat. Mean gradient length of ab over all such pixels / the same of the truths.

Once a card:

- Size stability: some pictures, evenly spaced in the folder, are made anew from their files with
  a short side of 128, 256, 512 and 1024 px (Lanczos, enlarged where they are smaller) and coloured
  each by itself, at default vividness; the ab of each result, averaged down to the smallest, is
  held against that of 256 px. The figure is the mean distance in ab; 0 is a colour that does not
  depend on the size. Beside it the largest over pictures of the mean distance from 128 px.
  Pictures more than 8 times as long as wide are left out: enlarged, they would fill the memory.

Of a model with a distribution, all at vividness 0:

- Hint curve: PSNR as above with 0, 1, 2, 5, 10, 20, 50 and 100 hints a picture, on at most 1000
  pictures, evenly spaced, beside the grey of the same. A hint is the mean L, a and b of a patch of
  6 x 6 px of the truth, wholly inside the picture, as sRGB; its place is uniformly random by
  numpy's generator of the seed (2024, place of the picture among those evaluated, from 0): 100
  rows, then 100 columns. Few hints are the first of many.
- Reliability: pixels in ten bins of equal numbers by the model's confidence (counted in 1000
  steps; a step in which two bins meet is split): mean confidence, mean distance in ab of the result
  without hints, and from how many bins to the next of nine the error falls.

Pictures are read, coloured and forgotten one by one: memory does not grow with the folder.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from napari_colorize.color.metrics import lab_of, psnr
from napari_colorize.color.random_hints import random_hints
from napari_colorize.color.reliability import Reliability
from napari_colorize.color.scores import Scores, Truth
from napari_colorize.errors import Cancelled, DataError, PictureError
from napari_colorize.files.cards import default_vividness
from napari_colorize.files.pictures import find_pictures, read_picture
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.score_card import (
    GREY,
    MEAN_AB,
    MODEL,
    PLAIN,
    SAFE,
    HintCurve,
    Sample,
    ScoreCard,
    Stability,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_colorize.color.hints import Hint

    Pixels = NDArray[np.uint8]

Thing = TypeVar("Thing")

PROTOCOL = (__doc__ or "").strip()
SHORT_SIDE = 256
# The first is what the results are averaged down to.
STABILITY_SIZES = (128, 256, 512, 1024)
LONGEST = 8
HINT_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)
HINT_PICTURES = 1000
HINT_SEED = 2024


def evaluate_model(
    folder: str | Path,
    *,
    model: str | Path | None = None,
    device: str = "auto",
    limit: int | None = None,
    stability: int = 16,
    samples: int = 3,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> ScoreCard:
    """Return the score card of a model on a folder of colour photographs.

    Parameters
    ----------
    folder : str or Path
        Colour pictures, sub-folders included.
    model : str, Path or None
        A model by name or file; None is the default one.
    device : str
        "auto", "cpu", "cuda" or "mps".
    limit : int or None
        At most so many pictures, evenly spaced in the sorted folder.
    stability : int
        On how many of them size stability is measured.
    samples : int
        How many best, median and worst pictures the contact sheet gets, each.
    progress : callable or None
        Called with (done, total).
    cancel : callable or None
        Returns True when the user wants out.

    Raises
    ------
    DataError
        When the folder holds no picture that can be read.
    ModelError
        When there is no such model or it is broken.
    Cancelled
        When `cancel` said so.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{str(folder)!r} is not a folder: choose a folder of photographs.")
    found = find_pictures(folder)
    paths = _evenly(found, len(found) if limit is None else limit)
    if not paths:
        raise DataError(f"No pictures are in {str(folder)!r}: choose a folder of photographs.")
    sized = _evenly(paths, stability)
    total = len(paths) + len(sized)
    with ExitStack() as opened:
        colorizer = opened.enter_context(closing(Colorizer(model, device)))
        baseline = None
        if colorizer.card["network"] != PLAIN:
            baseline = opened.enter_context(closing(Colorizer(PLAIN, device)))
        tally = _Tally(colorizer, baseline, folder, cancel)
        hinted = set(_evenly(range(len(paths)), HINT_PICTURES))
        for place, path in enumerate(paths):
            tally.take(path, place, place in hinted)
            if progress is not None:
                progress(place + 1, total)
        if tally.pictures == 0:
            reasons = "; ".join(tally.left_out)
            raise DataError(f"None of the pictures in {str(folder)!r} can be read: {reasons}.")
        distances = []
        for done, path in enumerate(sized, start=len(paths) + 1):
            if (distance := tally.move_with_size(path)) is not None:
                distances.append(distance)
            if progress is not None:
                progress(done, total)
        return tally.card(samples, distances)


class _Tally:
    """The sums over a folder, and nothing of its pictures but names and two figures."""

    def __init__(
        self,
        colorizer: Colorizer,
        baseline: Colorizer | None,
        folder: Path,
        cancel: Callable[[], bool] | None,
    ) -> None:
        names = (MODEL, *[SAFE] * colorizer.has_distribution, *[PLAIN] * (baseline is not None))
        self.rows = {name: Scores() for name in (*names, GREY, MEAN_AB)}
        self.pictures = 0
        self.left_out: dict[str, list[str]] = {}
        self._ranking: list[tuple[float, float, Path]] = []
        self._curve = _Curve()
        self._reliability = Reliability()
        self._colorizer = colorizer
        self._baseline = baseline
        self._folder = folder
        self._cancel = cancel

    def take(self, path: Path, place: int, hinted: bool) -> None:
        """Colour one picture and add it to the rows; a bad file is noted and left out."""
        try:
            truth = Truth(read_truth(path))
        except PictureError as error:
            self.left_out.setdefault(str(error), []).append(self._name(path))
            return
        results = self._results(truth)
        psnrs = {name: scores.add(results[name], truth) for name, scores in self.rows.items()}
        self.pictures += 1
        if (best := psnrs[MODEL]) is not None and (grey := psnrs[GREY]) is not None:
            self._ranking.append((best - grey, best, path))
            if SAFE in results and hinted:
                self._add_hints(truth, results[SAFE], place)
        if SAFE in results:
            away = lab_of(results[SAFE])[..., 1:] - truth.lab[..., 1:]
            distance = np.sqrt((away * away).sum(axis=-1))
            self._reliability.add(self._colorizer.confidence(), distance)

    def move_with_size(self, path: Path) -> dict[int, dict[int, float]] | None:
        """Return the ab distance of each size from each; None for a bad or long picture."""
        try:
            truth = read_truth(path, short_side=None)
        except PictureError:
            return None
        if max(truth.shape[:2]) > LONGEST * min(truth.shape[:2]):
            return None
        small: dict[int, torch.Tensor] = {}
        for px in STABILITY_SIZES:
            self._look(Truth(_resized(truth, px)).grey)
            ab = torch.from_numpy(lab_of(self._colour())[..., 1:]).movedim(-1, 0)[None]
            height, width = small.get(STABILITY_SIZES[0], ab).shape[-2:]
            small[px] = functional.adaptive_avg_pool2d(ab, (height, width))  # (1, 2, h, w)
        return {
            base: {px: float((ab - small[base]).norm(dim=1).mean()) for px, ab in small.items()}
            for base in (SHORT_SIDE, STABILITY_SIZES[0])
        }

    def card(self, samples: int, moves: Sequence[dict[int, dict[int, float]]]) -> ScoreCard:
        """Return all that was found."""
        card = self._colorizer.card
        return ScoreCard(
            protocol=PROTOCOL,
            model=self._colorizer.model_name,
            hash=card["hash"],
            device=self._colorizer.device,
            vividness=default_vividness(card),
            pictures=self.pictures,
            nearly_grey=self.pictures - len(self._ranking),
            left_out={reason: tuple(names) for reason, names in self.left_out.items()},
            rows={name: scores.figures() for name, scores in self.rows.items()},
            p=self.rows[MODEL].auc.p,
            slopes=self.rows[MODEL].true_slopes(),
            hint_curve=self._curve.result(),
            reliability=self._reliability.bins(),
            stability=_stability(moves),
            samples=tuple(self._samples(samples)),
        )

    def _samples(self, count: int) -> Iterator[Sample]:
        """Yield the best, median and worst pictures by PSNR over grey, coloured once more."""
        ranked = sorted(self._ranking, key=lambda one: (-one[0], one[2]))
        count = min(count, max(1, len(ranked) // 3))
        middle = (len(ranked) - count + 1) // 2
        kinds = {
            "best": ranked[:count],
            "median": ranked[middle : middle + count],
            "worst": ranked[max(0, len(ranked) - count) :],
        }
        for kind, chosen in kinds.items():
            for gain, level, path in chosen:
                truth = Truth(read_truth(path))
                results = self._results(truth)
                columns = (GREY, PLAIN, SAFE, MODEL) if SAFE in results else (GREY, MODEL)
                shown = {name: results[name] for name in columns if name in results}
                yield Sample(kind, self._name(path), level, gain, shown | {"true": truth.rgb})

    def _results(self, truth: Truth) -> dict[str, Pixels]:
        """Return a picture as every row has it."""
        self._look(truth.grey)
        results = {MODEL: self._colour()}
        if SAFE in self.rows:
            results[SAFE] = self._colour((), 0.0)
        if self._baseline is not None:
            self._baseline.set_picture(truth.grey, cancel=self._cancel)
            results[PLAIN] = np.asarray(self._baseline.colorize(cancel=self._cancel), np.uint8)
        return results | {GREY: truth.colorless, MEAN_AB: truth.evenly_tinted}

    def _add_hints(self, truth: Truth, unhinted: Pixels, place: int) -> None:
        """Add a picture, which the model has looked at, to the hint curve."""
        hints = random_hints(truth.lab, max(HINT_COUNTS), (HINT_SEED, place))
        levels = [
            psnr(self._colour(hints[:count], 0.0) if count else unhinted, truth.rgb)
            for count in HINT_COUNTS
        ]
        self._curve.add(levels, psnr(truth.colorless, truth.rgb))

    def _look(self, grey: Pixels) -> None:
        """Let the model look at a grey picture (H, W)."""
        if self._cancel is not None and self._cancel():
            raise Cancelled("The evaluation was cancelled.")
        self._colorizer.set_picture(grey, cancel=self._cancel)

    def _colour(self, hints: Sequence[Hint] = (), vividness: float | None = None) -> Pixels:
        """Return that picture in colour, (H, W, 3)."""
        coloured = self._colorizer.colorize(hints, vividness=vividness, cancel=self._cancel)
        return np.asarray(coloured, np.uint8)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


class _Curve:
    """PSNR by number of hints, and that of grey, summed up picture by picture."""

    def __init__(self) -> None:
        self._levels = np.zeros(len(HINT_COUNTS))
        self._grey = 0.0
        self._pictures = 0

    def add(self, levels: Sequence[float], grey: float) -> None:
        """Take in a picture: PSNR for each of `HINT_COUNTS`, and of grey."""
        self._levels += levels
        self._grey += grey
        self._pictures += 1

    def result(self) -> HintCurve | None:
        """Return the means, None when no picture was taken in."""
        if not self._pictures:
            return None
        means = (self._levels / self._pictures).tolist()
        curve = dict(zip(HINT_COUNTS, means, strict=True))
        return HintCurve(self._pictures, curve, self._grey / self._pictures)


def _stability(moves: Sequence[dict[int, dict[int, float]]]) -> Stability:
    """Return the distances of all pictures in one."""
    if not moves:
        return Stability(0, {}, {})
    smallest = STABILITY_SIZES[0]
    return Stability(
        pictures=len(moves),
        mean={
            px: float(np.mean([one[SHORT_SIDE][px] for one in moves]))
            for px in STABILITY_SIZES if px != SHORT_SIDE
        },
        largest={px: max(one[smallest][px] for one in moves) for px in STABILITY_SIZES[1:]},
    )  # fmt: skip


def read_truth(path: Path, short_side: int | None = SHORT_SIDE) -> Pixels:
    """Return a picture as (H, W, 3) uint8, its short side at most `short_side` px.

    Raises
    ------
    PictureError
        When the file cannot be read.
    """
    pixels = read_picture(path).pixels
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    if short_side is not None and min(pixels.shape[:2]) > short_side:
        return _resized(pixels, short_side)
    return np.ascontiguousarray(pixels)


def _resized(pixels: Pixels, short_side: int) -> Pixels:
    """Return the picture at another size, aspect kept."""
    height, width = pixels.shape[:2]
    scale = short_side / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _evenly(things: Sequence[Thing], count: int) -> list[Thing]:
    """Return `count` of the things, evenly spaced; all of them when there are fewer."""
    count = max(0, min(count, len(things)))
    return [things[i * len(things) // count] for i in range(count)]
