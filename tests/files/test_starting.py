"""A training that starts from a model takes its network from the model's card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_colorize import api, cli
from napari_colorize.errors import ModelError, RunError
from napari_colorize.files.starting import with_network_of_init

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_model_nothing_changes() -> None:
    """The settings stay as they are."""
    assert with_network_of_init({"folder": "a"}) == {"folder": "a"}
    assert with_network_of_init({"folder": "a", "init": None}) == {"folder": "a", "init": None}


def test_the_network_is_the_models() -> None:
    """It need not be given, and may be."""
    wanted = {"init": "plain", "network": "plain"}
    assert with_network_of_init({"init": "plain"}) == wanted
    assert with_network_of_init(wanted) == wanted


def test_another_network_is_refused() -> None:
    """Both are named; a model that is not there is told as such."""
    with pytest.raises(RunError, match=r"plain is of the network 'plain', not 'palette'"):
        with_network_of_init({"init": "plain", "network": "palette"})
    with pytest.raises(ModelError, match="no model called 'plane'"):
        with_network_of_init({"init": "plane"})


def test_no_run_folder_is_made(
    tmp_path: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither by Python nor by the shell, where it is one line and bad input."""
    run = tmp_path / "run"
    with pytest.raises(RunError, match="leave the network out"):
        api.train(photographs, run, init="plain", network="palette")
    arguments = ["train", str(photographs), "--out", str(run), "--init", "plain"]
    assert cli.run([*arguments, "--network", "palette"]) == 2
    assert "is of the network 'plain'" in capsys.readouterr().err
    assert not run.exists()
