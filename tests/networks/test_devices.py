"""The choice of device and precision, and what counts as a lack of memory."""

from __future__ import annotations

import platform

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


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: str = "", mps: str = "") -> None:
    """Let CUDA and MPS be "" (usable), "built" (not available) or "missing"."""
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: cuda != "missing")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: not cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Some GPU")
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
