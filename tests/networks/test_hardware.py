"""Which GPU is there, told by programs and files that stand in for those of the driver."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from napari_colorize.networks import hardware
from napari_colorize.networks.hardware import Gpu, driver_command, nvidia_gpu, torch_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

HEADER = "| NVIDIA-SMI 550.54    Driver Version: 550.54    CUDA Version: 12.4     |"


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands in for a computer without a GPU: bin, pci, driver."""
    for name in ("bin", "pci", "driver"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(hardware, "PCI", tmp_path / "pci")
    monkeypatch.setattr(hardware, "DRIVER", tmp_path / "driver")
    return tmp_path


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    """Forget what was found before and after a test."""
    nvidia_gpu.cache_clear()
    yield
    nvidia_gpu.cache_clear()


@pytest.fixture
def program(computer: Path) -> Callable[[str, str], None]:
    """Return a function that installs a program: its name, its shell script."""

    def install(name: str, script: str) -> None:
        path = computer / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return install


def plug_in(computer: Path, place: str, vendor: str, kind: str) -> None:
    """Put a device into the computer."""
    folder = computer / "pci" / place
    folder.mkdir()
    (folder / "vendor").write_text(f"{vendor}\n")
    (folder / "class").write_text(f"{kind}\n")


def test_no_gpu(computer: Path) -> None:
    """Neither a driver nor a device; those of other makers and other kinds do not count."""
    plug_in(computer, "0000:00:02.0", "0x8086", "0x030000")
    plug_in(computer, "0000:01:00.1", "0x10de", "0x040300")  # the sound of a card
    assert nvidia_gpu() is None


def test_a_gpu_with_its_driver(program: Callable[[str, str], None]) -> None:
    """Name, driver and CUDA are those that nvidia-smi tells; the first of two GPUs counts."""
    program(
        "nvidia-smi",
        'case "$1" in --query*) echo "NVIDIA RTX A2000, 12GB, 550.54"; echo "Other, 550.54";; '
        f'*) echo "{HEADER}";; esac',
    )
    gpu = nvidia_gpu()
    assert gpu == Gpu("NVIDIA RTX A2000, 12GB", "550.54", "12.4")
    assert gpu is not None
    assert torch_command(gpu).endswith("/whl/cu126")
    assert torch_command(gpu).startswith(sys.executable)
    assert torch_command(Gpu("new", "590", "13.1")).endswith("/whl/cu130")


def test_a_gpu_without_a_driver(computer: Path, program: Callable[[str, str], None]) -> None:
    """What is plugged in is found all the same."""
    plug_in(computer, "0000:01:00.0", "0x10de", "0x030200")
    assert nvidia_gpu() == Gpu(hardware.UNNAMED)
    assert "nvidia.com/drivers" in driver_command()
    program("ubuntu-drivers", "")
    assert driver_command() == "sudo ubuntu-drivers install"


def test_a_driver_that_was_replaced(computer: Path, program: Callable[[str, str], None]) -> None:
    """Its complaint is kept, and the name comes from what is loaded."""
    said = "Failed to initialize NVML: Driver/library version mismatch"
    program("nvidia-smi", f'echo "{said}"; exit 18')
    card = computer / "driver" / "0000:01:00.0"
    card.mkdir()
    (card / "information").write_text("Model: \t\t NVIDIA TITAN V\nIRQ: 30\n")
    assert nvidia_gpu() == Gpu("NVIDIA TITAN V", "?", fault=said)


def test_a_program_that_hangs(
    program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for."""
    monkeypatch.setattr(hardware, "PATIENCE", 0.2)
    program("nvidia-smi", "exec /bin/sleep 30")
    assert nvidia_gpu() is None


def test_a_translated_python(program: Callable[[str, str], None]) -> None:
    """On a Mac the system tells."""
    assert not hardware.is_translated()
    program("sysctl", "echo 1")
    assert hardware.is_translated()
