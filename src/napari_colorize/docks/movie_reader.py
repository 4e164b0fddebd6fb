"""Opening a movie in napari: a layer whose frames are decoded when they are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import ColorizeError
from napari_colorize.files.stacks.movies import MOVIE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer

Paths = str | list[str]
LayerData = tuple[Any, dict[str, Any], str] | tuple[None]

MOVIE = "movie"
"""In the metadata of a layer, and in the record of a result: the file of the frames."""
# napari reads them itself.
_LEFT = {".gif"}


def get_reader(path: Paths | None = None) -> Callable[[Paths], list[LayerData]] | None:
    """Return what opens movies; None for files of another kind.

    Napari's menu and command palette call it without a path: then it asks for files.
    """
    if path is None:
        _ask()
        return None
    suffixes = {Path(one).suffix.lower() for one in _listed(path)}
    return read_movies if suffixes <= MOVIE_SUFFIXES - _LEFT else None


def read_movies(path: Paths, **_: Any) -> list[LayerData]:
    """Return a layer for each movie; one that cannot be read is told in a notification.

    Raises
    ------
    ColorizeError
        If a movie cannot be read and there is no window to tell it in.
    """
    from napari.utils.notifications import show_error
    from qtpy.QtWidgets import QApplication

    layers: list[LayerData] = []
    for one in _listed(path):
        try:
            layers.append(_layer(Path(one)))
        except ColorizeError as error:
            if QApplication.instance() is None:
                raise
            # Raised, it would come in a dialog that tells of a stack trace.
            show_error(str(error))
    return layers or [(None,)]


def movie_of(layer: Layer) -> Path | None:
    """Return the movie that the frames of a layer come from, whoever opened it; None if none."""
    path = layer.metadata.get(MOVIE) or layer.source.path
    if path is None or Path(path).suffix.lower() not in MOVIE_SUFFIXES:
        return None
    return Path(path)


def _layer(path: Path) -> LayerData:
    from napari.utils.notifications import show_warning

    from napari_colorize.files.stacks.movie_frames import open_frames

    frames = open_frames(path.absolute(), told=lambda text: show_warning(f"{text}: it is black."))
    if frames.note:
        show_warning(f"{path.name}: {frames.note}")
    how: dict[str, Any] = {
        "name": path.stem,
        "rgb": frames.axes.is_rgb,
        "axis_labels": ("t", "y", "x"),
        "scale": (1.0, 1.0, frames.pixel_aspect),
        "metadata": {MOVIE: str(frames.path)},
    }
    if not frames.axes.is_rgb:
        how["contrast_limits"] = (0, 255)
    return frames, how, "image"


def _ask() -> None:
    """Ask for movies and open them."""
    from napari import current_viewer
    from qtpy.QtWidgets import QFileDialog

    kinds = " ".join(f"*{suffix}" for suffix in sorted(MOVIE_SUFFIXES - _LEFT))
    files, _ = QFileDialog.getOpenFileNames(None, "Open a movie", "", f"Movies ({kinds})")
    viewer = current_viewer()
    if files and viewer is not None:
        viewer.open(files, plugin="napari-colorize")


def _listed(path: Paths) -> list[str]:
    return [path] if isinstance(path, str) else list(path)
