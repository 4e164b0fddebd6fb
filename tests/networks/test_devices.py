"""The choice of device and precision, and what counts as a lack of memory."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest
import torch

from napari_colorize.errors import ColorizeError
from napari_colorize.networks import devices
from napari_colorize.networks.devices import (
    choose_device,
    choose_precision,
    describe_devices,
    device_obstacle,
    is_out_of_memory,
)
from napari_colorize.networks.hardware import Gpu

if TYPE_CHECKING:
    from collections.abc import Callable

RTX = Gpu("NVIDIA GeForce RTX 3060", "535.183", "12.2")


@pytest.fixture(autouse=True)
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[Gpu | None], None]:
    """Return a function that puts a GPU into the computer; at first there is none."""

    def plug_in(found: Gpu | None) -> None:
        monkeypatch.setattr(devices, "nvidia_gpu", lambda: found)

    plug_in(None)
    return plug_in


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: str = "", mps: str = "") -> None:
    """Let CUDA and MPS be "" (usable), "built" (not available) or "missing"."""
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: cuda != "missing")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: not cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Some GPU")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: (8, 6))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_80", "sm_90"])
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (8 << 30, 10 << 30))
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: mps != "missing")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: not mps)


def test_the_best_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before MPS before the CPU, each with its reason."""
    pretend(monkeypatch)
    assert choose_device() == devices.DeviceChoice("cuda", "Some GPU is usable")
    pretend(monkeypatch, cuda="missing")
    assert choose_device() == devices.DeviceChoice("mps", "the Apple GPU is usable")
    pretend(monkeypatch, cuda="built", mps="missing")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    choice = choose_device()
    assert choice.device == "cpu"
    assert choice.reason == "no GPU: " + device_obstacle("cuda")
    assert "nvidia-smi" in choice.reason
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert "built without MPS" in choose_device().reason


def test_a_device_that_is_wished_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken when it can be used; else the error says why and what to choose."""
    pretend(monkeypatch, mps="built")
    for wish in ("cpu", "cuda", "cuda:1"):
        assert choose_device(wish).device == wish
    with pytest.raises(ColorizeError, match="cuda:2 cannot be used: there are 2 CUDA devices"):
        choose_device("cuda:2")
    with pytest.raises(ColorizeError, match=r"mps cannot be used: .* Choose auto or cpu"):
        choose_device("mps")
    with pytest.raises(ColorizeError, match="Unknown device 'tpu': choose auto, cpu, cuda or mps"):
        choose_device("tpu")
    pretend(monkeypatch, cuda="missing")
    with pytest.raises(ColorizeError, match=r"install the CUDA build from pytorch\.org"):
        choose_device("cuda")


@pytest.mark.parametrize("fast", [True, False])
def test_precision(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    """bf16 where the hardware has it, else single precision; MPS has single precision."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: fast)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    wanted = "bf16-mixed" if fast else "32-true"
    assert choose_precision("cuda:1") == choose_precision("cpu") == wanted
    assert choose_precision("mps") == "32-true"
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert choose_precision("cpu") == "32-true"


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("sizes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_memory(error: Exception, short: bool) -> None:
    """As torch says it on each device; other errors are none."""
    assert is_out_of_memory(error) is short


def test_a_report_where_something_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not there is said not to be; an obstacle is told, or its lack."""
    pretend(monkeypatch, mps="missing")

    def version(name: str) -> str:
        if name == "napari":
            raise devices.PackageNotFoundError(name)
        return "1.2.3"

    monkeypatch.setattr(devices, "version", version)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    report = describe_devices()
    assert report["napari"] == "not installed"
    assert report["torch"] == "1.2.3"
    assert report["cuda"] == "usable"
    assert "built without MPS" in report["mps"]
    assert report["device"] == "cuda: Some GPU is usable"


def test_a_cpu_build_beside_a_gpu(
    monkeypatch: pytest.MonkeyPatch, gpu: Callable[[Gpu | None], None]
) -> None:
    """The GPU is named, with the command that installs the PyTorch for its driver."""
    pretend(monkeypatch, cuda="missing", mps="missing")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert not choose_device().remedy
    gpu(RTX)
    choice = choose_device()
    assert choice.device == "cpu"
    assert choice.reason.startswith("NVIDIA GeForce RTX 3060 is not used: this PyTorch is built")
    assert choice.remedy.endswith("torch --index-url https://download.pytorch.org/whl/cu126")
    with pytest.raises(ColorizeError, match=r"This mends it: .*pip install"):
        choose_device("cuda")
    assert describe_devices()["remedy"] == choice.remedy
    gpu(Gpu("the NVIDIA GPU"))
    assert "driver" in choose_device().remedy


@pytest.mark.parametrize(
    ("found", "said", "text", "remedy"),
    [
        (RTX, "The NVIDIA driver on your system is too old (found 11040).", "too old", "driver"),
        (RTX, "CUDA unknown error - this may be due to something.\nMore.", "unknown error", "smi"),
        (Gpu("RTX", "450.1", "11.0"), "no", "knows CUDA 11.0", "driver"),
        (Gpu("RTX"), "no", "not installed or not loaded", "driver"),
        (Gpu("RTX", "?", fault="Driver/library version mismatch"), "no", "restart", "restart"),
    ],
)
def test_a_driver_that_does_not_do(
    monkeypatch: pytest.MonkeyPatch,
    gpu: Callable[[Gpu | None], None],
    found: Gpu,
    said: str,
    text: str,
    remedy: str,
) -> None:
    """It is too old, missing, replaced, or broken: each is told, with what mends it."""

    def init() -> None:
        raise RuntimeError(said)

    pretend(monkeypatch, cuda="built", mps="missing")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(torch.cuda, "init", init)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    gpu(found)
    choice = devices._best_device()
    assert choice.device == "cpu"
    assert text in choice.reason
    assert "More" not in choice.reason
    assert remedy in choice.remedy


def test_a_hidden_gpu(monkeypatch: pytest.MonkeyPatch, gpu: Callable[[Gpu | None], None]) -> None:
    """The variable that hides it is named."""
    pretend(monkeypatch, cuda="built", mps="missing")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    gpu(RTX)
    assert "CUDA_VISIBLE_DEVICES hides it" in device_obstacle("cuda")
    assert devices.obstacle_of("cuda").remedy.endswith("CUDA_VISIBLE_DEVICES")


def test_a_gpu_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs have it: how much is left is told, also when CUDA cannot even ask."""

    def full(*_: object) -> tuple[int, int]:
        raise RuntimeError("CUDA error: out of memory")

    pretend(monkeypatch, mps="missing")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (100 << 20, 8 << 30))
    choice = choose_device()
    assert choice.device == "cpu"
    assert "only 100 MiB of 8 GiB of its memory are free" in choice.reason
    assert choice.remedy == "nvidia-smi"
    monkeypatch.setattr(torch.cuda, "mem_get_info", full)
    assert "only 0 MiB of its memory are free" in choose_device().reason


def test_a_gpu_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CUDA says of it is passed on."""

    def broken(*_: object) -> tuple[int, int]:
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered\nand so on")

    pretend(monkeypatch)
    monkeypatch.setattr(torch.cuda, "get_device_capability", broken)
    assert device_obstacle("cuda") == (
        "CUDA cannot use it: CUDA error: uncorrectable ECC error encountered"
    )


@pytest.mark.parametrize(
    ("capability", "builds", "usable"),
    [
        ((8, 6), ["sm_80", "sm_90"], True),
        ((8, 0), ["sm_86"], False),
        ((6, 1), ["sm_75", "sm_80"], False),
        ((12, 0), ["sm_80", "sm_90"], False),
        ((12, 0), ["sm_90", "compute_90"], True),
        ((12, 0), ["sm_100", "sm_120"], True),
        ((9, 0), ["sm_90a"], True),
        ((8, 6), [], True),
    ],
)
def test_compute_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], builds: list[str], usable: bool
) -> None:
    """Machine code runs on later GPUs of its kind, PTX on all later ones."""
    pretend(monkeypatch)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: builds)
    obstacle = devices.obstacle_of("cuda")
    assert (not obstacle.text) is usable
    if not usable:
        assert f"compute capability {capability[0]}.{capability[1]}" in obstacle.text
