"""The speed of a training, measured by real steps of a small network."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from napari_colorize.networks.devices import DeviceChoice
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.training import speed

if TYPE_CHECKING:
    from made_networks import Tiny

ARGUMENTS = ["--network=tiny", "--crop=16", "--batch-size=4", "--device=cpu"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tiny: type[Tiny]) -> None:
    """Measure no longer than a few steps."""
    monkeypatch.setattr(speed, "WARM", 0.0)
    monkeypatch.setattr(speed, "MEASURED", 0.02)


def test_one_line_of_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rate, device, reason, advice; nothing else is on stdout."""
    monkeypatch.setattr(sys, "argv", ["speed", *ARGUMENTS])
    assert speed.main() == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer.pop("rate") > 1
    assert answer == {"device": "cpu", "reason": "as asked for", "advice": ""}


def test_what_mends_a_gpu_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command comes with the reason."""
    choice = DeviceChoice("cpu", "the GPU is not used: it is full", "nvidia-smi")
    monkeypatch.setattr(speed, "choose_device", lambda wish: choice)
    answer = speed.measure(TrainingConfig(folder="-", network="tiny", crop=16, batch_size=4))
    assert (answer["reason"], answer["advice"]) == (choice.reason, "nvidia-smi")


def test_what_cannot_be_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stderr, and a status that is not 0."""
    monkeypatch.setattr(sys, "argv", ["speed", "--network=none"])
    assert speed.main() == 1
    told = capsys.readouterr()
    assert "'network'" in told.err
    assert not told.out
