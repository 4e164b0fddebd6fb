"""Movies read frame by frame: each container, any order, and files that are none."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from made_movies import (
    break_frame,
    colored_frames,
    grey_frames,
    make_jpeg_movie,
    make_movie,
    make_sound,
)

from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.stacks.movies import open_movie
from napari_colorize.files.stacks.stack_files import open_stack

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# suffix, codec, pixels, and how far off a decoded value may be on average
CONTAINERS = [
    ("mp4", "libx264", "yuv420p", 3),
    ("mov", "prores_ks", "yuv422p10le", 2),
    ("avi", "mpeg4", "yuv420p", 12),
    ("avi", "libx264", "yuv420p", 3),
    ("webm", "libvpx-vp9", "yuv420p", 5),
    ("webm", "libvpx", "yuv420p", 5),
    ("mkv", "ffv1", "yuv444p", 1.5),
    ("gif", "gif", "rgb8", 25),
]


def off(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return how far two pictures are apart on average."""
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize(("suffix", "codec", "pixels", "far"), CONTAINERS)
def test_containers(tmp_path: Path, suffix: str, codec: str, pixels: str, far: float) -> None:
    """Frames are those that were written, in any order in which they are asked for."""
    frames = colored_frames()
    path = make_movie(tmp_path / f"film.{suffix}", frames, codec=codec, pixels=pixels)
    with open_movie(path) as movie:
        assert (movie.shape, movie.axes.names, movie.note) == ((12, 96, 96, 3), "tyxs", "")
        in_order = [movie[(number,)] for number in range(12)]
        for number in range(12):
            assert off(in_order[number], frames[number]) < far
            # the right one, not a neighbour
            assert off(in_order[number], frames[number]) <= off(
                in_order[number], frames[(number + 3) % 12]
            )
        movie._kept.clear()
        for number in (7, 3, 11, 2, 0, 10):
            assert np.array_equal(movie[number], in_order[number])
            movie._kept.clear()
        assert np.array_equal(movie[-1], in_order[11])
        assert np.array_equal(movie[3:5, 10:20], np.stack(in_order[3:5])[:, 10:20])
        steps = np.diff([float(time) for time in movie.times])
        assert np.allclose(steps, 1 / 24, atol=0.02 if suffix == "gif" else 0.001)


def test_times_that_are_uneven(tmp_path: Path) -> None:
    """Frames keep the moments at which they are shown."""
    stamps = [0, 1, 2, 4, 5, 24]
    path = make_movie(tmp_path / "film.mkv", colored_frames(6), codec="ffv1", stamps=stamps)
    with open_movie(path) as movie:
        assert [round(float(time * 24), 1) for time in movie.times] == [*stamps, 25]
    gif = make_movie(tmp_path / "a.gif", colored_frames(3), codec="gif", pixels="rgb8",
                     stamps=[0, 24, 27])  # fmt: skip
    with open_movie(gif) as movie:
        assert [float(time) for time in movie.times[:-1]] == [0, 1.0, 1.13]


def test_grey_movies(tmp_path: Path) -> None:
    """A movie without colours has no axis for them; its greys are those of the file."""
    frames = grey_frames()
    for suffix, codec, pixels in (("mp4", "libx264", "yuv420p"), ("mkv", "ffv1", "gray10le")):
        path = make_movie(tmp_path / f"film.{suffix}", frames, codec=codec, pixels=pixels)
        with open_movie(path) as movie:
            assert (movie.shape, movie.axes.names) == ((12, 96, 96), "tyx")
            assert off(movie[5], frames[5]) < (2.5 if codec == "libx264" else 0.6)
            assert abs(float(movie[5].mean()) - frames[5].mean()) < 0.6


def test_odd_sizes_and_turned_frames(tmp_path: Path) -> None:
    """Sides may be odd; a movie that was filmed upright is upright."""
    frames = colored_frames(3, 95, 97)
    path = make_movie(tmp_path / "odd.mkv", frames, codec="ffv1", pixels="yuv444p")
    with open_movie(path) as movie:
        assert movie.shape == (3, 95, 97, 3)
        assert off(movie[2], frames[2]) < 1.5
    frames = colored_frames(3, 64, 96)
    path = make_movie(tmp_path / "phone.mp4", frames, rotation=90)
    with open_movie(path) as movie:
        assert movie.shape == (3, 96, 64, 3)
        assert off(movie[1], np.rot90(frames[1])) < 3


def test_colours_are_those_that_players_show(tmp_path: Path) -> None:
    """What a movie tells of its colours counts; without a word the size does."""
    red = np.full((1, 96, 96, 3), (200, 40, 30), np.uint8)
    for matrix in (1, 5):
        with av.open(str(tmp_path / f"{matrix}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=24)
            stream.height = stream.width = 96
            stream.codec_context.colorspace = matrix
            frame = av.VideoFrame.from_ndarray(red[0]).reformat(
                format="yuv420p", dst_colorspace=matrix
            )
            frame.colorspace, frame.pts = matrix, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
        with open_movie(tmp_path / f"{matrix}.mp4") as movie:
            assert off(movie[0], red[0]) < 4


def test_a_movie_that_ends_early(tmp_path: Path) -> None:
    """The frames that are there can be read, and a sentence tells that others are not."""
    whole = make_movie(tmp_path / "film.mkv", grey_frames(), codec="ffv1", pixels="gray")
    data = whole.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) * 6 // 10])
    with open_movie(whole) as movie, open_movie(cut) as short:
        assert 4 < len(short) < 12
        for number in range(len(short)):
            assert np.array_equal(short[number], movie[number])
        assert short.note.startswith(f"The movie ends early: {len(short)} frames, 0.")
        assert " of 0.5 seconds, are there." in short.note
    gif = make_movie(tmp_path / "film.gif", colored_frames(), codec="gif", pixels="rgb8")
    gif.write_bytes(gif.read_bytes()[:-9000])
    with open_movie(gif) as short:
        assert short.note.startswith("The movie ends early:")
        assert short[len(short) - 1].shape == (96, 96, 3)


def test_one_broken_frame(tmp_path: Path) -> None:
    """It alone cannot be read."""
    path = break_frame(make_jpeg_movie(tmp_path / "film.mkv"), 5)
    with open_movie(path) as movie:
        assert len(movie) == 12
        for number in (*range(12), *range(11, -1, -1)):
            if number == 5:
                with pytest.raises(PictureError, match=r"frame 5 of film\.mkv cannot be decoded"):
                    movie[number]
            else:
                assert off(movie[number], colored_frames()[number]) < 6


def test_movies_are_stacks(tmp_path: Path) -> None:
    """`open_stack` opens a movie by its bytes, also under another name."""
    path = make_movie(tmp_path / "film.mp4", colored_frames()).rename(tmp_path / "film.dat")
    stack = open_stack(path)
    assert (stack.axes.names, stack.name) == ("tyxs", "film")
    assert stack.frames_per_second == pytest.approx(24)
    assert stack.scale["t"].size == pytest.approx(1 / 24)
    assert np.asarray(stack.data[(3,)]).shape == (96, 96, 3)


def test_files_that_are_no_movies(tmp_path: Path) -> None:
    """Each is told in a sentence that names it."""
    cases = {
        "text.mp4": (b"not a movie at all" * 9, "text.mp4 is no movie that can be read"),
        "empty.mp4": (b"", "empty.mp4 is empty."),
    }
    for name, (data, _) in cases.items():
        (tmp_path / name).write_bytes(data)
    make_sound(tmp_path / "song.mp4")
    told = {name: text for name, (_, text) in cases.items()}
    told |= {"song.mp4": "holds sound and no frames: choose a movie.", "none.mp4": "no such file"}
    for name, text in told.items():
        with pytest.raises(PictureError, match=text):
            open_movie(tmp_path / name)
    with pytest.raises(PictureError, match="is a folder, no movie"):
        open_movie(tmp_path)
    path = make_movie(tmp_path / "film.mp4", colored_frames())
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(PictureError, match="perhaps it was not copied whole"):
        open_movie(path)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told how to install it."""
    path = make_movie(tmp_path / "film.mp4", colored_frames(2))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ColorizeError, match=r"pip install 'napari-colorize\[movies\]'"):
        open_movie(path)


def test_the_clock_of_a_movie(tmp_path: Path) -> None:
    """Ticks and seconds agree."""
    with open_movie(make_movie(tmp_path / "film.mp4", colored_frames(4))) as movie:
        assert movie.times[:-1] == [stamp * movie.clock for stamp in movie.stamps]
        assert movie.times[1] == Fraction(1, 24)
