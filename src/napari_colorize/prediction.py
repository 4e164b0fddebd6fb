"""The only way from lightness to colour: a model looks once, colours come out often."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_colorize.color.guided import GuidedColor, fit_guided
from napari_colorize.color.lightness import Lightness
from napari_colorize.color.recombination import recombine
from napari_colorize.errors import Cancelled, ColorizeError, PictureError
from napari_colorize.files.models import find_model
from napari_colorize.networks.devices import (
    choose_device,
    choose_precision,
    is_out_of_memory,
)
from napari_colorize.networks.weights import load_network

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# A picture more than so many times longer than high is squeezed before the network sees it.
LONGEST = 4
# Short side of the small picture whose edges the colour follows, in working sizes.
GUIDE = 3

OutputType = Literal["uint8", "uint16"]
Cancel = Callable[[], bool]
Progress = Callable[[int, int], None]


class Colorizer:
    """Colours pictures with one model.

    Parameters
    ----------
    model : str, Path or None
        Name or file of a model; None takes the default one.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".

    Raises
    ------
    ModelError
        If the model is unknown, broken, foreign or too new.
    ColorizeError
        If the device cannot be used.

    Examples
    --------
    >>> colorizer = Colorizer()  # doctest: +SKIP
    >>> colorizer.set_picture(picture)  # doctest: +SKIP
    >>> colored = colorizer.colorize()  # doctest: +SKIP
    """

    def __init__(self, model: str | Path | None = None, device: str = "auto") -> None:
        choice = choose_device(device)
        self.device = choice.device
        self.device_reason = choice.reason
        network, self.card = load_network(find_model(model))
        self._network: nn.Module | None = network
        with _mapped_errors():
            network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._lightness: Lightness | None = None
        self._color: GuidedColor | None = None

    @property
    def model_name(self) -> str:
        """Name of the model, from its card."""
        return str(self.card["name"])

    def set_picture(
        self,
        image: Any,
        *,
        contrast_limits: Sequence[float] | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """Let the network look at a picture.

        Parameters
        ----------
        image : array_like of shape (H, W), (H, W, 3) or (H, W, 4)
            bool; integers, by the range of their type; floats 0..1; others by `contrast_limits`.
            It must not change until the picture is coloured.
        contrast_limits : (low, high), optional
            The values of black and white of a grey picture.
        cancel : callable, optional
            Is asked often; the work ends with `Cancelled` when it returns True.

        Raises
        ------
        PictureError
            If the picture cannot be coloured.
        ColorizeError
            If the memory does not suffice.
        """
        self._lightness = self._color = None
        self._refuse_if_closed()
        lightness = Lightness(image, contrast_limits, cancel)
        with _mapped_errors():
            color = self._look(lightness, cancel)
        self._lightness, self._color = lightness, color

    def colorize(
        self,
        *,
        dtype: OutputType = "uint8",
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.generic]:
        """Return the picture in colour.

        Parameters
        ----------
        dtype : "uint8" or "uint16"
        cancel, progress : callable, optional
            `progress` is told strips done and all strips.

        Returns
        -------
        ndarray of shape (H, W, 3)
            sRGB over the whole range of the type, with the L of the picture.

        Raises
        ------
        PictureError
            If no picture was set, or `dtype` is another.
        ColorizeError
            If the memory does not suffice.
        """
        self._refuse_if_closed()
        if self._lightness is None or self._color is None:
            raise PictureError("No picture was set: call set_picture(image) first.")
        kind = _output_type(dtype)
        with _mapped_errors():
            return self._recombined(self._lightness, self._color, kind, cancel, progress)

    def close(self) -> None:
        """Let go of the network and the picture, and of the memory of the GPU."""
        self._lightness = self._color = self._network = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self.device == "mps":
            torch.mps.empty_cache()

    def _refuse_if_closed(self) -> None:
        if self._network is None:
            raise ColorizeError("This Colorizer was closed: make a new one.")

    @torch.inference_mode()
    def _look(self, lightness: Lightness, cancel: Cancel | None) -> GuidedColor:
        """Return the colour that the network sees, ready for any strip of the picture."""
        size = int(self.card["working_size"])
        guide_shape = working_shape(lightness.shape, GUIDE * size)
        with _threads.pool() as pool:
            seen = pool.submit(lightness.reduced, *working_shape(lightness.shape, size), cancel)
            reduced = pool.submit(lightness.reduced, *guide_shape, cancel)
            guide = reduced.result()
        ab = self._predict(seen.result(), cancel)
        small = functional.interpolate(
            ab[None], guide_shape, mode="bicubic", align_corners=False, antialias=True
        )[0]
        return fit_guided(guide, small, lightness.shape)

    def _predict(self, lightness: Tensor, cancel: Cancel | None) -> Tensor:
        """Return ab, (2, h, w) float32 on the CPU, of L (h, w)."""
        network = cast("nn.Module", self._network)
        kind = self.device.split(":")[0]
        half = choose_precision(self.device) == "bf16-mixed"
        with (
            _cancellable(network, cancel),
            torch.autocast(kind, torch.bfloat16, enabled=half),
        ):
            ab = network(lightness[None, None].to(self.device))
        return cast("Tensor", ab[0].float().cpu())

    def _recombined(
        self,
        lightness: Lightness,
        color: GuidedColor,
        dtype: np.dtype[np.generic],
        cancel: Cancel | None,
        progress: Progress | None,
    ) -> NDArray[np.generic]:
        """Return the pixels, strip by strip in as many threads as torch may use."""
        result = np.empty((*lightness.shape, 3), dtype=dtype)
        strips = lightness.strips()

        def fill(strip: tuple[int, int]) -> None:
            _leave_if(cancel)
            with torch.inference_mode():
                rows = lightness.rows(*strip)
                recombine(rows, color.rows(*strip, rows), result[slice(*strip)])

        with _threads.pool() as pool:
            filling = pool.map(fill, strips)
            try:
                for done, _ in enumerate(filling, start=1):
                    if progress is not None:
                        progress(done, len(strips))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return result


def _output_type(dtype: Any) -> np.dtype[np.generic]:
    """Return the type of a result, by its name or as numpy's."""
    with contextlib.suppress(TypeError):
        kind: np.dtype[np.generic] = np.dtype(dtype)
        if kind in (np.uint8, np.uint16):
            return kind
    raise PictureError(f"dtype has to be 'uint8' or 'uint16', got {dtype!r}.")


def working_shape(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the shape, (h, w) in pixels, at which a network looks at a picture.

    The short side is `size`; the long one keeps the aspect up to `LONGEST` times as much.
    """
    short = min(shape)
    height, width = (min(round(side * size / short), LONGEST * size) for side in shape)
    return height, width


class _Threads:
    """Lends pools of as many threads as torch may use, in each of which torch uses no other.

    Strips do not wait for one another. torch's own threads do, at every operation, and become very
    slow as soon as the computer does anything else. What a thread tells torch also becomes
    the number for threads that start later; hence it is put back, also when pools overlap.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools = 0
        self._count = 1

    @contextlib.contextmanager
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """Lend a pool while the block runs."""
        with self._lock:
            if not self._pools:
                self._count = torch.get_num_threads()
            self._pools += 1
            torch.set_num_threads(self._count)
        try:
            with ThreadPoolExecutor(
                self._count, initializer=torch.set_num_threads, initargs=(1,)
            ) as pool:
                yield pool
        finally:
            with self._lock:
                self._pools -= 1
                torch.set_num_threads(self._count)


_threads = _Threads()


@contextlib.contextmanager
def _cancellable(network: nn.Module, cancel: Cancel | None) -> Iterator[None]:
    """Ask before every layer of the network whether to go on."""
    if cancel is None:
        yield
        return
    handles = [
        layer.register_forward_pre_hook(lambda *_: _leave_if(cancel))
        for layer in network.modules()
        if not list(layer.children())
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _leave_if(cancel: Cancel | None) -> None:
    if cancel is not None and cancel():
        raise Cancelled("Cancelled before the picture was coloured.")


@contextlib.contextmanager
def _mapped_errors() -> Iterator[None]:
    """Turn what torch and numpy raise into errors for people."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise ColorizeError(
                "The memory does not suffice to colour this picture: close other programs, choose "
                "the device cpu, or colour a smaller piece."
            ) from error
        raise ColorizeError(f"The picture could not be coloured: {error}") from error
