"""How long a step of the weights is: AdamW, warm-up and cosine, and an encoder may be slower."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

    from napari_colorize.networks.interface import ColorNetwork
    from napari_colorize.runs.config import TrainingConfig


def make_optimizer(config: TrainingConfig, network: ColorNetwork) -> torch.optim.Optimizer:
    """Return AdamW over the weights of a network; an encoder with rate 0 gets no gradients."""
    inside: list[nn.Parameter] = []
    outside: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (inside if name.startswith("encoder.") else outside).append(parameter)
    for parameter in inside:
        parameter.requires_grad_(config.encoder_rate > 0)
    groups = [{"params": outside, "share": 1.0}]
    if inside and config.encoder_rate > 0:
        groups.append({"params": inside, "share": config.encoder_rate})
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99)
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let the next step be so long, where the encoder is not slower."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def learning_rate(config: TrainingConfig, step: int, total: int) -> float:
    """Rise in a line during the warm-up, then fall along a cosine to a hundredth."""
    warmup = min(config.warmup, total // 5)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(1, total - warmup)
    return config.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
