"""Movies, frame by frame: any of them by its number, only those that are looked at in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from copy import copy
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.stacks.axes import Axes
from napari_colorize.files.stacks.movie_index import MovieIndex, index_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    import av
    from numpy.typing import NDArray

MOVIE_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv", ".gif"})

# Bytes of frames that are kept, for reading backwards and for looking at some again.
KEPT = 96_000_000
# Frames, from all over a movie, whose pixels tell whether it is grey, and how grey that is.
_LOOKED_AT, _GREY = 8, 4
_BT709, _BT601 = 1, 5
_HIGH = 720  # rows from which a movie that does not tell is taken for BT.709, as players do


def pyav() -> Any:
    """Return the package that reads and writes movies.

    Raises
    ------
    ColorizeError
        If it is not installed.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise ColorizeError(
            "Movies need the package av: pip install 'napari-colorize[movies]'."
        ) from error
    return av


def is_movie(path: Path, head: bytes) -> bool:
    """Return whether a file is a movie by its first 12 bytes, or calls itself one."""
    return (
        head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free"}
        or head[:4] in {b"\x1a\x45\xdf\xa3", b"GIF8"}
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or path.suffix.lower() in MOVIE_SUFFIXES
    )


def open_movie(path: str | os.PathLike[str]) -> Movie:
    """Return a movie, open; it is gone through once without being decoded.

    Raises
    ------
    PictureError
        If there is no such file, or it is no movie, cut short at a place that matters, or holds
        sound alone.
    ColorizeError
        If the package that reads movies is not installed.
    """
    return Movie(Path(path))


class Movie:
    """The frames of a movie, upright, as an array that is read as it is needed.

    ``movie[3]`` is a frame, also ``movie[3:7]`` and ``movie[3, 10:20]``. Fast in order; going back
    costs the way from the frame before that stands by itself.

    Attributes
    ----------
    path : Path
    axes : Axes
        ``tyx`` where the movie is grey, else ``tyxs``.
    clock : Fraction
        Seconds of one tick of its clock.
    stamps, lengths : list of int
        When each frame is shown and for how long, in such ticks.
    note : str
        That the movie ends early, if it does; else empty.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._av = pyav()
        self._lock = threading.RLock()
        self._kept: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._container: Any = None
        self._is_rgb = True
        self._index = self._read_index()
        self._reopen()
        try:
            self._examine()
        except BaseException:
            self.close()
            raise
        self.clock = self._index.clock
        self.stamps, self.lengths = self._index.stamps, self._index.lengths
        self.note = self._index.note

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of frames, height, width, and 3 where there is colour."""
        return self.axes.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes.shape)

    @property
    def times(self) -> list[Fraction]:
        """When each frame is shown and when the last one ends, in seconds: one more than frames."""
        return [stamp * self.clock for stamp in (*self.stamps, self.stamps[-1] + self.lengths[-1])]

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height, as it is shown."""
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        return 1 / aspect if self._turned else Fraction(aspect)

    def __len__(self) -> int:
        return len(self._index.stamps)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        """Return a frame, or several, or parts of them; a frame that is broken is a PictureError.

        Raises
        ------
        PictureError
            If a frame cannot be decoded.
        """
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        if isinstance(first, slice):
            numbers = range(*first.indices(len(self)))
            frames = [self._frame(number)[rest] for number in numbers]
            return np.stack(frames) if frames else np.empty((0, *self.shape[1:]), np.uint8)
        number = int(first)
        if not -len(self) <= number < len(self):
            raise IndexError(f"{self.path.name} has {len(self)} frames, there is no {number}")
        frame = self._frame(number % len(self))
        return frame[rest] if rest else frame

    def again(self) -> Movie:
        """Return the same movie with a decoder of its own; nothing is examined anew.

        Raises
        ------
        PictureError
            If the file is not there any more.
        """
        twin = copy(self)
        twin._lock = threading.RLock()
        twin._kept = OrderedDict()
        twin._container = None
        twin._reopen()
        return twin

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._container is not None:
                self._container.close()
                self._container = None

    def __enter__(self) -> Self:
        """Return the movie."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the file go."""
        self.close()

    def _read_index(self) -> MovieIndex:
        with self._opened() as container:
            return index_of(container, self.path)

    def _opened(self) -> Any:
        """Return the file, open, or raise PictureError."""
        try:
            if self.path.is_dir():
                raise PictureError(f"{self.path} is a folder, no movie.")
            if not self.path.stat().st_size:
                raise PictureError(f"{self.path} is empty.")
            return self._av.open(str(self.path))
        except self._av.error.FFmpegError as error:
            raise PictureError(
                f"{self.path} is no movie that can be read; perhaps it was not copied whole."
            ) from error
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise PictureError(f"{self.path} cannot be read: {reason}.") from error

    def _reopen(self) -> None:
        """Begin with the first frame."""
        self.close()
        self._container = self._opened()
        self._stream: av.VideoStream = self._container.streams[self._index.stream]
        self._stream.thread_type = "AUTO"
        self._reformatter = self._av.video.reformatter.VideoReformatter()
        self._began()

    def _began(self) -> None:
        self._frames = self._decoded()
        self._at = -1
        self._count = 0

    def _examine(self) -> None:
        """Find out the size and whether there is colour, and drop what lacks at the end."""
        index = self._index
        while index.ends_early and index.stamps and not self._is_whole(len(index.stamps) - 1):
            index.drop_last()
        step = max(1, len(index.keys) // _LOOKED_AT)
        seen = [frame for key in index.keys[::step] if (frame := self._tried(key)) is not None]
        if not seen:
            raise PictureError(f"No frame of {self.path} can be decoded.")
        shape = seen[0].shape
        self._is_rgb = not all(_is_grey(frame) for frame in seen)
        self._kept.clear()
        names = "tyxs" if self._is_rgb else "tyx"
        self.axes = Axes(names, (len(index.stamps), *shape[: 3 if self._is_rgb else 2]))

    def _tried(self, number: int) -> NDArray[np.uint8] | None:
        try:
            return self._frame(number)
        except PictureError:
            return None

    def _is_whole(self, number: int) -> bool:
        self._corrupt = False
        return self._tried(number) is not None and not self._corrupt

    def _frame(self, number: int) -> NDArray[np.uint8]:
        """Return a frame by its number."""
        with self._lock:
            if number not in self._kept:
                if self._container is None:
                    raise PictureError(f"{self.path} is closed.")
                self._go_to(number)
            if number not in self._kept:
                raise PictureError(f"frame {number} of {self.path.name} cannot be decoded")
            self._kept.move_to_end(number)
            return self._kept[number]

    def _go_to(self, number: int) -> None:
        """Decode up to a frame, and keep it with some of those before."""
        key = self._index.key_before(number)
        if not self._at < number or key > self._at + 1:
            self._jump(key)
        if self._decode_to(number) and self._index.can_seek:  # the jump went too far
            self._reopen()
            self._decode_to(number)

    def _decode_to(self, number: int) -> bool:
        """Decode up to a frame; return whether the first was behind it already."""
        first = True
        for frame in self._frames:
            self._at = self._number_of(frame)
            if self._at < 0:
                continue
            if first and self._at > number:
                return True
            first = False
            if self._at > number - self._most:
                self._keep(self._at, self._pixels(frame))
            if self._at >= number:
                self._corrupt = bool(frame.is_corrupt)
                break
        return False

    def _jump(self, key: int) -> None:
        """Go on with a frame that stands by itself, or one before."""
        if not self._index.can_seek or not key:
            self._reopen()
            return
        try:
            self._container.seek(self._index.stamps[key], stream=self._stream)
            self._began()
        except self._av.error.FFmpegError:
            self._reopen()

    def _decoded(self) -> Iterator[Any]:
        """Yield what can be decoded from here on, in order."""
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except self._av.error.FFmpegError:  # a gap: the next packets may be whole
                continue

    def _number_of(self, frame: Any) -> int:
        """Return the number of a frame, -1 if the movie does not show it."""
        self._count += 1
        if not self._index.can_seek or frame.pts is None:
            return self._count - 1 if self._count <= len(self) else -1
        return self._index.number_of(frame.pts)

    @property
    def _most(self) -> int:
        """How many frames are kept."""
        codec = self._stream.codec_context
        return max(2, KEPT // max(1, codec.width * codec.height * (3 if self._is_rgb else 1)))

    def _keep(self, number: int, pixels: NDArray[np.uint8]) -> None:
        pixels.flags.writeable = False
        self._kept[number] = pixels
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def _pixels(self, frame: Any) -> NDArray[np.uint8]:
        """Return a frame upright in 8 bits, (H, W) grey or (H, W, 3) sRGB."""
        deep = max(component.bits for component in frame.format.components) > 8
        told = int(frame.colorspace)
        known = told if told in {1, 4, 5, 6, 7, 9} else _BT709 if frame.height >= _HIGH else _BT601
        flags = self._av.video.reformatter.Interpolation
        formats = ("rgb48le", "rgb24") if self._is_rgb else ("gray16le", "gray")
        made = self._reformatter.reformat(
            frame,
            format=formats[0 if deep else 1],
            src_colorspace=None if frame.format.is_rgb else known,
            interpolation=int(flags.BICUBIC | flags.ACCURATE_RND | flags.FULL_CHR_H_INT),
        )
        values = made.to_ndarray()
        if deep:
            values = ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        self._turned = bool(frame.rotation // 90 % 2)
        return np.ascontiguousarray(np.rot90(values, frame.rotation // 90))


def _is_grey(frame: NDArray[np.uint8]) -> bool:
    """Return whether a frame of three colours shows greys alone."""
    spread = frame.max(axis=2) - frame.min(axis=2)
    return bool(np.percentile(spread, 99.9) <= _GREY)
