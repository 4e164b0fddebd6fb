"""The frames of a movie as an array for a window and threads."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_movies import colored_frames, grey_frames, make_movie

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks import movie_frames
from napari_colorize.files.stacks.movie_frames import open_frames
from napari_colorize.files.stacks.movies import Movie

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a grey movie of 40 frames, three of which stand by themselves."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return make_movie(path, grey_frames(40), options={"g": "15"})


def decoded(film: Path) -> NDArray[np.uint8]:
    """Return all frames, decoded in their order."""
    with Movie(film) as movie:
        return movie[:]


def test_it_is_indexed_as_napari_does(film: Path) -> None:
    """By numbers, slices and an ellipsis, each as of an array that is in memory."""
    frames, whole = open_frames(film), decoded(film)
    assert (frames.shape, frames.ndim, frames.dtype) == ((40, 96, 96), 3, np.uint8)
    assert frames.size == frames.nbytes == whole.size
    keys = (
        *(7, -1, np.int64(3), slice(5, 9), slice(9, 5, -2), slice(9, 2), ...),
        *((4, slice(10, 20), slice(None)), (slice(None), 50, slice(None)), (..., 3), (2, ..., 3)),
    )
    for key in keys:
        np.testing.assert_array_equal(frames[key], whole[key])
    np.testing.assert_array_equal(np.asarray(frames), whole)
    assert np.asarray(frames, dtype=float).dtype == float


def test_colours_are_a_last_axis(tmp_path: Path) -> None:
    """Of three."""
    frames = open_frames(make_movie(tmp_path / "film.mp4", colored_frames()))
    assert frames.shape == (12, 96, 96, 3)
    assert frames[3, 10:20].shape == (10, 96, 3)


def test_threads_do_not_throw_one_another_back(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two go through it in order, at different places; each decodes every frame about once."""
    frames, whole, counted = open_frames(film), decoded(film), []
    pixels = Movie._pixels

    def counting(self: Movie, frame: object) -> NDArray[np.uint8]:
        counted.append(frame)
        return pixels(self, frame)

    monkeypatch.setattr(Movie, "_pixels", counting)

    def go(numbers: range) -> bool:
        return all(np.array_equal(frames[number], whole[number]) for number in numbers)

    with ThreadPoolExecutor(3) as pool:
        ways = [range(40), range(20, 40), range(39, -1, -1)]
        assert all(pool.map(go, ways))
    assert len(counted) <= 40 + 40 + 3 * 40
    assert frames[0].shape == (96, 96)


def test_copies_read_the_same_file(film: Path) -> None:
    """A layer is duplicated, and one goes to another process."""
    frames = open_frames(film)
    assert deepcopy(frames) is frames
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(frames))[30], frames[30])


def test_plugins_are_given_itself(film: Path) -> None:
    """Napari's stand-in would refuse to be used in a thread."""
    from napari.utils._proxies import PublicOnlyProxy

    frames = open_frames(film)
    assert PublicOnlyProxy.create(frames) is frames


def test_long_movie_is_not_read_at_once(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in 3-D."""
    monkeypatch.setattr(movie_frames, "MOST", 20 * 96 * 96)
    frames = open_frames(film)
    assert len(frames[:20]) == 20
    with pytest.raises(PictureError, match=r"40 frames of film\.mp4 have 0\.000369 GB and"):
        np.asarray(frames)
