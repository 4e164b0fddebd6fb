"""The command ``stack``: movies in and out, hints by time, work that was broken off, bad input."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from made_models import save_loud_palette, save_loud_plain
from made_movies import (
    break_frame,
    colored_frames,
    grey_frames,
    make_jpeg_movie,
    make_movie,
    make_sound,
    sound_of,
)

from napari_colorize import cli
from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Steering
from napari_colorize.commands.stack_hints import hints_by_plane
from napari_colorize.errors import PictureError
from napari_colorize.files.hints_table import placed_hints_of_table
from napari_colorize.files.pictures import write_picture
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.movies import open_movie
from napari_colorize.files.stacks.stack_files import open_stack
from napari_colorize.files.steering_file import Saved, read_placed_hints, write_steering

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


# Ends the process in the middle: after so many planes a signal comes.
BREAK = """
import os, sys
from napari_colorize.files.stacks.growing_store import GrowingStore
write, count = GrowingStore.write, 0

def counted(self, place, pixels):
    global count
    write(self, place, pixels)
    count += 1
    if count == 5:
        os.kill(os.getpid(), {number})

GrowingStore.write = counted
from napari_colorize import cli
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small palette model whose answers depend on all that it is told."""
    return save_loud_palette(tmp_path_factory.mktemp("model") / "paint.safetensors")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Return a grey movie with a tone."""
    return make_movie(tmp_path / "film.mp4", grey_frames(), sound="aac")


def chroma(frame: NDArray[np.uint8]) -> float:
    """Return how far a picture is from grey."""
    return float(np.ptp(frame.astype(int), axis=-1).mean())


def broken_off(number: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that gets a signal when five planes are done."""
    command = [sys.executable, "-c", BREAK.format(number=number), "stack", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_movie_becomes_a_movie(
    film: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In colour, with its times and its sound; what exists is not touched without --force."""
    out = film.with_name("out.mp4")
    arguments = ["stack", str(film), "--out", str(out), "--model", str(model), "--device", "cpu"]
    assert cli.run(arguments) == 0
    assert capsys.readouterr() == (f"12 planes of 96 x 96 pixels, axes tyx\n{out}\n", "")
    with open_movie(film) as grey, open_movie(out) as colored:
        assert colored.times == grey.times
        assert colored.shape == (12, 96, 96, 3)
        assert all(chroma(colored[number]) > 10 for number in (0, 11))
    assert sound_of(out) == sound_of(film)
    before = out.read_bytes()
    assert cli.run(arguments) == 2
    assert "is there already: choose another name, or --force" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert cli.run([*arguments, "--force", "--vividness", "0", "--independent"]) == 0
    assert out.read_bytes() != before
    assert not out.with_name("out.mp4.part").exists()


@pytest.mark.parametrize("name", ["out.ome.zarr", "out.tif", "out"])
def test_other_results(film: Path, model: Path, name: str) -> None:
    """Also for what has no times: folders of frames become movies again."""
    out = film.with_name(name)
    assert cli.run(["stack", str(film), "-o", str(out), "--model", str(model)]) == 0
    stack = open_stack(out)
    assert stack.axes.shape == (12, 96, 96, 3)
    assert chroma(np.asarray(stack.data[(3,)])) > 10
    if name == "out":
        again = film.with_name("again.mp4")
        arguments = ["stack", str(out), "-o", str(again), "--model", str(model), "--rate", "12"]
        assert cli.run(arguments) == 0
        with open_movie(again) as movie:
            assert float(movie.times[6]) == pytest.approx(0.5)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("number", "name"), [(9, "out.mp4"), (2, "out.tif")])
def test_the_same_command_goes_on(film: Path, model: Path, number: int, name: str) -> None:
    """After a kill and after Ctrl-C: nothing that was done is done again, and colour holds."""
    out = film.with_name(name)
    arguments = [film, "--out", out, "--model", model, "--device", "cpu"]
    done = broken_off(number, *arguments)
    part = out.with_name(name + ".part")
    assert not out.exists()
    assert (part / "done.txt").read_text().split() == ["0", "1", "2", "3", "4"]
    if number == signal.SIGINT:
        assert done.returncode == 130
        # the fifth had not been counted when the signal came
        assert done.stderr == "Stopped; the same command goes on: 4 of 12 planes are done.\n"
    else:
        assert done.returncode == -signal.SIGKILL
    assert cli.run(["stack", *map(str, arguments)]) == 0
    assert not part.exists()
    whole = film.with_name("whole" + out.suffix)
    assert cli.run(["stack", str(film), "-o", str(whole), "--model", str(model)]) == 0
    one, other = open_stack(out), open_stack(whole)
    for place in range(12):
        far = np.asarray(one.data[(place,)]).astype(int) - np.asarray(other.data[(place,)])
        assert np.abs(far).mean() < 2
    if name == "out.mp4":
        assert sound_of(out) == sound_of(film)


def test_work_of_other_settings(
    film: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not mixed; --force begins anew."""
    from napari_colorize.files.stacks.growing_store import GrowingStore

    out = film.with_name("out.mp4")
    arguments = ["stack", str(film), "-o", str(out), "--model", str(model)]
    with monkeypatch.context() as patch:
        patch.setattr(GrowingStore, "finish", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        assert cli.run(arguments) == 130
    assert "12 of 12 planes are done" in capsys.readouterr().err
    assert cli.run([*arguments, "--warmth", "0.5"]) == 1
    assert "another steering); delete it or choose another name, or give --force" in (
        capsys.readouterr().err
    )
    assert cli.run([*arguments, "--warmth", "0.5", "--force"]) == 0
    assert out.exists()


def test_hints_by_time(film: Path, model: Path, tmp_path: Path) -> None:
    """A hint acts on the thing that it stands on, at its time and around."""
    table = tmp_path / "hints.csv"
    table.write_text("time,y,x,color,size\n0:00.25,48,48,#ff0000,30\n")
    results = []
    for number, more in enumerate(([], ["--hints", str(table)])):
        out = tmp_path / f"out{number}"
        assert cli.run(["stack", str(film), "-o", str(out), "--model", str(model), *more]) == 0
        results.append(open_stack(out))
    moved = [
        np.abs(np.asarray(results[1].data[(t,)]).astype(int) - results[0].data[(t,)]).mean()
        for t in range(12)
    ]
    assert moved[6] > 1
    assert moved[5] > 0.5


def test_what_is_not_taken_from_a_file_of_hints_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that napari wrote may hold sliders too."""
    file = tmp_path / "film.hints.json"
    write_steering(file, Saved(Steering(vividness=1.0)))
    out = str(tmp_path / "out.tif")
    assert cli.run(["stack", "missing.tif", "-o", out, "--hints", str(file)]) == 2
    assert "tells sliders besides, which are not taken from it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "axes", "wanted"),
    [
        ("time,y,x,color\n0,1,2,#0a0b0c\n", "tyx", (0,)),
        ("time;y;x;color\n0.51;1;2;#0a0b0c\n", "tyx", (5,)),
        ("y,x,color,time\n1,2,#0a0b0c,0:00:01.15\n", "tyx", (11,)),
        ("plane,y,x,r,g,b\n7,1,2,10,11,12\n", "zyx", (7,)),
        ("Frame,y,x,color\n7,1,2,#0a0b0c\n", "tyx", (7,)),
        ("z,t,y,x,color\n1,3,1,2,#0a0b0c\n", "tzyx", (3, 1)),
    ],
)
def test_planes_of_hints(table: str, axes: str, wanted: tuple[int, ...]) -> None:
    """By time, by number, or axis by axis."""
    shape = {"tyx": (12, 9, 9), "zyx": (12, 9, 9), "tzyx": (4, 3, 9, 9)}[axes]
    times = [number / 10 for number in range(13)]
    found = hints_by_plane(placed_hints_of_table(table), Axes(axes, shape), times)
    assert found == {wanted: (Hint(1, 2, (10, 11, 12)),)}


def test_hints_of_the_dock(film: Path, tmp_path: Path) -> None:
    """A file of the plugin tells the planes of its hints; one of a single picture has none."""
    one, other = Hint(1, 2, (10, 11, 12)), Hint(5, 6, (0, 0, 255))
    path = tmp_path / "hints.json"
    write_steering(path, Saved(Steering((one,)), {(3,): (other,)}, {"place": [3]}))
    axes = open_stack(film).axes
    assert hints_by_plane(read_placed_hints(path), axes, None) == {(3,): (other, one)}
    write_steering(path, Saved(Steering((one,))))
    with pytest.raises(PictureError, match="its hints are those of a single picture"):
        read_placed_hints(path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("y,x,color\n1,2,#0a0b0c\n", "one column has to tell the plane: time"),
        ("time,plane,y,x,color\n1,1,1,2,#0a0b0c\n", "one column has to tell the plane: time"),
        ("time,y,x,color\n1:2:3:4,1,2,#0a0b0c\n", "time in line 2 has to be seconds, m:ss.s or"),
        ("time,y,x,color\n-1,1,2,#0a0b0c\n", "time in line 2 has to be seconds"),
        ("time,y,x,color\n99,1,2,#0a0b0c\n", "names the time 99 s, and the movie ends after 1.20"),
        ("plane,y,x,color\n12,1,2,#0a0b0c\n", "names plane 12 along t, and there are 12, counted"),
        ("plane,y,x,color\n1.5,1,2,#0a0b0c\n", "plane in line 2 has to be a whole number"),
        ("z,y,x,color\n1,1,2,#0a0b0c\n", "has columns z, and the axes of the planes are t"),
    ],
)
def test_planes_that_are_none(table: str, message: str) -> None:
    """Each is told."""
    times = [number / 10 for number in range(13)]
    with pytest.raises(PictureError, match=message):
        hints_by_plane(placed_hints_of_table(table), Axes("tyx", (12, 9, 9)), times)


def test_times_of_what_has_none() -> None:
    """The plane has to be named."""
    placed = placed_hints_of_table("time,y,x,color\n1,1,2,#0a0b0c\n")
    with pytest.raises(PictureError, match="this stack tells none: name the plane instead"):
        hints_by_plane(placed, Axes("zyx", (12, 9, 9)), None)


def test_a_broken_frame_is_named(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are coloured, the one before stands in its place, and the exit status is 1."""
    film = break_frame(make_jpeg_movie(tmp_path / "film.mkv"), 5)
    out = tmp_path / "out.mp4"
    assert cli.run(["stack", str(film), "-o", str(out), "--model", str(model)]) == 1
    assert capsys.readouterr().err == (
        "plane t=5: frame 5 of film.mkv cannot be decoded; the plane before stands in its place.\n"
    )
    with open_movie(out) as movie:
        assert len(movie) == 12
        assert np.abs(movie[5].astype(int) - movie[4]).mean() < 1


def test_a_movie_that_ends_early(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there is coloured, and a line tells."""
    film = make_movie(tmp_path / "film.mkv", grey_frames(), codec="ffv1", pixels="gray")
    film.write_bytes(film.read_bytes()[:-6000])
    out = tmp_path / "out.mp4"
    assert cli.run(["stack", str(film), "-o", str(out), "--model", str(model)]) == 0
    assert "The movie ends early: " in capsys.readouterr().out
    with open_movie(out) as movie, open_movie(film) as grey:
        assert len(movie) == len(grey) < 12


def test_a_full_disk(
    film: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, what was done stays, and with room again the same command goes on."""
    out = film.with_name("out.mp4")
    arguments = ["stack", str(film), "-o", str(out), "--model", str(model)]
    room = iter(range(8))
    save = np.save

    def full(file: IO[bytes], pixels: NDArray[np.uint8]) -> None:
        if next(room, None) is None:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(file, pixels)

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        assert cli.run(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: Cannot write ")
    assert error.endswith("no space left on device. Free some space or choose another folder.\n")
    assert error.count("\n") == 1
    part = film.with_name("out.mp4.part")
    assert len((part / "done.txt").read_text().split()) == 8
    assert len(list((part / "out.mp4").iterdir())) == 8
    assert not out.exists()
    assert cli.run(arguments) == 0
    with open_movie(out) as movie:
        assert len(movie) == 12


def test_bad_input(
    film: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, exit status 2, and nothing is left behind."""
    make_sound(tmp_path / "song.mp4")
    (tmp_path / "empty.mp4").touch()
    plain = save_loud_plain(tmp_path / "loud.safetensors")
    (tmp_path / "hints.csv").write_text("time,y,x,color\n0,1,2,#0a0b0c\n")
    write_picture(tmp_path / "picture.png", colored_frames(1)[0])
    (tmp_path / "frames").mkdir()
    write_picture(tmp_path / "frames" / "1.png", colored_frames(1)[0])
    tifffile.imwrite(tmp_path / "wide.tif", np.full((5, 20, 20), 7, np.float32))
    tifffile.imwrite(tmp_path / "volume.tif", np.zeros((2, 3, 9, 8), np.uint8), imagej=True)
    there = sorted(tmp_path.rglob("*"))
    out = ["--out", "out.mp4"]
    cases = {
        ("none.mp4", *out): "There is no file or folder",
        ("song.mp4", *out): "holds sound and no frames",
        ("empty.mp4", *out): "is empty.",
        ("picture.png", *out): "is no stack of a known kind: a movie",
        ("film.mp4", "--out", "out.avi"): "has to end in .ome.zarr, .zarr, .tif, .tiff, .mp4",
        ("film.mp4", "--out", "film.mp4"): "would replace",
        ("frames", "--out", "frames", "--force"): "would replace",
        ("film.mp4", *out, "--axes", "tzyx"): "names 4: give a letter for each",
        ("film.mp4", *out, "--contrast", "9", "2"): "the lower one first, got 9 2",
        ("frames", *out, "--contrast", "0", "9"): "--contrast is for grey planes",
        ("film.mp4", *out, "--rate", "0"): "--rate has to be from 0.01 to 1000",
        ("film.mp4", *out, "--warmth", "7"): "--warmth has to be a number from -1 to 1",
        ("film.mp4", *out, "--hints", "no.csv"): "no.csv cannot be used: there is no such file",
        ("film.mp4", *out, "--hints", "hints.csv", "--model", str(plain)): "knows no hints",
        ("volume.tif", *out): "A movie has one axis beside rows and columns",
        (
            "wide.tif",
            *out,
        ): "No plane can be coloured: A float picture has values from 0 to 1, got 0 "
        "to 7: give --contrast LOW HIGH, or scale it.\n",
        ("film.mp4",): "Missing option '--out'",
    }
    for (source, *rest), message in cases.items():
        told = [str(tmp_path / one) if "." in one and one[0] != "-" else one for one in rest]
        told = [str(tmp_path / "frames") if one == "frames" else one for one in told]
        assert cli.run(["stack", str(tmp_path / source), *told]) == 2, rest
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == there


def test_a_slow_time_lapse(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plane an hour is no movie of days: it plays as movies do, and a line tells."""
    source, out = tmp_path / "slow.tif", tmp_path / "out.mp4"
    planes = np.full((3, 20, 20), 90, np.uint8)
    tifffile.imwrite(source, planes, imagej=True, metadata={"axes": "TYX", "finterval": 3600})
    assert cli.run(["stack", str(source), "-o", str(out), "--model", str(model)]) == 0
    assert "The movie shows 25 planes a second" in capsys.readouterr().out
    with open_movie(out) as movie:
        assert float(movie.times[-1]) == pytest.approx(3 / 25)


@pytest.mark.parametrize(
    ("times", "given", "told"), [(16, [], True), (200, [], False), (16, [0, 4095], False)]
)
def test_a_camera_of_12_bits(
    tmp_path: Path,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    times: int,
    given: list[int],
    told: bool,
) -> None:
    """Who gets a nearly black result hears of --contrast before."""
    planes = grey_frames()[:2].astype(np.uint16) * times
    tifffile.imwrite(tmp_path / "camera.tif", planes, imagej=True, metadata={"axes": "TYX"})
    contrast = ["--contrast", *map(str, given)] if given else []
    arguments = ["stack", str(tmp_path / "camera.tif"), "-o", str(tmp_path / "out.tif")]
    assert cli.run([*arguments, "--model", str(model), *contrast]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert ("those of uint16 from 0 to 65,535: --contrast LOW HIGH tells" in out) == told


def test_colorize_says_what_colours_a_movie(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures are for ``colorize``, movies for ``stack``."""
    assert cli.run(["colorize", str(film)]) == 2
    assert f"napari-colorize stack {film} --out film-coloured.mp4" in capsys.readouterr().err
