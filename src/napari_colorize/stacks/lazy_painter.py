"""Colours the parts of a pyramid one after the other: what the thread of lazy planes does.

The network looks at a plane once, on the coarsest level that is fine enough for its guide. What it
says is kept as lines from L to ab (see :mod:`napari_colorize.color.guided`), which suit every
level: any part of any level is its own lightness with these colours, enlarged along its edges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_colorize.color.guided import GuidedColor
from napari_colorize.color.lightness import Lightness
from napari_colorize.color.steering import Steering
from napari_colorize.files.stacks.axes import DEPTH, TIME
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.prediction.guards import leave_if, mapped_errors
from napari_colorize.prediction.opening import GUIDE
from napari_colorize.prediction.strips import recombined, threads
from napari_colorize.prediction.window import Window
from napari_colorize.stacks.carrying import Memory, Steadying
from napari_colorize.stacks.kept import Kept

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_colorize.prediction.guards import Cancel
    from napari_colorize.prediction.look import Look
    from napari_colorize.stacks.lazy_planes import Part, Pyramid, Wish

# Bytes of what the network said of planes, as distributions and as lines, that are kept.
MEMORIES, LINES = 32_000_000, 32_000_000
# Planes to the next that colours are carried from; those between may have been passed by.
REACH = 4
# The network looks at planes of no more pixels, if there is a coarser level.
LARGEST = 1 << 26


class Painter:
    """A model that is open, and what it knows of the planes that it saw last.

    Parameters
    ----------
    pyramid : Pyramid

    Raises
    ------
    ModelError, ColorizeError
        As `Colorizer`.
    """

    def __init__(self, pyramid: Pyramid) -> None:
        self._pyramid = pyramid
        self._colorizer = Colorizer(pyramid.model, pyramid.device)
        self._steering = Steering((), pyramid.vividness)
        self._memories: Kept[Part, Memory] = Kept(MEMORIES)
        self._lines: Kept[Part, Tensor] = Kept(LINES)

    def close(self) -> None:
        """Let go of the model."""
        self._colorizer.close()

    def paint(self, wish: Wish, cancel: Cancel) -> NDArray[np.uint8]:
        """Return a part in colour, (h, w, 3).

        Raises
        ------
        Cancelled
            When `cancel` returns True.
        ColorizeError
            If it cannot be coloured; any other error comes from the data.
        """
        part = wish.part
        values = self._pyramid.read(part) if wish.values is None else wish.values
        leave_if(cancel)
        seen = self._seen_for(part)
        lines = self._lines.get(seen)
        if lines is None:
            lines = self._look(seen, values if seen == part else None, cancel)
        color = GuidedColor(lines, self._plane(part))
        whole = Window(0, 0, *color.shape)
        with mapped_errors(), torch.inference_mode():
            if part.window != whole:
                color = color.part(*part.window.slices)
            lightness = Lightness(values, self._pyramid.contrast_limits, cancel)
            pixels = recombined(lightness, color, np.dtype(np.uint8), cancel, None)
        pixels.flags.writeable = False  # napari gets it, and gets it again
        return pixels  # type: ignore[return-value]

    def _plane(self, part: Part) -> tuple[int, int]:
        """Return height and width of the plane that a part is of."""
        shape = self._pyramid.shape(part.level)
        return shape[part.axes[0]], shape[part.axes[1]]

    def _seen_for(self, part: Part) -> Part:
        """Return the plane that the network looks at for the colours of a part."""
        wanted = self._pyramid.shape(part.level)
        level = self._level_for(part)
        shape = self._pyramid.shape(level)
        place = tuple(
            0 if axis in part.axes else min(index * side // full, side - 1)
            for axis, (index, side, full) in enumerate(zip(part.place, shape, wanted, strict=True))
        )
        seen = replace(part, level=level, place=place)
        return replace(seen, window=Window(0, 0, *self._plane(seen)))

    def _level_for(self, part: Part) -> int:
        """Return the coarsest level with enough pixels that has as many planes as that of a part.

        It is a coarser one where that would be too large to be looked at.
        """

        def outer(level: int) -> list[int]:
            shape = self._pyramid.shape(level)
            return [side for axis, side in enumerate(shape) if axis not in part.axes]

        levels = range(len(self._pyramid.levels))
        sides = [self._plane(replace(part, level=level)) for level in levels]
        alike = [level for level in levels if outer(level) == outer(part.level)]
        enough = GUIDE * int(self._colorizer.card["working_size"])
        fine = [level for level in alike if min(sides[level]) >= enough]
        chosen = max(fine) if fine else min(alike)
        while chosen + 1 < len(levels) and sides[chosen][0] * sides[chosen][1] > LARGEST:
            chosen += 1
        return chosen

    def _look(self, seen: Part, values: NDArray[Any] | None, cancel: Cancel) -> Tensor:
        """Return the lines from L to ab of a plane, and keep what its neighbours need."""
        values = self._pyramid.read(seen) if values is None else values
        leave_if(cancel)
        limits = self._pyramid.contrast_limits
        look: Look = threads.alone(
            lambda: self._colorizer.look_at(values, contrast_limits=limits, cancel=cancel)
        )
        steadying = None
        if self._pyramid.coherent:
            steadying = Steadying(look.small_lightness(), self._neighbour(seen))
            look.steady(steadying)
        leave_if(cancel)
        with mapped_errors():
            lines = threads.alone(lambda: look.lines(self._steering))
        self._lines.put(seen, lines, lines.nbytes)
        if steadying is not None:
            memory = steadying.memory
            size = memory.lightness.nbytes + sum(a.nbytes for a in memory.answers.values())
            self._memories.put(seen, memory, size)
        return lines

    def _neighbour(self, seen: Part) -> Memory | None:
        """Return what is known of the nearest plane: before or behind in time, else in depth."""
        for axis in (self._pyramid.names.find(TIME), self._pyramid.names.find(DEPTH)):
            if axis < 0 or axis in seen.axes:
                continue
            for step in sorted(range(-REACH, REACH + 1), key=abs)[1:]:
                place = list(seen.place)
                place[axis] += step
                memory = self._memories.get(replace(seen, place=tuple(place)))
                if memory is not None:
                    return memory
        return None
