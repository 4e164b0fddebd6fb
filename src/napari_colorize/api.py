"""The public functions, and the only door to torch for the docks and the command line."""

from __future__ import annotations

import math
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_colorize.color.steering import UNADJUSTED, Reference
from napari_colorize.errors import PictureError, TrainingError
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import find_model, list_models
from napari_colorize.files.starting import with_network_of_init
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.making import make_or_resume
from napari_colorize.runs.process import start_training

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_colorize.color.steering import Adjustments, AnyHint
    from napari_colorize.prediction.colorizer import Colorizer
    from napari_colorize.prediction.suggestions import Suggestion
    from napari_colorize.runs.events import Event
    from napari_colorize.score_card import ScoreCard

__all__ = [
    "alternatives",
    "colorize",
    "confidence",
    "evaluate",
    "list_models",
    "load_model",
    "open_colorizer",
    "suggest",
    "train",
]


def colorize(
    image: Any,
    *,
    model: str | Path | None = None,
    hints: Sequence[AnyHint] = (),
    vividness: float | None = None,
    reference: Any = None,
    adjustments: Adjustments = UNADJUSTED,
    dtype: Literal["uint8", "uint16"] = "uint8",
    contrast_limits: Sequence[float] | None = None,
    device: str = "auto",
    cancel: Callable[[], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.generic]:
    """Return a picture in colour, with its lightness untouched.

    Parameters
    ----------
    image : array_like of shape (H, W), (H, W, 3) or (H, W, 4), or a napari image layer
        bool; integers, by the range of their type; floats 0..1; anything else by
        `contrast_limits`. NaN and -inf are black, +inf is white. A last axis of 3 or 4 is RGB(A)
        and gives its own lightness. A layer gives its picture and its contrast limits.
    model : str, Path or None
        Name or file of a model; None takes the default one.
    hints : sequence of Hint or Strokes
        Colours wanted at places: ``Hint(y, x, (r, g, b), size=6)``.
    vividness : float, optional
        0 is the safe average of what a thing may look like, 1 its likeliest colour; None takes the
        model's default.
    reference : array_like of shape (h, w, 3), a napari image layer or a Reference, optional
        A colour picture whose palette sets the mood.
    adjustments : Adjustments
        Chroma, warmth, hue shift and blend with the original, done behind the network.
    dtype : "uint8" or "uint16"
        Type of the result.
    contrast_limits : (low, high), optional
        The values of black and white of a grey picture.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".
    cancel : callable, optional
        Is asked often; the work ends with `Cancelled` when it returns True.
    progress : callable, optional
        Is told (done, total).

    Returns
    -------
    ndarray of shape (H, W, 3), uint8 or uint16
        sRGB over the whole range of the type.

    Raises
    ------
    PictureError
        If the picture cannot be coloured, a hint lies outside it, or the reference is no colour
        picture; the text says what to do.
    ModelError
        If the model is unknown or broken.
    ColorizeError
        If the device cannot be used, the memory does not suffice, or the model knows no hints,
        vividness or references and some were given.

    See Also
    --------
    suggest, alternatives, confidence : what else a model knows about a picture.
    """
    if reference is not None and not isinstance(reference, Reference):
        reference, _ = _picture_of(reference)
    with _looking(image, model, device, contrast_limits, cancel) as colorizer:
        return colorizer.colorize(
            hints,
            vividness=vividness,
            reference=reference,
            adjustments=adjustments,
            dtype=dtype,
            cancel=cancel,
            progress=progress,
        )


def suggest(
    image: Any,
    y: float,
    x: float,
    count: int = 5,
    *,
    model: str | Path | None = None,
    hints: Sequence[AnyHint] = (),
    contrast_limits: Sequence[float] | None = None,
    device: str = "auto",
    cancel: Callable[[], bool] | None = None,
) -> list[Suggestion]:
    """Return the colours that a model holds most likely at a place, the likeliest first.

    Parameters
    ----------
    image
        As for `colorize`.
    y, x : float
        Row and column in pixels; (0, 0) is the middle of the first pixel.
    count : int
        At most so many.
    model, hints, contrast_limits, device, cancel
        As for `colorize`.

    Returns
    -------
    list of Suggestion
        Each with ``color``, (r, g, b) of 0..255 at the lightness of the place, and ``share``, how
        likely it or a colour near it is, 0..1.

    Raises
    ------
    PictureError, ModelError, ColorizeError
        As `colorize`; if the place lies outside the picture or the model has no distribution.
    """
    with _looking(image, model, device, contrast_limits, cancel) as colorizer:
        return colorizer.suggest(y, x, count, hints)


def alternatives(
    image: Any,
    count: int = 4,
    *,
    model: str | Path | None = None,
    hints: Sequence[AnyHint] = (),
    vividness: float | None = None,
    seed: int = 0,
    dtype: Literal["uint8", "uint16"] = "uint8",
    contrast_limits: Sequence[float] | None = None,
    device: str = "auto",
    cancel: Callable[[], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.generic]:
    """Return a picture in several colourings, each coherent in itself.

    Parameters
    ----------
    image
        As for `colorize`.
    count : int
        How many, 1 to 16.
    seed : int
        The same gives the same.
    model, hints, vividness, dtype, contrast_limits, device, cancel, progress
        As for `colorize`.

    Returns
    -------
    ndarray of shape (count, H, W, 3)

    Raises
    ------
    PictureError, ModelError, ColorizeError
        As `colorize`, and if the model has no distribution of colours.
    """
    with _looking(image, model, device, contrast_limits, cancel) as colorizer:
        return colorizer.alternatives(
            count,
            hints,
            vividness=vividness,
            seed=seed,
            dtype=dtype,
            cancel=cancel,
            progress=progress,
        )


def confidence(
    image: Any,
    *,
    model: str | Path | None = None,
    hints: Sequence[AnyHint] = (),
    contrast_limits: Sequence[float] | None = None,
    device: str = "auto",
    cancel: Callable[[], bool] | None = None,
) -> NDArray[np.float32]:
    """Return how sure a model is of the colours of a picture, (H, W) float32, 0..1.

    It is 1 less the entropy of the predicted distribution in parts of the largest possible: high
    where one colour is likely, low where many are.

    Raises
    ------
    PictureError, ModelError, ColorizeError
        As `colorize`, and if the model has no distribution of colours.
    """
    with _looking(image, model, device, contrast_limits, cancel) as colorizer:
        return colorizer.confidence(hints)


@contextmanager
def _looking(
    image: Any,
    model: str | Path | None,
    device: str,
    contrast_limits: Sequence[float] | None,
    cancel: Callable[[], bool] | None,
) -> Iterator[Colorizer]:
    """Lend a Colorizer that has looked at a picture or a layer."""
    picture, limits = _picture_of(image)
    colorizer = open_colorizer(model, device)
    try:
        colorizer.set_picture(
            picture,
            contrast_limits=limits if contrast_limits is None else contrast_limits,
            cancel=cancel,
        )
        yield colorizer
    finally:
        colorizer.close()


def open_colorizer(model: str | Path | None = None, device: str = "auto") -> Colorizer:
    """Return a `Colorizer`, for many pictures with one model."""
    from napari_colorize.prediction.colorizer import Colorizer

    return Colorizer(model, device)


def train(
    folder: str | os.PathLike[str],
    run: str | os.PathLike[str],
    *,
    wait: bool = True,
    resume: bool = False,
    **settings: Any,
) -> RunFolder:
    """Train a network on a folder of colour photographs, in a process of its own.

    Parameters
    ----------
    folder : path
        Colour photographs; folders inside are searched too.
    run : path
        The run folder: settings, events, checkpoints and models are written there.
    wait : bool
        Return when the training is over; Ctrl-C then stops it after the current step. False
        returns at once and the training goes on, as is wanted in napari's console.
    resume : bool
        Go on with the run that is in the folder; a new one is made if there is none. A finished
        run is left as it is.
    **settings
        Settings of `napari_colorize.runs.config.TrainingConfig`, such as ``epochs=20``,
        ``validation="folder"`` or ``init="palette"``.

    Returns
    -------
    RunFolder
        What to look at: ``.state()``, ``.best_model``, ``.request_stop()``.

    Raises
    ------
    ModelError
        If there is no such model to start from.
    RunError
        If the run folder is in use, or not empty and `resume` is False, if a resumed run has
        other settings, or if the model to start from is of another network.
    StorageError
        If the run folder cannot be written.
    TrainingError
        If a setting is unknown or wrong; with `wait`, if the training failed.
    """
    place = RunFolder(run)
    if resume and place.state().name == "finished":
        return place
    given = with_network_of_init({"folder": folder, **settings})
    make_or_resume(place, given, resume=resume)
    child = start_training(place, resume=resume)
    if wait:
        try:
            child.wait()
        except KeyboardInterrupt:
            place.request_stop()
            child.wait()
            raise
        state = place.state()
        if state.name in {"failed", "died"}:
            raise TrainingError(state.detail)
    return place


def train_here(
    run: RunFolder,
    *,
    resume: bool = False,
    listen: Callable[[Event], None] | None = None,
) -> Event:
    """Train in this very process, in a run folder that was made; return the last event."""
    from napari_colorize.training.run import run_training

    return run_training(run, resume=resume, listen=listen)


def evaluate(
    folder: str | os.PathLike[str],
    *,
    model: str | Path | None = None,
    device: str = "auto",
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> ScoreCard:
    """Return the score card of a model on a folder of colour photographs.

    See Also
    --------
    napari_colorize.evaluation.evaluate_model : the protocol.
    """
    from napari_colorize.evaluation import evaluate_model

    return evaluate_model(
        Path(folder), model=model, device=device, limit=limit, progress=progress, cancel=cancel
    )


def load_model(name_or_path: str | Path | None = None) -> dict[str, Any]:
    """Return the card of a model: network, training, score card, licence, hash.

    Raises
    ------
    ModelError
        If the model is unknown or broken.
    """
    return read_card(find_model(name_or_path))


def device_report() -> dict[str, str]:
    """Return versions and devices in words, and why a GPU is not used."""
    from napari_colorize.networks.devices import describe_devices

    return describe_devices()


def _picture_of(image: Any) -> tuple[Any, Any]:
    """Return the values and the contrast limits of an array or a layer."""
    if not hasattr(image, "world_to_data"):
        return image, None
    if not hasattr(image, "rgb"):
        raise PictureError(f"The layer {image.name!r} is no image layer: choose one that is.")
    data = image.data[0] if image.multiscale else image.data
    if image.ndim > 2:
        indices = ", ".join(["0"] * (image.ndim - 2))
        raise PictureError(
            f"The layer {image.name!r} is a stack of shape {tuple(data.shape)}: "
            f"colour one plane, colorize(layer.data[{indices}]), or use the Colorize dock."
        )
    limits = tuple(image.contrast_limits)
    usable = not image.rgb and all(math.isfinite(limit) for limit in limits)
    return data, limits if usable else None
