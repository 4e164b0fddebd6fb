"""One run: the training loop joined to its run folder."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from lightning_fabric import Fabric
from torch import nn

from napari_colorize.errors import Cancelled, ColorizeError, RunError
from napari_colorize.files.cache import Photographs, open_photographs
from napari_colorize.files.models import find_model
from napari_colorize.files.writing import written_whole
from napari_colorize.networks.devices import (
    DeviceChoice,
    choose_device,
    choose_precision,
    is_out_of_memory,
)
from napari_colorize.networks.weights import build_network, load_network, save_network
from napari_colorize.runs.events import (
    CheckpointWritten,
    Event,
    Failed,
    Finished,
    Preparing,
    PreviewWritten,
    Started,
    Step,
    Stopped,
    Validated,
)
from napari_colorize.training.batches import Batches
from napari_colorize.training.card import model_card
from napari_colorize.training.loop import Training
from napari_colorize.training.validation import ValidationSet, write_previews

if TYPE_CHECKING:
    from napari_colorize.runs.config import TrainingConfig
    from napari_colorize.runs.folder import RunFolder

# Seconds between two steps that are told, and between two counts of decoded photographs.
TELL_EVERY = 0.5
# Models of so many epochs are kept beside the best one.
KEPT_EPOCHS = 5
# Share of the folder that is only looked at when no validation folder is given, and its limit.
VALIDATION_SHARE = 0.1
VALIDATION_LIMIT = 700

ADVICE = {
    "DataError": "Choose a folder with more colour photographs.",
    "StorageError": "Free some space or choose another folder, then resume.",
    "ModelError": "Choose another model to start from.",
    "OutOfMemory": "Use a smaller crop or batch size, or close other programs, then resume.",
    "TrainingError": "Start a new run with a tenth of the learning rate.",
}


def is_main_process() -> bool:
    """Whether this process is the first of those that train together, by its environment."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if name in os.environ:
            return os.environ[name] == "0"
    return True


def run_training(
    run: RunFolder, *, resume: bool = False, listen: Callable[[Event], None] | None = None
) -> Event:
    """Train in this process and return the last event: finished, stopped or failed.

    Parameters
    ----------
    run : RunFolder
        A run that has been made.
    resume : bool
        Go on from the last checkpoint, if there is one; a finished run is left as it is.
    listen : callable
        Is told every event, after it was written.

    Raises
    ------
    RunError
        If the folder holds no run or another process trains in it.
    TrainingError
        If the settings of the run are wrong.
    """
    config = run.read_config()
    if not is_main_process():
        return _Work(run, config, None).train(resume)
    with run.claim():
        last = run.last_event()
        if resume and isinstance(last, Finished):
            return last
        run.clear_stop()
        with _signals() as asked_to_stop:
            return _Work(run, config, listen, asked_to_stop).train(resume)


@dataclass
class _Work:
    """What `run_training` holds while it works."""

    run: RunFolder
    config: TrainingConfig
    listen: Callable[[Event], None] | None
    asked_to_stop: threading.Event | None = None

    def __post_init__(self) -> None:
        self.main = self.asked_to_stop is not None
        self.told = 0.0
        self.saved = time.monotonic()
        self.training: Training | None = None

    def train(self, resume: bool) -> Event:
        """Train, and turn whatever ends the training into its last event."""
        try:
            last: Event = self._train(resume)
        except Cancelled:
            last = Stopped(0, "stopped before the first step")
        except KeyboardInterrupt:
            last = Stopped(self._step(), "interrupted; what came after the last checkpoint is lost")
        except Exception as error:
            last = _failure(error)
            if not isinstance(error, ColorizeError):
                import traceback

                traceback.print_exc()
        # When the disk is full the last word cannot be written either; the caller still hears it.
        with contextlib.suppress(ColorizeError):
            self._tell(last)
        return last

    def _train(self, resume: bool) -> Event:
        config = self.config
        if config.threads:
            torch.set_num_threads(config.threads)
        choice = choose_device(config.device)
        fabric = _fabric(config, choice)
        fabric.launch()
        with fabric.rank_zero_first():
            photographs, validation = self._open()
        torch.manual_seed(config.seed)
        self.training = training = Training(
            config, self._network(), self._batches(photographs, fabric), validation, fabric
        )
        if resume and self.run.last_checkpoint.exists():
            self._load_checkpoint()
        self._tell(self._started(choice, photographs, validation))
        for event in training.run():
            self._tell(event)
            if isinstance(event, Validated):
                self._keep(event, validation)
            elif time.monotonic() - self.saved > config.checkpoint_every:
                self._save_checkpoint()
            if self._stop_wanted():
                self._save_checkpoint()
                return Stopped(self._step(), "stopped as asked; resume to go on")
        done = training.progress
        return Finished(
            done.validated, done.best_epoch, done.best_loss, "best.safetensors", training.end_reason
        )

    # What the training is made of.

    def _open(self) -> tuple[_Chosen, ValidationSet]:
        """Return what is trained on and what is only looked at."""
        config = self.config
        photographs = self._decoded(config.folder)
        if config.validation is None:
            train, kept = photographs.split(VALIDATION_SHARE, config.seed)
            source = photographs
        else:
            source = self._decoded(config.validation)
            train, kept = photographs.without_duplicates_of(source), list(range(len(source)))
        limit = config.photographs or len(train)
        step = max(1, len(kept) // VALIDATION_LIMIT)
        validation = ValidationSet(source, kept[::step], config.working_size)
        return _Chosen(photographs, _some(train, limit, config.seed)), validation

    def _decoded(self, folder: str) -> Photographs:
        return open_photographs(
            folder,
            cache_dir=self.config.cache,
            progress=self._tell_preparing,
            cancel=self._stop_wanted,
        )

    def _network(self) -> nn.Module:
        if self.config.init is None:
            return build_network(self.config.network, {}, "The run")
        network, card = load_network(find_model(self.config.init))
        if card["network"] != self.config.network:
            raise RunError(
                f"{self.config.init} holds the network {card['network']!r}, the run asks for "
                f"{self.config.network!r}; set the network to {card['network']!r}."
            )
        return network.train()

    def _batches(self, chosen: _Chosen, fabric: Fabric) -> Batches:
        config = self.config
        return Batches(
            chosen.photographs,
            chosen.indices,
            batch_size=min(config.batch_size, len(chosen.indices)),
            crop=config.crop,
            working_size=config.working_size,
            seed=config.seed,
            rank=fabric.global_rank,
            processes=fabric.world_size,
        )

    # What is written.

    def _tell(self, event: Event) -> None:
        """Write an event and pass it on; of quick steps only some."""
        if not self.main:
            return
        if isinstance(event, Step):
            if event.step < event.steps and time.monotonic() - self.told < TELL_EVERY:
                return
            self.told = time.monotonic()
        self.run.append(event)
        if self.listen is not None:
            self.listen(event)

    def _tell_preparing(self, done: int, total: int) -> None:
        if done == total or time.monotonic() - self.told > TELL_EVERY:
            self.told = time.monotonic()
            self._tell(Preparing(done, total))

    def _started(
        self, choice: DeviceChoice, chosen: _Chosen, validation: ValidationSet
    ) -> Started:
        assert self.training is not None
        left_out = chosen.photographs.examination.left_out
        return Started(
            device=choice.device,
            reason=choice.reason,
            precision=_precision(self.config, choice),
            photographs=len(chosen.indices),
            validation=len(validation),
            left_out={reason: len(names) for reason, names in left_out.items()},
            epochs=self.config.epochs,
            steps_per_epoch=self.training.batches.steps_per_epoch,
            step=self._step(),
            pid=os.getpid(),
        )

    def _keep(self, event: Validated, validation: ValidationSet) -> None:
        """Write the models, the previews and the checkpoint of an epoch."""
        if not self.main:
            return
        assert self.training is not None
        with self.training.averaged() as network:
            card = model_card(self.run, self.config, self.training, event)
            save_network(self.run.epoch_model(event.epoch), network, card)
            if event.best:
                save_network(self.run.best_model, network, card)
            folder = self.run.previews / f"epoch-{event.epoch:04d}"
            write_previews(folder, network, validation, self.training.fabric.device)
        self.run.epoch_model(event.epoch - KEPT_EPOCHS).unlink(missing_ok=True)
        self._tell(PreviewWritten(event.epoch, folder.relative_to(self.run.path).as_posix()))
        self._save_checkpoint()

    def _save_checkpoint(self) -> None:
        if not self.main:
            return
        assert self.training is not None
        state = self.training.state_dict() | {"config": self.config.to_dict()}
        with written_whole(self.run.last_checkpoint) as file:
            torch.save(state, file)
        self.saved = time.monotonic()
        self._tell(CheckpointWritten(self._step(), self.run.last_checkpoint.name))

    def _load_checkpoint(self) -> None:
        assert self.training is not None
        path = self.run.last_checkpoint
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            self.training.load_state_dict(state)
        except Exception as error:
            raise RunError(
                f"The checkpoint {path.name} cannot be read: {error}. "
                "Start a new run, with --init and this run's best.safetensors."
            ) from error

    def _step(self) -> int:
        return self.training.progress.step if self.training is not None else 0

    def _stop_wanted(self) -> bool:
        """Whether a signal or the stop file asks to leave; all processes hear the same answer."""
        wanted = self.main and (self._signalled() or self.run.stop_requested())
        if self.training is not None and self.training.batches.processes > 1:
            return bool(self.training.fabric.broadcast(wanted))
        return wanted

    def _signalled(self) -> bool:
        return self.asked_to_stop is not None and self.asked_to_stop.is_set()


@dataclass(frozen=True)
class _Chosen:
    """The photographs of a folder and those of them to train on."""

    photographs: Photographs
    indices: list[int]


def _some(indices: list[int], limit: int, seed: int) -> list[int]:
    """Return at most `limit` of the indices, drawn by the seed."""
    if limit >= len(indices):
        return indices
    order = torch.randperm(len(indices), generator=torch.Generator().manual_seed(seed))
    return sorted(indices[int(i)] for i in order[:limit])


def _precision(config: TrainingConfig, choice: DeviceChoice) -> str:
    return choose_precision(choice.device) if config.precision == "auto" else config.precision


def _fabric(config: TrainingConfig, choice: DeviceChoice) -> Fabric:
    """Return Lightning Fabric for the device, the precision and the number of processes."""
    kind, _, index = choice.device.partition(":")
    several = config.processes * config.nodes > 1
    return Fabric(
        accelerator=kind,
        devices=[int(index)] if index else config.processes,
        num_nodes=config.nodes,
        strategy="ddp" if several else "auto",
        precision=_precision(config, choice),  # type: ignore[arg-type]
    )


@contextlib.contextmanager
def _signals() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop; a second one is not caught."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, _frame: object) -> None:
        asked.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failure(error: Exception) -> Failed:
    """Return the last event of a training that an error ended."""
    if is_out_of_memory(error):
        return Failed("OutOfMemory", "The memory ran out.", ADVICE["OutOfMemory"])
    kind = type(error).__name__
    if isinstance(error, ColorizeError):
        return Failed(kind, str(error), ADVICE.get(kind, ""))
    if isinstance(error, OSError):
        message = f"{error.strerror or error}: {error.filename or 'a file'}"
        return Failed("StorageError", message, ADVICE["StorageError"])
    return Failed(kind, str(error), "This is a fault of the program: please report it.")
