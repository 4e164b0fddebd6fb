"""The public functions on arrays and on napari's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array
import numpy as np
import pytest
import zarr
from made_models import save_loud_palette
from napari.layers import Image, Labels, Points

import napari_colorize
from napari_colorize import api
from napari_colorize.errors import Cancelled, ColorizeError, ModelError, PictureError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def grey() -> NDArray[np.uint8]:
    """Return a grey picture with a ramp and a disc."""
    y, x = np.mgrid[0:48, 0:64]
    return np.where((y - 24) ** 2 + (x - 20) ** 2 < 150, 230, 40 + 2 * x).astype(np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small palette model whose answers depend on all it is told."""
    return save_loud_palette(tmp_path_factory.mktemp("model") / "paint.safetensors")


class TestColorize:
    """One call, one picture."""

    def test_bundled_model(self, grey: NDArray[np.uint8]) -> None:
        """Without more words the bundled model colours."""
        result = napari_colorize.colorize(grey)
        assert result.shape == (48, 64, 3)
        assert result.dtype == np.uint8
        assert np.ptp(result.astype(int), axis=-1).max() > 3

    @pytest.mark.parametrize("wrap", [dask.array.from_array, zarr.array, np.asarray, list])
    def test_planes_of_other_libraries(self, grey: NDArray[np.uint8], wrap: Any) -> None:
        """dask, zarr and lists give what numpy gives."""
        picture = grey / 255
        wanted = api.colorize(picture)
        assert np.array_equal(api.colorize(wrap(picture)), wanted)

    def test_layer_brings_its_limits(self, grey: NDArray[np.uint8]) -> None:
        """A layer is read through its contrast limits; one's own come first."""
        layer = Image(grey.astype(np.float32) * 7, contrast_limits=(0, 7 * 255))
        wanted = api.colorize(grey)
        assert np.abs(api.colorize(layer).astype(int) - wanted).max() <= 1
        dark = api.colorize(layer, contrast_limits=(0, 7 * 2550))
        assert dark.mean() < wanted.mean() / 2

    def test_rgb_layer(self, grey: NDArray[np.uint8]) -> None:
        """It gives its lightness."""
        layer = Image(np.stack([grey] * 3, axis=-1), rgb=True)
        assert np.abs(api.colorize(layer).astype(int) - api.colorize(grey)).max() <= 1

    def test_multiscale_layer(self, grey: NDArray[np.uint8]) -> None:
        """Its finest level is coloured."""
        layer = Image([grey, grey[::2, ::2]], multiscale=True, contrast_limits=(0, 255))
        assert np.array_equal(api.colorize(layer), api.colorize(grey))

    def test_a_stack_says_what_to_do(self) -> None:
        """The error names the call that colours one plane."""
        layer = Image(np.zeros((2, 3, 40, 40)), name="movie")
        with pytest.raises(PictureError, match=r"'movie' is a stack.*layer\.data\[0, 0\]"):
            api.colorize(layer)

    @pytest.mark.parametrize("layer", [Points(name="p"), Labels(np.zeros((4, 4), int), name="p")])
    def test_other_layers(self, layer: Any) -> None:
        """Points and labels are no pictures."""
        with pytest.raises(PictureError, match="'p' is no image layer"):
            api.colorize(layer)

    def test_cancel_and_progress(self, grey: NDArray[np.uint8]) -> None:
        """Both reach the work."""
        told: list[tuple[int, int]] = []
        api.colorize(grey, progress=lambda *strips: told.append(strips))
        assert told[-1][0] == told[-1][1]
        with pytest.raises(Cancelled):
            api.colorize(grey, cancel=lambda: True)

    def test_source_is_not_touched(self, grey: NDArray[np.uint8]) -> None:
        """Not even a picture that may not be written."""
        before = grey.copy()
        grey.flags.writeable = False
        api.colorize(grey)
        assert np.array_equal(grey, before)

    def test_unknown_model(self, grey: NDArray[np.uint8]) -> None:
        """The error lists those there are."""
        with pytest.raises(ModelError, match="plain"):
            api.colorize(grey, model="crayons")


class TestPalette:
    """What a model with a distribution can do besides, in one call each."""

    def test_hints_vividness_and_reference(self, grey: NDArray[np.uint8], model: Path) -> None:
        """Each of them changes the colours, and a Colorizer gives the same."""
        usual = napari_colorize.colorize(grey, model=model)
        hints = [napari_colorize.Hint(20, 30, (20, 60, 230), size=20)]
        reference = np.full((9, 9, 3), (220, 40, 30), np.uint8)
        wishes: list[dict[str, Any]] = [
            {"hints": hints}, {"vividness": 1}, {"reference": reference}
        ]  # fmt: skip
        colorizer = napari_colorize.Colorizer(model, "cpu")
        colorizer.set_picture(grey)
        for wish in wishes:
            result = napari_colorize.colorize(grey, model=model, device="cpu", **wish)
            assert not np.array_equal(result, usual)
            assert np.array_equal(result, colorizer.colorize(**wish))

    def test_a_layer_as_reference(self, grey: NDArray[np.uint8], model: Path) -> None:
        """A picture in napari sets the mood; a stack does not."""
        pixels = np.full((9, 9, 3), (220, 40, 30), np.uint8)
        wanted = api.colorize(grey, model=model, reference=pixels)
        layer = Image(pixels, rgb=True)
        assert np.array_equal(api.colorize(grey, model=model, reference=layer), wanted)
        with pytest.raises(PictureError, match="is a stack"):
            api.colorize(grey, model=model, reference=Image(np.zeros((2, 3, 40, 40))))

    def test_suggest(self, grey: NDArray[np.uint8], model: Path) -> None:
        """Colours with their shares, of arrays and layers."""
        found = napari_colorize.suggest(grey, 10, 12, 3, model=model)
        assert 1 <= len(found) <= 3
        assert all(0 < one.share <= 1 and len(one.color) == 3 for one in found)
        layer = Image(grey, contrast_limits=(0, 255))
        assert [one.color for one in api.suggest(layer, 10, 12, 3, model=model)] == [
            one.color for one in found
        ]

    def test_alternatives(self, grey: NDArray[np.uint8], model: Path) -> None:
        """As many as wanted, by the seed; progress and cancel reach the work."""
        told: list[tuple[int, int]] = []
        results = napari_colorize.alternatives(
            grey, 2, model=model, seed=4, progress=lambda *counts: told.append(counts)
        )
        assert results.shape == (2, 48, 64, 3)
        assert told == [(1, 2), (2, 2)]
        assert np.array_equal(api.alternatives(grey, 2, model=model, seed=4), results)
        with pytest.raises(Cancelled):
            api.alternatives(grey, model=model, cancel=lambda: True)

    def test_confidence(self, grey: NDArray[np.uint8], model: Path) -> None:
        """A number for every pixel."""
        confidence = napari_colorize.confidence(grey, model=model)
        assert confidence.shape == grey.shape
        assert confidence.dtype == np.float32

    @pytest.mark.parametrize("work", [api.alternatives, api.confidence])
    def test_plain_has_none(self, grey: NDArray[np.uint8], work: Any) -> None:
        """The error names the model and what to choose."""
        with pytest.raises(ColorizeError, match=r"'plain' .* a model of the network palette"):
            work(grey, model="plain")

    def test_hints_outside(self, grey: NDArray[np.uint8], model: Path) -> None:
        """They are the picture's, not the layer's, coordinates."""
        with pytest.raises(PictureError, match="outside the picture of 48 x 64 px"):
            api.colorize(grey, model=model, hints=[napari_colorize.Hint(50, 3, (1, 2, 3))])


class TestAsking:
    """What can be asked."""

    def test_card(self) -> None:
        """The bundled model tells its terms, its data and what it cannot do."""
        card = napari_colorize.load_model("plain")
        assert card["network"] == "plain"
        assert "research" in card["license"]
        assert card["training"]["data"]
        assert card["limits"]

    def test_device_report(self) -> None:
        """Versions, the device and why no other one is used."""
        report = api.device_report()
        assert report["torch"].startswith("2.")
        assert report["device"].split(":")[0] in {"cpu", "cuda", "mps"}
        assert all(isinstance(value, str) and value for value in report.values())
