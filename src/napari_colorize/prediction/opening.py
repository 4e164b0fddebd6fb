"""A model that is open, and what it knows of the picture that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from napari_colorize.color.guided import Guide
from napari_colorize.color.lightness import Lightness
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.models import find_model
from napari_colorize.networks.devices import choose_device
from napari_colorize.networks.weights import load_network
from napari_colorize.prediction.guards import Cancel, cancellable, mapped_errors
from napari_colorize.prediction.look import Look, autocast
from napari_colorize.prediction.seeing import Seen, working_shape
from napari_colorize.prediction.strips import threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_colorize.networks.interface import ColorNetwork

# Short side of the small picture whose edges the colour follows, in working sizes.
GUIDE = 2


class OpenModel:
    """A model in memory, and one picture that it looks at; see `Colorizer`."""

    def __init__(self, model: str | Path | None = None, device: str = "auto") -> None:
        choice = choose_device(device)
        self.device = choice.device
        self.device_reason = choice.reason
        network, self.card = load_network(find_model(model))
        self._network: ColorNetwork | None = network
        with mapped_errors():
            network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._look: Look | None = None

    @property
    def model_name(self) -> str:
        """Name of the model, from its card."""
        return str(self.card["name"])

    @property
    def has_distribution(self) -> bool:
        """Whether the model knows hints, vividness, references, alternatives and confidence."""
        return self._open().has_distribution

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
        self._look = None
        self._look = self.look_at(image, contrast_limits=contrast_limits, cancel=cancel)

    def look_at(
        self,
        image: Any,
        *,
        contrast_limits: Sequence[float] | None = None,
        cancel: Cancel | None = None,
    ) -> Look:
        """Return what the network knows of a picture, for `take`; the one that is set stays.

        Without `cancel` several threads may do it at a time. Parameters and errors are those of
        `set_picture`.
        """
        network = self._open()
        lightness = Lightness(image, contrast_limits, cancel)
        with mapped_errors():
            return Look(network, self.card, self.device, self._see(lightness, cancel))

    def take(self, look: Look) -> None:
        """Set the picture that was looked at before."""
        self._look = look

    def close(self) -> None:
        """Let go of the network and the picture, and of the memory of the GPU."""
        self._look = self._network = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self.device == "mps":
            torch.mps.empty_cache()

    def _open(self) -> ColorNetwork:
        if self._network is None:
            raise ColorizeError("This Colorizer was closed: make a new one.")
        return self._network

    def _looked(self) -> Look:
        self._open()
        if self._look is None:
            raise PictureError("No picture was set: call set_picture(image) first.")
        return self._look

    @torch.inference_mode()
    def _see(self, lightness: Lightness, cancel: Cancel | None) -> Seen:
        """Return what a picture is to the network, ready to be coloured."""
        network = self._open()
        size = int(self.card["working_size"])
        shape = working_shape(lightness.shape, size)
        with threads.pool() as pool:
            seen = pool.submit(lightness.reduced, *shape, cancel)
            reduced = pool.submit(
                lightness.reduced, *working_shape(lightness.shape, GUIDE * size), cancel
            )
            guide = Guide(reduced.result())
        with cancellable(network, cancel), autocast(self.device):
            features = network.encode(seen.result()[None, None].to(self.device))
        return Seen(lightness, guide, features, shape)
