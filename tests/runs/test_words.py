"""What a training tells reads like words."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.runs import words
from napari_colorize.runs.events import Failed, Finished, Healed, Started, Step, Stopped, Validated
from napari_colorize.runs.folder import RunState


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (725, "12 min"),
        (3600, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (90_000, "1 d 1 h"),
        (math.inf, "a long time"),
        (math.nan, "a long time"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    """Long spans are told coarsely."""
    assert words.duration(seconds) == said


@given(st.floats())
def test_duration_of_anything_is_short(seconds: float) -> None:
    """No number makes the words fail."""
    assert 0 < len(words.duration(seconds)) < 15


def test_progress_leaves_out_what_is_not_known() -> None:
    """No pace and no time left are told before they were measured."""
    step = Step(1, 90, 3, 0.1, 1e-3, 0.0, math.nan)
    assert words.pace(step) == []
    known = Step(1, 90, 3, 0.1, 1e-3, 1041.0, 725.0)
    assert words.pace(known) == ["1,041 photographs/s", "12 min left"]


def test_end_is_told_as_a_time_of_day() -> None:
    """The end of today has no date, a later one has; what is too far off is said so."""
    noon = time.mktime((2026, 3, 4, 12, 0, 0, 0, 0, -1))
    assert words.clock(noon + 90 * 60, noon) == "13:30"
    assert words.clock(noon + 24 * 3600, noon) == "05 March, 12:00"
    assert words.clock(1e300, noon) == "in a long time"
    step = Step(1, 9, 1, 0.1, 1e-3, 40.0, 5400.0, time=noon)
    assert words.time_left(step) == "1 h 30 min left, done about 13:30"
    for remaining in (0.0, math.nan, math.inf, -1.0):
        assert words.time_left(Step(1, 9, 1, 0.1, 1e-3, 40.0, remaining, time=noon)) == ""
    assert words.time_left(Step(1, 9, 1, 0.1, 1e-3, 40.0, 1e12, time=noon)) == "a long time left"


@pytest.mark.parametrize(
    ("count", "said"),
    [(-3, "0 MB"), (0, "0 MB"), (340_000_000, "340 MB"), (1_440_000_000, "1.4 GB")],
)
def test_bytes_are_told_in_words(count: int, said: str) -> None:
    """Memory is told in megabytes, or gigabytes from one on."""
    assert words.size(count) == said


def test_examination_names_the_commonest_reason_first() -> None:
    """What was left out is counted by reason; reasons without pictures are not named."""
    left_out = {"unreadable": 3, "too small": 0, "grey": 12}
    started = Started("cpu", "", "x", 2900, 320, left_out, 1, 1, 0, 1)
    assert words.examination_line(started) == (
        "2,900 photographs to learn from, 320 to check with; left out: 12 grey, 3 unreadable."
    )
    assert words.device_line(started) == "Trains on cpu, x."


def test_healing_and_score_are_sentences() -> None:
    """The lines start with a capital and say what follows."""
    assert words.healed_line(Healed("out of memory", 16, 2)) == (
        "Out of memory; it goes on by itself with 2 pieces of 16 photographs a step."
    )
    score = words.score_line(Validated(3, 0.1, 24.071, 22.5, True))
    assert score == "Best so far after epoch 3: 24.07 dB PSNR (left grey: 22.50 dB)."
    score = words.score_line(Validated(3, 0.1, 24.071, 22.5, True), over=True)
    assert score == "The best is epoch 3: 24.07 dB PSNR (left grey: 22.50 dB)."


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            RunState("finished", "no improvement", Finished(9, 4, 0.1, "best.safetensors", "")),
            "Finished; the best epoch was 4 of 9. No improvement.",
        ),
        (RunState("stopped", "asked", Stopped(3, "asked")), "Asked. Resume goes on from there."),
        (RunState("stopped", "stopped; resume to go on", None), "Stopped; resume to go on."),
        (RunState("failed", "No. Do.", Failed("E", "No.", "Do.")), "The training failed. No. Do."),
        (RunState("running", "The training is running.", None), ""),
        (RunState("new", "", None), ""),
    ],
)
def test_ending(state: RunState, said: str) -> None:
    """Each end has its sentence, one under way has none."""
    assert words.ending(state) == said
    assert "Resume goes on" in words.ending(RunState("died", "", None))
