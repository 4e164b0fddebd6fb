"""Which process is the first, as each launcher says it."""

from __future__ import annotations

import pytest

from napari_colorize.runs.ranks import is_first_on_machine, is_first_process

NAMES = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID", "SLURM_LOCALID")


@pytest.mark.parametrize(
    ("environment", "first", "on_machine"),
    [
        ({}, True, True),
        ({"LOCAL_RANK": "1"}, False, False),  # Fabric's child
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False, True),  # Fabric on the second machine
        ({"RANK": "2", "LOCAL_RANK": "0"}, False, True),  # torchrun on the second machine
        ({"RANK": "0", "LOCAL_RANK": "0", "SLURM_PROCID": "1"}, True, True),  # torchrun in SLURM
        ({"SLURM_PROCID": "4", "SLURM_LOCALID": "0"}, False, True),
        ({"SLURM_PROCID": "0", "LOCAL_RANK": "1"}, False, False),  # Fabric in a shell of SLURM
    ],
)
def test_the_first(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], first: bool, on_machine: bool
) -> None:
    """Among several; one that trains alone is always the first."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_first_process(4) is first
    assert is_first_on_machine(4) is on_machine
    assert is_first_process(1)
    assert is_first_on_machine(1)
