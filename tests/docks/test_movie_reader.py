"""Movies opened in napari: a layer that is decoded as it is looked at, coloured, saved."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_movies import break_frame, colored_frames, grey_frames, make_jpeg_movie, make_movie
from napari.utils.notifications import notification_manager
from npe2 import PluginManager, PluginManifest

import napari_colorize
from napari_colorize.docks.movie_reader import get_reader, movie_of
from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.movie_store import encoded
from napari_colorize.files.stacks.movies import open_movie

MANIFEST = Path(napari_colorize.__file__).with_name("napari.yaml")


def opened(viewer: Any, path: Path) -> list[Any]:
    """Open a file as one who has chosen the plugin in napari's dialog."""
    layers: list[Any] = viewer.open(str(path), plugin="napari-colorize")
    return layers


def told() -> str:
    """Return the last notification."""
    record = notification_manager.records[-1]
    return f"{record.severity}: {record.message}"


@pytest.fixture(scope="module")
def plugins() -> PluginManager:
    """Return what npe2 knows of this plugin."""
    manager = PluginManager()
    manager.register(PluginManifest.from_file(MANIFEST))
    return manager


@pytest.mark.parametrize("suffix", [".mp4", ".MOV", ".avi", ".webm", ".mkv", ".m4v"])
def test_napari_asks_for_movies_here(suffix: str, plugins: PluginManager) -> None:
    """The manifest names them, and pictures and models go elsewhere."""

    def commands(name: str) -> list[str]:
        return [reader.command for reader in plugins.iter_compatible_readers([name])]

    assert commands(f"film{suffix}") == ["napari-colorize.open_movie"]
    for other in ("a.png", "a.tif", "a.gif", "a.zarr"):
        assert commands(other) == []
    assert get_reader(f"film{suffix}") is not None
    assert get_reader(["film.mp4", "a.png"]) is None


def test_grey_movie_is_a_lazy_layer(viewer: Any, tmp_path: Path) -> None:
    """It has the name of its file, knows its axes, and shows what the slider says."""
    path = make_movie(tmp_path / "My film.mp4", grey_frames(), sound="aac")
    (layer,) = opened(viewer, path)
    assert (layer.name, layer.rgb, layer.data.shape) == ("My film", False, (12, 96, 96))
    assert layer.axis_labels == ("t", "y", "x")
    assert tuple(layer.contrast_limits) == (0, 255)
    assert movie_of(layer) == path
    with open_movie(path) as movie:
        for number in (0, 5, 11, 3):
            viewer.dims.set_current_step(0, number)
            np.testing.assert_array_equal(layer._slice.image.raw, movie[number])
    viewer.dims.ndisplay = 3
    assert layer._slice.image.raw.shape == (12, 96, 96)
    viewer.layers.selection = {layer}
    copied = layer.as_layer_data_tuple()
    assert copied[0] is layer.data


def test_coloured_movie_of_wide_pixels(viewer: Any, tmp_path: Path) -> None:
    """It is RGB, and as wide as players show it."""
    path = tmp_path / "film.mp4"
    path.write_bytes(encoded(colored_frames(), (96, 96), Fraction(4, 3)))
    (layer,) = opened(viewer, path)
    assert (layer.rgb, layer.data.shape) == (True, (12, 96, 96, 3))
    np.testing.assert_allclose(layer.scale, (1, 1, 4 / 3))


def test_movie_cut_short_is_told(viewer: Any, tmp_path: Path) -> None:
    """What is there is shown, and a warning says what lacks."""
    path = make_movie(
        tmp_path / "film.mkv", np.random.default_rng(0).integers(0, 255, (48, 96, 96), np.uint8)
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (layer,) = opened(viewer, path)
    assert 5 < len(layer.data) < 48
    assert told().startswith("warning: film.mkv: The movie ends early: ")


def test_broken_frame_is_told_once(viewer: Any, tmp_path: Path) -> None:
    """The window shows black, also where the slider begins, and goes on; a thread is told."""
    path = break_frame(make_jpeg_movie(tmp_path / "film.avi"), 5)
    (layer,) = opened(viewer, path)
    assert viewer.dims.current_step[0] == 5
    assert not np.any(layer._slice.image.raw)
    assert told() == "warning: frame 5 of film.avi cannot be decoded: it is black."
    before = len(notification_manager.records)
    for number in (4, 5, 6, 5):
        viewer.dims.set_current_step(0, number)
        assert np.any(layer._slice.image.raw) == (number != 5)
    assert len(notification_manager.records) == before
    with ThreadPoolExecutor(1) as pool, pytest.raises(PictureError, match="frame 5"):
        pool.submit(layer.data.__getitem__, 5).result()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "is empty."), (b"no movie" * 50, "is no movie that can be read")],
    ids=["empty", "text"],
)
def test_broken_movie_is_one_sentence(
    viewer: Any, tmp_path: Path, content: bytes, why: str
) -> None:
    """No traceback and no layer."""
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    before = len(notification_manager.records)
    assert opened(viewer, path) == []
    assert len(notification_manager.records) == before + 1
    assert told().startswith(f"error: {path} {why}")


def test_without_av(viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says how to install it."""
    path = make_movie(tmp_path / "film.mp4", grey_frames())
    monkeypatch.setitem(sys.modules, "av", None)
    assert opened(viewer, path) == []
    assert told() == "error: Movies need the package av: pip install 'napari-colorize[movies]'."
