"""A small Dask cluster on this machine, for tests."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def start_forkserver() -> None:
    """Start the process that workers are forked from, which has imported all; it stays."""
    from multiprocessing import forkserver  # not on Windows

    multiprocessing.set_forkserver_preload(["distributed.nanny", "napari_colorize.stacks.workers"])
    forkserver.ensure_running()


@contextmanager
def small_cluster(workers: int = 2) -> Iterator[Any]:
    """Lend a `distributed.LocalCluster` of worker processes that are started again when killed.

    `start_forkserver` has been called.
    """
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=60,
        ) as cluster,
    ):
        yield cluster


def kill_a_worker(cluster: Any) -> int:
    """Kill the process of the first worker, and return its number."""
    number = int(next(iter(cluster.workers.values())).pid)
    os.kill(number, signal.SIGKILL)
    return number
