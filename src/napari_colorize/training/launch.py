"""Lightning Fabric for a training: device, precision, and the processes that train together."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import time
from typing import TYPE_CHECKING, Any

import torch

try:
    from lightning_fabric import Fabric as Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy
except ModuleNotFoundError:  # the package `lightning` has the same under another name
    from lightning.fabric import Fabric as Fabric  # type: ignore[no-redef]
    from lightning.fabric.strategies.ddp import DDPStrategy  # type: ignore[no-redef]

from napari_colorize.errors import TrainingError
from napari_colorize.networks.devices import DeviceChoice, choose_precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    from napari_colorize.runs.config import TrainingConfig

# The others wait so long for the process that decodes the photographs.
PATIENCE = datetime.timedelta(days=1)
# Seconds that the threads of a process group get to let go of what they hold.
DRAIN = 0.2
# What Fabric writes into the environment when it starts the other processes.
LAUNCHED = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE")


# What Gloo and NCCL say, and torch raises as RuntimeError, when a process at the other end is gone.
_GONE = ("gloo/transport", "Connection closed", "Connection reset", "Broken pipe", "NCCL")


class _BuffersOnce(DDPStrategy):
    """Sends buffers once, when the processes meet: they do not change later.

    If they were sent at every step, a process that ran out of memory would leave the others
    waiting for ever.
    """

    def setup_module(self, module: nn.Module) -> DistributedDataParallel:
        """Return the network of this process joined to the others."""
        wrapped: DistributedDataParallel = super().setup_module(module)
        wrapped.broadcast_buffers = False
        return wrapped


@contextlib.contextmanager
def launched(config: TrainingConfig, choice: DeviceChoice) -> Iterator[Fabric]:
    """Start the processes of a training, if there are several, and hold them together.

    Raises
    ------
    TrainingError
        If device, precision and processes do not go together.
    """
    before = {name: os.environ.get(name) for name in LAUNCHED}
    for name in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)  # addresses and ranks mean little to users
    try:
        fabric = _fabric(config, choice)
        if config.threads:
            torch.set_num_threads(config.threads)
        yield fabric
        if fabric.world_size > 1:
            # The threads of Gloo need Python's lock to let go of the last tensors. Whoever ends
            # them holds the lock and waits for them: for ever, if they had no time before.
            time.sleep(DRAIN)
            torch.distributed.destroy_process_group()
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def is_process_lost(error: Exception) -> bool:
    """Return whether an error says that another process of the training is gone."""
    if isinstance(error, torch.distributed.DistError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _GONE)


def precision_of(config: TrainingConfig, choice: DeviceChoice) -> str:
    """Return the precision to train in: the one that is set, or the device's best."""
    return choose_precision(choice.device) if config.precision == "auto" else config.precision


def _fabric(config: TrainingConfig, choice: DeviceChoice) -> Fabric:
    kind, _, index = choice.device.partition(":")
    several = config.processes * config.nodes > 1
    if index and several:
        raise TrainingError(
            f"The device {choice.device} is a single one, and {config.processes} processes want "
            f"one each: set the device to {kind}."
        )
    options: dict[str, Any] = {
        "accelerator": kind,
        "devices": [int(index)] if index else config.processes,
        "num_nodes": config.nodes,
        "strategy": _BuffersOnce(timeout=PATIENCE) if several else "auto",
        "precision": precision_of(config, choice),
    }
    try:
        fabric = Fabric(**options)
        fabric.launch()
    except Exception as error:
        # Fabric has errors of many kinds for what cannot be; all of them are texts for people.
        raise TrainingError(
            f"{config.processes} processes on {choice.device} in {options['precision']} "
            f"cannot train: {error}"
        ) from error
    return fabric
