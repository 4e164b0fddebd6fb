"""How long a person waits for a picture of 512 x 512, and for a further hint on it.

Run ``python benchmarks/coloring.py [--model MODEL] [--rounds 20]``; it prints

- the time of ``set_picture`` and ``colorize`` together, beside a network of ECCV16's shape (Zhang,
  Isola, Efros 2016) with random weights at 256 px in float32 and scikit-image around it, and
  their ratio;
- the time of ``colorize`` with a hint on the same picture, beside the first call, and their ratio;
- where the time of both goes, stage by stage;
- the time of four alternatives, of the confidence and of suggestions.

All of them take turns in every round, so that a noisy machine disturbs all alike; the models are
loaded before. Use a quiet machine; the ratios are what counts.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from skimage.color import lab2rgb, rgb2lab
from skimage.transform import resize
from timing import WHOLE, Stopwatch, picture, print_ratio, print_stages, print_times, seconds
from torch import Tensor, nn
from torch.nn import functional

from napari_colorize.color.hints import Hint
from napari_colorize.networks.devices import choose_precision
from napari_colorize.prediction import look, opening
from napari_colorize.prediction.colorizer import Colorizer
from napari_colorize.prediction.look import Look

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 512
ALTERNATIVES = 4
WORKING_SIZE = 256  # of ECCV16
BINS = 313
# Channels of the convolutions of a block, the stride of its last one, the dilation of all.
BLOCKS = (
    ((64, 64), 2, 1),
    ((128, 128), 2, 1),
    ((256, 256, 256), 2, 1),
    ((512, 512, 512), 1, 1),
    ((512, 512, 512), 1, 2),
    ((512, 512, 512), 1, 2),
    ((512, 512, 512), 1, 1),
)


def eccv16() -> nn.Sequential:
    """Return a network of ECCV16's layers: (B, 1, H, W) to ab in parts of 110, random weights."""
    layers: list[nn.Module] = []
    inputs = 1
    for widths, last_stride, dilation in BLOCKS:
        for number, width in enumerate(widths, start=1):
            stride = last_stride if number == len(widths) else 1
            layers += [nn.Conv2d(inputs, width, 3, stride, dilation, dilation), nn.ReLU(True)]
            inputs = width
        layers.append(nn.BatchNorm2d(inputs))
    layers += [nn.ConvTranspose2d(512, 256, 4, 2, 1), nn.ReLU(True)]
    for _ in range(2):
        layers += [nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(True)]
    layers += [nn.Conv2d(256, BINS, 1), nn.Softmax(dim=1), nn.Conv2d(BINS, 2, 1, bias=False)]
    layers.append(nn.Upsample(scale_factor=4, mode="bilinear"))
    return nn.Sequential(*layers).eval()


class Eccv16:
    """ECCV16's way from a grey picture to a coloured one."""

    def __init__(self, watch: Stopwatch) -> None:
        self._lab = watch.timed("rgb2lab", rgb2lab)
        self._reduced = watch.timed("reduce", resize)
        self._network = watch.timed("network", eccv16())
        self._enlarged = watch.timed("enlarge", functional.interpolate)
        self._rgb = watch.timed("lab2rgb", lab2rgb)

    @torch.inference_mode()
    def colorize(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a picture (H, W) in colour, (H, W, 3)."""
        lightness = self._lab(np.stack([grey] * 3, axis=-1))[..., 0].astype(np.float32)
        small = self._reduced(lightness, (WORKING_SIZE, WORKING_SIZE))
        ab: Tensor = self._network((torch.from_numpy(small)[None, None] - 50) / 100) * 110
        ab = self._enlarged(ab, grey.shape, mode="bilinear")
        lab = np.dstack((lightness, ab[0].permute(1, 2, 0).numpy()))
        rgb: NDArray[np.float32] = self._rgb(lab)
        return rgb


def watched(model: str | None, watch: Stopwatch) -> Colorizer:
    """Return a colorizer whose stages are timed."""
    colorizer = Colorizer(model, device="cpu")
    network = colorizer._open()
    network.encode = watch.timed("encode", network.encode)  # type: ignore[method-assign]
    network.decode = watch.timed("decode", network.decode)  # type: ignore[method-assign]
    opening.Guide = watch.timed("guide", opening.Guide)  # type: ignore[assignment, attr-defined]
    look.vivid_ab = watch.timed("vividness", look.vivid_ab)  # type: ignore[attr-defined]
    Look.telling = watch.timed("what hints tell", Look.telling)  # type: ignore[method-assign]
    Look.guided = watch.timed("guided fit", Look.guided)  # type: ignore[method-assign]
    look.recombined = watch.timed("recombine", look.recombined)  # type: ignore[attr-defined]
    return colorizer


def hint(number: int) -> Hint:
    """Return a hint at another place each time."""
    y, x = (17 + 31 * number) % SIDE, (29 + 97 * number) % SIDE
    return Hint(y, x, (40, 80, 200), size=SIDE / 40)


def compare(colorizer: Colorizer, watch: Stopwatch, rounds: int) -> None:
    """Print ratios and stages of a picture, of a further hint, and of ECCV16's way."""
    grey, theirs = picture(SIDE), Eccv16(watch)
    first, further, anchor = [], [], []

    def whole() -> None:
        colorizer.set_picture(grey)
        colorizer.colorize()

    for number in range(rounds + 1):
        first.append(watch.read(whole, rest="reduce, and the rest"))
        if colorizer.has_distribution:
            further.append(watch.read(partial(colorizer.colorize, [hint(number)])))
        anchor.append(watch.read(partial(theirs.colorize, grey)))
    rows = {
        "first call": first[1:],  # the first round warms up
        "further hint": further[1:],
        f"ECCV16's shape at {WORKING_SIZE} px, and scikit-image": anchor[1:],
    }
    first_times, further_times, anchor_times = ([t[WHOLE] for t in row] for row in rows.values())
    print("ratios")
    print_ratio("first call, to ECCV16", first_times, anchor_times)
    if further_times:
        print_ratio("further hint, to first call", further_times, first_times)
    for name, row in rows.items():
        print_stages(name, row)


def measure_wishes(colorizer: Colorizer, rounds: int) -> None:
    """Print how long alternatives, the confidence and suggestions take."""
    wishes = {
        f"{ALTERNATIVES} alternatives": lambda: colorizer.alternatives(ALTERNATIVES),
        "confidence": colorizer.confidence,
        "suggest": lambda: colorizer.suggest(SIDE / 2, SIDE / 2),
    }
    times = [[seconds(wish) for wish in wishes.values()] for _ in range(rounds + 1)][1:]
    print("on a picture that was set")
    for name, row in zip(wishes, zip(*times, strict=True), strict=True):
        print_times(name, row)


def main() -> None:
    """Measure one model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", help="name or file of a model; the default one otherwise")
    parser.add_argument("--rounds", type=int, default=20)
    settings = parser.parse_args()
    watch = Stopwatch()
    colorizer = watched(settings.model, watch)
    print(
        f"{SIDE} x {SIDE} px, {colorizer.model_name} at {colorizer.card['working_size']} px in "
        f"{choose_precision(colorizer.device)}, {torch.get_num_threads()} threads, "
        f"median of {settings.rounds} rounds"
    )
    compare(colorizer, watch, settings.rounds)
    if colorizer.has_distribution:
        measure_wishes(colorizer, settings.rounds)


if __name__ == "__main__":
    main()
