"""Where a network runs, in which precision, and why."""

from __future__ import annotations

import os
import platform
import warnings
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch

from napari_colorize.errors import ColorizeError
from napari_colorize.networks.hardware import (
    driver_command,
    is_translated,
    nvidia_gpu,
    torch_command,
)
from napari_colorize.runs.config import DEVICE

if TYPE_CHECKING:
    from collections.abc import Callable

Precision = Literal["bf16-mixed", "32-true"]

# With less free memory a GPU does not even hold a network.
LEAST_MEMORY = 512 << 20  # bytes


@dataclass(frozen=True)
class DeviceChoice:
    """A device, the reason why it was taken, in words, and the command that mends that reason.

    `remedy` is empty where there is no GPU that could be used.
    """

    device: str
    reason: str
    remedy: str = ""


class Obstacle(NamedTuple):
    """Why a device cannot be used, in words, and the command that mends it, if one is known."""

    text: str = ""
    remedy: str = ""


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
    obstacle = obstacle_of(wish)
    if obstacle.text:
        mend = f" This mends it: {obstacle.remedy}" if obstacle.remedy else ""
        raise ColorizeError(
            f"The device {wish} cannot be used: {obstacle.text}. Choose auto or cpu.{mend}"
        )
    return DeviceChoice(wish, "as asked for")


def _best_device() -> DeviceChoice:
    no_cuda = obstacle_of("cuda")
    if not no_cuda.text:
        return DeviceChoice("cuda", f"{torch.cuda.get_device_name()} is usable")
    no_mps = obstacle_of("mps")
    if not no_mps.text:
        return DeviceChoice("mps", "the Apple GPU is usable")
    on_a_mac = platform.system() == "Darwin"
    obstacle = no_mps if on_a_mac else no_cuda
    if not obstacle.remedy:
        return DeviceChoice("cpu", f"no GPU: {obstacle.text}")
    gpu = nvidia_gpu()
    name = gpu.name if gpu and not on_a_mac else "the GPU"
    return DeviceChoice("cpu", f"{name} is not used: {obstacle.text}", obstacle.remedy)


def device_obstacle(device: str) -> str:
    """Return why a device cannot be used, in words, or nothing when it can."""
    return obstacle_of(device).text


def obstacle_of(device: str) -> Obstacle:
    """Return why a device cannot be used, and what mends it; nothing when it can be used."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return Obstacle()
    if kind == "mps":
        return _mps_obstacle()
    if not torch.backends.cuda.is_built():
        gpu = nvidia_gpu()
        mend = "" if gpu is None else torch_command(gpu) if gpu.driver else driver_command()
        return Obstacle(
            "this PyTorch is built without CUDA; install the CUDA build from pytorch.org", mend
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what is told here
        available = torch.cuda.is_available()
    if not available:
        return _missing_cuda()
    if index and int(index) >= torch.cuda.device_count():
        return Obstacle(f"there are {torch.cuda.device_count()} CUDA devices, numbered from 0")
    return _unusable_cuda(int(index or 0))


def _mps_obstacle() -> Obstacle:
    if not torch.backends.mps.is_built():
        mend = ""
        if platform.system() == "Darwin" and is_translated():
            mend = "install Python for Apple silicon (arm64) and napari-colorize in it"
        return Obstacle("this PyTorch is built without MPS (Apple GPUs)", mend)
    if torch.backends.mps.is_available():
        return Obstacle()
    mend = "softwareupdate --install --all" if platform.machine() == "arm64" else ""
    return Obstacle("macOS offers no usable Apple GPU", mend)


def _missing_cuda() -> Obstacle:
    """Return why a PyTorch that is built with CUDA finds no GPU."""
    gpu = nvidia_gpu()
    if gpu is None:
        return Obstacle("CUDA finds no usable NVIDIA GPU or driver; see whether nvidia-smi runs")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        unset = "set CUDA_VISIBLE_DEVICES=" if os.name == "nt" else "unset CUDA_VISIBLE_DEVICES"
        return Obstacle("the variable CUDA_VISIBLE_DEVICES hides it", unset)
    if not gpu.driver:
        return Obstacle("its driver is not installed or not loaded", driver_command())
    if "mismatch" in gpu.fault.lower():
        return Obstacle("its driver was updated and waits for a restart", "restart the computer")
    text = _first_error(torch.cuda.init)
    if "too old" in text or _is_older(gpu.cuda, torch.version.cuda):
        known = f" (it knows CUDA {gpu.cuda})" if gpu.cuda else ""
        wanted = f"this PyTorch, which wants CUDA {torch.version.cuda}"
        return Obstacle(f"its driver {gpu.driver} is too old for {wanted}{known}", driver_command())
    because = f": {text}" if text else ""
    return Obstacle(f"CUDA cannot use it{because}", "nvidia-smi")


def _unusable_cuda(index: int) -> Obstacle:
    """Return why a GPU that CUDA sees cannot be worked with."""
    try:
        major, minor = torch.cuda.get_device_capability(index)
        if not _is_built_for(major, minor, torch.cuda.get_arch_list()):
            return _foreign_gpu(major, minor)
        if os.environ.get("LOCAL_RANK", "0") != "0":
            return Obstacle()  # to ask takes memory, and the first process has asked
        free, total = torch.cuda.mem_get_info(index)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            return Obstacle(f"CUDA cannot use it: {_gist(error)}", "nvidia-smi")
        free, total = 0, 0
    if free >= LEAST_MEMORY:
        return Obstacle()
    of_all = f" of {total / 2**30:.0f} GiB" if total else ""
    return Obstacle(
        f"only {free >> 20} MiB{of_all} of its memory are free, other programs have the rest; "
        "nvidia-smi lists them",
        "nvidia-smi",
    )


def _is_built_for(major: int, minor: int, builds: list[str]) -> bool:
    """Return whether a PyTorch with these builds, such as "sm_86", runs on a GPU.

    Machine code (sm) runs on later GPUs of the same major number, PTX (compute) on all later ones.
    """
    for build in builds:
        kind, _, number = build.partition("_")
        digits = "".join(letter for letter in number if letter.isdigit())
        if not digits:
            continue
        here = (int(digits[:-1] or 0), int(digits[-1]))
        later = here <= (major, minor)
        if later and (kind == "compute" or here[0] == major):
            return True
    return not builds


def _foreign_gpu(major: int, minor: int) -> Obstacle:
    gpu = nvidia_gpu()
    mend = driver_command() if gpu is None else torch_command(gpu)
    return Obstacle(
        f"this PyTorch is not built for its compute capability {major}.{minor}, only for "
        f"{', '.join(torch.cuda.get_arch_list())}",
        mend,
    )


def _is_older(known: str, wanted: str | None) -> bool:
    """Return whether a driver knows an older CUDA than PyTorch was built with, by major version."""
    majors = [text.partition(".")[0] for text in (known, wanted or "")]
    return all(major.isdigit() for major in majors) and int(majors[0]) < int(majors[1])


def _first_error(work: Callable[[], object]) -> str:
    """Return what goes wrong with some work, in one line; nothing if it does not."""
    try:
        work()
    except (AssertionError, RuntimeError) as error:
        return _gist(error)
    return ""


def _gist(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


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
        **({"remedy": choice.remedy} if choice.remedy else {}),
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
