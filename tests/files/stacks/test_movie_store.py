"""Coloured planes as a movie: times, sound, colours, gaps, and work that was broken off."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from made_movies import colored_frames, make_movie, sound_of
from skimage.color import rgb2lab

from napari_colorize.errors import PictureError, StorageError
from napari_colorize.files.stacks import movie_store
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.movies import open_movie
from napari_colorize.files.stacks.plane_store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.movies import Movie
    from napari_colorize.files.stacks.plane_store import PlaneStore

RECORD = {"model": "paint", "source": "film"}


def store_for(
    path: Path, frames: NDArray[np.uint8], movie: Movie | None = None, rate: int = 25
) -> PlaneStore:
    """Return a store for as many planes as there are frames."""
    return open_store(path, Axes("tyxs", frames.shape), RECORD, movie=movie, rate=Fraction(rate))


def written(store: PlaneStore, frames: NDArray[np.uint8], numbers: Iterable[int]) -> PlaneStore:
    """Write some planes and return the store."""
    for number in numbers:
        store.write((number,), frames[number])
    return store


@pytest.mark.parametrize(
    ("suffix", "codec", "sound", "name"),
    [
        ("mp4", "libx264", "aac", "aac"),
        ("avi", "mpeg4", "libmp3lame", "mp3float"),
        ("webm", "libvpx-vp9", "libopus", "opus"),
        ("mkv", "libx264", "flac", "aac"),
        ("mov", "libx264", "pcm_s16le", "aac"),
        ("avi", "mpeg4", "pcm_s16le", "aac"),
    ],
)
def test_times_and_sound(tmp_path: Path, suffix: str, codec: str, sound: str, name: str) -> None:
    """Frames keep their moments; sound is the same packets, or AAC where .mp4 cannot hold it."""
    frames = colored_frames()
    stamps = [*range(6), *range(9, 15)] if suffix != "avi" else None
    source = make_movie(
        tmp_path / f"film.{suffix}", frames, codec=codec, sound=sound, stamps=stamps
    )
    with open_movie(source) as movie:
        store = store_for(tmp_path / "out.mp4", frames, movie)
        path = written(store, frames, range(12)).finish()
        with open_movie(path) as result:
            assert result.times == movie.times
            assert len(result) == 12
    if name == "aac" and sound != "aac":
        with av.open(str(path)) as one, av.open(str(source)) as other:
            lengths = [sum(f.samples for f in film.decode(audio=0)) for film in (one, other)]
            assert one.streams.audio[0].codec_context.name == "aac"
        assert abs(lengths[0] - lengths[1]) <= 2048
    else:
        assert sound_of(path) == sound_of(source)
        with av.open(str(path)) as film:
            assert film.streams.audio[0].codec_context.name == name
    assert [one.name for one in tmp_path.glob("out*")] == ["out.mp4"]


def test_colours_and_lightness(tmp_path: Path) -> None:
    """Lightness is hardly touched, colours are tagged, and the model is named."""
    frames = colored_frames()
    written(store := store_for(tmp_path / "out.mp4", frames, rate=10), frames, range(12))
    with open_movie(store.finish()) as movie:
        lab = [(rgb2lab(frames[t]), rgb2lab(movie[t])) for t in range(12)]
        assert movie.times[1] == Fraction(1, 10)
    assert np.mean([np.abs(a - b)[..., 0].mean() for a, b in lab]) < 0.4
    assert np.mean([np.abs(a - b)[..., 1:].mean() for a, b in lab]) < 1.5
    with av.open(str(tmp_path / "out.mp4")) as film:
        context = film.streams.video[0].codec_context
        told = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)
        assert told == (1, 1, 1, 1)
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert "paint" in film.metadata["comment"]


def test_odd_sizes(tmp_path: Path) -> None:
    """The last pixels stand twice."""
    frames = colored_frames(3, 95, 97)
    written(store := store_for(tmp_path / "out.mp4", frames), frames, range(3))
    with open_movie(store.finish()) as movie:
        assert movie.shape == (3, 96, 98, 3)
        assert np.abs(movie[1][:95, :97].astype(int) - frames[1]).mean() < 3


def test_gaps_and_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes come in any order and over several segments; a gap shows the plane before it."""
    monkeypatch.setattr(movie_store, "SEGMENT", 4)
    frames = colored_frames()
    shown = [1, 1, 2, 2, 2, 2, 6, 7, 8, 9, 10, 10]
    order = [8, 7, 1, 10, 9, 2, 6]
    with open_movie(make_movie(tmp_path / "film.mp4", frames, sound="aac")) as movie:
        written(store := store_for(tmp_path / "out.mp4", frames, movie), frames, order)
        with open_movie(store.finish()) as result:
            assert result.times == movie.times
            for number, wanted in enumerate(shown):
                far = [np.abs(result[number].astype(int) - one).mean() for one in frames]
                assert int(np.argmin(far)) == wanted


def test_going_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done is done: planes, and segments whose planes had not gone yet."""
    monkeypatch.setattr(movie_store, "SEGMENT", 4)
    frames = colored_frames()
    target = tmp_path / "out.mp4"
    written(store := store_for(target, frames), frames, range(6))
    store.close()
    content = tmp_path / "out.mp4.part" / "out.mp4"
    assert sorted(one.name for one in content.iterdir()) == [
        "00000000.mp4", "00000004.npy", "00000005.npy"
    ]  # fmt: skip
    assert not target.exists()
    np.save(content / "00000001.npy", frames[1])  # as if killed before it was removed
    (content / ".00000006.npy.abcd.part").write_bytes(b"half")
    store = store_for(target, frames)
    assert store.done == {(number,) for number in range(6)}
    assert not (content / "00000001.npy").exists()
    written(store, frames, range(6, 12))
    with open_movie(store.finish()) as movie:
        assert len(movie) == 12
        assert np.abs(movie[5].astype(int) - frames[5]).mean() < 3
    with pytest.raises(StorageError, match="is there already"):
        store_for(target, frames)


def test_what_is_no_movie(tmp_path: Path) -> None:
    """Several axes of planes are refused, and so is a movie of another length."""
    with pytest.raises(PictureError, match=r"A movie has one axis beside .* choose \.ome\.zarr"):
        open_store(tmp_path / "out.mp4", Axes("tzyx", (2, 3, 8, 8)), RECORD)
    frames = colored_frames(3)
    movie = open_movie(make_movie(tmp_path / "film.mp4", frames))
    with movie, pytest.raises(StorageError, match=r"film\.mp4 has 3 frames, not 2"):
        store_for(tmp_path / "out.mp4", frames[:2], movie)
    assert not list(tmp_path.glob("out*"))


def test_sound_that_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the movie is written all the same, and a warning says so."""
    from napari_colorize.files.stacks import movie_joining

    def broken(*_: object) -> None:
        raise av.error.InvalidDataError(1094995529, "Invalid data")

    monkeypatch.setattr(movie_joining, "_sound", broken)
    frames = colored_frames(3)
    with open_movie(make_movie(tmp_path / "film.mp4", frames, sound="aac")) as movie:
        written(store := store_for(tmp_path / "out.mp4", frames, movie), frames, range(3))
        with pytest.warns(UserWarning, match=r"The sound of film\.mp4 cannot be kept"):
            path = store.finish()
    with av.open(str(path)) as film:
        assert (len(film.streams.video), len(film.streams.audio)) == (1, 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
def test_a_full_disk_while_joining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, nothing stands under the final name, and the next try succeeds."""
    frames = colored_frames(4)
    target = tmp_path / "out.mp4"
    written(store := store_for(target, frames), frames, range(4))
    with monkeypatch.context() as patch:
        patch.setattr(movie_store, "_JOINED", "../../../../../../../../../dev/full")
        with pytest.raises(StorageError, match=r"no space left on device\. Free some space"):
            store.finish()
    store.close()
    assert not target.exists()
    again = store_for(target, frames)
    assert len(again.done) == 4
    with open_movie(again.finish()) as movie:
        assert len(movie) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="no limit to the size of files")
def test_a_disk_that_takes_a_part_of_a_plane(tmp_path: Path) -> None:
    """The reason is the system's own."""
    import resource

    frames = colored_frames()
    store = store_for(tmp_path / "out.mp4", frames)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"npy: file too large\. Free"):
            store.write((0,), frames[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        store.close()
