"""Models from the shell: renamed, noted, removed, restored, measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from made_cards import write_model
from made_models import save_loud_plain

from napari_colorize import cli
from napari_colorize.files import models
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import import_model, models_folder

if TYPE_CHECKING:
    from pathlib import Path


def shell(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command and return exit status, output and errors."""
    status = cli.run(["models", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_rename_and_note(capsys: pytest.CaptureFixture[str]) -> None:
    """The new name is printed; the notes are in the file."""
    write_model(models_folder() / "sky.safetensors")
    assert shell(capsys, "rename", "sky", "his sky") == (0, "his-sky\n", "")
    assert shell(capsys, "note", "his-sky", "für Oma") == (0, "", "")
    assert read_card(models_folder() / "his-sky.safetensors")["notes"] == "für Oma"
    status, _, error = shell(capsys, "rename", "sky", "x")
    assert status == 2
    assert "There is no model called 'sky'" in error


def test_bundled_models_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command that changes a model says what to do instead."""
    for command in (["rename", "x"], ["note", "x"], ["remove"], ["measure", "."]):
        status, out, error = shell(capsys, command[0], "palette", *command[1:])
        assert (status, out) == (2, "")
        assert "came along with napari-colorize" in error
    assert cli.run(["evaluate", ".", "--store"]) == 2
    assert "duplicate it" in capsys.readouterr().err


def test_remove_restore_and_the_bin(capsys: pytest.CaptureFixture[str]) -> None:
    """A model goes into the bin and comes back; the bin is emptied when asked."""
    path = write_model(models_folder() / "sky.safetensors")
    status, out, _ = shell(capsys, "remove", "sky")
    assert (status, path.exists()) == (0, False)
    assert out.startswith("sky is in the bin")
    assert re.fullmatch(r"sky +0\.0 MB   removed 0 days ago\n", shell(capsys, "bin")[1])
    assert shell(capsys, "restore") == (0, "sky\n", "")
    assert path.exists()
    shell(capsys, "remove", "sky")
    assert shell(capsys, "bin", "--empty")[1].startswith("1 deleted")
    assert shell(capsys, "restore")[0] == 2


def test_duplicate(capsys: pytest.CaptureFixture[str]) -> None:
    """The copy of a bundled model is one's own."""
    assert shell(capsys, "duplicate", "plain") == (0, "plain-copy\n", "")
    assert not models.list_models()[-1].bundled


@pytest.mark.parametrize("command", ["measure", "evaluate"])
def test_a_measured_model_keeps_its_figures(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, photographs: Path
) -> None:
    """The table is printed, and the figures are on the card; progress comes in lines."""
    import_model(save_loud_plain(tmp_path / "loud.safetensors"))
    if command == "measure":
        status, out, error = shell(
            capsys, "measure", "loud", photographs, "--limit", 2, "--lines", "--device", "cpu"
        )
        assert error.endswith("4/4\n")
    else:
        status = cli.run(["evaluate", str(photographs), "--model", "loud", "--limit=2", "--store"])
        out = capsys.readouterr().out
    assert status == 0
    assert "PSNR dB" in out
    stored = read_card(models_folder() / "loud.safetensors")["score_card"]["evaluation"]
    assert stored["pictures"] == 2
    assert stored["rows"]["model"]["psnr"] > 0
    assert "protocol" not in stored
