"""The public functions for stacks, movies and volumes, and the way to them for docks and shell."""

from __future__ import annotations

import warnings
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.color.lightness import checked_limits
from napari_colorize.color.steering import UNADJUSTED, Adjustments, Reference, Steering
from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.stacks.cluster import cluster
from napari_colorize.stacks.coloring import colored_planes
from napari_colorize.stacks.job import StackJob
from napari_colorize.stacks.steering import StackSteering
from napari_colorize.stacks.workers import planes_by_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.color.steering import AnyHint
    from napari_colorize.files.stacks.axes import Place
    from napari_colorize.prediction.guards import Cancel
    from napari_colorize.stacks.coloring import Plane


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
        If the axes do not suit the array, the contrast limits are none, a hint names no plane, or
        not a single plane can be coloured.
    ModelError, ColorizeError
        As `colorize`.
    """
    if not hasattr(stack, "shape"):
        stack = _array_of(stack)
    known = Axes.guessed(stack.shape) if axes is None else Axes(axes, tuple(stack.shape))
    with closing(Colorizer(model, device)) as colorizer:
        if reference is not None and not isinstance(reference, Reference):
            reference = colorizer.reference_of(reference)
        result = np.zeros((*known.outer, *known.plane, 3), np.uint8)
        planes = stack_planes(
            stack,
            known,
            steering=Steering((), vividness, reference, adjustments),
            hints=hints,
            coherent=coherent,
            contrast_limits=contrast_limits,
            colorizer=colorizer,
            cancel=cancel,
        )
        gaps = []
        for count, plane in enumerate(planes, start=1):
            if plane.pixels is None:
                gaps.append(plane)
            else:
                result[plane.place] = plane.pixels
            if progress is not None:
                progress(count, known.planes)
    for gap in gaps:
        warnings.warn(f"Plane {gap.place} stays black: {gap.reason}", stacklevel=2)
    return result


def stack_planes(
    stack: Any,
    axes: Axes,
    *,
    steering: Steering | None = None,
    hints: Mapping[int | Place, Sequence[AnyHint]] | None = None,
    coherent: bool = True,
    contrast_limits: Sequence[float] | None = None,
    confidence: bool = False,
    colorizer: Colorizer | None = None,
    model: str | Path | None = None,
    device: str = "auto",
    scheduler: str | None = None,
    done: Container[Place] = (),
    cancel: Cancel | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Plane]:
    """Yield the planes of a stack in colour, each as soon as it is done.

    Parameters
    ----------
    stack : array_like of shape `axes.shape`
        ``stack[place]`` is one plane; only planes that are wanted are read, one at a time.
    axes : Axes
    steering : Steering, optional
        Holds for all planes.
    hints, coherent, contrast_limits, cancel
        As for `colorize_stack`.
    confidence : bool
        Whether planes come with how sure the model was.
    colorizer : Colorizer, optional
        Used and left open; else `model` is opened on `device` and closed at the end.
    scheduler : str, optional
        Address of a Dask scheduler: its workers colour the planes, and they come in any order.
    done : container of places
        Planes that are not wanted any more; what comes behind them goes on from them.
    progress : callable, optional
        Is told how much of one plane is done, and all of it; not by a cluster.

    Raises
    ------
    PictureError
        If a hint names no plane or lies outside, the contrast limits are none, or, at the end, if
        not a single plane could be coloured.
    ModelError
        If the model is unknown or broken.
    ClusterError
        If the cluster does not answer, has no workers, or is lost.
    Cancelled
        When `cancel` returns True.
    """
    if contrast_limits is not None:
        contrast_limits = checked_limits(contrast_limits)
    job = StackJob(
        stack,
        axes,
        StackSteering.of_planes(steering or Steering(), hints or {}, axes),
        coherent,
        contrast_limits,
        confidence,
        model,
        device,
    ).followed(cancel)
    with ExitStack() as open_until_the_end:
        if scheduler is not None:
            workers = open_until_the_end.enter_context(cluster(scheduler, model))
            planes = planes_by_workers(job, workers, done=done, cancel=cancel)
            yield from _some_in_color(planes, axes)
            return
        if colorizer is None:
            colorizer = open_until_the_end.enter_context(closing(Colorizer(model, device)))
        planes = colored_planes(job, colorizer, done=done, cancel=cancel, progress=progress)
        yield from _some_in_color(planes, axes)


def _array_of(stack: Any) -> NDArray[Any]:
    """Return nested lists as an array."""
    try:
        found = np.asarray(stack)
    except ValueError as error:
        raise PictureError(f"The stack cannot be read as an array: {error}.") from error
    if not found.ndim:
        raise PictureError(
            f"A stack has to be an array, such as layer.data, got {type(stack).__name__}."
        )
    return found


def _some_in_color(planes: Iterator[Plane], axes: Axes) -> Iterator[Plane]:
    """Yield planes; raise PictureError in the end if there were all, and none has pixels."""
    gaps = []
    for plane in planes:
        if plane.pixels is None:
            gaps.append(plane)
        yield plane
    if len(gaps) == axes.planes:
        raise PictureError(f"No plane can be coloured: {gaps[0].reason}.")
