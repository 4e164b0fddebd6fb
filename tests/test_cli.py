"""The command line: exit statuses, exact lines, and that it loads only what it needs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from napari_colorize import cli
from napari_colorize.files import record
from napari_colorize.files.cards import payload_hash
from napari_colorize.files.models import models_folder
from napari_colorize.files.pictures import read_picture
from napari_colorize.networks.weights import build_network, save_network
from napari_colorize.runs.folder import RunFolder

CARD = {"name": "tiny", "network": "plain", "settings": {}, "working_size": 32}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model file with seeded random weights that paint visibly."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network("plain", {})
        with torch.no_grad():
            list(network.parameters())[-1].copy_(torch.tensor([0.3, -0.2]))
    save_network(path, network, CARD)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a grey JPEG with a resolution, a 16-bit TIFF and a broken file."""
    place = tmp_path / "in"
    (place / "sub").mkdir(parents=True)
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    Image.fromarray(grey).save(place / "a.jpg", dpi=(300, 300))
    Image.fromarray(grey.astype(np.uint16) * 257).save(place / "sub" / "deep.tif")
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    return place


def shell(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "napari_colorize", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is one line; help names every command; nothing at all is help too."""
    assert cli.run(["--version"]) == 0
    assert re.fullmatch(r"napari-colorize \S+.*\n", capsys.readouterr().out)
    for arguments in (["--help"], ["-h"], []):
        assert cli.run(arguments) == 0
        said = capsys.readouterr().out
        for command in ("colorize", "stack", "evaluate", "train", "models", "cache", "info"):
            assert re.search(rf"\b{command}\b", said)


def test_every_option_is_explained() -> None:
    """No option and no argument of any command lacks its sentence."""
    import typer

    def parameters(group: object) -> list[object]:
        commands = getattr(group, "commands", None)
        if commands is None:
            return list(group.params)  # type: ignore[attr-defined]
        return [one for command in commands.values() for one in parameters(command)]

    found = parameters(typer.main.get_command(cli.app))
    assert len(found) > 40
    for parameter in found:
        assert getattr(parameter, "help", "").endswith((".", ")")), parameter


def test_nothing_heavy_is_loaded() -> None:
    """Help, version, models and cache load no torch, no scipy, no Qt and no napari."""
    code = (
        "import sys; from napari_colorize import cli\n"
        "for line in ('--help', '--version', 'train --help', 'models', 'cache'):\n"
        "    assert cli.run(line.split()) == 0\n"
        "heavy = {'torch', 'scipy', 'skimage', 'napari', 'qtpy', 'magicgui', 'lightning_fabric'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_typer_runs_the_app() -> None:
    """The app is a plain Typer app, as its own runner and documentation tools expect."""
    result = CliRunner().invoke(cli.app, ["cache", "size"])
    assert result.exit_code == 0
    assert result.output.startswith("0.0 MB in ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["paint"], "No such command 'paint'."),
        (["colorize"], "Missing argument 'PICTURES...'."),
        (["colorize", "none.jpg"], "none.jpg does not exist."),
        (["colorize", "--wide", "x"], "No such option: --wide"),
        (["colorize", "x.png", "--vividness", "2"], "--vividness has to be a number from 0 to 1"),
        (["colorize", "x.png", "--vividness", "nan"], "--vividness has to be a number from 0 to"),
        (["colorize", "x.png", "--vividness", "much"], "Invalid value for '--vividness'"),
        (["colorize", "x.png", "--hint", "3,4,red"], "--hint has to be Y,X,#RRGGBB"),
        (["colorize", "x.png", "--reference", "y"], "The reference y cannot be used: no such file"),
        (["colorize", "x.png", "--alternatives", "0"], "--alternatives has to be 1 to 16, got 0."),
        (["evaluate", "."], "No pictures are in '.': choose a folder of photographs."),
        (["evaluate", "none"], "'none' is not a folder"),
        (["evaluate", ".", "--limit", "0"], "Invalid value for '--limit': "),
        (["train", "."], "Missing option '--out' / '-o'."),
        (["train", "none", "-o", "run"], "none is not a folder."),
        (["train", ".", "-o", "run", "--validation", "none"], "none is not a folder."),
        (["train", ".", "-o", "run", "--epochs", "0"], "epochs"),
        (["train", ".", "-o", "run", "--init", "his"], "There is no model called 'his'"),
        (["models", "show", "his"], "There is no model called 'his'"),
        (["models", "import", "none.safetensors"], "'none.safetensors' does not exist."),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever is wrong with what was given: one line on stderr, nothing on stdout, no file."""
    monkeypatch.chdir(tmp_path)
    assert cli.run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """--debug, before or after the command, gives the traceback instead of the line."""
    for arguments in (["--debug", "colorize", "none.jpg"], ["colorize", "none.jpg", "--debug"]):
        done = shell(*arguments, cwd=tmp_path)
        assert done.returncode == 1
        assert "Traceback" in done.stderr
        assert "PictureError" in done.stderr


def test_faults_of_the_program_are_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that nobody foresaw is one line with the way to its traceback."""
    monkeypatch.setattr(record, "program_version", lambda: {}["x"])
    assert cli.run(["--version"]) == 1
    assert capsys.readouterr().err == (
        "Error: KeyError: 'x' (a fault of the program; --debug tells where)\n"
    )


def test_colorize_a_folder(
    folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Results in colour under the same paths, then the count, then the bad file; status 1."""
    out = tmp_path / "out"
    arguments = ["colorize", str(folder), "-o", str(out), "--model", str(model), "--device", "cpu"]
    assert cli.run(arguments) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        str(out / "a.jpg"),
        str(out / "sub" / "deep.tif"),
        "2 coloured, 1 failed",
    ]
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"{folder / 'broken.png'}: ")
    picture = read_picture(out / "a.jpg")
    assert picture.resolution == pytest.approx((300, 300))
    assert np.ptp(picture.pixels.astype(int), axis=2).mean() > 10
    deep = read_picture(out / "sub" / "deep.tif").pixels
    assert (deep.dtype, deep.shape) == (np.uint16, (48, 64, 3))

    (folder / "broken.png").unlink()
    before = (out / "a.jpg").stat().st_mtime_ns
    assert cli.run(arguments) == 0
    assert capsys.readouterr().out == (
        "0 coloured, 2 skipped because they exist (--force replaces them)\n"
    )
    assert (out / "a.jpg").stat().st_mtime_ns == before
    assert cli.run([*arguments, "--force"]) == 0
    assert "2 coloured" in capsys.readouterr().out
    assert (out / "a.jpg").stat().st_mtime_ns != before


def test_colorize_one_file(
    folder: Path,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One picture, and nothing else is said but where it is."""
    monkeypatch.chdir(tmp_path)
    assert cli.run(["colorize", "in/a.jpg", "--model", str(model)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{Path('colorized', 'a.jpg')}\n"
    assert said.err == ""
    assert (tmp_path / "colorized" / "a.jpg").is_file()


def test_a_model_that_is_none_is_told_once(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and one line, however many pictures there are."""
    assert cli.run(["colorize", str(folder), "-o", str(tmp_path / "o"), "--model", "his"]) == 2
    assert capsys.readouterr().err.startswith("Error: There is no model called 'his'")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a shell")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_colorize(tmp_path: Path, model: Path, number: int, status: int) -> None:
    """What was finished is whole, no temporary file stays, and the status is the shell's."""
    (tmp_path / "in").mkdir()
    grey = np.tile(np.arange(256, dtype=np.uint8), (300, 2))
    for index in range(120):
        Image.fromarray(grey).save(tmp_path / "in" / f"{index:03d}.bmp")
    out = tmp_path / "out"
    command = ["colorize", str(tmp_path / "in"), "-o", str(out), "--model", str(model)]
    with subprocess.Popen(
        [sys.executable, "-m", "napari_colorize", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        first = child.stdout.readline().strip()
        child.send_signal(number)
        _, errors = child.communicate(timeout=240)
    assert child.returncode == status
    assert "Traceback" not in errors
    done = sorted(out.iterdir())
    assert Path(first) in done
    assert len(done) < 120
    for path in done:
        assert read_picture(path).pixels.shape == (300, 512, 3)


def test_evaluate(
    photographs: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table on stdout, everything in the JSON, the sheet as a PNG."""
    report, sheet = tmp_path / "card.json", tmp_path / "sheet.png"
    arguments = ["evaluate", str(photographs), "--model", str(model), "--limit", "2"]
    assert cli.run([*arguments, "--json", str(report), "--sheet", str(sheet)]) == 0
    said = capsys.readouterr().out
    data = json.loads(report.read_text("utf-8"))
    assert said.startswith(f"tiny ({payload_hash(model)[:12]}) on ")
    assert f"{data['rows']['grey']['psnr']:.2f}" in said
    assert data["pictures"] == 2
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"


def test_models(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Import, list, show and export, each with its line."""
    assert cli.run(["models", "import", str(model), "--name", "mine"]) == 0
    assert capsys.readouterr().out == "mine\n"
    (models_folder() / "bad.safetensors").write_bytes(b"nothing good")
    assert cli.run(["models"]) == 0
    said = capsys.readouterr()
    lines = [line.split() for line in said.out.splitlines()]
    assert ["mine", "plain", "own", payload_hash(model)[:12]] in lines
    assert said.err.count("\n") == 1
    assert "bad.safetensors is not a model" in said.err
    assert cli.run(["models", "show", "mine"]) == 0
    assert json.loads(capsys.readouterr().out)["hash"] == payload_hash(model)
    assert cli.run(["models", "export", "mine", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mine.safetensors'}\n"
    assert cli.run(["models", "export", "mine", str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert cli.run(["models", "export", "mine", str(tmp_path), "--force"]) == 0


def test_info(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions, the device and its reason, models by hash; no path of the user's."""
    cli.run(["models", "import", str(model)])
    capsys.readouterr()
    assert cli.run(["info"]) == 0
    said = capsys.readouterr().out
    for key in ("python", "torch", "napari-colorize", "device", "cuda", "models"):
        assert re.search(rf"^{key} +\S", said, re.MULTILINE)
    assert f"tiny ({payload_hash(model)[:12]})" in said
    assert str(Path.home()) + os.sep not in said


TRAINING = ["--epochs", "2", "--crop", "32", "--working-size", "32", "--batch-size", "8"]


def test_train_resume_and_clear(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole training gives a model; resuming it says so; the cache it left can be cleared."""
    run = tmp_path / "run"
    command = ["train", str(photographs), "--out", str(run), *TRAINING, "--device", "cpu"]
    assert cli.run([*command, "--threads", "1"]) == 0
    said = capsys.readouterr()
    assert "photographs to train on" in said.out
    assert "epoch 2/2: loss " in said.out
    assert said.out.splitlines()[-1] == str(RunFolder(run).best_model)
    assert cli.run(["models", "show", str(RunFolder(run).best_model)]) == 0
    assert json.loads(capsys.readouterr().out)["working_size"] == 32
    assert cli.run([*command, "--threads", "1", "--resume"]) == 0
    assert "The run has finished already" in capsys.readouterr().out
    assert cli.run(command) == 2
    assert "is not empty; resume the run in it" in capsys.readouterr().err
    assert cli.run(["cache"]) == 0
    assert not capsys.readouterr().out.startswith("0.0 MB")
    assert cli.run(["cache", "clear"]) == 0
    assert capsys.readouterr().out.endswith(" MB freed\n")
    assert cli.run(["cache", "size"]) == 0
    assert capsys.readouterr().out.startswith("0.0 MB")


def test_train_without_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder is bad input: one line and status 2."""
    (tmp_path / "empty").mkdir()
    assert cli.run(["train", str(tmp_path / "empty"), "-o", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a shell")
def test_an_interrupted_training(photographs: Path, tmp_path: Path) -> None:
    """Ctrl-C saves and leaves with 130 and one line that tells the way on."""
    run = RunFolder(tmp_path / "run")
    command = ["train", str(photographs), "-o", str(run.path), *TRAINING[2:], "--threads", "1"]
    arguments = [sys.executable, "-m", "napari_colorize", *command, "--epochs", "100000"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as child:
        limit = time.monotonic() + 240
        while not run.last_checkpoint.exists():
            assert child.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=240)
    assert child.returncode == 130
    assert errors == f"Stopped; the same command with --resume goes on: {run.path}\n"
    assert run.state().name == "stopped"
