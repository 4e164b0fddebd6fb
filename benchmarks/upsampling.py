"""What is lost when ab is made small and enlarged again, guided by L and bicubically.

Run ``python benchmarks/upsampling.py PHOTOGRAPHS [--model plain] [--limit 50]``. For each
photograph of the folder ab is brought to the model's working size and back, once the
true one (how much the enlarging itself loses) and once the predicted one (what a person gets).
Printed is the mean PSNR in dB with L kept, beside that of the grey picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from napari_colorize.color.guided import Guide
from napari_colorize.color.lab import lab_to_rgb, rgb_to_lab
from napari_colorize.color.lightness import Lightness
from napari_colorize.files.models import find_model
from napari_colorize.files.pictures import find_pictures, read_picture
from napari_colorize.networks.weights import load_network
from napari_colorize.prediction.opening import GUIDE
from napari_colorize.prediction.seeing import working_shape

Enlarge = Callable[[Lightness, Tensor, Tensor], Tensor]


def bicubic(lightness: Lightness, small: Tensor, _: Tensor) -> Tensor:
    """Return ab enlarged without a look at L."""
    return functional.interpolate(small[None], lightness.shape, mode="bicubic", antialias=True)[0]


def guided(lightness: Lightness, small: Tensor, full: Tensor) -> Tensor:
    """Return ab enlarged as the product does it; `full` is L of the picture."""
    shape = working_shape(lightness.shape, GUIDE * min(small.shape[1:]))
    larger = functional.interpolate(small[None], shape, mode="bilinear")[0]
    color = Guide(lightness.reduced(*shape)).fit(larger, lightness.shape)
    return color.rows(0, lightness.shape[0], full)


def psnr(lab: Tensor, ab: Tensor) -> float:
    """Return the PSNR in dB of a picture whose ab is replaced."""
    got = lab_to_rgb(torch.cat((lab[:1], ab)))
    return float(-10 * torch.log10(((lab_to_rgb(lab) - got) ** 2).mean()))


@torch.inference_mode()
def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--model", default="plain")
    parser.add_argument("--limit", type=int, default=50)
    settings = parser.parse_args()
    paths = find_pictures(settings.photographs)
    paths = paths[:: max(1, len(paths) // settings.limit)][: settings.limit]
    network, card = load_network(find_model(settings.model))
    size = int(card["working_size"])
    scores: dict[str, list[float]] = {}
    for path in paths:
        pixels = read_picture(path).pixels
        if pixels.ndim != 3:
            continue
        lab = rgb_to_lab(torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255)
        lightness = Lightness(pixels)
        shape = working_shape(lightness.shape, size)
        true = functional.interpolate(lab[None, 1:], shape, mode="bilinear", antialias=True)[0]
        cells = network(lightness.reduced(*shape)[None, None]).ab
        predicted = network.enlarged(cells, shape)[0]
        scores.setdefault("grey", []).append(psnr(lab, torch.zeros_like(lab[1:])))
        for enlarge in (bicubic, guided):
            for name, small in (("true ab", true), ("predicted ab", predicted)):
                ab = enlarge(lightness, small, lab[0])
                scores.setdefault(f"{name}, {enlarge.__name__}", []).append(psnr(lab, ab))
    print(f"{len(paths)} photographs, working size {size} px")
    for name, values in scores.items():
        print(f"  {name:24} {sum(values) / len(values):6.2f} dB")


if __name__ == "__main__":
    main()
