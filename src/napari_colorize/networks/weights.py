"""Weights of networks: saving them as a model with its card, loading them strictly.

Loading reads numbers only (safetensors, never a pickle), compares every name and shape with the
network that the card names, and checks the hash of the weights: a model either is what its card
says, or a ModelError tells what it is. Nothing is skipped, so no half-loaded network ever paints.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from napari_colorize.errors import ModelError
from napari_colorize.files.cards import (
    CARD_KEYS,
    CARD_VERSION,
    card_of_header,
    damaged,
    header_of_bytes,
    opened,
)
from napari_colorize.files.writing import written_whole
from napari_colorize.networks.palette import Palette
from napari_colorize.networks.plain import Plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_colorize.networks.interface import ColorNetwork

NETWORKS: dict[str, type[ColorNetwork]] = {"palette": Palette, "plain": Plain}


def save_network(
    path: str | Path,
    network: nn.Module,
    card: Mapping[str, Any],
    dtype: torch.dtype = torch.float16,
) -> dict[str, Any]:
    """Write a network as a model file and return its card, version and hash included.

    Parameters
    ----------
    path : str or Path
        The ``.safetensors`` file; it is replaced whole, or left as it was when this fails.
    network : nn.Module
        The weights, on any device; they are not changed.
    card : mapping
        name, network, settings, working_size and what else is known; JSON values only.
    dtype : torch.dtype
        What floating-point weights are stored as; whole numbers keep their type.

    Raises
    ------
    ModelError
        When the card lacks something, or a weight is not finite or too large for `dtype`.
    StorageError
        When the disk is full or the folder cannot be written.
    """
    path = Path(path)
    tensors = {key: _stored(key, value, dtype) for key, value in network.state_dict().items()}
    data = safetensors.torch.save(tensors)
    header, start = header_of_bytes(data, path.name)
    payload = memoryview(data)[start:]
    full = dict(card) | {"version": CARD_VERSION, "hash": hashlib.sha256(payload).hexdigest()}
    for key, kind in CARD_KEYS.items():
        if not isinstance(full.get(key), kind):
            raise ModelError(f"The card of {path.name} lacks {key!r}, so it was not written.")
    header["__metadata__"] = {"card": json.dumps(full, ensure_ascii=False)}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # safetensors wants the payload on a multiple of 8
    with written_whole(path) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        file.write(payload)
    return full


def load_network(path: str | Path) -> tuple[ColorNetwork, dict[str, Any]]:
    """Return the network of a model file, in float32 on the CPU and in eval mode, and its card.

    Raises
    ------
    ModelError
        When the file is missing, foreign, cut short, damaged or newer; when its card names an
        unknown network or settings; or when a weight is missing, superfluous, of another shape or
        not finite. The text tells which.
    """
    path = Path(path)
    with opened(path) as file:
        data = file.read()
    header, start = header_of_bytes(data, path.name)
    card = card_of_header(header, path.name)
    if hashlib.sha256(memoryview(data)[start:]).hexdigest() != card["hash"]:
        raise ModelError(damaged(path.name))
    try:
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, KeyError) as error:
        raise ModelError(f"The weights of {path.name} cannot be read: {error}.") from error
    del data
    # Built without memory: settings of a malicious or broken card cannot ask for more of it than
    # the file has weights, and nothing is initialised that the file replaces.
    with torch.device("meta"):
        network = build_network(card["network"], card["settings"], path.name)
    what = f"{path.name} does not fit network {card['network']!r}"
    _compare(network.state_dict(), tensors, what)
    loaded = {key: _loaded(key, tensors[key], path.name) for key in tensors}
    network.load_state_dict(loaded, assign=True)
    return network.eval(), card


def build_network(name: str, settings: Mapping[str, Any], label: str = "The model") -> ColorNetwork:
    """Return a fresh network by its name and settings; `label` names the file in errors.

    Raises
    ------
    ModelError
        When no network has this name, or it does not know these settings.
    """
    if name not in NETWORKS:
        known = ", ".join(sorted(NETWORKS))
        raise ModelError(
            f"{label} asks for the network {name!r}; this version knows: {known}. "
            "A newer napari-colorize may know it: pip install -U napari-colorize"
        )
    try:
        return NETWORKS[name](**settings)
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{label} asks for settings that the network {name!r} does not take: {error}"
        ) from error


def _stored(key: str, value: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a tensor as it is written: on the CPU, contiguous, floats as `dtype`."""
    value = value.detach().cpu()
    if value.is_floating_point():
        value = _finite(key, value.to(dtype), f"as {dtype} ")
    return value.clone(memory_format=torch.contiguous_format)


def _loaded(key: str, value: Tensor, label: str) -> Tensor:
    """Return a tensor as networks want it: floats as float32, and only finite ones."""
    return _finite(key, value.float(), f"in {label} ") if value.is_floating_point() else value


def _finite(key: str, value: Tensor, where: str) -> Tensor:
    """Return the tensor when all of it is finite."""
    if not bool(torch.isfinite(value.float()).all()):
        raise ModelError(f"The weights of {key} {where}are not all finite numbers.")
    return value


def _compare(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], what: str) -> None:
    """Raise a ModelError that names the first weight that does not fit."""
    for key, want in expected.items():
        if key not in found:
            raise ModelError(f"{what}: {key} is missing.")
        got = found[key]
        if got.shape != want.shape:
            shapes = f"{tuple(got.shape)}, the network wants {tuple(want.shape)}"
            raise ModelError(f"{what}: {key} has the shape {shapes}.")
        if got.is_floating_point() != want.is_floating_point():
            raise ModelError(f"{what}: {key} is {got.dtype}, the network wants {want.dtype}.")
    if superfluous := sorted(found.keys() - expected.keys()):
        raise ModelError(f"{what}: it does not know {superfluous[0]}.")
