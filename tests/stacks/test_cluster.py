"""Stacks on a real Dask cluster of two worker processes, which lose their lives and their way."""

from __future__ import annotations

import itertools
import socket
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made_cluster import kill_a_worker, small_cluster
from made_models import save_loud_palette

from napari_colorize.errors import Cancelled, ClusterError, ModelError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.stacks import cluster as module
from napari_colorize.stacks import workers
from napari_colorize.stacks.api import stack_planes
from napari_colorize.stacks.cluster import SentModel, cluster
from napari_colorize.stacks.job import StackJob
from napari_colorize.stacks.workers import planes_by_workers, worked_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Place

    Pan = Callable[..., NDArray[np.uint8]]

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.usefixtures("forkserver"),
    pytest.mark.skipif(sys.platform == "win32", reason="workers are killed by signals"),
]


NOWHERE = ("tcp://127.0.0.1:9", "nowhere", "", "http://127.0.0.1:9", "tcp://127.0.0.1:x")


@pytest.fixture(scope="module")
def two_workers(forkserver: None) -> Iterator[Any]:
    """Return a cluster of two workers on this machine."""
    with small_cluster() as local:
        yield local


@pytest.fixture
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let parts be of four planes, so that there are many."""
    monkeypatch.setattr(workers, "LONGEST", 4)


def alone(movie: NDArray[np.uint8], axes: str, model: Path) -> dict[Place, NDArray[np.uint8]]:
    """Return the planes as one computer colours them."""
    planes = stack_planes(movie, Axes(axes, movie.shape), model=model, device="cpu")
    return {plane.place: plane.pixels for plane in planes if plane.pixels is not None}


@pytest.mark.usefixtures("short_parts")
def test_a_killed_worker_loses_nothing(pan: Pan, model: Path) -> None:
    """All planes are there, once each, and as one computer makes them."""
    movie = pan(24, noise=2)
    with small_cluster() as local:
        for axes in ("cyx", "tyx"):
            check_a_kill(movie, axes, model, local)


def check_a_kill(movie: NDArray[np.uint8], axes: str, model: Path, local: Any) -> None:
    """Kill a worker when the first plane has come, and look at all planes."""
    found: dict[Place, Any] = {}
    for plane in stack_planes(
        movie,
        Axes(axes, movie.shape),
        model=model,
        device="cpu",
        scheduler=local.scheduler_address,
    ):
        assert plane.place not in found
        found[plane.place] = plane.pixels
        if len(found) == 1:
            kill_a_worker(local)
    wanted = alone(movie, axes, model)
    assert set(found) == set(wanted)
    # Within the first parts a row is as long as in one piece; later ones are led in by 16 planes.
    exact = wanted if axes == "cyx" else [(t,) for t in range(20)]
    for place in exact:
        assert np.array_equal(found[place], wanted[place])
    for place, pixels in wanted.items():
        assert np.abs(found[place].astype(int) - pixels).mean() < 2


@pytest.mark.usefixtures("short_parts")
def test_cancel_lets_go(pan: Pan, model: Path, two_workers: Any) -> None:
    """The caller is free at once, and the workers leave what they are at."""
    movie, asked = pan(200), threading.Event()
    planes = stack_planes(
        movie,
        Axes("cyx", movie.shape),
        model=model,
        device="cpu",
        scheduler=two_workers.scheduler_address,
        cancel=asked.is_set,
    )
    next(planes)
    asked.set()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        list(planes)
    assert time.monotonic() - began < 5
    with cluster(two_workers.scheduler_address, model) as lent:
        assert list(worked_off(abs, [(-1,)], lent)) == [1]


def test_a_model_of_the_user_is_sent(
    pan: Pan, two_workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that cannot read its file get the content, and use that."""
    mine = save_loud_palette(tmp_path / "mine.safetensors")
    movie = pan(4)
    wanted = alone(movie, "cyx", mine)
    monkeypatch.setattr(module, "_lacks", lambda _: True)
    with cluster(two_workers.scheduler_address, mine) as lent:
        mine.unlink()
        job = StackJob(movie, Axes("cyx", movie.shape), model=mine, device="cpu")
        found = {plane.place: plane.pixels for plane in planes_by_workers(job, lent)}
    for place, pixels in wanted.items():
        assert np.array_equal(found[place], pixels)


def test_which_file_is_the_model(model: Path, tmp_path: Path) -> None:
    """The content counts: another model in the same place is not taken."""
    sent = SentModel.of(model)
    assert sent.here() == model
    other = SentModel(model, "0" * 64)
    assert other.here() is None
    with pytest.raises(ModelError, match="A worker has no model paint of this content"):
        other.on_worker()
    moved = SentModel(tmp_path / "gone.safetensors", sent.hash)
    assert moved.here(model) == model


def test_wrong_addresses(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    """Nobody there, no address, somebody silent: one sentence."""
    monkeypatch.setattr(module, "_CONNECT", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        silent = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        for address in (*NOWHERE, silent):
            with (
                pytest.raises(ClusterError, match=r"No Dask scheduler answers at .*: start one"),
                cluster(address, model),
            ):
                pass
        assert time.monotonic() - began < 8


def test_no_workers(model: Path) -> None:
    """They are asked for in one sentence, with the command."""
    with (
        small_cluster(0) as local,
        pytest.raises(ClusterError, match="has no workers: start them with 'dask worker tcp://"),
        cluster(local.scheduler_address, model),
    ):
        pass


def test_other_versions(two_workers: Any, monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    """A worker with another version, or with none, is named."""
    address = two_workers.scheduler_address
    monkeypatch.setattr(module, "program_version", lambda: "0.0.1")
    with (
        pytest.raises(ClusterError, match=r"The worker at tcp\S+ has version .* here it is 0.0.1"),
        cluster(address, model),
    ):
        pass


@pytest.mark.usefixtures("short_parts")
def test_a_scheduler_that_dies(pan: Pan, model: Path) -> None:
    """What was done is there, and then comes one sentence."""
    movie = pan(200)
    with small_cluster(1) as local:
        planes = stack_planes(
            movie,
            Axes("cyx", movie.shape),
            model=model,
            device="cpu",
            scheduler=local.scheduler_address,
        )
        next(planes)
        local.close()
        with pytest.raises(ClusterError, match=r"The Dask scheduler at tcp\S+ is gone"):
            list(planes)


def test_workers_that_do_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A while without any worker is waited for, not for ever."""
    client, now = SimpleNamespace(status="running", nthreads=dict), itertools.count(0, 9)
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    check = module._Check(client, "tcp://here:1")  # type: ignore[arg-type]
    for _ in range(3):
        check()
    with pytest.raises(ClusterError, match="tcp://here:1 has lost all its workers: start others"):
        check()


def test_what_workers_cannot_do(two_workers: Any, model: Path) -> None:
    """An error that is not ours is told in one sentence."""
    with cluster(two_workers.scheduler_address, model) as lent:
        with pytest.raises(ClusterError, match=r"could not do it \(invalid literal"):
            list(worked_off(int, [("x",)], lent))
        with pytest.raises(ClusterError, match="could not do it"):
            list(worked_off(int, [(threading.Lock(),)], lent))
