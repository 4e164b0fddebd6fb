"""One row of a score card: its figures, summed up picture by picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_colorize.color.bleeding import Relief, Slopes
from napari_colorize.color.lab import grey_of_lightness, lab_to_rgb
from napari_colorize.color.metrics import (
    LEAST_CHROMA,
    AuC,
    ciede2000,
    colorfulness,
    lab_of,
    mean_chroma,
    psnr,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


class Truth:
    """A true picture, and what every row needs of it, worked out once.

    Parameters
    ----------
    rgb : ndarray of shape (H, W, 3), uint8
        sRGB.
    """

    def __init__(self, rgb: Pixels) -> None:
        self.rgb = rgb
        self.lab = lab_of(rgb)

    @cached_property
    def grey(self) -> Pixels:
        """The 8-bit grey (H, W) whose lightness is that of the picture."""
        return as_uint8(grey_of_lightness(torch.from_numpy(self.lab[..., 0].copy())))

    @cached_property
    def colorless(self) -> Pixels:
        """That grey as sRGB, (H, W, 3)."""
        return np.repeat(self.grey[..., None], 3, axis=-1)

    @cached_property
    def evenly_tinted(self) -> Pixels:
        """That grey with the picture's own mean a and b everywhere, (H, W, 3)."""
        tinted = lab_of(self.colorless)
        tinted[..., 1:] = self.lab[..., 1:].mean(axis=(0, 1), dtype=np.float64)
        return as_uint8(lab_to_rgb(torch.from_numpy(tinted).movedim(-1, 0)).movedim(0, -1))

    @cached_property
    def nearly_grey(self) -> bool:
        """Whether the mean chroma is so low that PSNR leaves the picture out."""
        return mean_chroma(self.lab) < LEAST_CHROMA

    @cached_property
    def colorfulness(self) -> float:
        """See `napari_colorize.color.metrics.colorfulness`."""
        return colorfulness(self.rgb)

    @cached_property
    def relief(self) -> Relief:
        """The edges and the flat places of the lightness."""
        return Relief(self.lab[..., 0])

    @cached_property
    def slopes(self) -> NDArray[np.float64]:
        """Summed gradient lengths of ab, at edges and flat places."""
        return self.relief.sums(self.lab[..., 1:])


def as_uint8(values: torch.Tensor) -> Pixels:
    """Return values 0..1 as uint8."""
    pixels: Pixels = (values * 255).round().clamp(0, 255).byte().contiguous().numpy()
    return pixels


@dataclass(frozen=True)
class Figures:
    """One row of a score card; None where there was nothing to measure.

    psnr in dB; auc_raw, auc_half and auc_balanced in per cent; ciede2000 the mean difference;
    colorfulness the mean of the results over that of the truths; edges and flats the mean gradient
    length of ab over that of the truths, where L has an edge and where it is flat.
    """

    psnr: float | None
    auc_raw: float | None
    auc_half: float | None
    auc_balanced: float | None
    ciede2000: float | None
    colorfulness: float | None
    edges: float | None
    flats: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the figures by name."""
        return asdict(self)


class Scores:
    """The figures of one way to colour, summed up picture by picture."""

    def __init__(self) -> None:
        self.auc = AuC()
        self._psnr = 0.0
        self._colourful = 0
        self._differences = 0.0
        self._colorfulness = self._true_colorfulness = 0.0
        self._slopes, self._true_slopes = np.zeros(2), np.zeros(2)
        self._sloped, self._places = np.zeros(2), 0
        self._pictures = 0

    def add(self, result: Pixels, truth: Truth) -> float | None:
        """Take in one result, (H, W, 3) sRGB, and return its PSNR.

        None where the truth is nearly grey.
        """
        lab = lab_of(result)
        self.auc.add(lab[..., 1:], truth.lab[..., 1:])
        self._differences += float(ciede2000(lab, truth.lab).mean())
        self._colorfulness += colorfulness(result)
        self._true_colorfulness += truth.colorfulness
        self._slopes += truth.relief.sums(lab[..., 1:])
        self._true_slopes += truth.slopes
        self._sloped += truth.relief.counts
        self._places += truth.relief.places
        self._pictures += 1
        if truth.nearly_grey:
            return None
        value = psnr(result, truth.rgb)
        self._psnr += value
        self._colourful += 1
        return value

    def figures(self) -> Figures:
        """Return the figures of all pictures taken in so far."""
        if self._pictures == 0:
            return Figures(*[None] * 8)
        edges, flats = (
            float(slope / true) if true > 0 else None
            for slope, true in zip(self._slopes, self._true_slopes, strict=True)
        )
        return Figures(
            psnr=self._psnr / self._colourful if self._colourful else None,
            auc_raw=self.auc.raw(),
            auc_half=self.auc.half(),
            auc_balanced=self.auc.balanced(),
            ciede2000=self._differences / self._pictures,
            colorfulness=(
                self._colorfulness / self._true_colorfulness if self._true_colorfulness else None
            ),
            edges=edges,
            flats=flats,
        )

    def true_slopes(self) -> Slopes:
        """Return how steep the truths taken in so far are."""
        edge, flat = (
            float(slope / count) if count else None
            for slope, count in zip(self._true_slopes, self._sloped, strict=True)
        )
        edge_share, flat_share = (self._sloped / max(1, self._places)).tolist()
        return Slopes(edge, flat, edge_share, flat_share)
