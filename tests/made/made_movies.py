"""Little movies, with a tone, in any container that PyAV can write."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 24
TONE = 48000  # samples of sound a second


def colored_frames(count: int = 12, height: int = 96, width: int = 96) -> NDArray[np.uint8]:
    """Return frames of soft colours that change from one to the next, (count, H, W, 3)."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    frames = [
        np.stack([x + 0.02 * t, y, 0.6 - 0.4 * x + 0.01 * t], axis=-1).clip(0, 1)
        for t in range(count)
    ]
    return (np.stack(frames) * 230 + 12).astype(np.uint8)


def grey_frames(count: int = 12, height: int = 96, width: int = 96) -> NDArray[np.uint8]:
    """Return grey frames, (count, H, W), each a little lighter than the one before."""
    y, x = np.mgrid[:height, :width]
    return np.stack([(x + y) % 97 + 60 + 4 * t for t in range(count)]).astype(np.uint8)


def make_movie(
    path: Path,
    frames: NDArray[np.uint8],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    sound: str | None = None,
    stamps: Sequence[int] | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write frames as a movie and return its path.

    Parameters
    ----------
    path : Path
    frames : ndarray of shape (T, H, W) or (T, H, W, 3)
    codec, pixels : str
    sound : str, optional
        Codec of a tone as long as the frames.
    stamps : sequence of int, optional
        When frames are shown, in 1/24 s; one after the other without.
    rotation : int
        Degrees by which it is to be turned when it is shown.
    options : dict, optional
        Of the encoder.
    """
    stamps = range(len(frames)) if stamps is None else stamps
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options=options or {})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        if rotation:
            stream.set_display_rotation(rotation)
        tone = None
        if sound is not None:
            tone = container.add_stream(sound, rate=TONE, layout="mono")
        for stamp, frame in zip(stamps, frames, strict=True):
            kind = "rgb24" if frame.ndim == 3 else "gray"
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), kind)
            picture = picture.reformat(format=pixels)
            picture.pts, picture.time_base = stamp, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
        if tone is not None:
            _add_tone(container, tone, (stamps[-1] + 1) / RATE)
    return path


def make_jpeg_movie(path: Path) -> Path:
    """Write a movie whose frames are pictures by themselves, so that one can be broken."""
    return make_movie(path, colored_frames(), codec="mjpeg", pixels="yuvj420p")


def break_frame(path: Path, number: int) -> Path:
    """Overwrite a frame of a movie of `make_jpeg_movie`."""
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data)) if data.startswith(b"\xff\xd8\xff", at)]
    end = starts[number + 1] - 40
    data[starts[number] : end] = bytes(end - starts[number])
    path.write_bytes(data)
    return path


def make_sound(path: Path) -> Path:
    """Write a second of sound without frames."""
    with av.open(str(path), "w") as container:
        _add_tone(container, container.add_stream("aac", rate=TONE, layout="mono"), 1)
    return path


def sound_of(path: Path) -> list[tuple[bytes, float]]:
    """Return the packets of the sound of a movie and their times."""
    with av.open(str(path)) as container:
        return [
            (bytes(packet), round(float(packet.pts * packet.time_base), 4))
            for packet in container.demux(audio=0)
            if packet.size
        ]


def _add_tone(
    container: av.container.OutputContainer, stream: av.AudioStream, seconds: float
) -> None:
    time = np.arange(int(TONE * seconds)) / TONE
    wave = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None]
    frame = av.AudioFrame.from_ndarray(wave, format="flt", layout="mono")
    frame.sample_rate, frame.pts = TONE, 0
    context = stream.codec_context
    size = context.frame_size or 1024
    resampler = av.AudioResampler(context.format.name, "mono", TONE, frame_size=size)
    for part in (*resampler.resample(frame), *resampler.resample(None)):
        container.mux(stream.encode(part))
    container.mux(stream.encode())
