"""Events come back from their lines, and lines that are none are skipped."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.runs import events
from napari_colorize.runs.events import (
    Event,
    Step,
    Stopped,
    Usage,
    Validated,
    decode,
    encode,
)

VALUES = {
    "float": st.floats(),
    "int": st.integers(),
    "str": st.text(),
    "bool": st.booleans(),
    "dict[str, int]": st.dictionaries(st.text(), st.integers()),
}
any_event = st.one_of(
    st.builds(kind, **{field.name: VALUES[str(field.type)] for field in dataclasses.fields(kind)})
    for kind in get_args(Event)
)


@given(any_event)
def test_event_comes_back_from_its_line(event: Event) -> None:
    """Every event is one line of standard JSON and is read as it was written."""
    line = encode(event)
    assert "\n" not in line
    json.loads(line, parse_constant=pytest.fail)
    assert repr(decode(line)) == repr(event)


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_garbage_is_no_event(line: str) -> None:
    """No text whatever makes decode raise."""
    assert decode(line) is None


@given(any_event, st.data())
def test_half_an_event_is_no_event(event: Event, data: st.DataObject) -> None:
    """A line that was cut anywhere is skipped."""
    line = encode(event)
    assert decode(line[: data.draw(st.integers(0, len(line) - 1))]) is None


@pytest.mark.parametrize(
    "change",
    [{"event": "sang"}, {"event": 3}, {"step": "1"}, {"step": 1.5}, {"step": True}, {"loss": []}],
)
def test_unknown_kind_and_wrong_types_are_skipped(change: dict[str, object]) -> None:
    """Kinds of a later version and values of a wrong type are no event."""
    values = json.loads(encode(Step(1, 9, 1, 0.5, 1e-3, 40.0, 8.0)))
    assert decode(json.dumps(values)) is not None
    assert decode(json.dumps(values | change)) is None


def test_extra_keys_are_ignored_and_missing_ones_are_not() -> None:
    """A later version may tell more, never less."""
    values = json.loads(encode(Stopped(3, "asked to")))
    assert decode(json.dumps(values | {"mood": "good"})) == decode(json.dumps(values))
    del values["step"]
    assert decode(json.dumps(values)) is None


def test_numbers_that_json_lacks_survive() -> None:
    """A loss that is no number is still told."""
    event = decode(encode(Validated(1, math.nan, math.inf, -math.inf, False)))
    assert isinstance(event, Validated)
    assert math.isnan(event.loss)
    assert (event.psnr, event.psnr_grey) == (math.inf, -math.inf)


def test_time_is_now() -> None:
    """An event carries the time at which it was made."""
    assert Stopped(1, "").time <= Stopped(2, "").time


def test_every_kind_has_a_name() -> None:
    """A kind that is added to Event can be written too."""
    assert set(events._NAMES) == set(get_args(Event))


def test_usage_is_passed_over_by_readers_that_do_not_know_it() -> None:
    """The memory is told in a line that is an event of its own: nothing else changed for it."""
    line = encode(Usage(1_500_000_000, 0))
    assert decode(line.replace('"usage"', '"kind of later"')) is None
    assert decode(line) == Usage(1_500_000_000, 0, time=json.loads(line)["time"])
