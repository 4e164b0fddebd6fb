"""A grey movie opened in napari, coloured, and saved as a movie with its times and sound."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
import tifffile
from made_movies import grey_frames, make_movie
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_colorize.docks.colorize_form import WHOLE_STACK
from napari_colorize.docks.lazy.opening import lazy_planes_of
from napari_colorize.docks.lazy.saving import Saving, save_all, save_stack
from napari_colorize.errors import PictureError
from napari_colorize.files.stacks.movies import open_movie

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

STAMPS = (0, 1, 2, 3, 5, 8, 9, 10, 11, 12, 13, 16)  # as of a camera that lost some frames


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Return a grey movie whose frames are not shown equally long, with a tone."""
    return make_movie(tmp_path / "film.mp4", grey_frames(), sound="aac", stamps=STAMPS)


def end_of(desk: Any, saving: Saving) -> str:
    """Wait for the end and return its sentence."""
    with desk.qtbot.waitSignal(saving.ended, timeout=60_000) as ended:
        pass
    return str(ended.args[0])


def sound_of(path: Path) -> list[bytes]:
    """Return the packets of the sound."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def assert_kept(result: Path, film: Path) -> None:
    """Check that frames are shown when they were, and that the sound is the same."""
    with open_movie(result) as made, open_movie(film) as source:
        assert made.times == source.times
    assert sound_of(result) == sound_of(film)


@pytest.fixture
def colored(colorize_desk: Any, film: Path) -> Callable[..., Any]:
    """Return what opens the movie and colours its whole stack in the dock."""

    def color(data: NDArray[np.uint8] | None = None) -> Any:
        viewer = colorize_desk.viewer
        if data is None:
            viewer.open(str(film), plugin="napari-colorize")
        else:
            viewer.add_image(data, name="stack", contrast_limits=(0, 255))
        dock = colorize_desk.open()
        dock.form.planes.value = WHOLE_STACK
        colorize_desk.run_to_end(dock)
        return viewer.layers[-1]

    return color


def test_result_of_the_dock_is_written_as_it_is(
    colorize_desk: Any, colored: Callable[..., Any], film: Path, stand: Any
) -> None:
    """Nothing is coloured anew; times and sound are those of the movie, which stays as it is."""
    result, content = colored(), film.read_bytes()
    assert result.name == "film [colorized]"
    before = len(stand.seen)
    path = film.with_name("colored.mp4")
    text = end_of(colorize_desk, save_all(colorize_desk.viewer, result, path))
    assert text == f"All planes are in {path}. To open it: any player shows it."
    assert len(stand.seen) == before
    assert_kept(path, film)
    with open_movie(path) as made:
        frames = made[:] if made.axes.is_rgb else np.repeat(made[:][..., None], 3, -1)
    assert np.abs(frames.astype(int) - result.data).mean() < 4
    with pytest.raises(PictureError, match=r"is the movie that was coloured: choose another name"):
        save_all(colorize_desk.viewer, result, film, overwrite=True)
    assert film.read_bytes() == content
    tiff = film.with_name("colored.tif")
    end_of(colorize_desk, save_all(colorize_desk.viewer, result, tiff))
    np.testing.assert_array_equal(tifffile.imread(tiff), result.data)


def test_result_that_grows_is_written_as_far_as_it_is(
    colorize_desk: Any, colored: Callable[..., Any], film: Path, stand: Any
) -> None:
    """The others are named; saved again when it is whole, all is there."""
    viewer = colorize_desk.viewer
    viewer.open(str(film), plugin="napari-colorize")
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    stand.hold_at = 5
    dock.run.native.click()
    colorize_desk.wait(lambda: dock.status.value.startswith("Plane 6 of 12"))
    result, path = viewer.layers[-1], film.with_name("colored.tif")
    text = end_of(colorize_desk, save_all(viewer, result, path))
    assert "7 of them are black; plane 5: it is not coloured yet" in text
    written = tifffile.imread(path)
    np.testing.assert_array_equal(written[:5], result.data[:5, ..., :3])
    assert not written[5:].any()
    stand.hold_at = 1_000_000
    colorize_desk.wait_for_end()
    end_of(colorize_desk, save_all(viewer, result, path, overwrite=True))
    np.testing.assert_array_equal(tifffile.imread(path), result.data)


def test_axes_that_were_moved(colorize_desk: Any, tmp_path: Path, stand: Any) -> None:
    """Planes are those that were coloured, and lie one upon the other as they did."""
    viewer = colorize_desk.viewer
    viewer.add_image(grey_frames(6, 40, 48).transpose(1, 0, 2), name="moved")
    viewer.dims.order = (1, 0, 2)
    dock = colorize_desk.open()
    dock.form.planes.value = WHOLE_STACK
    colorize_desk.run_to_end(dock)
    result = viewer.layers[-1]
    assert result.data.shape == (40, 6, 48, 3)
    path = tmp_path / "moved.tif"
    end_of(colorize_desk, save_all(viewer, result, path))
    np.testing.assert_array_equal(tifffile.imread(path), result.data.swapaxes(0, 1))


def test_command_proposes_a_movie(
    colorize_desk: Any, colored: Callable[..., Any], film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a movie; the rate is its own."""
    colored()
    asked: list[Any] = []

    def choose(*how: Any) -> tuple[str, str]:
        asked.append(how)
        return str(film.with_name("colored")), "Movie (*.mp4)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    monkeypatch.setattr(QInputDialog, "getDouble", lambda *_: pytest.fail("asked for a rate"))
    save_stack(colorize_desk.viewer)
    colorize_desk.wait(lambda: not Saving._living)
    _, _, name, kinds = asked[0]
    assert name == "film [colorized].mp4"
    assert kinds.startswith("Movie (*.mp4);;")
    assert_kept(film.with_name("colored.mp4"), film)


def test_stack_without_times_asks_for_a_rate(
    colorize_desk: Any,
    colored: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """25 is proposed; who wants none of it gets nothing."""
    colored(grey_frames(5, 41, 48))
    path, asked = tmp_path / "colored.mp4", []
    answers = iter([(25.0, False), (12.5, True)])

    def rate(*how: Any) -> tuple[float, bool]:
        asked.append(how)
        return next(answers)

    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "Movie (*.mp4)"))
    monkeypatch.setattr(QInputDialog, "getDouble", rate)
    save_stack(colorize_desk.viewer)
    assert not Saving._living
    save_stack(colorize_desk.viewer)
    colorize_desk.wait(lambda: not Saving._living)
    assert [how[3] for how in asked] == [25.0, 25.0]
    with open_movie(path) as made:
        assert made.times == [number * Fraction(2, 25) for number in range(6)]
        assert made.shape[1:3] == (42, 48)


def test_movie_that_is_gone(
    colorize_desk: Any, colored: Callable[..., Any], film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said that there will be no sound, before it is written."""
    colored()
    asked: list[Any] = []
    path = film.with_name("colored.mp4")
    film.rename(film.with_name("elsewhere.mp4"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "Movie (*.mp4)"))
    monkeypatch.setattr(QInputDialog, "getDouble", lambda *how: asked.append(how) or (25.0, True))
    save_stack(colorize_desk.viewer)
    colorize_desk.wait(lambda: not Saving._living)
    assert "film.mp4 is not there any more: there will be no sound" in asked[0][2]
    with open_movie(path) as made:
        assert len(made) == len(STAMPS)


def test_volume_is_no_movie(
    colorize_desk: Any, colored: Callable[..., Any], tmp_path: Path
) -> None:
    """A sentence says what to choose."""
    result = colored(np.zeros((2, 3, 40, 48), np.uint8))
    saving = save_all(colorize_desk.viewer, result, tmp_path / "colored.mp4")
    assert "choose .ome.zarr or .tif" in end_of(colorize_desk, saving)


def test_lazy_layer_of_a_movie(lazy_desk: Any, film: Path) -> None:
    """It is coloured in its order, and is a movie with times and sound."""
    from napari_colorize.docks.layers import take_source
    from napari_colorize.docks.lazy.opening import add_lazy_layer

    viewer = lazy_desk.viewer
    (layer,) = viewer.open(str(film), plugin="napari-colorize")
    source = take_source(viewer, layer, whole=True)
    lazy = add_lazy_layer(viewer, source, model=lazy_desk.model, device="cpu")
    planes = lazy_planes_of(lazy)
    assert planes is not None
    lazy_desk.wait_for_colours(planes)
    path = film.with_name("colored.mp4")
    text = end_of(lazy_desk, save_all(viewer, lazy, path))
    assert text.startswith(f"All planes are in {path}.")
    assert_kept(path, film)
    with open_movie(path) as made:
        assert made.axes.is_rgb
    assert notification_manager.records[-1].severity.value == "info"
