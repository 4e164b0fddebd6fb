"""Out of memory: the batch is halved, the step stays the same, and it is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from made_networks import Regression
from torch import Tensor, nn

from napari_colorize.errors import TrainingError
from napari_colorize.runs.events import Healed, Step, Validated
from napari_colorize.training.loop import Training

Make = Callable[..., Training]


class Hungry(Regression):
    """Has memory for so many pictures at once, in training and in validation."""

    scale = 30.0

    def __init__(self, most: int, most_looked_at: int = 1000, error: Exception | None = None):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
        self.most, self.most_looked_at = most, most_looked_at
        self.error = error or torch.OutOfMemoryError("CUDA out of memory.")

    def encode(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Return ab."""
        if len(lightness) > (self.most if self.training else self.most_looked_at):
            raise self.error
        return super().encode(lightness)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate"
                     " memory: you tried to allocate 99 bytes. Error code 12"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    ],
    ids=["cuda", "python", "cpu", "cublas"],
)  # fmt: skip
def test_a_batch_is_halved_until_it_fits(make_training: Make, error: Exception) -> None:
    """8, 4, 2 pictures at once; the result is that of two at once from the start."""
    training = make_training(lambda: Hungry(3, error=error))
    events = list(training.run())
    healed = [event for event in events if isinstance(event, Healed)]
    assert [(event.micro_batch, event.accumulate) for event in healed] == [(4, 2), (2, 4)]
    assert {event.reason for event in healed} == {"out of memory"}
    assert events[:2] == healed
    steps = [event for event in events if isinstance(event, Step)]
    assert [event.step for event in steps] == [1, 2, 3, 4, 5, 6]

    small = make_training(lambda: Hungry(3))
    small.progress.micro_batch = 2
    expected = [event for event in small.run() if isinstance(event, Step)]
    assert [event.loss for event in steps] == [event.loss for event in expected]
    for one, other in zip(training.network.parameters(), small.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_step_is_that_of_the_whole_batch(make_training: Make) -> None:
    """An odd piece too weighs as much as its pictures: 8 as 3 + 3 + 2 is 8 at once."""
    whole, parts = make_training(lambda: Hungry(8)), make_training(lambda: Hungry(8))
    parts.progress.micro_batch = 3
    losses = [
        [event.loss for event in training.run() if isinstance(event, Step)]
        for training in (whole, parts)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for one, other in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_the_validation_is_done_in_smaller_pieces(make_training: Make) -> None:
    """It begins anew, and says the same as at once."""
    training = make_training(lambda: Hungry(8, most_looked_at=2))
    events = list(training.run())
    assert [type(event) for event in events[3:6]] == [Healed, Healed, Validated]
    at_once = [
        event for event in make_training(lambda: Hungry(8)).run() if isinstance(event, Validated)
    ]
    assert isinstance(events[5], Validated)
    assert events[5].loss == pytest.approx(at_once[0].loss, rel=1e-5)
    assert events[5].psnr == pytest.approx(at_once[0].psnr, rel=1e-5)


def test_one_picture_that_does_not_fit(make_training: Make) -> None:
    """Ends the training, and the text says what to do."""
    with pytest.raises(TrainingError, match="single picture; use a smaller crop or close"):
        list(make_training(lambda: Hungry(0)).run())
    with pytest.raises(TrainingError, match="single picture"):
        list(make_training(lambda: Hungry(8, most_looked_at=0)).run())


def test_another_error_is_not_healed(make_training: Make) -> None:
    """It is raised as it is."""
    with pytest.raises(RuntimeError, match="sizes do not match"):
        list(make_training(lambda: Hungry(3, error=RuntimeError("sizes do not match"))).run())


def test_a_lack_of_memory_is_not_met_twice(make_training: Make) -> None:
    """A training that goes on later keeps to the pieces that fitted."""
    first = make_training(lambda: Hungry(3))
    events = first.run()
    while not isinstance(next(events), Step):
        pass
    events.close()
    second = make_training(lambda: Hungry(3))
    second.load_state_dict(first.state_dict())
    assert not [event for event in second.run() if isinstance(event, Healed)]
