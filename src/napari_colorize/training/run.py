"""One run: the training loop joined to its run folder."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import torch

from napari_colorize.errors import Cancelled, ColorizeError, RunError, TrainingError
from napari_colorize.files.models import find_model
from napari_colorize.networks.devices import DeviceChoice, choose_device, is_out_of_memory
from napari_colorize.networks.palette import Palette
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
    Usage,
    Validated,
)
from napari_colorize.runs.ranks import is_first_on_machine, is_first_process
from napari_colorize.training.batches import Batches
from napari_colorize.training.card import model_card
from napari_colorize.training.checkpoint import load_checkpoint, save_checkpoint
from napari_colorize.training.data import TrainingData, open_data
from napari_colorize.training.launch import is_process_lost, launched, precision_of
from napari_colorize.training.loop import DivergedError, Training
from napari_colorize.training.prior import measure_prior
from napari_colorize.training.tensorboard import TensorBoardLog
from napari_colorize.training.validation import write_previews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_colorize.networks.interface import ColorNetwork
    from napari_colorize.runs.config import TrainingConfig
    from napari_colorize.runs.folder import RunFolder
    from napari_colorize.training.launch import Fabric

# Seconds between two steps that are told, and between two counts of decoded photographs.
TELL_EVERY = 0.5
# Seconds between two words about the memory.
USAGE_EVERY = 5.0
# Models of so many epochs are kept beside the best one.
KEPT_EPOCHS = 5

ADVICE = {
    "DataError": "Choose a folder with more colour photographs.",
    "StorageError": "Then resume.",
    "ProcessLost": "See what it printed, then start all of them again with --resume.",
    "OutOfMemory": "Use a smaller crop or batch size, or close other programs, then resume.",
}
LOST = "Another process of this training is gone: it was killed, or its machine cannot be reached."


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
        If the folder holds no run, another process trains in it, or it was trained in and is not
        to be resumed.
    StorageError
        If the folder cannot be written.
    TrainingError
        If the settings of the run are wrong.
    """
    config = run.read_config()
    last = run.last_event()
    if resume and isinstance(last, Finished):
        return last
    if not resume and run.last_checkpoint.exists():
        raise RunError(f"There was a training in {run.path}: resume it or choose another folder.")
    if not is_first_process(config.processes * config.nodes):
        with _signals() as asked_to_stop:
            return _Follower(run, config, listen, asked_to_stop).train(resume)
    with run.claim(), _signals() as asked_to_stop:
        return _Work(run, config, listen, asked_to_stop).train(resume)


@dataclass
class _Work:
    """What `run_training` holds while it works."""

    run: RunFolder
    config: TrainingConfig
    listen: Callable[[Event], None] | None
    asked_to_stop: threading.Event

    def __post_init__(self) -> None:
        self.told = 0.0
        self.saved = self.weighed = time.monotonic()
        self.training: Training | None = None
        self.settings: dict[str, Any] = {}  # of the network
        self.board: TensorBoardLog | None = None

    def train(self, resume: bool) -> Event:
        """Train, and turn whatever ends the training into its last event."""
        try:
            last: Event = self._train(resume)
        except Cancelled:
            last = Stopped(self._step(), "stopped while the photographs were read; resume to go on")
        except KeyboardInterrupt:
            last = Stopped(self._step(), "interrupted; what came after the last checkpoint is lost")
        except Exception as error:
            last = self._failure(error)
        finally:
            if self.board is not None:
                self.board.close()
        # When the disk is full the last word cannot be written either; the caller still hears it.
        with contextlib.suppress(ColorizeError):
            self._tell(last)
            if isinstance(last, Stopped):
                self.run.clear_stop()  # the wish is fulfilled
        self.training = None  # it holds this object too, and the photographs
        return last

    def _train(self, resume: bool) -> Event:
        config = self.config
        if config.logger == "tensorboard" and is_first_process(config.processes * config.nodes):
            self.board = TensorBoardLog(self.run)
        choice = choose_device(config.device)
        torch.manual_seed(config.seed)
        network = self._network()
        # Before the other processes are started: they find the photographs decoded.
        alone = is_first_on_machine(config.processes * config.nodes)
        data = self._open_data() if alone else None
        with launched(config, choice) as fabric:
            data = data or self._open_data()
            goes_on = resume and self.run.last_checkpoint.exists()
            if isinstance(network, Palette) and not goes_on:  # the checkpoint has the prior
                remember = config.init is not None and config.rehearsal > 0
                # Of several processes none may leave alone.
                measure_prior(
                    network,
                    data.photographs,
                    data.indices,
                    config.seed,
                    remember=remember,
                    cancel=self._stop_wanted if fabric.world_size == 1 else None,
                )
            batches = self._batches(data, fabric)
            self.training = training = Training(
                config, network, batches, data.validation, fabric, self._stop_wanted
            )
            if goes_on:
                load_checkpoint(self.run.last_checkpoint, training, data.identity)
            self._tell(self._started(choice, data))
            if self._is_left(training, data):
                return Stopped(self._step(), "stopped as asked; resume to go on")
            done = training.progress
        return Finished(
            epochs=done.validated,
            best_epoch=done.best_epoch,
            best_loss=done.best_loss,
            model=self.run.best_model.name,
            reason=training.end_reason,
        )

    def _is_left(self, training: Training, data: TrainingData) -> bool:
        """Train to the end, or until somebody wants it to stop; return whether that was so."""
        try:
            with contextlib.closing(training.run()) as events:
                return any(self._attend(event, data) for event in events)
        except Cancelled:  # in the check after an epoch, which is done anew on resume
            self._save_checkpoint(data)
            return True

    # What the training is made of.

    def _open_data(self) -> TrainingData:
        return open_data(self.config, progress=self._tell_preparing, cancel=self._stop_wanted)

    def _network(self) -> ColorNetwork:
        if self.config.init is None:
            return build_network(self.config.network, {}, "The run")
        network, card = load_network(find_model(self.config.init))
        if card["network"] != self.config.network:
            raise RunError(
                f"{self.config.init} holds the network {card['network']!r}, the run asks for "
                f"{self.config.network!r}; set the network to {card['network']!r}."
            )
        self.settings = card["settings"]
        return network.train()

    def _batches(self, data: TrainingData, fabric: Fabric) -> Batches:
        config = self.config
        batch_size = min(config.batch_size, len(data.indices))
        if batch_size < fabric.world_size:
            raise TrainingError(
                f"{fabric.world_size} processes cannot share a batch of {batch_size} photographs; "
                "use fewer processes, or a larger batch size and more photographs."
            )
        return Batches(
            data.photographs,
            data.indices,
            batch_size=batch_size,
            crop=config.crop,
            working_size=config.working_size,
            seed=config.seed,
            rank=fabric.global_rank,
            processes=fabric.world_size,
        )

    # What is told and written.

    def _attend(self, event: Event, data: TrainingData) -> bool:
        """Tell and keep what an event brings; return whether to leave: all hear the same."""
        assert self.training is not None
        failure = None
        try:
            leave = self._note(event, data)
        except Exception as error:  # raised when the other processes know that it is over
            leave, failure = True, error
        leave = bool(self.training.fabric.broadcast(leave))
        if failure is not None:
            raise failure
        return leave

    def _note(self, event: Event, data: TrainingData) -> bool:
        assert self.training is not None
        self._tell(event)
        if isinstance(event, Validated):
            self._keep(event, data)
        elif time.monotonic() - self.saved > self.config.checkpoint_every:
            self._save_checkpoint(data)
        leave = self._stop_wanted() and not self.training.finished
        if leave and not isinstance(event, Validated):
            self._save_checkpoint(data)
        return leave

    def _tell(self, event: Event) -> None:
        """Write an event and pass it on; of quick steps only some."""
        if isinstance(event, Step):
            if event.step < event.steps and time.monotonic() - self.told < TELL_EVERY:
                return
            self.told = time.monotonic()
            self._tell_usage()
        self.run.append(event)
        if self.board is not None:
            self.board(event)
        if self.listen is not None:
            self.listen(event)

    def _tell_usage(self) -> None:
        """Tell every few seconds how much memory is held; before a step, which stays the last."""
        if self.training is not None and time.monotonic() - self.weighed > USAGE_EVERY:
            self.weighed = time.monotonic()
            held = psutil.Process().memory_info().rss
            self._tell(Usage(held, _device_memory(self.training.fabric.device)))

    def _tell_preparing(self, done: int, total: int) -> None:
        if done == total or time.monotonic() - self.told > TELL_EVERY:
            self.told = time.monotonic()
            self._tell(Preparing(done, total))

    def _started(self, choice: DeviceChoice, data: TrainingData) -> Started:
        assert self.training is not None
        left_out = data.photographs.examination.left_out
        return Started(
            device=choice.device,
            reason=choice.reason + f"; this mends it: {choice.remedy}" * bool(choice.remedy),
            precision=precision_of(self.config, choice),
            photographs=len(data.indices),
            validation=len(data.validation),
            left_out={reason: len(names) for reason, names in left_out.items()},
            epochs=self.config.epochs,
            steps_per_epoch=self.training.batches.steps_per_epoch,
            step=self._step(),
            pid=os.getpid(),
        )

    def _keep(self, event: Validated, data: TrainingData) -> None:
        """Write the models, the previews and the checkpoint of an epoch."""
        assert self.training is not None
        with self.training.averaged() as network:
            card = model_card(self.run, self.config, self.settings, self.training, event)
            save_network(self.run.epoch_model(event.epoch), network, card)
            if event.best:
                save_network(self.run.best_model, network, card)
            folder = self.run.previews / f"epoch-{event.epoch:04d}"
            write_previews(folder, network, data.validation, self.training.fabric.device)
        self.run.epoch_model(event.epoch - KEPT_EPOCHS).unlink(missing_ok=True)
        self._tell(PreviewWritten(event.epoch, folder.relative_to(self.run.path).as_posix()))
        self._save_checkpoint(data)

    def _save_checkpoint(self, data: TrainingData) -> None:
        assert self.training is not None
        save_checkpoint(self.run.last_checkpoint, self.training, data.identity)
        self.saved = time.monotonic()
        self._tell(CheckpointWritten(self._step(), self.run.last_checkpoint.name))

    def _step(self) -> int:
        return self.training.progress.step if self.training is not None else 0

    def _stop_wanted(self) -> bool:
        """Whether a signal or the stop file asks to leave."""
        return self.asked_to_stop.is_set() or self.run.stop_requested()

    def _failure(self, error: Exception) -> Failed:
        """Return the last event of a training that an error ended."""
        kind = type(error).__name__
        if is_out_of_memory(error):
            return Failed("OutOfMemory", "The memory ran out.", ADVICE["OutOfMemory"])
        if self.config.processes * self.config.nodes > 1 and is_process_lost(error):
            return Failed("ProcessLost", LOST, ADVICE["ProcessLost"])
        if isinstance(error, DivergedError):
            return Failed(kind, str(error), self._advice_for_slower_steps())
        if isinstance(error, ColorizeError):
            return Failed(kind, str(error), ADVICE.get(kind, ""))
        traceback.print_exc()
        if isinstance(error, OSError):
            message = f"{error.strerror or error}: {error.filename or 'a file'}"
            return Failed("StorageError", message, ADVICE["StorageError"])
        return Failed(kind, str(error), "This is a fault of the program: please report it.")

    def _advice_for_slower_steps(self) -> str:
        start = f" and --init {self.run.best_model}" if self.run.best_model.exists() else ""
        return (
            f"Start a new run with a learning rate of {self.config.learning_rate / 10:g}{start}: "
            "to resume would end here again."
        )


class _Follower(_Work):
    """The work of a process that is not the first: it computes and neither tells nor writes."""

    def _note(self, event: Event, data: TrainingData) -> bool:
        return False  # it hears from the first process whether to leave

    def _tell(self, event: Event) -> None:
        pass

    def _save_checkpoint(self, data: TrainingData) -> None:
        pass

    def _stop_wanted(self) -> bool:
        return False


def _device_memory(device: torch.device) -> int:
    """Return the bytes that this process holds of a device's own memory; 0 for the processor."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return torch.mps.driver_allocated_memory() if device.type == "mps" else 0


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
