"""Coloured planes as a movie: an .mp4 with the times and the sound of the movie it was made from.

While the work lasts, the content is a folder: planes as they came, and segments, each a finished
movie of a hundred frames, for which the planes have gone. In the end they are joined without being
coded again.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_colorize.errors import PictureError, StorageError
from napari_colorize.files.stacks.growing_store import sync
from napari_colorize.files.stacks.movie_joining import Clock, join
from napari_colorize.files.stacks.movies import pyav
from napari_colorize.runs.storage import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.files.stacks.axes import Axes, Place
    from napari_colorize.files.stacks.movies import Movie

# Frames of a segment.
SEGMENT = 100
# Encoders by preference, and the quality asked of each. No B-frames: then each frame is decoded
# when it is shown, and segments can be joined as they are. Lightness is then off by 0.3 to 0.4 of
# 100 on average where pictures are clean, and 0.6 where they have grain; "medium" is no better than
# "fast" and takes half as long again.
ENCODERS = {
    "libx264": {"crf": "14", "preset": "fast", "bf": "0"},
    "libopenh264": {"qmin": "10", "qmax": "22"},
    "mpeg4": {"qmin": "2", "qmax": "3", "bf": "0"},
}
_BT709, _LIMITED = 1, 1


class MovieParts:
    """How planes lie in a movie that grows, for `GrowingStore`.

    Parameters
    ----------
    axes : Axes
        With one axis before those of a plane.
    record : dict
        Its model is named in the movie.
    movie : Movie, optional
        What was coloured: its times, sound and title are kept.
    rate : Fraction
        Frames a second where there is no movie.

    Raises
    ------
    PictureError
        If there is not one axis.
    StorageError
        If `movie` has another number of frames.
    """

    def __init__(
        self,
        axes: Axes,
        record: dict[str, Any],
        movie: Movie | None = None,
        rate: Fraction = Fraction(25),
    ) -> None:
        check_axes(axes)
        if movie is not None and len(movie) != axes.planes:
            raise StorageError(f"{movie.path.name} has {len(movie)} frames, not {axes.planes}.")
        self._av = pyav()
        self._axes, self._record, self._movie = axes, record, movie
        self._clock = Clock.of(movie, axes.planes, rate)

    def is_result(self, folder: Path) -> bool:
        """Return False: results are files."""
        return False

    def make(self, content: Path) -> None:
        """Make the folder of segments and planes."""
        content.mkdir()

    def resume(self, content: Path) -> None:
        """Remove what a kill left half-written, and planes that a segment holds already."""
        for path in content.iterdir():
            if path.name.endswith(".part") or path.name == _JOINED:
                path.unlink()
        for path in content.glob("*.npy"):
            if self._segment(content, int(path.stem)).exists():
                path.unlink()

    def put(self, content: Path, place: Place, pixels: NDArray[np.uint8]) -> None:
        """Keep a plane; the last of a segment makes it one."""
        first = place[0] // SEGMENT * SEGMENT
        if self._segment(content, first).exists():
            return
        data = io.BytesIO()  # numpy itself does not tell why a disk took only a part
        np.save(data, pixels)
        with replacing(self._plane(content, place[0])) as file:
            file.write(data.getbuffer())
        numbers = range(first, min(first + SEGMENT, self._axes.planes))
        if all(self._plane(content, number).exists() for number in numbers):
            self._close(content, numbers)
        sync(content)

    def complete(self, content: Path, missing: Sequence[Place]) -> Path:
        """Join the segments and return the movie; missing planes repeat the one before them."""
        gaps = {number for (number,) in missing}
        for first in range(0, self._axes.planes, SEGMENT):
            if not self._segment(content, first).exists():
                numbers = range(first, min(first + SEGMENT, self._axes.planes))
                self._close(content, numbers, gaps)
        segments = [self._segment(content, first) for first in range(0, self._axes.planes, SEGMENT)]
        joined = content / _JOINED
        join(segments, joined, self._clock, self._movie, self._comment())
        return joined

    def _close(self, content: Path, numbers: range, gaps: Iterable[int] = ()) -> None:
        """Make a segment of planes, which then go."""
        frames = self._planes(content, numbers, set(gaps))
        data = encoded(frames, self._axes.plane, self._aspect())
        with replacing(self._segment(content, numbers[0])) as file:
            file.write(data)
        sync(content)
        for number in numbers:
            self._plane(content, number).unlink(missing_ok=True)

    def _planes(self, content: Path, numbers: range, gaps: set[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield the planes of a segment, each gap as the plane before it."""
        last: NDArray[np.uint8] | None = None
        if numbers[0] in gaps and numbers[0]:
            last = self._last_of(self._segment(content, numbers[0] - 1))
        elif numbers[0] in gaps:
            there = [int(path.stem) for path in content.glob("*.npy")]
            blank = np.zeros((*self._axes.plane, 3), np.uint8)
            last = np.load(self._plane(content, min(there))) if there else blank
        for number in numbers:
            if number not in gaps:
                last = np.load(self._plane(content, number))
            assert last is not None
            yield last

    def _last_of(self, segment: Path) -> NDArray[np.uint8]:
        from napari_colorize.files.stacks.movies import open_movie

        height, width = self._axes.plane
        with open_movie(segment) as movie:
            frame = movie[-1][:height, :width]
        return frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)

    def _aspect(self) -> Fraction:
        return Fraction(1) if self._movie is None else self._movie.pixel_aspect

    def _comment(self) -> str:
        told = [
            str(self._record[key]) for key in ("model", "hash", "version") if key in self._record
        ]
        return (
            "Coloured by a trained model (napari-colorize" + "".join(f", {t}" for t in told) + ")"
        )

    @staticmethod
    def _segment(content: Path, number: int) -> Path:
        return content / f"{number // SEGMENT * SEGMENT:08d}.mp4"

    @staticmethod
    def _plane(content: Path, number: int) -> Path:
        return content / f"{number:08d}.npy"


_JOINED = "joined.mp4"


def check_axes(axes: Axes) -> None:
    """Raise PictureError if planes of these axes are no movie."""
    if len(axes.outer) != 1:
        raise PictureError(
            f"A movie has one axis beside rows and columns, and axes {axes.names!r} have "
            f"{len(axes.outer)}: choose .ome.zarr or .tif."
        )


def encoder_name() -> str:
    """Return the best encoder that the package for movies has.

    Raises
    ------
    StorageError
        If it has none.
    """
    av = pyav()
    for name in ENCODERS:
        try:
            av.Codec(name, "w")
        except av.error.FFmpegError:
            continue
        return name
    raise StorageError(
        "The package av was built without an encoder for .mp4; choose .ome.zarr or a folder."
    )


def encoded(
    frames: Iterable[NDArray[np.uint8]], shape: tuple[int, int], aspect: Fraction = Fraction(1)
) -> bytes:
    """Return frames as an .mp4, one a tick; sides become even by repeating the last pixels.

    Parameters
    ----------
    frames : iterable of ndarray of shape (H, W, 3), uint8
        sRGB; the movie is tagged BT.709, limited range, as players expect it.
    shape : (H, W)
    aspect : Fraction
        Width of a pixel over its height.
    """
    av = pyav()
    name = encoder_name()
    height, width = (side + side % 2 for side in shape)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(name, rate=25, options=ENCODERS[name])
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.color_range = _LIMITED
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        if aspect != 1:
            context.sample_aspect_ratio = aspect
        convert = Conversion(av)
        for number, frame in enumerate(frames):
            picture = convert(frame, height, width)
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return file.getvalue()


class Conversion:
    """Turns sRGB pixels into frames of a movie: yuv420p, BT.709, limited range."""

    def __init__(self, av: Any) -> None:
        self._av = av
        self._reformatter = av.video.reformatter.VideoReformatter()
        flags = av.video.reformatter.Interpolation
        self._flags = int(flags.AREA | flags.ACCURATE_RND | flags.FULL_CHR_H_INP)

    def __call__(self, pixels: NDArray[np.uint8], height: int, width: int) -> Any:
        """Return a frame of this size, at most one pixel larger than the pixels."""
        more = (height - pixels.shape[0], width - pixels.shape[1])
        if any(more):
            pixels = np.pad(pixels, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        made = self._reformatter.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=_BT709,
            dst_color_range=_LIMITED,
            interpolation=self._flags,
        )
        made.colorspace = made.color_primaries = made.color_trc = _BT709
        made.color_range = _LIMITED
        return made
