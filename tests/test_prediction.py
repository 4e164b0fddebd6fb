"""Colouring a picture with a model: values, sizes, strips, cancel, memory."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from napari_colorize.prediction import colorizer
from napari_colorize.color import lightness
from napari_colorize.errors import Cancelled, ColorizeError, PictureError
from napari_colorize.networks.plain import Plain
from napari_colorize.networks.weights import save_network
from napari_colorize.prediction.colorizer import Colorizer, working_shape

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that gives strong colours which depend on the picture."""
    torch.manual_seed(3)
    network = Plain()
    torch.nn.init.normal_(last_layer(network), std=0.2)
    path = tmp_path_factory.mktemp("model") / "loud.safetensors"
    card = {"name": "loud", "network": "plain", "settings": {}, "working_size": 32,
            "training": {}, "score_card": {}, "license": "none"}  # fmt: skip
    save_network(path, network, card)
    return path


def last_layer(network: Plain) -> torch.Tensor:
    """Return the weights of the last convolution."""
    return [layer for layer in network.layers if isinstance(layer, torch.nn.Conv2d)][-1].weight


@pytest.fixture
def colorizer(model: Path) -> Colorizer:
    """Return a colorizer on the CPU."""
    return Colorizer(model, "cpu")


def scene(height: int, width: int) -> np.ndarray:
    """Return a picture with soft and hard edges, uint8."""
    y, x = np.mgrid[0:height, 0:width]
    soft = 90 + 60 * np.sin(6 * x / width) * np.cos(4 * y / height)
    soft[(y - height / 2) ** 2 + (x - width / 3) ** 2 < (min(height, width) / 4) ** 2] = 220
    return soft.astype(np.uint8)


def colored(model: Path) -> np.ndarray:
    """Return a scene coloured by a colorizer of its own."""
    colorizer = Colorizer(model, "cpu")
    colorizer.set_picture(scene(120, 90))
    return colorizer.colorize()


def pool_of_threads_later() -> int:
    """Return how many threads torch would use in a thread that starts now."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


class TestColorize:
    """The result."""

    def test_is_colour_with_the_lightness_of_the_picture(self, colorizer: Colorizer) -> None:
        """Shape, type, some chroma, and L within 0.35 in the mean."""
        picture = scene(80, 120)
        colorizer.set_picture(picture)
        result = colorizer.colorize()
        assert result.shape == (80, 120, 3)
        assert result.dtype == np.uint8
        lab = rgb2lab(result)
        assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 3
        true = rgb2lab(np.stack([picture] * 3, axis=-1))[..., 0]
        assert np.abs(lab[..., 0] - true).mean() <= 0.35

    def test_16_bits(self, colorizer: Colorizer) -> None:
        """A 16-bit result is the 8-bit one, finer."""
        colorizer.set_picture(scene(40, 30))
        fine, coarse = colorizer.colorize(dtype="uint16"), colorizer.colorize()
        assert fine.dtype == np.uint16
        assert np.abs(fine / 257 - coarse).max() <= 1

    @pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (3, 2000), (33, 47)])
    def test_any_size(self, colorizer: Colorizer, shape: tuple[int, int]) -> None:
        """From one pixel to a long thin strip."""
        colorizer.set_picture(scene(*shape))
        assert colorizer.colorize().shape == (*shape, 3)

    def test_strips_give_the_same_pixels_as_one_piece(
        self, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However high the strips are."""
        colorizer.set_picture(scene(150, 90))
        whole = colorizer.colorize()
        for pixels in (90, 90 * 7, 90 * 64):
            monkeypatch.setattr(lightness, "STRIP_PIXELS", pixels)
            assert np.array_equal(colorizer.colorize(), whole)

    def test_the_type_of_the_values_does_not_matter(self, colorizer: Colorizer) -> None:
        """The same picture in 8 bits, 16 bits, floats and by limits has the same colours."""
        picture = scene(50, 60)
        versions: list[tuple[Any, Any]] = [
            (picture, None),
            (picture.astype(np.uint16) * 257, None),
            (picture / 255, None),
            (picture.astype(np.int32) * 10 - 500, (-500, 2050)),
            (np.stack([picture] * 3, axis=-1), None),
        ]
        results = []
        for image, limits in versions:
            colorizer.set_picture(image, contrast_limits=limits)
            results.append(colorizer.colorize().astype(int))
        for result in results[1:]:
            assert np.abs(result - results[0]).max() <= 1

    def test_size_stability(self, colorizer: Colorizer) -> None:
        """A picture four times as large gets the same colour."""
        small = scene(64, 64)
        means = []
        for factor in (1, 4):
            colorizer.set_picture(np.kron(small, np.ones((factor, factor), np.uint8)))
            lab = rgb2lab(colorizer.colorize())
            means.append(lab[..., 1:].reshape(64, factor, 64, factor, 2).mean(axis=(1, 3)))
        assert np.linalg.norm(means[0] - means[1], axis=-1).mean() < 3

    def test_type_as_numpy_writes_it(self, colorizer: Colorizer) -> None:
        """np.uint16 is "uint16"."""
        colorizer.set_picture(scene(9, 9))
        assert colorizer.colorize(dtype=np.uint16).dtype == np.uint16  # type: ignore[arg-type]

    def test_overlapping_pictures_leave_the_threads_as_they_were(self, model: Path) -> None:
        """Several colourings at once give the same pixels, and torch its number of threads back."""
        before = torch.get_num_threads()
        torch.set_num_threads(3)
        try:
            with ThreadPoolExecutor(4) as pool:
                results = list(pool.map(lambda _: colored(model), range(8)))
            assert torch.get_num_threads() == 3
            assert pool_of_threads_later() == 3
        finally:
            torch.set_num_threads(before)
        assert all(np.array_equal(result, results[0]) for result in results)

    def test_the_same_twice(self, colorizer: Colorizer) -> None:
        """Colouring is repeatable."""
        colorizer.set_picture(scene(30, 30))
        assert np.array_equal(colorizer.colorize(), colorizer.colorize())


class TestErrors:
    """What goes wrong is said, and no half result stays."""

    def test_no_picture(self, colorizer: Colorizer) -> None:
        """Colouring before a picture was set."""
        with pytest.raises(PictureError, match="set_picture"):
            colorizer.colorize()

    def test_a_bad_picture_takes_the_place_of_the_last(self, colorizer: Colorizer) -> None:
        """After an error the picture before it is not coloured by mistake."""
        colorizer.set_picture(scene(9, 9))
        with pytest.raises(PictureError):
            colorizer.set_picture(np.zeros((0, 0)))
        with pytest.raises(PictureError, match="set_picture"):
            colorizer.colorize()

    def test_other_types(self, colorizer: Colorizer) -> None:
        """Only 8 and 16 bits are given."""
        colorizer.set_picture(scene(9, 9))
        with pytest.raises(PictureError, match="uint8"):
            colorizer.colorize(dtype="float32")  # type: ignore[arg-type]

    def test_out_of_memory_is_an_error_for_people(
        self, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Never a silent grey picture, never a RuntimeError."""

        def no_memory(*_: Any) -> None:
            raise torch.OutOfMemoryError("out of memory")

        colorizer.set_picture(scene(9, 9))
        monkeypatch.setattr(prediction, "recombine", no_memory)
        with pytest.raises(ColorizeError, match="memory") as caught:
            colorizer.colorize()
        assert not isinstance(caught.value, RuntimeError)

    @pytest.mark.parametrize("device", ["abacus", "cuda:x", "cuda:-1", "cpu:1", 0, None])
    def test_unknown_device(self, model: Path, device: Any) -> None:
        """The error lists the devices."""
        with pytest.raises(ColorizeError, match="auto, cpu, cuda or mps"):
            Colorizer(model, device)

    def test_closed(self, colorizer: Colorizer) -> None:
        """After it was closed a colorizer says so."""
        colorizer.close()
        with pytest.raises(ColorizeError, match="closed"):
            colorizer.set_picture(scene(9, 9))
        with pytest.raises(ColorizeError, match="closed"):
            colorizer.colorize()


class TestCancel:
    """Out in the middle of the work."""

    def test_every_stage_asks(self, colorizer: Colorizer) -> None:
        """Whenever the answer turns to yes, the work ends there."""
        asked = 0

        def count() -> bool:
            nonlocal asked
            asked += 1
            return False

        colorizer.set_picture(scene(200, 200), cancel=count)
        looked = asked
        colorizer.colorize(cancel=count)
        assert looked > 20
        assert asked > looked
        for turn in (1, 2, looked // 2, looked):
            turns = itertools.count(1)
            with pytest.raises(Cancelled):
                colorizer.set_picture(scene(200, 200), cancel=lambda: next(turns) >= turn)  # noqa: B023

    def test_the_colorizer_works_on_afterwards(self, colorizer: Colorizer) -> None:
        """A cancelled picture leaves nothing behind."""
        with pytest.raises(Cancelled):
            colorizer.set_picture(scene(20, 20), cancel=lambda: True)
        colorizer.set_picture(scene(20, 20))
        assert colorizer.colorize().shape == (20, 20, 3)

    def test_progress(self, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Strips done rise to all strips."""
        monkeypatch.setattr(lightness, "STRIP_PIXELS", 20 * 4)
        told: list[tuple[int, int]] = []
        colorizer.set_picture(scene(20, 20))
        colorizer.colorize(progress=lambda *strips: told.append(strips))
        assert told == [(n, 5) for n in range(1, 6)]


class TestWorkingShape:
    """The size at which a network looks."""

    @pytest.mark.parametrize(
        ("shape", "wanted"),
        [((100, 100), (32, 32)), ((64, 128), (32, 64)), ((300, 200), (48, 32)),
         ((1, 1), (32, 32)), ((10, 10000), (32, 128)), ((5000, 5), (128, 32))],
    )  # fmt: skip
    def test_short_side_is_fixed(self, shape: tuple[int, int], wanted: tuple[int, int]) -> None:
        """The aspect is kept up to four to one."""
        assert working_shape(shape, 32) == wanted
