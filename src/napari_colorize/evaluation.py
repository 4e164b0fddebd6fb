"""The score card of a model: how far its colours are from the true ones, and a sheet to look at.

Protocol, version 1. Every picture of the folder is reduced to a short side of 256 px (Lanczos,
aspect kept, never enlarged) as uint8 sRGB: the truth. What the model sees is the truth's own
CIELAB lightness as an 8-bit grey. Its uint8 result is held against the truth, beside two rows made
from the same grey: *grey* (a = b = 0) and *mean ab* (the truth's own mean colour, an oracle).

- PSNR: uint8 RGB, mean square over the 3 channels, for each picture (at most 100 dB), then the
  mean. Truths of a mean chroma below 3 are left out of it, and only of it.
- AuC: share of pixels whose ab lies within distance t of the truth, t = 0, 1, ... 150, mean over
  t, per cent; all pixels pooled, from the uint8 result. raw: pixels alike. balanced: a pixel
  weighs 1 / p of the bin of its truth, bins floor((ab + 120) / 10) on 24 x 24. half: weight
  1 / (p / 2 + 1 / (2 Q)), Q the occupied bins. p is measured on these pictures and given along.
- CIEDE2000: mean over the pixels of a picture, then over pictures.
- Colourfulness (Hasler and Suesstrunk 2003): mean over the results / mean over the truths.
- Size stability: some pictures, evenly spaced in the folder, are made anew from their files with
  a short side of 128, 256, 512 and 1024 px (Lanczos, enlarged where they are smaller) and coloured
  each by itself; the ab of each result, averaged down to the smallest, is held against that of
  256 px. The figure is the mean distance in ab; 0 is a colour that does not depend on the size.
  Pictures more than 8 times as long as wide are left out: enlarged, they would fill the memory.

Pictures are read, coloured and forgotten one by one: memory does not grow with the folder.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from napari_colorize.color.lab import grey_of_lightness, lab_to_rgb
from napari_colorize.color.metrics import Scores, lab_of
from napari_colorize.errors import Cancelled, DataError, PictureError
from napari_colorize.files.pictures import find_pictures, read_picture
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.score_card import GREY, MEAN_AB, MODEL, Sample, ScoreCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

PROTOCOL = (__doc__ or "").strip()
SHORT_SIDE = 256
# The first is what the results are averaged down to.
STABILITY_SIZES = (128, 256, 512, 1024)
LONGEST = 8


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
    with closing(Colorizer(model, device)) as colorizer:
        tally = _Tally(colorizer, folder, cancel)
        for done, path in enumerate(paths, start=1):
            tally.take(path)
            if progress is not None:
                progress(done, total)
        if tally.pictures == 0:
            reasons = "; ".join(tally.left_out)
            raise DataError(f"None of the pictures in {str(folder)!r} can be read: {reasons}.")
        distances = []
        for done, path in enumerate(sized, start=len(paths) + 1):
            if (distance := tally.move_with_size(path)) is not None:
                distances.append(distance)
            if progress is not None:
                progress(done, total)
        others = [px for px in STABILITY_SIZES if px != SHORT_SIDE]
        return ScoreCard(
            protocol=PROTOCOL,
            model=colorizer.model_name,
            hash=colorizer.card["hash"],
            device=colorizer.device,
            pictures=tally.pictures,
            nearly_grey=tally.pictures - len(tally.ranking),
            left_out={reason: tuple(names) for reason, names in tally.left_out.items()},
            rows={name: scores.figures() for name, scores in tally.rows.items()},
            p=tally.rows[MODEL].auc.p,
            stability={
                px: float(np.mean([d[px] for d in distances])) for px in others if distances
            },
            stability_pictures=len(distances),
            samples=tuple(tally.samples(samples)),
        )


class _Tally:
    """The sums over a folder, and nothing of its pictures but names and two figures."""

    def __init__(
        self, colorizer: Colorizer, folder: Path, cancel: Callable[[], bool] | None
    ) -> None:
        self.rows = {name: Scores() for name in (MODEL, GREY, MEAN_AB)}
        self.pictures = 0
        self.left_out: dict[str, list[str]] = {}
        self.ranking: list[tuple[float, float, Path]] = []
        self._colorizer = colorizer
        self._folder = folder
        self._cancel = cancel

    def take(self, path: Path) -> None:
        """Colour one picture and add it to the rows; a bad file is noted and left out."""
        try:
            truth = read_truth(path)
        except PictureError as error:
            name = path.relative_to(self._folder).as_posix()
            self.left_out.setdefault(str(error), []).append(name)
            return
        lab = lab_of(truth)
        grey = grey_input(lab)
        predicted = self._colour(grey)
        psnr = self.rows[MODEL].add(predicted, truth, lab)
        grey_psnr = self.rows[GREY].add(np.repeat(grey[..., None], 3, axis=-1), truth, lab)
        self.rows[MEAN_AB].add(_evenly_tinted(grey, lab), truth, lab)
        self.pictures += 1
        if psnr is not None and grey_psnr is not None:
            self.ranking.append((psnr - grey_psnr, psnr, path))

    def move_with_size(self, path: Path) -> dict[int, float] | None:
        """Return the ab distance of each other size from 256 px; None for a bad or long one."""
        try:
            truth = read_truth(path, short_side=None)
        except PictureError:
            return None
        if max(truth.shape[:2]) > LONGEST * min(truth.shape[:2]):
            return None
        coloured = {}
        for px in STABILITY_SIZES:
            ab = lab_of(self._colour(grey_input(lab_of(_resized(truth, px)))))[..., 1:]
            coloured[px] = torch.from_numpy(ab).movedim(-1, 0)[None]  # (1, 2, H, W)
        height, width = coloured[STABILITY_SIZES[0]].shape[-2:]
        small = {
            px: functional.adaptive_avg_pool2d(ab, (height, width)) for px, ab in coloured.items()
        }
        return {px: float((ab - small[SHORT_SIDE]).norm(dim=1).mean()) for px, ab in small.items()}

    def samples(self, count: int) -> Iterator[Sample]:
        """Yield the best, median and worst pictures by PSNR over grey, coloured once more."""
        ranked = sorted(self.ranking, key=lambda one: (-one[0], one[2]))
        count = min(count, max(1, len(ranked) // 3))
        middle = (len(ranked) - count + 1) // 2
        kinds = {
            "best": ranked[:count],
            "median": ranked[middle : middle + count],
            "worst": ranked[max(0, len(ranked) - count) :],
        }
        for kind, chosen in kinds.items():
            for gain, psnr, path in chosen:
                truth = read_truth(path)
                grey = grey_input(lab_of(truth))
                name = path.relative_to(self._folder).as_posix()
                three = np.repeat(grey[..., None], 3, axis=-1)
                yield Sample(kind, name, psnr, gain, three, self._colour(grey), truth)

    def _colour(self, grey: Pixels) -> Pixels:
        """Return a grey picture (H, W) in colour, (H, W, 3)."""
        if self._cancel is not None and self._cancel():
            raise Cancelled("The evaluation was cancelled.")
        self._colorizer.set_picture(grey, cancel=self._cancel)
        return np.asarray(self._colorizer.colorize(cancel=self._cancel), np.uint8)


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


def grey_input(lab: NDArray[np.float32]) -> Pixels:
    """Return the 8-bit grey, (H, W), whose lightness is that of a Lab picture (H, W, 3)."""
    grey = grey_of_lightness(torch.from_numpy(np.ascontiguousarray(lab[..., 0])))
    return _to_uint8(grey)


def _evenly_tinted(grey: Pixels, lab: NDArray[np.float32]) -> Pixels:
    """Return a grey picture with the mean a and b of a Lab picture everywhere."""
    tinted = lab_of(np.repeat(grey[..., None], 3, axis=-1))
    tinted[..., 1:] = lab[..., 1:].mean(axis=(0, 1), dtype=np.float64)
    return _to_uint8(lab_to_rgb(torch.from_numpy(tinted).movedim(-1, 0)).movedim(0, -1))


def _to_uint8(values: torch.Tensor) -> Pixels:
    """Return values 0..1 as uint8."""
    pixels: Pixels = (values * 255).round().clamp(0, 255).byte().contiguous().numpy()
    return pixels


def _resized(pixels: Pixels, short_side: int) -> Pixels:
    """Return the picture at another size, aspect kept."""
    height, width = pixels.shape[:2]
    scale = short_side / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _evenly(paths: Sequence[Path], count: int) -> list[Path]:
    """Return `count` of the paths, evenly spaced; all of them when there are fewer."""
    count = max(0, min(count, len(paths)))
    return [paths[i * len(paths) // count] for i in range(count)]
