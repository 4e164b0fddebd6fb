"""What stands around every call into torch: cancelling, and errors that people understand."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.networks.devices import is_out_of_memory

if TYPE_CHECKING:
    from torch import nn

Cancel = Callable[[], bool]


@contextlib.contextmanager
def cancellable(network: nn.Module, cancel: Cancel | None) -> Iterator[None]:
    """Ask before every layer of the network whether to go on."""
    if cancel is None:
        yield
        return
    handles = [
        layer.register_forward_pre_hook(lambda *_: leave_if(cancel))
        for layer in network.modules()
        if not list(layer.children())
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def leave_if(cancel: Cancel | None) -> None:
    """Raise Cancelled if the user wants out."""
    if cancel is not None and cancel():
        raise Cancelled("Cancelled before the picture was coloured.")


@contextlib.contextmanager
def mapped_errors() -> Iterator[None]:
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
