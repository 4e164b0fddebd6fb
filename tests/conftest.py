"""Fixtures that every test may use, and nets for what a test leaves behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# One thread for each process: tests run beside each other, and the children of a test inherit it.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# What a shell or a build machine says of its terminal; here all output is read from a pipe.
for _name in ("CLICOLOR_FORCE", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "TTY_COMPATIBLE"):
    os.environ.pop(_name, None)

# A shell starts what runs in the background deaf to Ctrl-C, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if sys.platform == "win32":
    import torch  # noqa: F401  # after Qt its libraries do not load on Windows

PATIENCE = 60.0  # seconds that threads and children of a test get to end by themselves


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Give the environment back as it was: IPython, for one, asks for colours in it."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the cache and the user's data of each test in a folder of its own."""
    home = tmp_path_factory.mktemp("places")
    monkeypatch.setenv("NAPARI_COLORIZE_CACHE", str(home / "cache"))
    monkeypatch.setenv("NAPARI_COLORIZE_DATA", str(home / "data"))
    return home


@pytest.fixture(autouse=True)
def no_child_left() -> Iterator[None]:
    """Fail a test that leaves a child process running, after ending that child."""
    before = set(psutil.Process().children(recursive=True))
    yield
    left = [p for p in psutil.Process().children(recursive=True) if p not in before]
    left = [p for p in left if not _command(p).endswith("(tracker)")]
    left = [p for p in psutil.wait_procs(left, timeout=PATIENCE)[1] if _runs(p)]
    told = [f"{child.pid} {_command(child)}" for child in left]
    for child in left:
        child.kill()
    psutil.wait_procs(left, timeout=PATIENCE)
    assert not told, f"children left running: {told}"


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves one of our threads running."""
    before = set(threading.enumerate())
    yield
    limit = time.monotonic() + PATIENCE
    for thread in _own_threads(before):
        thread.join(timeout=max(0.0, limit - time.monotonic()))
    left = [thread.name for thread in _own_threads(before)]
    assert not left, f"threads left running: {left}"


@pytest.fixture(scope="session")
def forkserver() -> None:
    """Have the process that the workers of small clusters are forked from, before any test."""
    from made_cluster import start_forkserver

    start_forkserver()


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 24 colour photographs 96 wide and 80 high: do not write into it."""
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(24):
        picture = Image.fromarray(landscape(number))
        sub = folder / ("meadow" if number % 3 else "shore")
        sub.mkdir(exist_ok=True)
        if number % 2:
            picture.save(sub / f"photograph-{number:02d}.jpg", quality=92)
        else:
            picture.save(sub / f"photograph-{number:02d}.png")
    return folder


@pytest.fixture(scope="session")
def make_photograph() -> Callable[..., NDArray[np.uint8]]:
    """Return the function that makes a photograph: number, height=80, width=96 -> (H, W, 3)."""
    return landscape


@pytest.fixture
def grey_picture() -> NDArray[np.uint8]:
    """Return a grey landscape as an array (80, 96) of uint8."""
    return np.asarray(Image.fromarray(landscape(100)).convert("L")).copy()


def landscape(number: int, height: int = 80, width: int = 96) -> NDArray[np.uint8]:
    """Return a made photograph (height, width, 3): sky, ground, hills and things, with noise.

    The same number gives the same pixels; different numbers differ enough not to be taken for
    duplicates of each other.
    """
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    wave = rng.uniform(2, 9) * np.sin(x / rng.uniform(6, 25) + rng.uniform(0, 6))
    horizon = height * rng.uniform(0.3, 0.65) + wave
    sky = np.array([0.35, 0.6, 0.95]) + rng.uniform(-0.12, 0.12, 3)
    ground = np.array([0.3, 0.55, 0.15]) + rng.uniform(-0.15, 0.15, 3)
    depth = (y / height)[..., None]
    scene = np.where((y < horizon)[..., None], sky + 0.35 * depth, ground * (0.6 + 0.6 * depth))
    for _ in range(rng.integers(3, 7)):
        centre = rng.uniform(0.1, 0.9, 2) * (height, width)
        radius = rng.uniform(5, 20, 2)
        inside = ((y - centre[0]) / radius[0]) ** 2 + ((x - centre[1]) / radius[1]) ** 2
        cover = np.clip(2 * (1.2 - inside), 0, 1)[..., None]
        shade = 1 - 0.25 * np.clip(inside, 0, 1)[..., None]
        scene = scene * (1 - cover) + rng.uniform(0.05, 0.95, 3) * shade * cover
    scene = scene + rng.normal(0, 0.02, scene.shape)
    return (np.clip(scene, 0, 1) * 255).round().astype(np.uint8)


def _own_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    """Return living threads made since *before*, less those of libraries that never end."""
    lasting = ("ThreadPoolExecutor", "Dummy-", "IPython", "tqdm", "pymp", "Thread-1 (_monitor)")
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before and not thread.daemon and not thread.name.startswith(lasting)
    ]


def _runs(process: psutil.Process) -> bool:
    """Say whether a process is alive, a zombie being dead."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _command(process: psutil.Process) -> str:
    """Return the command line of a process for people, as far as it can be read."""
    try:
        line = " ".join(process.cmdline())
        # multiprocessing keeps one helper of its own until the interpreter ends
        return line[:200] + (" (tracker)" if "multiprocessing.resource_tracker" in line else "")
    except psutil.Error:
        return "(gone)"
