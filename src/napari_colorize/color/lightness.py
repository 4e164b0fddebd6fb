"""The lightness of any picture: what its values mean, read a strip at a time."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_colorize.color.lab import grey_of_lightness, lightness_of_grey, rgb_to_lab
from napari_colorize.errors import Cancelled, PictureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# Pixels worked on at once: enough that the work outweighs the calls, few enough for the cache. Half
# as many take longer, also where threads could share them.
STRIP_PIXELS = 1 << 18
# How far outside 0..1 a float picture may lie and still count as 0..1.
FLOAT_TOLERANCE = 1e-3


class Lightness:
    """The lightness of a picture.

    Parameters
    ----------
    image : array_like of shape (H, W), (H, W, 3) or (H, W, 4)
        bool; integers, by the range of their type; floats, 0..1; or anything real by
        `contrast_limits`. NaN and -inf are black, +inf is white. A last axis of 3 or 4 is RGB(A)
        in sRGB, whose alpha is not looked at.
    contrast_limits : (low, high), optional
        The values of black and white of a grey picture.
    cancel : callable, optional
        Is asked often; the reading ends with `Cancelled` when it returns True.

    Raises
    ------
    PictureError
        If the shape, the type or the values cannot be coloured; the text says what to do.
    """

    def __init__(
        self,
        image: Any,
        contrast_limits: Sequence[float] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> None:
        self._values = _as_picture(image)
        self._low, self._high = _black_and_white(self._values, contrast_limits, cancel)
        self._table = self._make_table()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self._values.shape[:2]
        return height, width

    def strips(self) -> list[tuple[int, int]]:
        """Return the first and the end row of each strip, from top to bottom."""
        return _strips(*self.shape)

    def rows(self, start: int, stop: int) -> Tensor:
        """Return L of some rows, (stop - start, W) float32, 0..100."""
        if self._table is not None:
            index = torch.from_numpy(self._indices(start, stop))
            picked = self._table.index_select(0, index.reshape(-1))
            return picked.reshape(index.shape)
        return _lightness(self._encoded(start, stop))

    def ab_rows(self, start: int, stop: int) -> Tensor | None:
        """Return a and b of some rows, (2, stop - start, W); None where the picture is grey."""
        if self._values.ndim == 2:
            return None
        return rgb_to_lab(self._encoded(start, stop))[1:]

    def part(self, rows: slice, columns: slice) -> Lightness:
        """Return the lightness of a part of the picture; nothing is copied."""
        part = copy(self)
        part._values = self._values[rows, columns]
        return part

    def at(self, y: float, x: float) -> float:
        """Return L of the pixel at a place, the nearest one where the place is on the rim."""
        row, column = (
            min(max(round(place), 0), side - 1)
            for place, side in zip((y, x), self.shape, strict=True)
        )
        return float(self.rows(row, row + 1)[0, column])

    def reduced(self, height: int, width: int, cancel: Callable[[], bool] | None = None) -> Tensor:
        """Return L of the picture resized, (height, width) float32."""
        return _lightness(self.reduced_values(height, width, cancel))

    def reduced_values(
        self, height: int, width: int, cancel: Callable[[], bool] | None = None
    ) -> Tensor:
        """Return the picture resized, (1 or 3, height, width) float32 sRGB, 0..1.

        The sRGB values are averaged, as they are when photographs are made smaller.
        """
        factor = max(1, min(self.shape[0] // (2 * height), self.shape[1] // (2 * width)))
        rows = max(factor, STRIP_PIXELS // self.shape[1] // factor * factor)
        pieces = []
        for start in range(0, self.shape[0], rows):
            _leave_if(cancel)
            encoded = self._encoded(start, min(start + rows, self.shape[0]))
            pieces.append(_block_mean(encoded, factor))
        small = torch.cat(pieces, dim=1)[None]  # (1, C, H / factor, W / factor)
        resized = functional.interpolate(
            small, (height, width), mode="bilinear", antialias=True, align_corners=False
        )
        return resized[0].clamp(0, 1)

    def _make_table(self) -> Tensor | None:
        """Return L of every value of a grey picture of 8 or 16 bits."""
        kind = self._values.dtype
        if self._values.ndim != 2 or kind.kind not in "ui" or kind.itemsize > 2:
            return None
        info = np.iinfo(kind)
        values = np.arange(info.min, info.max + 1)
        return lightness_of_grey(torch.from_numpy(self._scaled(values)))

    def _indices(self, start: int, stop: int) -> NDArray[np.int32]:
        values = self._values[start:stop].astype(np.int32)
        smallest = int(np.iinfo(self._values.dtype).min)
        return values - smallest if smallest else values

    def _encoded(self, start: int, stop: int) -> Tensor:
        """Return sRGB values of some rows, (1, rows, W) of a grey and (3, rows, W) of a colour."""
        scaled = torch.from_numpy(self._scaled(self._values[start:stop]))
        return scaled.permute(2, 0, 1) if scaled.ndim == 3 else scaled[None]

    def _scaled(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return values brought to 0..1, black for what is not a number."""
        exact_in_float32 = values.dtype.kind == "f" or values.dtype.itemsize < 4
        wide = values.dtype.itemsize > 4 or not exact_in_float32
        scaled: NDArray[np.floating] = values.astype(np.float64 if wide else np.float32)
        scaled = np.clip((scaled - self._low) / (self._high - self._low), 0, 1)
        if values.dtype.kind == "f":
            scaled = np.nan_to_num(scaled, copy=False, nan=0.0)
        return scaled.astype(np.float32, copy=False)


def grey_picture(image: Any) -> NDArray[np.uint16]:
    """Return a picture, as `Lightness` takes it, in the greys of its lightness, (H, W) uint16."""
    lightness = Lightness(image)
    grey = np.empty(lightness.shape, np.uint16)
    for start, stop in lightness.strips():
        shares = grey_of_lightness(lightness.rows(start, stop)).clamp(0, 1)
        grey[start:stop] = (65535 * shares).round().numpy()
    return grey


def _as_picture(image: Any) -> NDArray[Any]:
    """Return the values as an array in memory, (H, W) or (H, W, 3)."""
    try:
        values = np.asarray(image)
    except Exception as error:
        raise PictureError(f"The picture cannot be read as an array: {error}.") from error
    if values.dtype.kind not in "buif":
        raise PictureError(f"A picture has to hold real numbers, got an array of {values.dtype}.")
    _check_shape(values.shape)
    if values.ndim == 3:
        values = values[..., :3]
    if values.dtype == bool:
        return values.view(np.uint8) * np.uint8(255)
    return values


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in {3, 4}):
        if 0 in shape:
            raise PictureError(f"The picture is empty: its shape is {shape}.")
        return
    if len(shape) == 3 and shape[0] in {3, 4}:
        advice = "move the colours to the last axis, or give one plane, image[0]"
    elif len(shape) == 3 and shape[2] < 3:
        advice = "give one channel, image[..., 0]"
    elif len(shape) >= 3:
        planes = len(shape) - (3 if shape[-1] in {3, 4} else 2)
        advice = f"give one plane, image[{', '.join(['0'] * planes)}], at a time"
    else:
        advice = "give rows and columns"
    raise PictureError(
        f"A picture has the shape (H, W), (H, W, 3) or (H, W, 4), got {shape}: {advice}."
    )


def _black_and_white(
    values: NDArray[Any],
    contrast_limits: Sequence[float] | None,
    cancel: Callable[[], bool] | None,
) -> tuple[float, float]:
    """Return the values that are black and white."""
    if contrast_limits is not None and values.ndim == 2:
        return checked_limits(contrast_limits)
    if values.dtype.kind in "ui":
        info = np.iinfo(values.dtype)
        return float(info.min), float(info.max)
    low, high = _finite_range(values, cancel)
    if low < -FLOAT_TOLERANCE or high > 1 + FLOAT_TOLERANCE:
        limits = "give contrast_limits=(black, white), or " if values.ndim == 2 else ""
        raise PictureError(
            f"A float picture has values from 0 to 1, got {low:g} to {high:g}: {limits}scale it."
        )
    return 0.0, 1.0


def _finite_range(values: NDArray[Any], cancel: Callable[[], bool] | None) -> tuple[float, float]:
    """Return the smallest and the largest finite value; 0 and 0 where there is none."""
    extremes = [0.0]
    for start, stop in _strips(*values.shape[:2]):
        _leave_if(cancel)
        strip = values[start:stop]
        finite = strip[np.isfinite(strip)]
        if finite.size:
            extremes += [float(finite.min()), float(finite.max())]
    return min(extremes), max(extremes)


def _strips(height: int, width: int) -> list[tuple[int, int]]:
    """Return the first and the end row of each strip of a picture, of `STRIP_PIXELS` at most."""
    count = -(-height // max(1, STRIP_PIXELS // width))
    rows = -(-height // count)  # alike, so that threads end together
    return [(row, min(row + rows, height)) for row in range(0, height, rows)]


def _leave_if(cancel: Callable[[], bool] | None) -> None:
    if cancel is not None and cancel():
        raise Cancelled("Cancelled while the picture was read.")


def checked_limits(contrast_limits: Sequence[float]) -> tuple[float, float]:
    """Return black and white as two numbers.

    Raises
    ------
    PictureError
        If they are none, are not finite or do not rise.
    """
    try:
        low, high = (float(limit) for limit in contrast_limits)
    except (TypeError, ValueError) as error:
        raise PictureError(
            f"contrast_limits has to be two numbers, (black, white), got {contrast_limits!r}."
        ) from error
    if not (low < high and np.isfinite(high - low)):
        raise PictureError(
            f"contrast_limits has to be two finite numbers that rise, got ({low:g}, {high:g})."
        )
    return low, high


def _lightness(encoded: Tensor) -> Tensor:
    """Return L, (H, W), of sRGB values (1, H, W) or (3, H, W)."""
    if len(encoded) == 1:
        return lightness_of_grey(encoded[0])
    return rgb_to_lab(encoded)[0]


def _block_mean(encoded: Tensor, factor: int) -> Tensor:
    """Return means of blocks of factor x factor pixels, the last ones of what is left."""
    if factor == 1:
        return encoded
    return functional.avg_pool2d(encoded, factor, ceil_mode=True, count_include_pad=False)
