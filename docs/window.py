"""napari's real window for the pictures of the documentation, as on a fresh installation.

Import it before napari: the runs, models and settings of whoever makes the pictures stay out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

_HOME = tempfile.TemporaryDirectory(prefix="colorize-", ignore_cleanup_errors=True)
HOME = Path(_HOME.name)
os.environ["NAPARI_COLORIZE_DATA"] = str(HOME / "data")
os.environ["NAPARI_CONFIG"] = str(HOME / "settings.yaml")

import napari  # noqa: E402
from qtpy.QtTest import QTest  # noqa: E402

PLUGIN = "napari-colorize"
PATIENCE = 300.0  # seconds for what is waited for
COLOURS = 192  # fewer would show in a sky
QUALITY = 90  # of a WebP: words stay sharp


def make_parts(page: str, parts: dict[str, Callable[[Path], None]]) -> None:
    """Make all pictures of a page, or those that the command line names."""
    parser = argparse.ArgumentParser(description=f"Make the pictures of docs/{page}.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    settings = parser.parse_args()
    for name in settings.only:
        parts[name](settings.out)


def open_viewer(theme: str, size: tuple[int, int]) -> napari.Viewer:
    """Return a viewer whose window has a size in pixels."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.theme = theme
    viewer.window.resize(*size)
    wait(300)
    return viewer


def wait(milliseconds: int) -> None:
    """Let the window live for a while."""
    QTest.qWait(milliseconds)  # type: ignore[call-arg, arg-type]


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Let the window live until a condition holds."""
    limit = time.monotonic() + patience
    while not condition():
        if time.monotonic() > limit:
            raise SystemExit("what was waited for did not come")
        wait(50)


def take_window(viewer: napari.Viewer, path: Path) -> None:
    """Write a picture of the whole window."""
    wait(500)
    write(Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)), path)


def take_widget(widget: QWidget, path: Path) -> None:
    """Write a picture of a dock or of a part of one."""
    wait(500)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not widget.grab().save(str(path), "PNG"):
        raise SystemExit(f"{path} cannot be written")
    with Image.open(path) as picture:
        picture.load()
    write(picture, path)


def write(picture: Image.Image, path: Path) -> None:
    """Write a picture as a small PNG of few colours, or as a WebP if many count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".webp":
        picture.convert("RGB").save(path, quality=QUALITY, method=6)
    else:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
    print(f"{path}  {path.stat().st_size // 1000} kB")
