"""Colouring a picture with a model, whichever its network: values, sizes, cancel, memory."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from napari_colorize.errors import Cancelled, ColorizeError, PictureError
from napari_colorize.prediction import strips
from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Scene = Callable[[int, int], NDArray[np.uint8]]


class TestColorize:
    """The result."""

    def test_is_colour_with_the_lightness_of_the_picture(
        self, colorizer: Colorizer, scene: Scene
    ) -> None:
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

    def test_16_bits(self, colorizer: Colorizer, scene: Scene) -> None:
        """A 16-bit result is the 8-bit one, finer."""
        colorizer.set_picture(scene(40, 30))
        fine, coarse = colorizer.colorize(dtype="uint16"), colorizer.colorize()
        assert fine.dtype == np.uint16
        assert np.abs(fine / 257 - coarse).max() <= 1

    @pytest.mark.parametrize(
        "shape", [(1, 1), (1, 40), (40, 1), (2, 3), (1, 500), (3, 2000), (33, 47)]
    )
    def test_any_size(self, colorizer: Colorizer, scene: Scene, shape: tuple[int, int]) -> None:
        """From one pixel to a long thin strip."""
        colorizer.set_picture(scene(*shape))
        assert colorizer.colorize().shape == (*shape, 3)

    def test_the_type_of_the_values_does_not_matter(
        self, colorizer: Colorizer, scene: Scene
    ) -> None:
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
            assert np.abs(result - results[0]).mean() <= 0.3

    def test_values_that_are_no_numbers(self, colorizer: Colorizer) -> None:
        """NaN is black, and so is a picture of nothing else."""
        colorizer.set_picture(np.full((9, 7), np.nan))
        assert not colorizer.colorize().any()

    def test_size_stability(self, plain_model: Path, scene: Scene) -> None:
        """A picture four times as large gets the same colour."""
        colorizer, small = Colorizer(plain_model, "cpu"), scene(64, 64)
        means = []
        for factor in (1, 4):
            colorizer.set_picture(np.kron(small, np.ones((factor, factor), np.uint8)))
            lab = rgb2lab(colorizer.colorize())
            means.append(lab[..., 1:].reshape(64, factor, 64, factor, 2).mean(axis=(1, 3)))
        assert np.linalg.norm(means[0] - means[1], axis=-1).mean() < 3

    def test_type_as_numpy_writes_it(self, colorizer: Colorizer, scene: Scene) -> None:
        """np.uint16 is "uint16"."""
        colorizer.set_picture(scene(9, 9))
        assert colorizer.colorize(dtype=np.uint16).dtype == np.uint16  # type: ignore[arg-type]

    def test_the_same_twice(self, colorizer: Colorizer, scene: Scene) -> None:
        """Colouring is repeatable."""
        colorizer.set_picture(scene(30, 30))
        assert np.array_equal(colorizer.colorize(), colorizer.colorize())

    def test_the_source_is_not_touched(self, colorizer: Colorizer, scene: Scene) -> None:
        """Not even a picture that may not be written."""
        picture = scene(20, 20)
        picture.flags.writeable = False
        colorizer.set_picture(picture)
        colorizer.colorize()
        assert np.array_equal(picture, scene(20, 20))


class TestErrors:
    """What goes wrong is said, and no half result stays."""

    def test_no_picture(self, colorizer: Colorizer) -> None:
        """Colouring before a picture was set."""
        with pytest.raises(PictureError, match="set_picture"):
            colorizer.colorize()

    def test_a_bad_picture_takes_the_place_of_the_last(
        self, colorizer: Colorizer, scene: Scene
    ) -> None:
        """After an error the picture before it is not coloured by mistake."""
        colorizer.set_picture(scene(9, 9))
        with pytest.raises(PictureError):
            colorizer.set_picture(np.zeros((0, 0)))
        with pytest.raises(PictureError, match="set_picture"):
            colorizer.colorize()

    @pytest.mark.parametrize("dtype", ["float32", "int8", "colour", 7, None])
    def test_other_types(self, colorizer: Colorizer, scene: Scene, dtype: Any) -> None:
        """Only 8 and 16 bits are given."""
        colorizer.set_picture(scene(9, 9))
        with pytest.raises(PictureError, match="dtype has to be 'uint8' or 'uint16'"):
            colorizer.colorize(dtype=dtype)

    def test_out_of_memory_is_an_error_for_people(
        self, colorizer: Colorizer, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Never a silent grey picture, never a RuntimeError."""

        def no_memory(*_: Any) -> None:
            raise torch.OutOfMemoryError("out of memory")

        colorizer.set_picture(scene(9, 9))
        monkeypatch.setattr(strips, "recombine", no_memory)
        with pytest.raises(ColorizeError, match="memory") as caught:
            colorizer.colorize()
        assert not isinstance(caught.value, RuntimeError)

    @pytest.mark.parametrize("device", ["abacus", "cuda:x", "cuda:-1", "cpu:1", 0, None])
    def test_unknown_device(self, plain_model: Path, device: Any) -> None:
        """The error lists the devices."""
        with pytest.raises(ColorizeError, match="auto, cpu, cuda or mps"):
            Colorizer(plain_model, device)

    def test_closed(self, colorizer: Colorizer, scene: Scene) -> None:
        """After it was closed a colorizer says so, whatever is asked of it."""
        colorizer.set_picture(scene(9, 9))
        colorizer.close()
        for work in (
            lambda: colorizer.set_picture(scene(9, 9)),
            colorizer.colorize,
            colorizer.alternatives,
            colorizer.confidence,
            lambda: colorizer.suggest(1, 1),
            lambda: colorizer.has_distribution,
        ):
            with pytest.raises(ColorizeError, match="closed"):
                work()
        colorizer.close()


class TestCancel:
    """Out in the middle of the work."""

    def test_every_stage_asks(self, colorizer: Colorizer, scene: Scene) -> None:
        """Whenever the answer turns to yes, the work ends there."""
        asked = 0

        def count() -> bool:
            nonlocal asked
            asked += 1
            return False

        colorizer.set_picture(scene(200, 200), cancel=count)
        looked = asked
        colorizer.colorize(cancel=count)
        assert looked > 15
        assert asked > looked
        for turn in (1, 2, looked // 2, looked):
            turns = itertools.count(1)
            with pytest.raises(Cancelled):
                colorizer.set_picture(scene(200, 200), cancel=lambda: next(turns) >= turn)  # noqa: B023

    def test_the_colorizer_works_on_afterwards(self, colorizer: Colorizer, scene: Scene) -> None:
        """A cancelled picture leaves nothing behind."""
        with pytest.raises(Cancelled):
            colorizer.set_picture(scene(20, 20), cancel=lambda: True)
        colorizer.set_picture(scene(20, 20))
        with pytest.raises(Cancelled):
            colorizer.colorize(cancel=lambda: True)
        assert colorizer.colorize().shape == (20, 20, 3)
