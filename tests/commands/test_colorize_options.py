"""What the shell's options on colour do to files, and what they say when they cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from napari_colorize import cli
from napari_colorize.api import open_colorizer
from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.files.cards import read_card
from napari_colorize.files.pictures import read_picture
from napari_colorize.files.record import read_record
from napari_colorize.files.steering_file import Saved, from_dict, write_steering
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
    settings = {"widths": [16, 16, 64], "encoder": [0.25, 0.3]}
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
    table = tmp_path / "hints.csv"
    table.write_text("y,x,r,g,b,size\n20,30,0,32,255,20\n")
    asked = {
        "plain": [],
        "muted": ["--vividness", "0"],
        "vivid": ["--vividness", "1"],
        "mood": ["--reference", str(mood)],
        "faint": ["--reference", str(mood), "--reference-strength", "0.4"],
        "hint": ["--hint", "20,30,#0020ff,20", "--hint", "5,5,00ff00"],
        "table": ["--hints", str(table)],
        "strong": ["--chroma", "1.7"],
        "cold": ["--warmth", "-0.5"],
        "turned": ["--hue-shift", "-60"],
        "grey": ["--blend", "1"],
    }
    for name, options in asked.items():
        out = str(tmp_path / name)
        arguments = ["colorize", str(folder / "sub" / "deep.tif"), "-o", out]
        assert cli.run([*arguments, "--model", str(palette), "--device", "cpu", *options]) == 0
        assert capsys.readouterr().out == f"{Path(out, 'deep.tif')}\n"
    results = {name: read_picture(tmp_path / name / "deep.tif").pixels for name in asked}
    assert {pixels.dtype.name for pixels in results.values()} == {"uint16"}
    assert len({pixels.tobytes() for pixels in results.values()}) == len(asked)
    names = ("grey", "muted", "plain", "strong")
    grown = [chroma(tmp_path / name / "deep.tif") for name in names]
    assert grown == sorted(grown)
    assert grown[0] == 0


def test_results_say_how_they_were_made(folder: Path, palette: Path, tmp_path: Path) -> None:
    """Model, hash and all options stand in the file and steer a second run to the same pixels."""
    mood = tmp_path / "mood.png"
    Image.fromarray(np.full((9, 9, 3), (20, 60, 220), np.uint8)).save(mood)
    out = tmp_path / "out"
    arguments = ["colorize", str(folder / "sub" / "deep.tif"), "-o", str(out)]
    arguments += ["--model", str(palette), "--device", "cpu", "--hint", "20,30,#0020ff,20"]
    arguments += ["--reference", str(mood), "--chroma", "1.2", "--vividness", "0.4"]
    assert cli.run(arguments) == 0
    record = read_record(out / "deep.tif")
    assert record is not None
    card = read_card(palette)
    told = (record["model"], record["hash"], record["source"])
    assert told == ("small", card["hash"], "deep.tif")
    steering = from_dict(record["steering"])
    assert steering.hints == (Hint(20, 30, (0, 32, 255), 20),)
    assert steering.reference is not None
    assert steering.reference.name == "mood.png"
    colorizer = open_colorizer(palette, "cpu")
    colorizer.set_picture(read_picture(folder / "sub" / "deep.tif").pixels)
    again = colorizer.colorize(
        steering.hints,
        vividness=steering.vividness,
        reference=steering.reference,
        adjustments=steering.adjustments,
        dtype="uint16",
    )
    colorizer.close()
    np.testing.assert_array_equal(again, read_picture(out / "deep.tif").pixels)


def test_strokes_of_another_picture(
    folder: Path, palette: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They come from a file of steering and suit one size; else one line, status 2, no file."""
    painted = np.zeros((48, 64), dtype=int)
    painted[10:20, 20:40] = 1
    saved = tmp_path / "cat.json"
    for shape, status in ((painted, 0), (painted[1:], 2)):
        strokes = Strokes(LabelMap.from_array(shape), ((1, (0.0, 0.0, 255.0)),))
        write_steering(saved, Saved(Steering((strokes,))))
        out = tmp_path / str(status)
        arguments = ["colorize", str(folder / "a.jpg"), "-o", str(out), "--hints", str(saved)]
        assert cli.run([*arguments, "--model", str(palette), "--device", "cpu"]) == status
    assert capsys.readouterr().err == (
        "Error: The strokes are of a picture of 47 x 64 px, this one has 48 x 64 px.\n"
    )
    assert (tmp_path / "0" / "a.jpg").exists()
    assert not (tmp_path / "2").exists()


def test_hints_are_for_one_picture_and_lie_in_it(
    folder: Path, palette: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several pictures, or a place beside the picture: one line, status 2, no file."""
    options = ["-o", str(tmp_path / "o"), "--model", str(palette), "--hint", "48,3,#ff0000"]
    assert cli.run(["colorize", str(folder), *options]) == 2
    assert capsys.readouterr().err == (
        "Error: --hint is for one picture and 3 were given: colour that one by itself.\n"
    )
    table = tmp_path / "hints.csv"
    table.write_text("y,x,color\n3,4,#ff0000\n")
    assert cli.run(["colorize", str(folder), *options[:4], "--hints", str(table)]) == 2
    assert capsys.readouterr().err.startswith("Error: --hints is for one picture and 3 were given")
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
