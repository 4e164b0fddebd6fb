"""Which frames a movie has and when they are shown, found without decoding it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from pathlib import Path

# Packets of it may show nothing.
_HIDDEN_FRAMES = {"vp8"}
# Containers that tell when a packet is decoded and not when it is shown.
_NO_TIMES_SHOWN = {"avi", "h264", "hevc", "mpegvideo"}
# A movie this much shorter than it says ends early: in seconds by what the file says, in frames by
# what its stream does.
_MISSING, _MISSING_FRAMES = Fraction(1, 2), 2
_USUAL = Fraction(1, 25)  # seconds a frame, where nothing tells


@dataclass
class MovieIndex:
    """The frames of a movie in the order in which they are shown.

    Attributes
    ----------
    stream : int
        Number of the stream in its file.
    clock : Fraction
        Seconds of one tick of the stream's clock.
    stamps : list of int
        When each is shown, in such ticks.
    lengths : list of int
        For how long, in the same.
    keys : list of int
        Numbers of the frames that can be decoded by themselves.
    can_seek : bool
        Whether frames are known by their stamps; else they are counted from the first.
    stated_end : Fraction or None
        When the movie ends by its own words.
    ends_early : bool
        Whether it ends before.
    """

    stream: int
    clock: Fraction
    stamps: list[int]
    lengths: list[int]
    keys: list[int] = field(default_factory=lambda: [0])
    can_seek: bool = True
    stated_end: Fraction | None = None
    ends_early: bool = False

    @property
    def end(self) -> Fraction:
        """When the last frame ends, in seconds."""
        return (self.stamps[-1] + self.lengths[-1]) * self.clock

    @property
    def note(self) -> str:
        """That the movie ends early, in words; empty if it does not."""
        if not self.ends_early:
            return ""
        stated = self.stated_end
        of = f" of {float(stated):.1f}" if stated is not None and stated > self.end else ""
        return (
            f"The movie ends early: {len(self.stamps):,} frames, {float(self.end):.1f}{of} "
            "seconds, are there."
        )

    def key_before(self, number: int) -> int:
        """Return the last frame up to this one that can be decoded by itself."""
        return self.keys[max(0, bisect_right(self.keys, number) - 1)]

    def number_of(self, stamp: int) -> int:
        """Return the number of the frame of a stamp, -1 if there is none."""
        number = bisect_left(self.stamps, stamp)
        return number if number < len(self.stamps) and self.stamps[number] == stamp else -1

    def drop_last(self) -> None:
        """Forget the last frame."""
        self.stamps.pop()
        self.lengths.pop()
        self.keys = [key for key in self.keys if key < len(self.stamps)] or [0]


def index_of(container: Any, path: Path) -> MovieIndex:
    """Return which frames an open movie has.

    Raises
    ------
    PictureError
        If it holds no frames.
    """
    import av

    stream = _stream(container, path)
    codec = stream.codec_context
    decoded = codec.name in _HIDDEN_FRAMES
    shown: list[tuple[int, int, bool]] = []
    ends: dict[int, int] = {}  # of what each stream holds, by its number, in its own ticks
    cut = codec.name == "gif" and _is_cut_gif(path)
    try:
        for packet in container.demux(stream, *container.streams.audio):
            number = packet.stream.index
            if packet.pts is not None:
                ends[number] = max(ends.get(number, 0), packet.pts + (packet.duration or 0))
            if number != stream.index:
                continue
            cut = cut or packet.is_corrupt
            shown += _decoded(packet) if decoded else _shown(packet)
    except av.error.FFmpegError:
        cut = True
    if not shown:
        raise PictureError(f"{path} holds no frame that can be read.")
    shown.sort()
    stamps = [stamp for stamp, _, _ in shown]
    can_seek = len(set(stamps)) == len(stamps) and not (
        codec.has_b_frames and set(container.format.name.split(",")) & _NO_TIMES_SHOWN
    )
    clock = stream.time_base or Fraction(1, 1000)
    index = MovieIndex(
        stream.index,
        clock,
        stamps,
        _lengths(stream, clock, shown),
        [number for number, (_, _, is_key) in enumerate(shown) if is_key] or [0],
        can_seek and stream.codec_context.name != "gif",
    )
    index.stated_end = _own_end(stream) or _end_of_file(container)
    held = [Fraction(end * container.streams[one].time_base) for one, end in ends.items()]
    index.ends_early = cut or _lacks(stream, index, max(held, default=index.end))
    return index


def _stream(container: Any, path: Path) -> Any:
    """Return the stream of frames; the cover of a song is none."""
    import av

    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec_context is None:
                raise PictureError(f"{path} is coded in a way that is not known here.")
            return stream
    if container.streams.audio:
        raise PictureError(f"{path} holds sound and no frames: choose a movie.")
    raise PictureError(f"{path} holds no frames; perhaps it was not copied whole.")


def _shown(packet: Any) -> list[tuple[int, int, bool]]:
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None or packet.is_discard or not packet.size:
        return []
    return [(stamp, packet.duration or 0, packet.is_keyframe)]


def _decoded(packet: Any) -> list[tuple[int, int, bool]]:
    import av

    try:
        frames = packet.decode()
    except av.error.FFmpegError:
        return []
    return [
        (frame.pts, frame.duration or 0, frame.key_frame)
        for frame in frames
        if frame.pts is not None
    ]


def _lengths(stream: Any, clock: Fraction, shown: list[tuple[int, int, bool]]) -> list[int]:
    """Return for how long frames are shown, in ticks."""
    lengths = [max(1, later[0] - now[0]) for now, later in pairwise(shown)]
    rate = stream.average_rate
    usual = max(1, round((1 / Fraction(rate) if rate else _USUAL) / clock))
    return [*lengths, shown[-1][1] or (lengths[-1] if lengths else usual)]


def _lacks(stream: Any, index: MovieIndex, last_known: Fraction) -> bool:
    """Return whether a movie holds less than it says; `last_known` is the end of what it holds."""
    own, stated = _own_end(stream), index.stated_end
    if own is not None:
        usual = (index.end - index.stamps[0] * index.clock) / len(index.stamps)
        return own - index.end > _MISSING_FRAMES * usual
    return stated is not None and stated - last_known > _MISSING  # of frames or of sound


def _own_end(stream: Any) -> Fraction | None:
    """Return when the stream says that it ends, in seconds."""
    if stream.duration is not None:
        begin = stream.start_time or 0
        return Fraction((begin + stream.duration) * stream.time_base)
    told = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = told.split(":")
        return Fraction(int(hours) * 3600 + int(minutes) * 60) + Fraction(seconds)
    except ValueError:
        return None


def _end_of_file(container: Any) -> Fraction | None:
    if container.duration is None or container.format.name.startswith("mpegts"):
        return None
    return Fraction(container.duration + (container.start_time or 0), 1_000_000)


def _is_cut_gif(path: Path) -> bool:
    """Return whether the byte that ends a GIF is missing."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64))
        return not file.read().rstrip(b"\0").endswith(b";")
