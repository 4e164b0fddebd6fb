"""See what 8-bit integers in place of float32 would bring, and what they would cost.

::

    python recipes/int8.py MODEL PHOTOGRAPHS [--limit 32]

The encoder and the decoder's blocks are quantised after training by PyTorch (static, scales per
channel, calibrated on half of the photographs). Printed are the time of a look in parts of that in
float32 and how far the colours move at vividness 0 on the other half.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from over_grey import some
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from napari_colorize.color.lightness import Lightness
from napari_colorize.evaluation import read_truth
from napari_colorize.files.models import find_model
from napari_colorize.networks.weights import load_network
from napari_colorize.prediction.seeing import working_shape

if TYPE_CHECKING:
    from torch import Tensor

    from napari_colorize.networks.palette import Palette

PARTS = ("encoder", "decode_coarse", "decode_middle", "decode_fine")


def main() -> None:
    """Print the ratio and the distance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--limit", type=int, default=32)
    asked = parser.parse_args()

    network = cast("Palette", load_network(find_model(asked.model))[0])
    seen = [seen_as(path, 160) for path in some(asked.photographs, asked.limit)]
    with torch.inference_mode():
        quantised = in_integers(network, seen[::2])
        moved, ratios = [], []
        for lightness in seen[1::2]:
            first, whole = timed(network, lightness)
            second, integers = timed(quantised, lightness)
            ratios.append(second / first)
            moved.append(float((whole - integers).norm(dim=1).mean()))
    print(
        f"{len(moved)} photographs: int8 takes {statistics.median(ratios):.2f} of the time of "
        f"float32, colours move by {statistics.mean(moved):.2f} units of ab"
    )


def seen_as(path: Path, size: int) -> Tensor:
    """Return L as the network sees a photograph, (1, 1, h, w)."""
    lightness = Lightness(read_truth(path))
    return lightness.reduced(*working_shape(lightness.shape, size))[None, None]


def in_integers(network: Palette, seen: list[Tensor]) -> Palette:
    """Return the network with its convolutions in integers, calibrated on what is seen."""
    network = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    mapping = get_default_qconfig_mapping("x86")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in (
            lambda part, given: prepare_fx(part, mapping, given),
            lambda part, _: convert_fx(part),
        ):
            for name in PARTS:
                given = inputs_of(network, name, seen[0])
                setattr(network, name, step(getattr(network, name), given))
            for lightness in seen:
                network(lightness)
    return network


def inputs_of(network: Palette, name: str, lightness: Tensor) -> tuple[Tensor, ...]:
    """Return what a part of the network is given when it looks."""
    kept: list[tuple[Tensor, ...]] = []
    hook = getattr(network, name).register_forward_pre_hook(lambda _, given: kept.append(given))
    network(lightness)
    hook.remove()
    return kept[0]


def timed(network: Palette, lightness: Tensor) -> tuple[float, Tensor]:
    """Return the seconds of the best of three looks, and ab."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        ab = network(lightness).ab
        seconds.append(time.perf_counter() - start)
    return min(seconds), ab


if __name__ == "__main__":
    main()
