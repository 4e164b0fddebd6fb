"""The presets: their settings are good ones, and their times follow from the speed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.files.cards import read_card
from napari_colorize.files.models import find_model
from napari_colorize.runs.config import NETWORKS, TrainingConfig
from napari_colorize.runs.presets import PRESETS, about, fine_tuning, fresh, seconds

KEYS = [preset.key for preset in PRESETS]
COUNTS = st.none() | st.integers(1, 10_000_000)


@given(COUNTS, st.sampled_from(KEYS))
def test_fine_tuning_keeps_to_the_model(count: int | None, key: str) -> None:
    """Network and sizes are the card's, the steps are no longer than from scratch, all is valid."""
    card = {"network": "plain", "working_size": 96, "training": {"settings": {"crop": 64}}}
    settings = fine_tuning(key, "mine", card, count)
    config = TrainingConfig(folder="photographs", **settings)
    assert (config.init, config.network) == ("mine", "plain")
    assert (config.crop, config.working_size) == (64, 96)
    assert config.learning_rate <= TrainingConfig.learning_rate


@pytest.mark.parametrize("told", [{}, {"training": None}, {"training": {"settings": {"crop": 2}}}])
def test_a_card_that_tells_little(told: dict[str, object]) -> None:
    """What it does not tell, or tells wrongly, has its default."""
    settings = fine_tuning("normal", "mine", {"network": "palette", **told})
    assert "crop" not in settings
    assert TrainingConfig(folder="-", **settings).crop == TrainingConfig.crop


def test_the_bundled_model() -> None:
    """It is fine-tuned at the sizes on its card."""
    card = read_card(find_model())
    settings = fine_tuning("normal", "palette", card, 100)
    assert settings["working_size"] == card["working_size"]
    assert settings["crop"] == card["training"]["settings"]["crop"]


@given(COUNTS, st.sampled_from(KEYS), st.sampled_from(NETWORKS))
def test_fresh_settings_are_valid(count: int | None, key: str, network: str) -> None:
    """Whatever the number of photographs; no model is the start."""
    config = TrainingConfig(folder="photographs", **fresh(key, network, count))
    assert config.network == network
    assert config.init is None


@pytest.mark.parametrize("tuned", [True, False])
@given(count=st.integers(20, 1_000_000))
def test_more_takes_longer(tuned: bool, count: int) -> None:
    """Quick try, normal and long are in this order, whatever the number of photographs."""
    card = {"network": "palette", "working_size": 96}
    all_settings = [
        fine_tuning(key, "mine", card, count) if tuned else fresh(key, "palette", count)
        for key in KEYS
    ]
    times = [seconds(settings, count, 20.0) for settings in all_settings]
    assert times == sorted(times)
    assert times[0] < times[2]


def test_a_quick_try_of_a_large_folder_takes_some_of_it() -> None:
    """A hundred thousand photographs take no longer than a thousand."""
    many, few = (fresh("quick", "palette", count) for count in (100_000, 2_000))
    assert many["photographs"] == 2_000
    assert "photographs" not in few
    # Only more of them are kept aside.
    assert seconds(many, 100_000, 20.0) < 1.2 * seconds(few, 2_000, 20.0)


def test_a_time_is_steps_over_speed() -> None:
    """Twice as fast is half the time, but for what each epoch costs beside the steps."""
    settings = {"epochs": 100, "batch_size": 32}
    slow, fast = (seconds(settings, 3200, rate) for rate in (10.0, 20.0))
    assert 100 * 3200 / 10 < slow < 1.1 * 100 * 3200 / 10
    assert slow / 2 < fast < slow / 1.8


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (3, "less than a minute"),
        (61, "about 1 minute"),
        (100, "about 1.5 minutes"),
        (370, "about 6 minutes"),
        (1500, "about 25 minutes"),
        (3500, "about 1 hour"),
        (7300, "about 2 hours"),
        (86_000, "about 1 day"),
        (30 * 86_400, "about 30 days"),
    ],
)
def test_times_in_words(duration: float, words: str) -> None:
    """No finer than they are known."""
    assert about(duration) == words
