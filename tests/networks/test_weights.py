"""Saving and loading weights: exact where they fit, refused with a sentence where they do not."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from made_networks import small_palette
from torch import Tensor, nn

from napari_colorize.color.gamut import gamut_bins
from napari_colorize.errors import ModelError, StorageError
from napari_colorize.files.cards import payload_hash, read_card
from napari_colorize.networks import weights
from napari_colorize.networks.palette import Palette

CARD = {"name": "tiny", "network": "tiny", "settings": {"width": 3}, "working_size": 64}


class Tiny(nn.Module):
    """One convolution and a batch norm: floats and a whole number."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width is {width}, at least 1 is wanted")
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.last = nn.Conv2d(width, 2, 1)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return ab of lightness."""
        out: Tensor = self.last(self.norm(self.first(lightness)))
        return out


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """Register the small network and return one with seeded weights."""
    monkeypatch.setitem(weights.NETWORKS, "tiny", Tiny)
    torch.manual_seed(0)
    return Tiny()


def test_a_network_comes_back(tmp_path: Path, tiny: Tiny) -> None:
    """Weights return to half precision, exactly in single; version and hash are on the card."""
    path = tmp_path / "m.safetensors"
    tiny.norm.num_batches_tracked += 2**20 + 1
    card = weights.save_network(path, tiny.to(memory_format=torch.channels_last), CARD)
    assert card == CARD | {"version": 1, "hash": payload_hash(path)}
    network, loaded = weights.load_network(path)
    assert loaded == card == read_card(path)
    assert not network.training
    for key, value in network.state_dict().items():
        want = tiny.state_dict()[key]
        assert value.dtype == want.dtype
        assert torch.equal(value, want.half().float() if want.is_floating_point() else want)
    weights.save_network(path, tiny, CARD, dtype=torch.float32)
    network, _ = weights.load_network(path)
    for key, value in network.state_dict().items():
        assert torch.equal(value, tiny.state_dict()[key])


def test_the_file_is_plain_safetensors(tmp_path: Path, tiny: Tiny) -> None:
    """The library itself reads the file, payload aligned, and no temporary file stays."""
    path = tmp_path / "new" / "m.safetensors"
    weights.save_network(path, tiny, CARD | {"license": "naïve · free"})
    assert set(safetensors.torch.load_file(path)) == set(tiny.state_dict())
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0
    assert read_card(path)["license"] == "naïve · free"
    assert [file.name for file in path.parent.iterdir()] == ["m.safetensors"]


def test_saving_twice_gives_the_same_bytes(tmp_path: Path, tiny: Tiny) -> None:
    """A model file is a function of its weights and card."""
    weights.save_network(tmp_path / "a.safetensors", tiny, CARD)
    weights.save_network(tmp_path / "b.safetensors", tiny, CARD)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_loading_leaves_the_random_numbers_alone(tmp_path: Path, tiny: Tiny) -> None:
    """A training that loads a model goes on with the numbers it would have had."""
    weights.save_network(tmp_path / "m.safetensors", tiny, CARD)
    torch.manual_seed(1)
    want = torch.rand(3)
    torch.manual_seed(1)
    weights.load_network(tmp_path / "m.safetensors")
    assert torch.equal(torch.rand(3), want)


@pytest.mark.parametrize("name", ["palette", "plain"])
def test_our_networks_are_known(tmp_path: Path, name: str) -> None:
    """They answer alike before and after."""
    network = weights.build_network(name, {})
    weights.save_network(
        tmp_path / "m.safetensors",
        network,
        {"name": "m", "network": name, "settings": {}, "working_size": 64},
        dtype=torch.float32,
    )
    loaded, _ = weights.load_network(tmp_path / "m.safetensors")
    lightness = torch.linspace(0, 100, 24 * 17).reshape(1, 1, 24, 17)
    with torch.no_grad():
        before, after = network.eval()(lightness), loaded(lightness)
    assert torch.equal(before.ab, after.ab)
    assert name == "plain" or torch.equal(before.logits, after.logits)


def test_the_prior_travels_with_the_weights(tmp_path: Path) -> None:
    """What was measured on the photographs is in the file; the bins are not, they never change."""
    network = small_palette()
    network.log_prior.copy_(torch.linspace(-9, -2, len(network.bins)))
    settings = {"widths": [16, 32, 64], "encoder": [0.25, 0.3]}
    card = {"name": "s", "network": "palette", "settings": settings, "working_size": 32}
    path = tmp_path / "s.safetensors"
    weights.save_network(path, network, card)
    loaded, _ = weights.load_network(path)
    assert isinstance(loaded, Palette)
    assert torch.equal(loaded.log_prior, network.log_prior.half().float())
    assert torch.equal(loaded.bins, gamut_bins())
    assert "bins" not in safetensors.torch.load_file(path)


@pytest.mark.parametrize(
    "settings",
    [
        {"widths": [16, 32]},
        {"widths": [8, 8, 64]},
        {"widths": 64},
        {"heads": 3},
    ],
)
def test_a_palette_that_cannot_be_built(settings: dict[str, Any]) -> None:
    """Settings of another network are refused, not half obeyed."""
    with pytest.raises(ModelError, match="network 'palette' does not take"):
        weights.build_network("palette", settings)


def save_raw(path: Path, network: nn.Module, /, **changes: Any) -> Path:
    """Save with a card that may lie about the network."""
    weights.save_network(path, network, CARD | changes)
    return path


def test_shapes_that_differ_are_both_named(tmp_path: Path, tiny: Tiny) -> None:
    """The sentence names the weight, its shape and the wanted one."""
    path = save_raw(tmp_path / "m.safetensors", tiny, settings={"width": 5})
    with pytest.raises(ModelError) as caught:
        weights.load_network(path)
    assert str(caught.value) == (
        "m.safetensors does not fit network 'tiny': first.weight has the shape (3, 1, 3, 3), "
        "the network wants (5, 1, 3, 3)."
    )


def test_absurd_settings_ask_for_no_memory(tmp_path: Path, tiny: Tiny) -> None:
    """A card that wants a network of terabytes is refused by its shapes."""
    path = save_raw(tmp_path / "m.safetensors", tiny, settings={"width": 10**11})
    with pytest.raises(ModelError, match="does not fit network 'tiny'"):
        weights.load_network(path)


def test_missing_and_superfluous_weights_are_named(tmp_path: Path, tiny: Tiny) -> None:
    """Nothing is loaded in part."""
    less = nn.Module()
    less.first = tiny.first
    with pytest.raises(ModelError, match=r"norm\.weight is missing"):
        weights.load_network(save_raw(tmp_path / "l.safetensors", less))
    tiny.extra = nn.Linear(1, 1)
    with pytest.raises(ModelError, match=r"it does not know extra\.bias"):
        weights.load_network(save_raw(tmp_path / "m.safetensors", tiny))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "huge"}, r"asks for the network 'huge'; this version knows: .*plain.*tiny"),
        ({"settings": {"depth": 2}}, "settings that the network 'tiny' does not take"),
        ({"settings": {"width": -1}}, "width is -1, at least 1 is wanted"),
    ],
)
def test_unknown_networks_and_settings(
    tmp_path: Path, tiny: Tiny, changes: dict[str, Any], message: str
) -> None:
    """The card's network and settings are checked before a weight is used."""
    with pytest.raises(ModelError, match=message):
        weights.load_network(save_raw(tmp_path / "m.safetensors", tiny, **changes))


def test_one_flipped_bit_is_damage(tmp_path: Path, tiny: Tiny) -> None:
    """The hash on the card is held against the weights."""
    path = save_raw(tmp_path / "m.safetensors", tiny)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="is damaged: its weights do not match the hash"):
        weights.load_network(path)


def test_no_pickle_is_ever_opened(tmp_path: Path) -> None:
    """A pickle, torch's own format among them, is refused unread."""
    touched = tmp_path / "touched"

    class Bad:
        """Unpickling it would make a file."""

        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (touched,))

    for path, write in (
        (tmp_path / "a.safetensors", lambda p: p.write_bytes(pickle.dumps(Bad()))),
        (tmp_path / "b.pt", lambda p: torch.save(Bad(), p)),
    ):
        write(path)
        with pytest.raises(ModelError, match="is not a model"):
            weights.load_network(path)
    assert not touched.exists()


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, tiny: Tiny) -> None:
    """NaN, and what overflows half precision, never become a file."""
    with torch.no_grad():
        tiny.last.bias[0] = 1e6
    path = tmp_path / "m.safetensors"
    with pytest.raises(ModelError, match=r"last\.bias as torch\.float16 are not all finite"):
        weights.save_network(path, tiny, CARD)
    weights.save_network(path, tiny, CARD, dtype=torch.float32)
    with torch.no_grad():
        tiny.last.bias[0] = torch.nan
    with pytest.raises(ModelError, match="are not all finite"):
        weights.save_network(path, tiny, CARD, dtype=torch.float32)


def test_a_card_must_be_whole_to_be_written(tmp_path: Path, tiny: Tiny) -> None:
    """A card without its working size is refused before anything is written."""
    with pytest.raises(ModelError, match="lacks 'working_size', so it was not written"):
        weights.save_network(
            tmp_path / "m.safetensors", tiny, {"name": "x", "network": "tiny"} | {"settings": {}}
        )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_the_model_that_was_there(
    tmp_path: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save that fails leaves the former file and nothing else."""
    path = save_raw(tmp_path / "m.safetensors", tiny)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left on device"):
        weights.save_network(path, tiny, CARD | {"name": "other"})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.safetensors"]
