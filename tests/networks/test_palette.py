"""The default network: sizes, hints, references, precision and what learns."""

from __future__ import annotations

import pytest
import torch
from made_networks import small_palette
from torch import Tensor

from napari_colorize.networks.palette import AB_RANGE, CELL, STRIDE, Palette


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


def one_hint(height: int, width: int, row: int, column: int) -> Tensor:
    """Return hint planes with one cell that is to be red."""
    planes = torch.zeros(1, 3, height, width)
    planes[0, :, row, column] = torch.tensor([60.0, 40.0, 1.0])
    return planes


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


class TestHints:
    """What a person says."""

    def test_they_come_behind_the_encoder(self, network: Palette) -> None:
        """Kept features and hints give what the whole network gives."""
        lightness, hints = lightness_of(1, 32, 48), one_hint(8, 12, 4, 5)
        features = network.encode(lightness)
        kept = [part.clone() for part in features]
        whole, late = network(lightness, hints), network.decode(features, hints)
        assert torch.equal(whole.ab, late.ab)
        assert torch.equal(whole.logits, late.logits)
        assert all(torch.equal(a, b) for a, b in zip(features, kept, strict=True))
        assert not torch.allclose(whole.ab, network.decode(features).ab, atol=0.1)

    def test_no_hints_are_empty_planes(self, network: Palette) -> None:
        """That is how training shows pictures without hints; the biases of hints count too."""
        for height, width in ((32, 48), (19, 35)):
            lightness = lightness_of(1, height, width)
            without = network(lightness)
            empty = network(lightness, torch.zeros(1, 3, -(-height // CELL), -(-width // CELL)))
            assert torch.equal(without.ab, empty.ab)
            assert torch.equal(without.logits, empty.logits)

    def test_planes_of_the_picture_are_padded(self, network: Palette) -> None:
        """Planes of the picture's cells do what planes of all cells do."""
        lightness = lightness_of(1, 20, 24)
        small, full = one_hint(5, 6, 3, 4), one_hint(8, 8, 3, 4)
        assert torch.equal(network(lightness, small).ab, network(lightness, full).ab)

    def test_planes_are_not_changed(self, network: Palette) -> None:
        """Nor is a reference."""
        hints, reference = one_hint(8, 8, 1, 1), torch.full((1, len(network.bins)), 0.1)
        before = hints.clone(), reference.clone()
        network(lightness_of(1, 32, 32), hints, reference)
        assert torch.equal(hints, before[0])
        assert torch.equal(reference, before[1])


class TestReferences:
    """The palette of another picture."""

    def test_zeros_are_none(self, network: Palette) -> None:
        """A row of zeros beside others is a picture without a reference."""
        lightness = lightness_of(2, 32, 32)
        reference = torch.zeros(2, len(network.bins))
        assert torch.equal(network(lightness).ab, network(lightness, None, reference).ab)
        reference[1, 40] = 1
        without, told = network(lightness).ab, network(lightness, None, reference).ab
        assert torch.allclose(told[0], without[0], atol=1e-4)
        assert not torch.allclose(told[1], without[1], atol=0.1)


class TestLearning:
    """What trainings rely on."""

    def test_twice_is_two_answers_after_one_look(
        self, network: Palette, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`times=2` gives the batch with the first half of the hints, then with the second."""
        lightness = lightness_of(2, 16, 16)
        hints = torch.cat((torch.zeros(2, 3, 4, 4), one_hint(4, 4, 1, 2).expand(2, -1, -1, -1)))
        looks: list[Tensor] = []
        encode = network.encode
        monkeypatch.setattr(network, "encode", lambda seen: looks.append(seen) or encode(seen))
        both = network(lightness, hints, times=2)
        assert len(looks) == 1
        wanted = torch.cat([network.decode(encode(lightness), half).ab for half in hints.split(2)])
        assert torch.allclose(both.ab, wanted, atol=1e-3)

    def test_gradients_reach_every_parameter(self, network: Palette) -> None:
        """Nothing is built in vain."""
        network.train()
        reference = torch.rand(1, len(network.bins))
        prediction = network(lightness_of(1, 32, 32), one_hint(8, 8, 3, 3), reference)
        (prediction.ab.square().mean() + prediction.logits[:, 7].square().mean()).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().max() > 0, name

    def test_a_missing_reference_gives_no_nan(self, network: Palette) -> None:
        """Gradients stay finite where the reference is a row of zeros."""
        reference = torch.zeros(1, len(network.bins))
        network(lightness_of(1, 16, 16), None, reference).ab.sum().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())

    def test_half_precision_answers_in_float32(self, network: Palette) -> None:
        """Under bf16 autocast the answer is close, of float32, and of the same bounds."""
        lightness, hints = lightness_of(1, 32, 32), one_hint(8, 8, 3, 3)
        fine = network(lightness, hints)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = network(lightness, hints)
        assert coarse.ab.dtype == coarse.logits.dtype == torch.float32
        assert (coarse.ab - fine.ab).abs().mean() < 0.1 * fine.ab.abs().mean()
