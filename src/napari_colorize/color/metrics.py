"""How far a coloured picture is from the true one: PSNR, AuC, CIEDE2000, colourfulness.

Numpy in, floats out. What is pooled over many pictures is held as counts (`AuC`), so that memory
does not grow with their number; `napari_colorize.color.scores` sums up the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_colorize.color.lab import rgb_to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Equal pictures would have an infinite PSNR, and with them every mean. 100 dB is less than one
# wrong unit in one channel of a picture of 256 x 256.
PSNR_CAP = 100.0
# PSNR of a nearly grey truth rewards leaving it grey: pictures of a lower mean chroma are left out.
LEAST_CHROMA = 3.0
# AuC: thresholds 0, 1, ... 150 on the distance in ab; bins of 10 units, 24 x 24, from -120 on.
LAST_THRESHOLD = 150
BIN_WIDTH = 10
BIN_START = -120
BINS = 24


def psnr(result: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio in dB of two uint8 pictures of one shape.

    ``20 log10(255 / rmse)``, the mean square taken over all pixels and channels; at most
    `PSNR_CAP`, which equal pictures have.
    """
    _check_alike(result, truth)
    difference = result.astype(np.float64) - truth
    error = float(np.mean(difference**2))
    if error == 0:
        return PSNR_CAP
    return min(PSNR_CAP, 10 * float(np.log10(255**2 / error)))


def colorfulness(rgb: NDArray[np.uint8]) -> float:
    """Return the colourfulness of a picture: 0 for greys, above 100 for the most colourful.

    Parameters
    ----------
    rgb : ndarray of shape (H, W, 3), uint8
        sRGB.

    References
    ----------
    Hasler and Suesstrunk, Measuring colourfulness in natural images, Proc. SPIE 5007 (2003).
    With the signed differences of the paper; some codes take absolute values first, which is
    another figure.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg = red - green
    yb = (red + green) / 2 - blue
    spread = np.sqrt(rg.var() + yb.var())
    return float(spread + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2))


def lab_of(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the CIELAB colours, (H, W, 3) float32, of a uint8 picture (H, W, 3)."""
    channels = torch.from_numpy(np.array(rgb)).movedim(-1, 0).float() / 255
    lab: NDArray[np.float32] = rgb_to_lab(channels).movedim(0, -1).contiguous().numpy()
    return lab


def mean_chroma(lab: NDArray[np.floating[Any]]) -> float:
    """Return the mean of sqrt(a^2 + b^2) over the pixels of a Lab picture (..., 3)."""
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean(dtype=np.float64))


def ciede2000(
    result: NDArray[np.floating[Any]], truth: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return the CIEDE2000 colour difference of each pixel, with kL = kC = kH = 1.

    Parameters
    ----------
    result, truth : ndarrays of shape (..., 3)
        L, a, b; the difference is the same with the two exchanged.

    Returns
    -------
    ndarray of shape (...), float64
        0 for equal colours; about 1 is just visible.

    References
    ----------
    Sharma, Wu and Dalal, The CIEDE2000 color-difference formula, Color Research and Application
    30 (2005), equations 2 to 22. The names of the terms are theirs.
    """
    l1, a1, b1 = np.moveaxis(np.asarray(result, np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(truth, np.float64), -1, 0)

    # Greys are spread along a before chroma and hue are taken (2 to 7).
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    spread = 1.5 - 0.5 * np.sqrt(c7 / (c7 + 25.0**7))
    a1, a2 = spread * a1, spread * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)

    # Differences (8 to 11); a grey has no hue.
    hued = c1 * c2 > 0
    turn = np.where(hued, h2 - h1, 0)
    turn = np.where(turn > np.pi, turn - 2 * np.pi, turn)
    turn = np.where(turn < -np.pi, turn + 2 * np.pi, turn)
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)

    # Means (12 to 14): the mean hue lies on the shorter arc.
    l_mean, c_mean, h_sum = (l1 + l2) / 2, (c1 + c2) / 2, h1 + h2
    far = hued & (np.abs(h1 - h2) > np.pi)
    h_mean = np.where(hued, h_sum / 2, h_sum)
    h_mean = np.where(far, h_mean + np.where(h_sum < 2 * np.pi, np.pi, -np.pi), h_mean)

    # Weights (15 to 21).
    degree = np.pi / 180
    t = (
        1
        - 0.17 * np.cos(h_mean - 30 * degree)
        + 0.24 * np.cos(2 * h_mean)
        + 0.32 * np.cos(3 * h_mean + 6 * degree)
        - 0.20 * np.cos(4 * h_mean - 63 * degree)
    )
    away = (l_mean - 50) ** 2
    light = (l2 - l1) / (1 + 0.015 * away / np.sqrt(20 + away))
    chroma = (c2 - c1) / (1 + 0.045 * c_mean)
    hue = delta_h / (1 + 0.015 * c_mean * t)
    theta = 30 * degree * np.exp(-(((h_mean / degree - 275) / 25) ** 2))
    c7 = c_mean**7
    rotation = -np.sin(2 * theta) * 2 * np.sqrt(c7 / (c7 + 25.0**7))

    square = light**2 + chroma**2 + hue**2 + rotation * chroma * hue  # (22)
    difference: NDArray[np.float64] = np.sqrt(np.maximum(square, 0))
    return difference


class AuC:
    """Area under the curve of pixels whose ab lies within a distance of the truth.

    The share of pixels within distance t, for t = 0, 1, ... 150, averaged over t, in per cent; all
    pixels of all pictures are pooled. Three ways to weigh a pixel, by the probability p of the
    10-unit ab bin of its truth, measured on the very same pixels; Q bins are occupied:

    - raw: every pixel alike;
    - balanced: 1 / p, so that every occupied bin counts alike;
    - half: 1 / (p / 2 + 1 / (2 Q)), between the two.

    References
    ----------
    Zhang, Isola and Efros, Colorful image colorization, ECCV 2016, section 3.1 (raw and
    rebalanced AuC) and equation 4 (the weight, lambda = 0, 1 and 1/2).
    """

    def __init__(self) -> None:
        # One row a bin of the truth; column n counts distances in (n - 1, n], the last all beyond.
        self._counts = np.zeros((BINS * BINS, LAST_THRESHOLD + 2), np.int64)

    def add(self, result: NDArray[np.floating[Any]], truth: NDArray[np.floating[Any]]) -> None:
        """Count the pixels of one picture.

        Parameters
        ----------
        result, truth : ndarrays of shape (..., 2)
            a, b.
        """
        _check_alike(result, truth)
        away = np.asarray(result, np.float64) - truth
        distance = np.ceil(np.hypot(away[..., 0], away[..., 1]))
        column = np.minimum(distance, LAST_THRESHOLD + 1).astype(np.int64)
        place = bin_of(truth) * self._counts.shape[1] + column
        counts = np.bincount(place.ravel(), minlength=self._counts.size)
        self._counts += counts.reshape(self._counts.shape)

    @property
    def p(self) -> NDArray[np.float64]:
        """Share of the true pixels in each bin, (24, 24): a down, b across; sums to 1."""
        counts = self._counts.sum(axis=1)
        share: NDArray[np.float64] = (counts / max(1, counts.sum())).reshape(BINS, BINS)
        return share

    def raw(self) -> float:
        """Return the area with every pixel alike, in per cent."""
        return self._area(np.ones(BINS * BINS))

    def half(self) -> float:
        """Return the area with rare colours weighed up by half, in per cent."""
        p = self.p.ravel()
        occupied = max(1, int(np.count_nonzero(p)))
        return self._area(1 / (p / 2 + 1 / (2 * occupied)))

    def balanced(self) -> float:
        """Return the area with every occupied bin of colours alike, in per cent."""
        p = self.p.ravel()
        return self._area(np.divide(1, p, out=np.zeros_like(p), where=p > 0))

    def _area(self, weights: NDArray[np.float64]) -> float:
        """Return the mean share over all thresholds, pixels weighed by the bin of their truth."""
        weighed = weights @ self._counts
        if weighed.sum() == 0:
            return float("nan")
        within = np.cumsum(weighed)[: LAST_THRESHOLD + 1] / weighed.sum()
        return 100 * float(within.mean())


def bin_of(ab: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return the ab bin, 0..575, of colours (..., 2): 24 times that of a, plus that of b."""
    place = np.floor((np.asarray(ab, np.float64) - BIN_START) / BIN_WIDTH).astype(np.int64)
    a, b = np.moveaxis(np.clip(place, 0, BINS - 1), -1, 0)
    index: NDArray[np.int64] = a * BINS + b
    return index


def _check_alike(result: NDArray[Any], truth: NDArray[Any]) -> None:
    if result.shape != truth.shape:
        raise ValueError(f"the result has shape {result.shape}, the truth {truth.shape}")
