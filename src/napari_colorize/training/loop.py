"""The training loop, top to bottom. It yields events and knows no disk."""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import Tensor

from napari_colorize.color.lab import lab_to_rgb
from napari_colorize.errors import Cancelled, TrainingError
from napari_colorize.networks.devices import is_out_of_memory
from napari_colorize.runs.events import Healed, Step, Validated
from napari_colorize.training.augmentation import augment, draw_augmentation, to_lab
from napari_colorize.training.objectives import objective_of
from napari_colorize.training.optimizer import learning_rate, make_optimizer, set_rate
from napari_colorize.training.rehearsal import kept_share

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Future

    from napari_colorize.networks.interface import ColorNetwork
    from napari_colorize.runs.config import TrainingConfig
    from napari_colorize.training.batches import Batches
    from napari_colorize.training.launch import Fabric
    from napari_colorize.training.validation import ValidationSet

T = TypeVar("T")

# Gradients longer than this are shortened to it: one odd batch must not undo an hour.
GRADIENT_NORM = 1.0
# Steps over which the speed is averaged.
SPEED_WINDOW = 20


class DivergedError(TrainingError):
    """The loss or its gradients are no numbers any more: the steps were too long."""


@dataclass
class Progress:
    """How far a training has come: plain numbers, part of the checkpoint."""

    step: int = 0
    validated: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    micro_batch: int = 0
    seconds: float = 0.0


@dataclass
class Training:
    """One training: a network, its optimizer, its average, and how far it has come.

    Parameters
    ----------
    config : TrainingConfig
    network : ColorNetwork
        It is moved to the device of `fabric` and changed in place.
    batches : Batches
        What is learned from.
    validation : ValidationSet
        The photographs that are only looked at.
    fabric : Fabric
        Launched already.
    cancel : callable or None
        Says whether a check is to be left; the one of the first process counts.
    """

    config: TrainingConfig
    network: ColorNetwork
    batches: Batches
    validation: ValidationSet
    fabric: Fabric
    cancel: Callable[[], bool] | None = None
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.progress.micro_batch = self._largest_share
        self.objective = objective_of(self.config, self.network)
        optimizer = make_optimizer(self.config, self.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.wrapped, self.optimizer = self.fabric.setup(self.network, optimizer)
        self.average = {
            name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()
        }
        self._known: dict[str, Tensor] = {}
        if self.config.init is not None:
            self._known = {n: p.detach().clone() for n, p in self.network.named_parameters()}
        self._speed: list[float] = []

    @property
    def _largest_share(self) -> int:
        """Pictures of a batch that the first process takes; no other takes more."""
        return -(-self.batches.batch_size // self.batches.processes)

    @property
    def total_steps(self) -> int:
        """Steps of the whole training."""
        return self.config.epochs * self.batches.steps_per_epoch

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do; `end_reason` says why."""
        return bool(self.end_reason)

    @property
    def end_reason(self) -> str:
        """Why the training is over, in words; empty while it is not."""
        done = self.progress
        waited = done.validated - done.best_epoch
        if self.config.patience and done.validated and waited >= self.config.patience:
            return f"no better for {waited} epochs, so stopped early at epoch {done.validated}"
        if done.validated >= self.config.epochs:
            return f"all {self.config.epochs} epochs done"
        return ""

    def run(self) -> Generator[Step | Validated | Healed]:
        """Train to the end, yielding what happened.

        Between two events the training stands at a whole step: it may be saved, and left for good.

        Raises
        ------
        DivergedError
            If the loss is not a number; the weights are those from before that step.
        TrainingError
            If one picture alone does not fit into memory, or another process failed.
        Cancelled
            If a check is left, which is then owed: it may be saved here too.
        """
        with closing(self.batches.from_step(self.progress.step, self.total_steps)) as cut:
            while True:
                if self._owes_validation():
                    yield (yield from self._validate())
                if self.finished:
                    return
                yield from self._advance(cut)

    def _owes_validation(self) -> bool:
        epochs, rest = divmod(self.progress.step, self.batches.steps_per_epoch)
        return rest == 0 and epochs > self.progress.validated

    def _advance(self, cut: Iterator[Future[Tensor]]) -> Iterator[Step | Healed]:
        """Do one step, in as many pieces as the memory asks for."""
        started = time.perf_counter()
        rate = learning_rate(self.config, self.progress.step, self.total_steps)
        set_rate(self.optimizer, rate)
        crops = next(cut)
        mean = yield from self._healed(lambda: self._gradients(crops.result()))
        loss, norm = self._shared_and_clipped(mean)
        # Half precision scales its gradients and leaves out a step whose scale was too large.
        if not (math.isfinite(loss) and (math.isfinite(norm) or self._scaled)):
            raise DivergedError(
                f"The loss is not a number at step {self.progress.step + 1}; "
                "the weights from before it were kept."
            )
        self.optimizer.step()
        self.progress.step += 1
        self._follow()
        yield self._step_event(loss, rate, time.perf_counter() - started)

    def _gradients(self, crops: Tensor) -> Tensor:
        """Leave the gradients of this process's share in the network; return its part of the loss.

        Both are scaled so that their mean over the processes is that of the whole batch.
        """
        self.optimizer.zero_grad(set_to_none=True)
        batches, step = self.batches, self.progress.step
        # Hints and compared cells are drawn by torch's seed: a resumed training has the same.
        torch.manual_seed((self.config.seed + step) * batches.processes + batches.rank)
        tone = self.config.tone
        drawn = draw_augmentation(batches.batch_size, self.config.seed, step, tone)
        changes = drawn.of(batches.share)
        total = torch.zeros((), device=self.fabric.device)
        size = self.progress.micro_batch
        for start in range(0, len(crops), size):
            piece = slice(start, start + size)
            here = crops[piece].to(self.fabric.device, non_blocking=True)
            lightness, lab = augment(here, changes.of(piece))
            share = len(lab) * batches.processes / batches.batch_size
            with self.fabric.no_backward_sync(self.wrapped):
                loss = self.objective.learn(self.wrapped, lightness, lab) * share
                self.fabric.backward(loss)
            total += loss.detach()
        return total

    def _shared_and_clipped(self, loss: Tensor) -> tuple[float, float]:
        """Take the mean over the processes and clip; return the loss and the gradients' length.

        DistributedDataParallel would do it during backward, but then a process that runs out of
        memory leaves the others waiting for ever.
        """
        if self.batches.processes > 1:
            loss = self._mean(loss)
            self._share_gradients()
        norm = self.fabric.clip_gradients(
            self.wrapped, self.optimizer, max_norm=GRADIENT_NORM, error_if_nonfinite=False
        )
        # Read together: on a GPU each reading waits for all that was begun.
        first, second = torch.stack((loss, cast("Tensor", norm).to(loss))).tolist()
        return first, second

    def _share_gradients(self) -> None:
        """Replace the gradients by their mean over the processes: one message, not hundreds."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        mean = self._mean(torch.cat([gradient.flatten() for gradient in gradients]))
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, part in zip(gradients, mean.split(sizes), strict=True):
            gradient.copy_(part.view_as(gradient))

    def _mean(self, tensor: Tensor) -> Tensor:
        """Return the mean over the processes."""
        return cast("Tensor", self.fabric.all_reduce(tensor, reduce_op="mean"))

    @property
    def _scaled(self) -> bool:
        return self.config.precision == "16-mixed"

    def _healed(self, work: Callable[[], T]) -> Generator[Healed, None, T]:
        """Return the result of some work, done again in smaller pieces when memory runs out."""
        while True:
            short, failure = False, None
            try:
                result = work()
            except Exception as error:
                # Of a lack of memory only the fact is kept: the traceback would keep the memory.
                short = is_out_of_memory(error)
                failure = None if short else error
            if not self._any_is_short(short, failure):
                return result
            yield self._heal()

    def _any_is_short(self, short: bool, failure: Exception | None) -> bool:
        """Return whether any of the processes lacks memory; raise if any failed otherwise."""
        failed = failure is not None
        if self.batches.processes > 1:
            counts = torch.tensor([float(short), float(failed)], device=self.fabric.device)
            short, failed = (share > 0 for share in self._mean(counts).tolist())
        if failure is not None:
            raise failure
        if failed:
            raise TrainingError("Another process of this training failed; the log has its words.")
        return short

    def _heal(self) -> Healed:
        """Halve what is worked on at once; the step stays the same, in more pieces."""
        self.optimizer.zero_grad(set_to_none=True)
        if self.fabric.device.type == "cuda":
            torch.cuda.empty_cache()
        if self.progress.micro_batch == 1:
            raise TrainingError(
                "Out of memory with a single picture; use a smaller crop or close other programs."
            )
        self.progress.micro_batch = -(-self.progress.micro_batch // 2)
        pieces = -(-self._largest_share // self.progress.micro_batch)
        return Healed("out of memory", self.progress.micro_batch, pieces)

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the average follow the weights; it follows faster at first."""
        step = self.progress.step
        decay = min(self.config.ema, (1 + step) / (10 + step))
        for name, tensor in self.network.state_dict().items():
            average = self.average[name]
            if average.is_floating_point():
                average.lerp_(tensor.detach(), 1 - decay)
            else:
                average.copy_(tensor)

    def _step_event(self, loss: float, rate: float, seconds: float) -> Step:
        self.progress.seconds += seconds
        self._speed = [*self._speed[-SPEED_WINDOW + 1 :], seconds]
        mean = sum(self._speed) / len(self._speed)
        step, total = self.progress.step, self.total_steps
        return Step(
            step=step,
            steps=total,
            epoch=(step - 1) // self.batches.steps_per_epoch + 1,
            loss=loss,
            learning_rate=rate,
            rate=self.batches.batch_size / mean,
            remaining=(total - step) * mean,
        )

    def _validate(self) -> Generator[Healed, None, Validated]:
        """Colour the photographs that were kept aside, with the averaged weights.

        Every process looks at all of them, so that all know the same without a word.
        """
        sums, seen = torch.zeros(3, dtype=torch.float64), 0
        while seen < len(self.validation):
            # A check of hundreds of photographs takes longer than anybody waits for a stop.
            if self.fabric.broadcast(self.cancel is not None and self.cancel()):
                raise Cancelled
            means, count = yield from self._healed(partial(self._look, seen))
            sums += means * count
            seen += count
        return self._judged(*(sums / seen).tolist())

    def _look(self, start: int) -> tuple[Tensor, int]:
        """Return the loss and both PSNR of a batch that is only looked at, and its length."""
        crops = self.validation.batch(start, self.progress.micro_batch)
        with self.averaged() as network, torch.no_grad():
            lab = to_lab(crops.to(self.fabric.device))
            with self.fabric.autocast():
                prediction = network(lab[:, :1])
            ab = network.enlarged(prediction.ab, lab.shape[-2:])
            means = (
                self.objective.look(prediction, lab),
                _psnr(lab, ab).mean(),
                _psnr(lab, torch.zeros_like(ab)).mean(),
            )
            return torch.stack(means).cpu(), len(lab)

    def _judged(self, loss: float, psnr: float, grey: float) -> Validated:
        """Take note of how a check went."""
        if not math.isfinite(loss):
            raise DivergedError("The loss of the validation is not a number.")
        done = self.progress
        done.validated = done.step // self.batches.steps_per_epoch
        best = loss < done.best_loss
        if best:
            done.best_loss, done.best_epoch = loss, done.validated
        return Validated(epoch=done.validated, loss=loss, psnr=psnr, psnr_grey=grey, best=best)

    def averaged(self) -> _Averaged:
        """Return a context in which the network holds what is kept of its weights.

        It is their average; where what was known is rehearsed, part of the way back to those that
        the training began with.
        """
        share = kept_share(self.config.rehearsal)
        back = {n: torch.lerp(self.average[n], known, share) for n, known in self._known.items()}
        return _Averaged(self.network, self.average | back)

    def state_dict(self) -> dict[str, Any]:
        """Return everything to go on from, tensors and plain values only."""
        return {
            "weights": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "progress": vars(self.progress).copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self.network.load_state_dict(state["weights"])
        for name, tensor in self.average.items():
            tensor.copy_(state["average"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.progress = Progress(**state["progress"])


class _Averaged:
    """Swaps other weights into a network, and back."""

    def __init__(self, network: ColorNetwork, weights: dict[str, Tensor]) -> None:
        self._network, self._weights = network, weights

    def __enter__(self) -> ColorNetwork:
        self._own = {k: v.detach().clone() for k, v in self._network.state_dict().items()}
        self._network.load_state_dict(self._weights)
        self._network.eval()
        return self._network

    def __exit__(self, *_: object) -> None:
        self._network.load_state_dict(self._own)
        self._network.train()


def _psnr(lab: Tensor, ab: Tensor) -> Tensor:
    """Return the PSNR in dB of each picture, (B,), with L kept and ab replaced."""
    true = lab_to_rgb(lab)
    got = lab_to_rgb(torch.cat((lab[:, :1], ab), dim=1))
    error = ((true - got) ** 2).mean(dim=(1, 2, 3)).clamp_min(1e-8)
    return -10 * torch.log10(error)
