"""The default network: sizes, keys, references, precision and what learns."""

from __future__ import annotations

import pytest
import torch
from made_networks import small_palette
from torch import Tensor

from napari_colorize.networks.palette import AB_RANGE, APART, CELL, KEYS, STRIDE, Palette


@pytest.fixture
def network() -> Palette:
    """Return a small network whose answers depend on what it is given."""
    return loud(small_palette())


def loud(network: Palette) -> Palette:
    """Let what starts near zero, and the biases, be anything, as after a training."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1 or parameter.std() < 2e-3:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return network.eval()


def lightness_of(batch: int, height: int, width: int) -> Tensor:
    """Return L of random pictures."""
    generator = torch.Generator().manual_seed(height * width)
    return torch.rand(batch, 1, height, width, generator=generator) * 100


class TestSizes:
    """Parameters, pictures and answers."""

    def test_parameters(self) -> None:
        """A few million: the file is small, and a processor is enough."""
        with torch.device("meta"):
            network = Palette()
        assert 5e6 < sum(parameter.numel() for parameter in network.parameters()) < 7e6

    @pytest.mark.parametrize(("height", "width"), [(1, 1), (16, 16), (17, 33), (5, 90), (47, 18)])
    def test_any_size(self, network: Palette, height: int, width: int) -> None:
        """Cells of 4 x 4 pixels cover the picture, up to a whole stride; ab keeps its range."""
        prediction = network(lightness_of(2, height, width))
        rows, columns = (-(-side // STRIDE) * STRIDE // CELL for side in (height, width))
        assert prediction.ab.shape == (2, 2, rows, columns)
        assert prediction.logits is not None
        assert prediction.logits.shape == (2, len(network.bins), rows, columns)
        assert prediction.ab.dtype == prediction.logits.dtype == torch.float32
        assert prediction.ab.abs().max() <= AB_RANGE
        assert network.enlarged(prediction.ab, (height, width)).shape == (2, 2, height, width)

    def test_cells_lie_where_they_belong(self, network: Palette) -> None:
        """Enlarged, a cell's colour is found in its 4 x 4 pixels."""
        cells = torch.zeros(1, 2, 4, 4)
        cells[0, :, 1, 2] = 50
        pixels = network.enlarged(cells, (14, 15))
        assert int(pixels[0, 0].argmax()) in {y * 15 + x for y in range(4, 8) for x in range(8, 12)}

    def test_it_starts_at_grey_and_at_even_odds(self) -> None:
        """Untrained, it answers hardly any colour and holds all alike."""
        prediction = Palette()(lightness_of(1, 32, 32))
        assert prediction.logits is not None
        assert prediction.ab.abs().max() < 3
        assert prediction.logits.softmax(dim=1).max() < 1.2 / len(Palette().bins)

    def test_pictures_of_a_batch_do_not_meet(self, network: Palette) -> None:
        """Each is coloured as it would be alone."""
        lightness = lightness_of(3, 20, 24)
        together = network(lightness)
        for number in range(3):
            alone = network(lightness[[number]])
            assert torch.allclose(together.ab[[number]], alone.ab, atol=1e-3)
            assert torch.allclose(together.logits[[number]], alone.logits, atol=1e-3)

    def test_it_is_built_where_there_is_no_memory(self) -> None:
        """On the meta device, as a model's card is checked."""
        with torch.device("meta"):
            network = small_palette()
        assert network.to_ab.weight.is_meta
        assert len(network.state_dict()) == len(small_palette().state_dict())


class TestKeys:
    """Which cells are alike."""

    def test_rows_and_columns_are_among_them(self, network: Palette) -> None:
        """The same picture everywhere is told apart by place alone, and alike whatever its size."""
        even = torch.full((1, 1, 64, 96), 50.0)
        keys = network(even).keys
        assert keys.shape == (1, 1 + KEYS + 2, 16, 24)
        rows, columns = keys[0, -2:] * APART
        assert torch.allclose(rows, torch.arange(16.0)[:, None].expand(16, 24))
        assert torch.allclose(columns, torch.arange(24.0).expand(16, 24))

    def test_they_depend_on_the_picture(self, network: Palette) -> None:
        """Another picture, other keys."""
        one, other = (network(lightness_of(1, 32, side)).keys[..., :8, :8] for side in (32, 64))
        assert not torch.allclose(one, other, atol=0.1)


class TestReferences:
    """The palette of another picture."""

    def test_zeros_are_none(self, network: Palette) -> None:
        """A row of zeros beside others is a picture without a reference."""
        lightness = lightness_of(2, 32, 32)
        reference = torch.zeros(2, len(network.bins))
        assert torch.equal(network(lightness).ab, network(lightness, reference).ab)
        reference[1, 40] = 1
        without, told = network(lightness).ab, network(lightness, reference).ab
        assert torch.allclose(told[0], without[0], atol=1e-4)
        assert not torch.allclose(told[1], without[1], atol=0.1)


class TestLearning:
    """What trainings rely on."""

    def test_gradients_reach_every_parameter(self, network: Palette) -> None:
        """Nothing is built in vain."""
        network.train()
        reference = torch.rand(1, len(network.bins))
        prediction = network(lightness_of(1, 32, 32), reference)
        sum(part.square().mean() for part in prediction).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().max() > 0, name

    def test_a_missing_reference_gives_no_nan(self, network: Palette) -> None:
        """Gradients stay finite where the reference is a row of zeros."""
        reference = torch.zeros(1, len(network.bins))
        network(lightness_of(1, 16, 16), reference).ab.sum().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())

    def test_half_precision_answers_in_float32(self, network: Palette) -> None:
        """Under bf16 autocast the answer is close, of float32, and of the same bounds."""
        lightness = lightness_of(1, 32, 32)
        fine = network(lightness)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = network(lightness)
        assert all(part.dtype == torch.float32 for part in coarse)
        assert (coarse.ab - fine.ab).abs().mean() < 0.1 * fine.ab.abs().mean()
