"""A movie as an array that a window and threads may read at once, each with its own decoder."""

from __future__ import annotations

import threading
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.movies import open_movie

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_colorize.files.stacks.axes import Axes
    from napari_colorize.files.stacks.movies import Movie

# Bytes that may be asked for at once: more is the whole of a long movie, asked for by mistake.
MOST = 2_000_000_000


class MovieFrames:
    """The frames of a movie, (t, y, x) or (t, y, x, 3) uint8, decoded when they are asked for.

    Each thread goes through the movie with a decoder of its own: a slider that is moved does not
    throw back a thread that colours frame after frame.

    Parameters
    ----------
    movie : Movie
        For the thread that makes this.
    told : callable, optional
        Told of each frame that cannot be decoded, once, when the thread that makes this asks for
        it, which then gets black: a window goes on. Other threads get the error.

    Attributes
    ----------
    axes : Axes
    note : str
        That the movie ends early, if it does; else empty.
    """

    # napari gives plugins, for all that a module napari... holds, a stand-in that only the main
    # thread may use. This is for threads.
    __module__ = "colorize.movie_frames"

    dtype = np.dtype(np.uint8)

    def __init__(self, movie: Movie, told: Callable[[str], None] | None = None) -> None:
        self.axes: Axes = movie.axes
        self.note = movie.note
        self._first = movie
        self._own = threading.local()
        self._own.movie, self._own.told = movie, told
        self._known: set[str] = set()

    @property
    def path(self) -> Path:
        """Of its file."""
        return self._first.path

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel over its height, as it is shown."""
        return float(self._first.pixel_aspect)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of frames, height, width, and 3 where there is colour."""
        return self.axes.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that all frames would have."""
        return self.size

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<MovieFrames {self.shape} uint8 of {self.path.name}>"

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        """Return a frame, several, or parts of them.

        Raises
        ------
        PictureError
            If a frame cannot be decoded (see `told`), or that is more than may be asked for at
            once.
        """
        keys = key if isinstance(key, tuple) else (key,)
        dots = [number for number, each in enumerate(keys) if each is Ellipsis]
        if dots:
            rest = [slice(None)] * (self.ndim - len(keys) + 1)
            keys = (*keys[: dots[0]], *rest, *keys[dots[0] + 1 :])
        if isinstance(keys[0], slice):
            self._refuse_much(len(range(*keys[0].indices(len(self)))))
        try:
            return self._movie()[keys]
        except PictureError as error:
            told = getattr(self._own, "told", None)
            if told is None:
                raise
            if str(error) not in self._known:
                self._known.add(str(error))
                told(str(error))
            # As many as they are, without a pixel of memory.
            return np.broadcast_to(np.uint8(0), self.shape)[keys]

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        """Return all frames.

        Raises
        ------
        PictureError
            If that is more than may be asked for at once.
        """
        frames = self[:]
        return frames if dtype is None else frames.astype(dtype)

    def __deepcopy__(self, memory: dict[int, Any]) -> MovieFrames:
        """Return itself: nobody can change it."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how another process opens it."""
        return open_frames, (str(self.path),)

    def _movie(self) -> Movie:
        """Return the movie with the decoder of this thread."""
        movie: Movie | None = getattr(self._own, "movie", None)
        if movie is None:
            movie = self._own.movie = self._first.again()
        return movie

    def _refuse_much(self, frames: int) -> None:
        size = frames * prod(self.shape[1:])
        if size > MOST:
            raise PictureError(
                f"{frames:,} frames of {self.path.name} have {size / 1e9:.3g} GB and are not read "
                "at once: look at them in 2-D, or take a part such as layer.data[:100]."
            )


def open_frames(
    path: str | os.PathLike[str], told: Callable[[str], None] | None = None
) -> MovieFrames:
    """Return the frames of a movie.

    Parameters
    ----------
    path : path-like
    told : callable, optional
        As for `MovieFrames`.

    Raises
    ------
    PictureError, ColorizeError
        As `open_movie`.
    """
    return MovieFrames(open_movie(path), told)
