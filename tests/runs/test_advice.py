"""Warnings come when something is amiss, and only then."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from napari_colorize.runs.advice import Adviser
from napari_colorize.runs.events import Healed, Started, Step, Validated

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = 50  # an epoch


def start(step: int = 0, epochs: int = 20) -> Started:
    """Return the start of a process after so many steps."""
    return Started("cpu", "no GPU", "32-true", 90, 10, {}, epochs, STEPS, step, 1)


def told(
    training: Sequence[float], checks: Sequence[float], *, psnr: float = 23.0, left: float = 60.0
) -> Adviser:
    """Return an adviser that heard a loss and a check for each epoch."""
    adviser = Adviser()
    adviser.add(start())
    best = math.inf
    for epoch, (loss, check) in enumerate(zip(training, checks, strict=True), start=1):
        for number in range(STEPS):
            step = (epoch - 1) * STEPS + number + 1
            adviser.add(Step(step, 20 * STEPS, epoch, loss, 1e-3, 40.0, left))
        adviser.add(Validated(epoch, check, psnr, 22.0, check < best))
        best = min(best, check)
    return adviser


FALLING = [1.0, 0.8, 0.7, 0.6, 0.55, 0.5, 0.46]


def test_good_run_has_no_warnings() -> None:
    """Losses that fall need no words."""
    assert Adviser().warnings() == []
    assert told(FALLING, FALLING).warnings() == []


def test_overfitting_names_the_best_epoch() -> None:
    """The check rises for epochs while the training falls."""
    [warning] = told(FALLING, [1.0, 0.9, 0.8, 0.82, 0.85, 0.9, 0.95]).warnings()
    assert warning.startswith("Overfits: since epoch 3")
    assert "Epoch 3 is the best" in warning


def test_a_run_that_is_over_is_not_told_to_stop() -> None:
    """What can still be done is said; nothing about how it goes on."""
    checks = [1.0, 0.9, 0.8, 0.82, 0.85, 0.9, 0.95]
    grey, overfits = told(FALLING, checks, psnr=21.0).warnings(over=True)
    assert "For the next run, take more photographs" in grey
    assert overfits.startswith("Overfitted: after epoch 3")
    assert "stop" not in grey + overfits
    still = [1.0, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4]
    assert told(still, still, left=5 * 86400.0).warnings(over=True) == []


def test_one_bad_epoch_is_no_overfitting() -> None:
    """A check that wavers is not told of."""
    assert told(FALLING, [1.0, 0.9, 0.8, 0.9, 0.82, 0.75, 0.7]).warnings() == []
    assert told(FALLING[:5], [1.0, 0.9, 0.8, 0.82, 0.85]).warnings() == []


def test_loss_that_no_longer_falls() -> None:
    """Both losses stand still for some epochs; near the end of a run it is of no use to know."""
    still = [1.0, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4]
    [warning] = told(still, still).warnings()
    assert "no longer falls" in warning
    adviser = told(still, still)
    adviser.add(start(7 * STEPS, epochs=8))
    assert adviser.warnings() == []


def test_worse_than_grey() -> None:
    """Colours that are further from the truth than grey are named with both figures."""
    [warning] = told(FALLING[:3], FALLING[:3], psnr=21.5).warnings()
    assert "21.50 dB, grey 22.00 dB" in warning
    assert told(FALLING[:1], FALLING[:1], psnr=21.5).warnings() == []


def test_loss_that_jumps_is_told_until_it_is_down_again() -> None:
    """A loss far above its lowest is a warning as long as it is there."""
    adviser = told(FALLING[:3], FALLING[:3])
    for step in range(150, 250):
        adviser.add(Step(step, 20 * STEPS, 4, 9.0, 1e-3, 40.0, 60.0))
    assert any("The loss jumps" in warning for warning in adviser.warnings())
    for step in range(250, 550):
        adviser.add(Step(step, 20 * STEPS, 5, 0.6, 1e-3, 40.0, 60.0))
    assert not any("The loss jumps" in warning for warning in adviser.warnings())


def test_noise_is_no_jump() -> None:
    """Single bad steps do not alarm anybody."""
    adviser = told(FALLING[:3], FALLING[:3])
    adviser.add(Step(151, 20 * STEPS, 4, 20.0, 1e-3, 40.0, 60.0))
    assert adviser.warnings() == []


def test_very_slow_training_names_the_time_and_the_cure() -> None:
    """A training of days is told of, with what makes it shorter."""
    [warning] = told(FALLING[:1], FALLING[:1], left=5 * 86400.0).warnings()
    assert warning.startswith("Very slow: on the processor it will take 5 d")
    assert "graphics card" in warning


def test_healing_is_told_until_the_next_start() -> None:
    """What a run healed by itself is told, and forgotten when another process begins."""
    adviser = told(FALLING[:1], FALLING[:1])
    adviser.add(Healed("out of memory", 16, 2))
    assert adviser.warnings() == [
        "Out of memory; it goes on by itself with 2 pieces of 16 photographs a step."
    ]
    adviser.add(start(STEPS))
    assert adviser.warnings() == []


def test_resume_forgets_later_epochs() -> None:
    """What a resume undid counts no more."""
    adviser = told(FALLING, [1.0, 0.9, 0.8, 0.82, 0.85, 0.9, 0.95])
    adviser.add(start(3 * STEPS))
    assert adviser.warnings() == []


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e308])
def test_strange_numbers_do_no_harm(number: float) -> None:
    """Whatever a file says, advice is text."""
    adviser = told([number] * 7, [number] * 7, psnr=number, left=number)
    assert all(isinstance(warning, str) for warning in adviser.warnings())
    adviser.add(Started("cpu", "", "", 1, 1, {}, -3, 0, 5, 1))
    adviser.add(Step(-1, -1, -1, number, number, number, number))
    assert all(isinstance(warning, str) for warning in adviser.warnings())
