"""A whole stack in colour, from Python."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.color.lightness import Lightness
from napari_colorize.color.steering import UNADJUSTED, Adjustments, Reference, Steering
from napari_colorize.errors import PictureError
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.prediction.seeing import working_shape
from napari_colorize.stacks.axes import Axes, Place
from napari_colorize.stacks.coloring import colored_planes
from napari_colorize.stacks.tracking import tracked_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.prediction.guards import Cancel

# Short side of the planes in which hints are followed.
TRACKING_SIDE = 160


def colorize_stack(
    stack: Any,
    axes: str | None = None,
    *,
    model: str | Path | None = None,
    hints: Mapping[int | Place, Sequence[AnyHint]] | None = None,
    vividness: float | None = None,
    reference: Any = None,
    adjustments: Adjustments = UNADJUSTED,
    coherent: bool = True,
    contrast_limits: Sequence[float] | None = None,
    device: str = "auto",
    cancel: Cancel | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """Return a movie or a volume in colour that holds still from plane to plane.

    Parameters
    ----------
    stack : array_like
        Planes of one another; numpy, dask, zarr: one plane is read at a time.
    axes : str, optional
        A letter for each axis, such as ``"tyx"``, ``"tzyx"`` or ``"tyxs"``: ``t`` time, ``z``
        depth, ``y`` and ``x`` rows and columns, ``s`` RGB(A); along any other letter planes have
        nothing to do with one another. None guesses: time, then depth.
    model, vividness, reference, adjustments, device, cancel
        As for `colorize`.
    hints : mapping, optional
        From the index of a plane, a number or a tuple, to its hints. A hint follows its thing to
        the planes around, until another hint says otherwise.
    coherent : bool
        Whether colour is carried along the motion from plane to plane; False colours each alone.
    contrast_limits : (low, high), optional
        The values of black and white, of all planes alike.
    progress : callable, optional
        Is told planes done and all.

    Returns
    -------
    ndarray of shape (..., H, W, 3), uint8
        A plane that cannot be read stays black, and a warning names it.

    Raises
    ------
    PictureError
        If the axes do not suit the array, or a hint names no plane.
    ModelError, ColorizeError
        As `colorize`.
    """
    known = Axes.guessed(np.shape(stack)) if axes is None else Axes(axes, np.shape(stack))
    given = _by_place(hints or {}, known)
    colorizer = Colorizer(model, device)
    try:
        if reference is not None and not isinstance(reference, Reference):
            reference = colorizer.reference_of(reference)
        found = _followed(stack, known, given, contrast_limits) if coherent and given else given
        plain = Steering((), vividness, reference, adjustments)

        def steering(place: Place) -> Steering:
            own = tuple(found.get(place, ()))
            return Steering(own, vividness, reference, adjustments) if own else plain

        result = np.zeros((*known.outer, *known.plane, 3), np.uint8)
        coming = colored_planes(
            stack,
            known,
            colorizer,
            steering=steering,
            coherent=coherent,
            contrast_limits=contrast_limits,
            cancel=cancel,
        )
        for done, plane in enumerate(coming, start=1):
            if plane.pixels is None:
                warnings.warn(f"Plane {plane.place} stays black: {plane.reason}", stacklevel=2)
            else:
                result[plane.place] = plane.pixels
            if progress is not None:
                progress(done, known.planes)
        return result
    finally:
        colorizer.close()


def _by_place(
    hints: Mapping[int | Place, Sequence[AnyHint]], axes: Axes
) -> dict[Place, Sequence[AnyHint]]:
    """Return hints by the whole index of their plane."""
    if not isinstance(hints, Mapping):
        raise PictureError(
            "The hints of a stack have to be a mapping, {plane: [Hint(...), ...]}, got "
            f"{type(hints).__name__}."
        )
    found: dict[Place, Sequence[AnyHint]] = {}
    for key, listed in hints.items():
        place = tuple(key) if isinstance(key, tuple) else (key,)
        if not _is_place(place, axes.outer):
            raise PictureError(f"There is no plane {key!r} for hints in {axes.outer} planes.")
        found[tuple(int(index) for index in place)] = listed
    return found


def _is_place(place: tuple[Any, ...], outer: tuple[int, ...]) -> bool:
    if len(place) != len(outer):
        return False
    pairs = zip(place, outer, strict=True)
    return all(isinstance(i, int | np.integer) and 0 <= i < length for i, length in pairs)


def _followed(
    stack: Any,
    axes: Axes,
    hints: dict[Place, Sequence[AnyHint]],
    contrast_limits: Sequence[float] | None,
) -> dict[Place, Sequence[AnyHint]]:
    """Return the hints of all planes, followed along their rows."""

    def small_lightness(place: Place) -> Tensor:
        lightness = Lightness(np.asarray(stack[place]), contrast_limits)
        return lightness.reduced(*working_shape(axes.plane, min(TRACKING_SIDE, *axes.plane)))

    found: dict[Place, Sequence[AnyHint]] = {}
    for row in _rows(axes):
        if any(place in hints for place in row):
            found |= tracked_hints(row, hints, small_lightness, axes.plane)
    return found


def _rows(axes: Axes) -> Iterator[list[Place]]:
    """Yield the planes that follow one another, row by row."""
    row: list[Place] = []
    for place, before in axes.places():
        if row and before != row[-1]:
            yield row
            row = []
        row.append(place)
    if row:
        yield row
