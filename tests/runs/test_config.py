"""Settings are checked when they are made, and come back from JSON as they went."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.errors import TrainingError
from napari_colorize.runs.config import LOSSES, NETWORKS, PRECISIONS, TrainingConfig

texts = st.text(min_size=1).filter(str.strip)
configs = st.builds(
    TrainingConfig,
    folder=texts,
    validation=st.none() | st.text(),
    network=st.sampled_from(NETWORKS),
    loss=st.sampled_from(LOSSES),
    rebalance=st.floats(1, 1e6),
    tone=st.floats(0, 1),
    epochs=st.integers(1, 10**6),
    batch_size=st.integers(1, 4096),
    learning_rate=st.floats(1e-9, 10),
    ema=st.floats(0, 0.99999),
    seed=st.integers(0, 2**32 - 1),
    device=st.sampled_from(["auto", "cpu", "mps", "cuda", "cuda:3"]),
    precision=st.sampled_from(PRECISIONS),
    photographs=st.none() | st.integers(2, 10**9),
    checkpoint_every=st.floats(0, 1e9),
    name=st.none() | st.text(),
)


@given(configs)
def test_settings_come_back_from_json(config: TrainingConfig) -> None:
    """What to_dict wrote, from_dict reads."""
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_unknown_setting_is_refused_with_the_known_ones() -> None:
    """A misspelt setting is named, and so are those that exist."""
    with pytest.raises(TrainingError, match=r"'epoch'.*batch_size.*epochs"):
        TrainingConfig.from_dict({"folder": "x", "epoch": 3})


def test_missing_folder_is_told() -> None:
    """Settings without a folder say so."""
    with pytest.raises(TrainingError, match="folder"):
        TrainingConfig.from_dict({"epochs": 3})


def test_newer_version_asks_for_an_update() -> None:
    """Settings of a later program are not guessed at."""
    with pytest.raises(TrainingError, match=r"version 2.*update"):
        TrainingConfig.from_dict({"folder": "x", "version": 2, "novelty": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.0),
        ("epochs", True),
        ("epochs", "3"),
        ("epochs", None),
        ("batch_size", -1),
        ("crop", 4),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -0.1),
        ("ema", 1.0),
        ("rebalance", 0.5),
        ("rebalance", "much"),
        ("tone", -0.1),
        ("tone", 1.5),
        ("tone", None),
        ("seed", -1),
        ("seed", 2**32),
        ("loss", "l1"),
        ("precision", "8"),
        ("device", "gpu"),
        ("folder", "  "),
        ("folder", None),
        ("network", "vgg"),
        ("photographs", 1),
        ("version", 0),
        ("checkpoint_every", float("inf")),
    ],
)
def test_wrong_value_is_named(name: str, value: object) -> None:
    """The error names the setting and what was got."""
    with pytest.raises(TrainingError, match=rf"'{name}'.*got {value!r}"):
        TrainingConfig(**{"folder": "x", name: value})


def test_paths_and_whole_numbers_are_taken() -> None:
    """A path becomes a text, a whole number where a real one is meant becomes real."""
    config = TrainingConfig(folder=Path("a") / "b", learning_rate=1)  # type: ignore[arg-type]
    assert config.folder == str(Path("a") / "b")
    assert isinstance(config.learning_rate, float)


def test_networks_are_those_that_can_be_built() -> None:
    """The names that are known here without torch are those of the networks."""
    from napari_colorize.networks import weights

    assert set(NETWORKS) == set(weights.NETWORKS)
