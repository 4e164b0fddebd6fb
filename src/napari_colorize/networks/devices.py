"""Where a network runs, in which precision, and why."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import torch

from napari_colorize.errors import ColorizeError
from napari_colorize.runs.config import DEVICE

Precision = Literal["bf16-mixed", "32-true"]


@dataclass(frozen=True)
class DeviceChoice:
    """A device and the reason why it was taken, in words."""

    device: str
    reason: str


def choose_device(wish: str = "auto") -> DeviceChoice:
    """Return the device to work on.

    Parameters
    ----------
    wish : str
        "auto" takes CUDA, then MPS, then the CPU; or "cpu", "cuda", "cuda:1", "mps".

    Raises
    ------
    ColorizeError
        If the device is unknown, or wished for and not usable; the text says why.
    """
    if wish == "auto":
        return _best_device()
    if not DEVICE.fullmatch(str(wish)):
        raise ColorizeError(f"Unknown device {wish!r}: choose auto, cpu, cuda or mps.")
    obstacle = device_obstacle(wish)
    if obstacle:
        raise ColorizeError(f"The device {wish} cannot be used: {obstacle}. Choose auto or cpu.")
    return DeviceChoice(wish, "as asked for")


def _best_device() -> DeviceChoice:
    no_cuda = device_obstacle("cuda")
    if not no_cuda:
        return DeviceChoice("cuda", f"{torch.cuda.get_device_name()} is usable")
    no_mps = device_obstacle("mps")
    if not no_mps:
        return DeviceChoice("mps", "the Apple GPU is usable")
    obstacle = no_mps if platform.system() == "Darwin" else no_cuda
    return DeviceChoice("cpu", f"no GPU: {obstacle}")


def device_obstacle(device: str) -> str:
    """Return why a device cannot be used, in words, or nothing when it can."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return ""
    if kind == "mps":
        if not torch.backends.mps.is_built():
            return "this PyTorch is built without MPS (Apple GPUs)"
        return "" if torch.backends.mps.is_available() else "macOS offers no usable Apple GPU"
    if not torch.backends.cuda.is_built():
        return "this PyTorch is built without CUDA; install the CUDA build from pytorch.org"
    if not torch.cuda.is_available():
        return "CUDA finds no usable NVIDIA GPU or driver; see whether nvidia-smi runs"
    if index and int(index) >= torch.cuda.device_count():
        return f"there are {torch.cuda.device_count()} CUDA devices, numbered from 0"
    return ""


def choose_precision(device: str) -> Precision:
    """Return bf16-mixed where the hardware multiplies bfloat16 quickly, else 32-true."""
    if device.startswith("cuda"):
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16-mixed" if fast else "32-true"
    if device == "cpu" and _cpu_has_bfloat16():
        return "bf16-mixed"
    return "32-true"


def _cpu_has_bfloat16() -> bool:
    """Whether oneDNN has bfloat16 convolutions for this processor (AVX-512 BF16 or AMX)."""
    capabilities = torch.backends.cpu.get_cpu_capability()
    return capabilities == "AVX512" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device or the computer ran out of memory."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text
        or "can't allocate memory" in text
        or "not enough memory" in text
        or "alloc_failed" in text  # cuBLAS and cuDNN
    )


def describe_devices() -> dict[str, str]:
    """Return versions and devices in words, and why a GPU is not used."""
    choice = choose_device()
    names = ("napari-colorize", "torch", "lightning-fabric", "numpy", "scikit-image", "napari")
    return {
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "python": platform.python_version(),
        **{name: _installed(name) for name in names},
        "device": f"{choice.device}: {choice.reason}",
        "precision": choose_precision(choice.device),
        "threads": str(torch.get_num_threads()),
        "cuda": device_obstacle("cuda") or "usable",
        "mps": device_obstacle("mps") or "usable",
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
