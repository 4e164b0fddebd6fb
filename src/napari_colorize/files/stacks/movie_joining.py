"""Segments joined to a movie without being coded again, with the sound of another."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from fractions import Fraction
    from pathlib import Path

    from napari_colorize.files.stacks.movies import Movie

# Sound that .mp4 holds and players play: it is copied. Other sound is coded as AAC.
COPIED = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus"})
_AAC_RATES = {96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000}
# What channels are where a movie tells their number alone, as .avi does.
_LAYOUTS = {1: "mono", 4: "4.0", 6: "5.1", 8: "7.1"}
_AAC_BITS = 192_000  # a second
# What a movie says of itself that still holds.
_KEPT_FACTS = (
    "title",
    "artist",
    "album",
    "date",
    "creation_time",
    "genre",
    "copyright",
    "location",
)

Timed = tuple[float, int, Any]


@dataclass(frozen=True)
class Clock:
    """When frames are shown.

    Attributes
    ----------
    tick : Fraction
        Seconds of one tick.
    stamps, lengths : sequence of int
        When each frame is shown and for how long, in ticks.
    """

    tick: Fraction
    stamps: Sequence[int]
    lengths: Sequence[int]

    @classmethod
    def of(cls, movie: Movie | None, frames: int, rate: Fraction) -> Clock:
        """Return the clock of a movie, or one that goes evenly."""
        if movie is None:
            return cls(1 / rate, range(frames), [1] * frames)
        return cls(movie.clock, movie.stamps, movie.lengths)


def join(
    segments: Sequence[Path], target: Path, clock: Clock, movie: Movie | None, comment: str
) -> None:
    """Write a movie of segments, with the sound and the title of another movie.

    Parameters
    ----------
    segments : sequence of Path
        Movies without B-frames, of one encoder.
    target : Path
    clock : Clock
        When their frames are shown.
    movie : Movie, optional
        Whose sound is taken: copied where .mp4 can hold it, else as AAC.
    comment : str

    Warns
    -----
    UserWarning
        If there is sound that cannot be read: the movie then has none.

    Raises
    ------
    OSError
        If the disk is full.
    """
    import av

    try:
        _join(segments, target, clock, movie, comment)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) or movie is None:
            raise
        warnings.warn(
            f"The sound of {movie.path.name} cannot be kept ({error.strerror}); the movie has "
            "none.",
            stacklevel=2,
        )
        _join(segments, target, clock, None, comment)


def _join(
    segments: Sequence[Path], target: Path, clock: Clock, movie: Movie | None, comment: str
) -> None:
    import av

    options = {"movflags": "+faststart"}
    with av.open(str(target), "w", format="mp4", options=options) as container:
        container.metadata["comment"] = comment
        with av.open(str(segments[0])) as first:
            stream = container.add_stream_from_template(first.streams.video[0])
        stream.time_base = clock.tick
        rows: list[Iterable[Timed]] = [_frames(segments, stream, clock)]
        if movie is None:
            _mux(container, rows)
            return
        with av.open(str(movie.path)) as source:
            told = {key.lower(): value for key, value in source.metadata.items()}
            container.metadata.update({key: told[key] for key in _KEPT_FACTS if key in told})
            if source.streams.audio:
                ways = {one.index: _way(container, one) for one in source.streams.audio}
                rows.append(_sound(source, ways))
            _mux(container, rows)


def _mux(container: Any, rows: list[Iterable[Timed]]) -> None:
    """Write packets in the order of their times."""
    for _, _, packet in merge(*rows, key=lambda timed: timed[:2]):
        container.mux(packet)


def _frames(segments: Sequence[Path], stream: Any, clock: Clock) -> Iterator[Timed]:
    """Yield the packets of the segments, with the times at which they are shown."""
    import av

    number = 0
    for segment in segments:
        with av.open(str(segment)) as container:
            for packet in container.demux(video=0):
                if not packet.size:
                    continue
                packet.stream = stream
                packet.time_base = clock.tick
                packet.pts = packet.dts = clock.stamps[number]
                packet.duration = clock.lengths[number]
                yield float(packet.pts * clock.tick), 0, packet
                number += 1


def _way(container: Any, stream: Any) -> Callable[[Any], Iterator[Any]]:
    """Return what becomes of the packets of a stream of sound; its last is empty."""
    if stream.codec_context.name in COPIED:
        copy = container.add_stream_from_template(stream)

        def copied(packet: Any) -> Iterator[Any]:
            if packet.size:
                packet.stream = copy
                yield packet

        return copied
    return _coded(container, stream)


def _coded(container: Any, stream: Any) -> Callable[[Any], Iterator[Any]]:
    import av

    rate = stream.rate if stream.rate in _AAC_RATES else 48000
    layout = stream.layout.name
    if layout.endswith(" channels"):
        layout = _LAYOUTS.get(stream.layout.nb_channels, "stereo")
    made = container.add_stream("aac", rate=rate, layout=layout)
    made.codec_context.bit_rate = _AAC_BITS
    resampler = av.AudioResampler("fltp", layout, rate)

    def coded(packet: Any) -> Iterator[Any]:
        try:
            frames = packet.decode()
        except av.error.FFmpegError:  # a moment of silence
            frames = []
        for frame in frames:
            for part in resampler.resample(frame):
                yield from made.encode(part)
        if not packet.size:
            for part in resampler.resample(None):
                yield from made.encode(part)
            yield from made.encode(None)

    return coded


def _sound(source: Any, ways: dict[int, Callable[[Any], Iterator[Any]]]) -> Iterator[Timed]:
    """Yield the packets of all sound."""
    import av

    now = 0.0
    packets = source.demux(*source.streams.audio)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:  # the movie ends early
            return
        if packet is None:
            return
        for made in ways[packet.stream.index](packet):
            if made.dts is None:
                continue
            now = float(made.dts * made.time_base) if made.time_base else now
            yield now, 1, made
