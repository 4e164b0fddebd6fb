"""The workers of a Dask cluster: found, checked, given the model and watched."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from napari_colorize.errors import ClusterError, ModelError
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import BUNDLED, find_model, models_folder
from napari_colorize.files.record import program_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from distributed import Client

_CONNECT = 10.0  # seconds
# Seconds between two looks at whether there are workers, and how long there may be none: a cluster
# may be starting new ones.
_LOOK = 2.0
_ALONE = 30.0
# Dask warns of tasks with more bytes than this; a part with its planes is large, and is meant to.
_PART = {"distributed.admin.large-graph-warning-threshold": "4GiB"}


def _all_well() -> None:
    """Nothing can befall threads."""


@dataclass(frozen=True)
class SentModel:
    """A model for workers elsewhere, told by what is in it.

    Attributes
    ----------
    path : Path
        Its file, where the work was ordered.
    hash : str
        Of its weights, from its card.
    """

    path: Path
    hash: str

    @classmethod
    def of(cls, model: str | Path | None) -> SentModel:
        """Return a model given by name or file.

        Raises
        ------
        ModelError
            When there is none or it is broken.
        """
        path = find_model(model).absolute()
        return cls(path, str(read_card(path)["hash"]))

    @property
    def file(self) -> str:
        """Return what its file is called where it is brought to."""
        return f"{self.hash}.safetensors"

    def here(self, brought: Path | None = None) -> Path | None:
        """Return its file on this machine, or None: the same path, the same name, or brought."""
        name = self.path.name
        for path in (self.path, BUNDLED / name, models_folder() / name, brought):
            with contextlib.suppress(ModelError):
                if path is not None and str(read_card(path)["hash"]) == self.hash:
                    return path
        return None

    def on_worker(self) -> Path:
        """Return its file on the worker that calls this.

        Raises
        ------
        ModelError
            When it is not there.
        """
        worker = _worker()
        # Where it is brought to; Dask clears that away in the end.
        brought = None if worker is None else Path(worker.local_directory) / self.file
        path = self.here(brought)
        if path is None:
            raise ModelError(f"A worker has no model {self.path.stem} of this content.")
        return path


@dataclass(frozen=True)
class Workers:
    """Who works: threads here, or a cluster.

    Attributes
    ----------
    executor : concurrent.futures.Executor
    count : int
        How many work at a time.
    check : callable
        Raises ClusterError when they are lost.
    model : SentModel, optional
        The model that they can open.
    """

    executor: Executor
    count: int
    check: Callable[[], None] = _all_well
    model: SentModel | None = None


@contextmanager
def cluster(address: str, model: str | Path | None = None) -> Iterator[Workers]:
    """Lend the workers of a Dask cluster; they are let go at the end, whatever they do.

    A model that is not on all of them is sent to each once, also to those that come later.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``"tcp://10.0.0.1:8786"``.
    model : str or Path, optional
        As for `colorize`.

    Raises
    ------
    ClusterError
        If Dask is not installed, the scheduler does not answer or it has no workers, or one of
        them has not this version of napari-colorize.
    ModelError
        If there is no such model or it is broken.
    """
    sent = SentModel.of(model)
    with _connected(address) as client:
        threads = client.nthreads()
        if not threads:
            raise ClusterError(
                f"The Dask scheduler at {address} has no workers: start them with 'dask worker "
                f"{address}' where napari-colorize is installed."
            )
        _check_versions(client)
        with _brought(client, sent):
            check = _Check(client, address)
            yield Workers(client.get_executor(pure=False), sum(threads.values()), check, sent)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        import dask
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ClusterError(
            "A cluster needs the package distributed: pip install 'napari-colorize[cluster]'."
        ) from error
    with _calm(), dask.config.set(_PART):
        try:
            _knock(address)
            client = _in_time(
                lambda: Client(address, timeout=_CONNECT, set_as_default=False), 2 * _CONNECT
            )
        # An address can be wrong in as many ways as there are schemes, and answered by anything.
        except Exception as error:
            raise ClusterError(
                f"No Dask scheduler answers at {address}: start one with 'dask scheduler' and give "
                "the address that it prints, such as tcp://10.0.0.1:8786."
            ) from error
        try:
            yield client
        except OSError as error:  # what a call raises whose scheduler has gone
            raise _lost(address) from error
        finally:
            client.close()


def _knock(address: str) -> None:
    """Raise OSError or ValueError where nobody can be; Dask tries for long, and then complains."""
    from distributed.comm.registry import backends

    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme not in backends:
        raise ValueError(parts.scheme)
    if parts.scheme in {"tcp", "tls"}:
        socket.create_connection((parts.hostname or "", parts.port or 0), _CONNECT).close()


def _in_time(make: Callable[[], Client], limit: float) -> Client:
    """Return what `make` makes; Dask itself waits for ever for whoever listens and is silent."""
    made: SimpleQueue[Client | Exception] = SimpleQueue()

    def run() -> None:
        try:
            made.put(make())
        except Exception as error:
            made.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        client = made.get(timeout=limit)
    except Empty:
        raise TimeoutError from None
    if isinstance(client, Exception):
        raise client
    return client


@contextmanager
def _calm() -> Iterator[None]:
    """Keep what Dask logs of lost connections from the user, who gets a sentence."""
    loggers = [logging.getLogger(f"distributed.{name}") for name in ("client", "core", "batched")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class _Check:
    """Sees whether a cluster is still there and has workers."""

    def __init__(self, client: Client, address: str) -> None:
        self._client = client
        self._address = address
        self._looked = self._seen = time.monotonic()

    def __call__(self) -> None:
        """Raise ClusterError if the scheduler is lost, or has had no workers for long."""
        if self._client.status != "running":
            raise _lost(self._address)
        now = time.monotonic()
        if now < self._looked + _LOOK:
            return
        self._looked = now
        if self._client.nthreads():
            self._seen = now
        elif now > self._seen + _ALONE:
            raise ClusterError(
                f"The Dask scheduler at {self._address} has lost all its workers: start others and "
                "try again; what was done is kept."
            )


def _lost(address: str) -> ClusterError:
    return ClusterError(
        f"The Dask scheduler at {address} is gone: start it again and try again; what was done is "
        "kept."
    )


def _version() -> str:
    return program_version()


def _check_versions(client: Client) -> None:
    """Raise ClusterError unless each worker has this version of the program."""
    mine = _version()
    for worker, found in client.run(_version, on_error="return").items():
        if found == mine:
            continue
        what = f"has version {found} of" if isinstance(found, str) else "cannot import"
        raise ClusterError(
            f"The worker at {worker} {what} napari-colorize, and here it is {mine}: install the "
            "same on all machines."
        )


@contextmanager
def _brought(client: Client, sent: SentModel) -> Iterator[None]:
    """Bring a model to each worker, if one lacks it."""
    lacking = client.run(_lacks, sent)
    if not any(lacking.values()):
        yield
        return
    from napari_colorize.stacks.bringing import BroughtModel

    plugin = BroughtModel(f"{sent.hash}-{client.id}", sent.file, sent.path.read_bytes())
    client.register_plugin(plugin)
    try:
        yield
    finally:
        if client.status == "running":
            client.unregister_worker_plugin(plugin.name)


def _lacks(sent: SentModel) -> bool:
    return sent.here() is None


def nobody_waits() -> bool:
    """Return whether the task that calls this was cancelled meanwhile; in threads it never is."""
    worker = _worker()
    if worker is None:
        return False
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state == "cancelled"


def _worker() -> Any:
    """Return the Dask worker that this thread works for, or None."""
    try:
        from distributed import get_worker

        return get_worker()
    except (ModuleNotFoundError, ValueError):
        return None
