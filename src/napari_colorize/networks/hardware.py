"""Which NVIDIA GPU this computer has, whether or not PyTorch can use it; asked without torch."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Seconds that a program of the driver gets to answer.
PATIENCE = 10
# Where Linux tells of what is plugged in, and what NVIDIA's driver tells.
PCI, DRIVER = Path("/sys/bus/pci/devices"), Path("/proc/driver/nvidia/gpus")
NVIDIA, DISPLAY = "0x10de", "0x03"
UNNAMED = "the NVIDIA GPU"
# Where PyTorch keeps its builds, one folder a CUDA version.
BUILDS = "https://download.pytorch.org/whl"


@dataclass(frozen=True)
class Gpu:
    """A GPU that is there.

    Attributes
    ----------
    name : str
    driver : str
        Version of its driver; empty where none is loaded, "?" where it does not tell.
    cuda : str
        Newest CUDA version that the driver knows; empty where it does not tell.
    fault : str
        What the driver says is wrong; empty if nothing.
    """

    name: str
    driver: str = ""
    cuda: str = ""
    fault: str = ""


@cache
def nvidia_gpu() -> Gpu | None:
    """Return the first NVIDIA GPU that is there, None if none is found; asked once a process."""
    asked, said = _run("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    name, comma, driver = said.partition("\n")[0].rpartition(",")
    if asked and comma:
        return Gpu(name.strip(), driver.strip(), _newest_cuda())
    fault = said.partition("\n")[0].strip() if re.search("mismatch|failed", said, re.I) else ""
    for told in _sorted(DRIVER, "*/information"):
        model = re.search(r"^Model:\s*(.+)$", _text(told), re.M)
        return Gpu(model[1].strip() if model else UNNAMED, "?", fault=fault)
    for device in _sorted(PCI, "*"):
        shows = _text(device / "class").startswith(DISPLAY)
        if shows and _text(device / "vendor").strip() == NVIDIA:
            return Gpu(UNNAMED, fault=fault)
    return None


def torch_command(gpu: Gpu) -> str:
    """Return the command that installs the PyTorch that can use a GPU with its driver."""
    build = "cu130" if _major(gpu.cuda) >= 13 else "cu126"
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install --force-reinstall torch --index-url {BUILDS}/{build}"


def driver_command() -> str:
    """Return the command that installs a newer driver, or where to get one."""
    if shutil.which("ubuntu-drivers"):
        return "sudo ubuntu-drivers install"
    return "install the latest driver from https://www.nvidia.com/drivers and restart"


def is_translated() -> bool:
    """Return whether this is a Python for Intel that runs on an Apple processor."""
    return _run("sysctl", "-n", "sysctl.proc_translated")[1].strip() == "1"


def _newest_cuda() -> str:
    found = re.search(r"CUDA Version:\s*([\d.]+)", _run("nvidia-smi")[1])
    return found[1] if found else ""


def _major(release: str) -> int:
    first = release.partition(".")[0]
    return int(first) if first.isdigit() else 0


def _run(program: str, *arguments: str) -> tuple[bool, str]:
    """Return whether a program went well, and what it said; nothing where it does not exist."""
    path = shutil.which(program)
    if path is None:
        return False, ""
    try:
        done = subprocess.run(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
            creationflags=_without_window(),
        )
    except (OSError, subprocess.SubprocessError):
        return False, ""
    return done.returncode == 0, done.stdout or done.stderr


def _without_window() -> int:
    """Return the flag that lets no console flash up on Windows."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW
    return 0


def _sorted(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
