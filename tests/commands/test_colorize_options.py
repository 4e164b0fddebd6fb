"""What the shell's options on colour do to files, and what they say when they cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from napari_colorize import cli
from napari_colorize.files.pictures import read_picture
from napari_colorize.networks.weights import build_network, save_network


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model file that gives one colour a place."""
    path = tmp_path_factory.mktemp("plain") / "tiny.safetensors"
    card = {"name": "tiny", "network": "plain", "settings": {}, "working_size": 32}
    save_network(path, build_network("plain", {}), card)
    return path


@pytest.fixture(scope="session")
def palette(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny model file of the network palette that likes reds and follows hints."""
    settings = {"widths": [16, 16, 64], "encoder": [1, 1, 1], "decoder": [1, 1, 1]}
    path = tmp_path_factory.mktemp("palette") / "small.safetensors"
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = build_network("palette", settings)
        far = ((network.bins - torch.tensor([50.0, 30.0])) ** 2).sum(dim=1)  # type: ignore[operator]
        network.to_logits.bias.copy_(-far / 1600)  # type: ignore[union-attr, operator]
        network.to_logits.weight.normal_(std=0.2)  # type: ignore[union-attr, operator]
    card = {"name": "small", "network": "palette", "settings": settings, "working_size": 48}
    save_network(path, network, card)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a grey JPEG, a 16-bit TIFF and a broken file."""
    place = tmp_path / "in"
    (place / "sub").mkdir(parents=True)
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    Image.fromarray(grey).save(place / "a.jpg")
    Image.fromarray(grey.astype(np.uint16) * 257).save(place / "sub" / "deep.tif")
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    return place


@pytest.mark.parametrize(
    ("options", "wish"),
    [
        (["--vividness", "0"], "vividness"),
        (["--hint", "3,4,#ff0000"], "hints"),
        (["--alternatives", "2", "--vividness", "0.5"], "vividness and alternatives"),
    ],
)
def test_a_model_that_cannot_is_told_before_any_picture(
    options: list[str],
    wish: str,
    folder: Path,
    plain: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line and status 2, even where no picture could be read."""
    arguments = ["colorize", str(folder / "broken.png"), "-o", str(tmp_path / "o")]
    assert cli.run([*arguments, "--model", str(plain), *options]) == 2
    said = capsys.readouterr()
    assert said.err == (
        f"Error: The model 'tiny' gives one colour a place and knows no {wish}: "
        "choose a model of the network palette with --model.\n"
    )
    assert (said.out, (tmp_path / "o").exists()) == ("", False)


def chroma(path: Path) -> float:
    """Return how far the channels of a picture lie apart, on average."""
    return float(np.ptp(read_picture(path).pixels.astype(int), axis=2).mean())


def test_wishes_reach_the_pixels(
    folder: Path, palette: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each option changes the colours; 16 bits and the names stay what they are."""
    mood = tmp_path / "mood.png"
    Image.fromarray(np.full((9, 9, 3), (20, 60, 220), np.uint8)).save(mood)
    asked = {
        "plain": [],
        "muted": ["--vividness", "0"],
        "vivid": ["--vividness", "1"],
        "mood": ["--reference", str(mood)],
        "hint": ["--hint", "20,30,#0020ff,20", "--hint", "5,5,00ff00"],
    }
    for name, options in asked.items():
        out = str(tmp_path / name)
        arguments = ["colorize", str(folder / "sub" / "deep.tif"), "-o", out]
        assert cli.run([*arguments, "--model", str(palette), "--device", "cpu", *options]) == 0
        assert capsys.readouterr().out == f"{Path(out, 'deep.tif')}\n"
    results = {name: read_picture(tmp_path / name / "deep.tif").pixels for name in asked}
    assert {pixels.dtype.name for pixels in results.values()} == {"uint16"}
    assert len({pixels.tobytes() for pixels in results.values()}) == len(asked)
    grown = [chroma(tmp_path / name / "deep.tif") for name in ("muted", "plain", "vivid")]
    assert grown == sorted(grown)


def test_hints_are_for_one_picture_and_lie_in_it(
    folder: Path, palette: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several pictures, or a place beside the picture: one line, status 2, no file."""
    options = ["-o", str(tmp_path / "o"), "--model", str(palette), "--hint", "48,3,#ff0000"]
    assert cli.run(["colorize", str(folder), *options]) == 2
    assert capsys.readouterr().err == (
        "Error: --hint is for one picture and 3 were given: colour that one by itself.\n"
    )
    assert cli.run(["colorize", str(folder / "a.jpg"), *options]) == 2
    assert capsys.readouterr().err == (
        "Error: Hint 1 at row 48, column 3 lies outside the picture of 48 x 64 px; "
        "move or remove it.\n"
    )
    assert not (tmp_path / "o").exists()


def test_alternatives(
    folder: Path, palette: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several files a picture, all told, in different colours."""
    out = tmp_path / "o"
    arguments = ["colorize", str(folder / "a.jpg"), "-o", str(out), "--model", str(palette)]
    assert cli.run([*arguments, "--alternatives", "3", "--device", "cpu"]) == 0
    files = [out / f"a-{number}.jpg" for number in (1, 2, 3)]
    assert capsys.readouterr().out.splitlines() == [str(path) for path in files]
    assert len({read_picture(path).pixels.tobytes() for path in files}) == 3
    assert sorted(out.iterdir()) == files
