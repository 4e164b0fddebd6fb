"""The loop: it learns, tells the same twice, follows its schedule, and validates every epoch."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any
from unittest.mock import ANY

import pytest
import torch
from made_networks import Regression
from torch import Tensor, nn

from napari_colorize.errors import Cancelled, TrainingError
from napari_colorize.networks.plain import Plain
from napari_colorize.runs.events import Step, Validated
from napari_colorize.training.loop import DivergedError, Training

Make = Callable[..., Training]


class Stubborn(Regression):
    """Its validation never changes: without training it answers grey."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Conv2d(1, 2, 1)

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return ab."""
        (ab,) = super().encode(lightness)
        return (ab if self.training else ab * 0,)


class Poisoned(Regression):
    """Learns until `poison` is called on its ab."""

    def __init__(self, poison: Callable[[Tensor, Tensor], Tensor], after: int) -> None:
        super().__init__()
        self.layers = self.layer = nn.Conv2d(1, 2, 1)
        self.poison, self.left = poison, after

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return ab."""
        (ab,) = super().encode(lightness)
        if self.training:
            self.left -= 1
        return (self.poison(ab, self.layer.weight) if self.left < 0 else ab,)


def weights_of(training: Training) -> dict[str, Tensor]:
    """Return a copy of the weights."""
    return {k: v.detach().clone() for k, v in training.network.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Return whether two sets of weights are the same to the last bit."""
    return all(torch.equal(one[key], other[key]) for key in one)


def losses_of(training: Training) -> list[float]:
    """Train to the end; return the loss of each step."""
    return [event.loss for event in training.run() if isinstance(event, Step)]


def test_it_learns_a_few_photographs_by_heart(make_training: Make) -> None:
    """The founding network's loss on 4 photographs falls below 60 % of the first."""
    training = make_training(
        Plain, photographs=4, batch_size=4, epochs=60, learning_rate=2e-3, ema=0.9, tone=0
    )
    losses = losses_of(training)
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    before = weights_of(training)
    with training.averaged() as network:
        assert not network.training
        assert equal(dict(network.state_dict()), training.average)
    assert network.training
    assert equal(before, weights_of(training))


def test_the_same_seed_has_the_same_losses(make_training: Make) -> None:
    """To the last bit; another seed has others."""
    first = losses_of(make_training())
    assert len(first) == 6
    assert losses_of(make_training()) == first
    assert losses_of(make_training(seed=1)) != first


@pytest.mark.parametrize("loss", ["huber", "squared"])
def test_events(make_training: Make, loss: str) -> None:
    """Steps counted from 1, a validation after each epoch, time left that falls to nothing."""
    events = list(make_training(loss=loss).run())
    assert [type(event) for event in events] == [Step, Step, Step, Validated] * 2
    steps = [event for event in events if isinstance(event, Step)]
    assert [(event.step, event.steps, event.epoch) for event in steps[2:4]] == [
        (3, 6, 1), (4, 6, 2),
    ]  # fmt: skip
    assert steps[-1].remaining == 0
    assert all(event.rate > 0 and math.isfinite(event.loss) for event in steps)
    validated = [event for event in events if isinstance(event, Validated)]
    assert [event.epoch for event in validated] == [1, 2]
    assert validated[0].best
    assert validated[0].psnr_grey == validated[1].psnr_grey > 10


def test_warm_up_and_cosine_by_hand(make_training: Make) -> None:
    """20 steps, 4 of them warm-up: a quarter, half, ..., then half a cosine to a hundredth."""
    training = make_training(batch_size=4, epochs=4, warmup=4, learning_rate=0.1)
    rates = [event.learning_rate for event in training.run() if isinstance(event, Step)]
    assert rates[:5] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])
    assert rates[12] == pytest.approx(0.1 * 0.505)  # half way
    assert rates[19] == pytest.approx(0.1 * (0.01 + 0.99 * (1 + math.cos(math.pi * 15 / 16)) / 2))
    assert len(rates) == 20
    short = make_training(batch_size=4, epochs=1, warmup=1000)  # a fifth of the steps at most
    first = next(event for event in short.run() if isinstance(event, Step))
    assert first.learning_rate == pytest.approx(1e-2)


def test_the_average_by_hand(make_training: Make) -> None:
    """It starts at the weights and follows them with decay (1 + n) / (10 + n), ema at most."""
    training = make_training(ema=0.25)
    name = "layers.0.weight"
    expected = weights_of(training)[name]
    for step, event in enumerate(islice(training.run(), 3), start=1):
        assert isinstance(event, Step)
        decay = min(0.25, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weights_of(training)[name]
    assert decay == pytest.approx(0.25)
    assert torch.allclose(training.average[name], expected, atol=1e-7)
    without = make_training(ema=0)
    list(without.run())
    assert equal(without.average, weights_of(without))


@pytest.mark.parametrize(("rehearsal", "share"), [(0, 0), (1, 0.25), (3, 0.5), (9, 0.75)])
def test_what_is_kept_lies_on_the_way_back(
    make_training: Make, rehearsal: float, share: float
) -> None:
    """Of a network that knew something, part of the old weights is kept; it learns on without."""
    training = make_training(init="palette", rehearsal=rehearsal)
    name = "layers.0.weight"
    before = weights_of(training)[name]
    next(training.run())
    latest, average = weights_of(training)[name], training.average[name].clone()
    with training.averaged() as network:
        kept = network.state_dict()[name].clone()
    assert torch.allclose(kept, share * before + (1 - share) * average, atol=1e-7)
    assert torch.equal(weights_of(training)[name], latest)
    assert torch.equal(training.average[name], average)


def test_no_gain_stops_early(make_training: Make) -> None:
    """With patience 2 the third epoch is the last when the first was the best."""
    training = make_training(Stubborn, epochs=9, patience=2)
    validated = [event for event in training.run() if isinstance(event, Validated)]
    assert [event.best for event in validated] == [True, False, False]
    assert training.end_reason == "no better for 2 epochs, so stopped early at epoch 3"
    patient = make_training(Stubborn, epochs=4, patience=0)
    assert sum(isinstance(event, Validated) for event in patient.run()) == 4
    assert patient.end_reason == "all 4 epochs done"


def test_the_best_epoch_is_that_of_the_lowest_loss(make_training: Make) -> None:
    """An epoch is the best when its loss is below all before."""
    training = make_training(epochs=6, learning_rate=0.05)
    validated = [event for event in training.run() if isinstance(event, Validated)]
    lowest = min(validated, key=lambda event: event.loss)
    assert training.progress.best_epoch == lowest.epoch
    assert training.progress.best_loss == lowest.loss
    assert [event for event in validated if event.best][-1] == lowest


class Dropping(Regression):
    """A network with chance of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Dropout(), nn.Conv2d(8, 2, 1))


@pytest.mark.parametrize("left_after", [1, 3, 4, 5])
def test_going_on_from_a_state(make_training: Make, left_after: int) -> None:
    """Left after any event and gone on with, it ends where it would have ended, dropout too."""
    whole = make_training(Dropping)
    list(whole.run())
    first = make_training(Dropping)
    list(islice(first.run(), left_after))
    torch.rand(7)  # the state of torch's chance does not matter
    second = make_training(Dropping)
    second.load_state_dict(first.state_dict())
    list(second.run())
    assert equal(weights_of(whole), weights_of(second))
    assert equal(whole.average, second.average)
    assert replace(whole.progress, seconds=0) == replace(second.progress, seconds=0)


def test_a_check_is_left_between_its_batches(make_training: Make) -> None:
    """It is still owed, the weights are the training's own, and it may be gone on with."""
    whole, training = make_training(batch_size=3), make_training(batch_size=3)
    wanted = [event for event in whole.run() if isinstance(event, Validated)]
    asked = iter([False, True])
    training.cancel = lambda: next(asked)
    events = training.run()
    steps = list(islice(events, training.batches.steps_per_epoch))
    before = weights_of(training)
    with pytest.raises(Cancelled):
        next(events)
    assert len(steps) == training.progress.step
    assert training.progress.validated == 0
    assert training.network.training
    assert equal(before, weights_of(training))
    training.cancel = None
    assert next(training.run()) == replace(wanted[0], time=ANY)


def test_a_finished_training_does_nothing(make_training: Make) -> None:
    """Gone on with at its end, it yields nothing."""
    done = make_training()
    list(done.run())
    assert list(done.run()) == []


@pytest.mark.parametrize(
    "poison",
    [
        lambda ab, weight: ab * math.nan,
        lambda ab, weight: ab * math.inf,
        # The value is the same, the gradient is infinite.
        lambda ab, weight: ab + (weight.sum() * 0).sqrt(),
    ],
    ids=["nan", "inf", "gradient"],
)
def test_no_number_ends_it(make_training: Make, poison: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Loss or gradients that are no numbers raise, and the weights are those from before."""
    training = make_training(lambda: Poisoned(poison, after=4))
    events = training.run()
    assert [type(next(events)) for _ in range(5)] == [Step, Step, Step, Validated, Step]
    before = weights_of(training)
    with pytest.raises(DivergedError, match="The loss is not a number at step 5"):
        next(events)
    assert equal(before, weights_of(training))
    assert training.progress.step == 4


def test_a_validation_that_is_no_number_ends_it(make_training: Make) -> None:
    """It is not taken for a bad epoch."""
    training = make_training(Stubborn)
    events = training.run()
    list(islice(events, 3))
    training.average["layers.weight"].fill_(math.nan)
    with pytest.raises(DivergedError, match="validation"):
        next(events)


def test_an_error_of_the_photographs_arrives(make_training: Make) -> None:
    """What a cutting thread met is raised by the loop, and no thread stays."""
    training = make_training()
    training.batches = replace(training.batches, indices=[*range(19), 99])
    with pytest.raises(IndexError):
        list(training.run())
    assert not [t for t in threading.enumerate() if t.name.startswith("crops")]


def test_no_memory_for_photographs(make_training: Make) -> None:
    """A thread's lack of memory is told as one that smaller pieces do not mend."""

    class Full:
        def __len__(self) -> int:
            return 20

        def __getitem__(self, index: int) -> Any:
            raise MemoryError

    training = make_training()
    training.batches = replace(training.batches, source=Full())
    with pytest.raises(TrainingError, match="Out of memory with a single picture"):
        list(training.run())
