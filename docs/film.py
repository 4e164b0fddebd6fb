"""A short film of a window: pictures with a pointer, and a line of words below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont
from window import wait

if TYPE_CHECKING:
    from pathlib import Path

    import napari
    from qtpy.QtCore import QPoint
    from qtpy.QtWidgets import QWidget

BAR = 44  # pixels below the window, for the words
INK, GROUND = "#f0f1f2", "#101418"
# An arrow, its tip at (0, 0).
ARROW = ((0, 0), (0, 21), (5, 16), (9, 24), (12, 22), (9, 15), (15, 15))
RING = 13  # pixels, radius around the tip
QUALITY = 82


class Film:
    """Takes pictures of a window.

    Parameters
    ----------
    viewer
        Of the window.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._frames: list[Image.Image] = []
        self._times: list[int] = []
        self._font = ImageFont.load_default(size=20)

    def take(
        self,
        words: str,
        seconds: float,
        at: tuple[QWidget, QPoint | None] | None = None,
    ) -> None:
        """Take a picture.

        Parameters
        ----------
        words
            Stand below it.
        seconds
            How long it is shown.
        at
            A widget and a point of it, None for its middle, where the pointer is shown.
        """
        wait(300)
        shot = Image.fromarray(self._viewer.screenshot(canvas_only=False, flash=False))
        frame = Image.new("RGB", (shot.width, shot.height + BAR), GROUND)
        frame.paste(shot.convert("RGB"))
        pen = ImageDraw.Draw(frame)
        if at is not None:
            _point_at(pen, *_place(*at))
        pen.text((16, shot.height + BAR / 2), words, INK, self._font, anchor="lm")
        self._frames.append(frame)
        self._times.append(round(1000 * seconds))

    def write(self, path: Path) -> None:
        """Write the film as an animated WebP."""
        path.parent.mkdir(parents=True, exist_ok=True)
        first, *others = self._frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self._times,
            loop=0,
            quality=QUALITY,
            method=6,
        )
        print(f"{path}  {path.stat().st_size // 1000} kB, {len(self._frames)} frames")


def _place(widget: QWidget, point: QPoint | None) -> tuple[int, int]:
    """Return where in its window a point of a widget is."""
    inside = widget.mapTo(widget.window(), widget.rect().center() if point is None else point)
    return inside.x(), inside.y()


def _point_at(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    pen.ellipse((x - RING, y - RING, x + RING, y + RING), outline="#ffd43b", width=3)
    pen.polygon([(x + dx, y + dy) for dx, dy in ARROW], "white", "black")
