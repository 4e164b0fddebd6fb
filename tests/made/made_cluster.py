"""A small Dask cluster on this machine, for tests."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def small_cluster(workers: int = 2) -> Iterator[Any]:
    """Lend a `distributed.LocalCluster` of worker processes that are started again when killed."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=60,
    ) as cluster:
        yield cluster


def kill_a_worker(cluster: Any) -> int:
    """Kill the process of the first worker, and return its number."""
    number = int(next(iter(cluster.workers.values())).pid)
    os.kill(number, signal.SIGKILL)
    return number
