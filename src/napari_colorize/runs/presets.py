"""What is offered without a thought: a quick try, a normal and a long training, and their times.

How long a training takes depends on how many crops it looks at, not on how many photographs there
are: a preset names the former, and the epochs follow from the photographs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_colorize.runs.config import TrainingConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

# While nobody knows how many photographs there are.
ASSUMED_PHOTOGRAPHS = 1000
# Share of the photographs that is coloured after every epoch, and what that costs beside a step:
# it has no way back. As in `napari_colorize.training.data`.
_LOOKED_AT, _LOOKED_AT_LIMIT, _COST_OF_A_LOOK = 0.11, 700, 0.4
# Seconds to start, and to write models, previews and checkpoint after an epoch.
_START, _WRITING = 10.0, 2.0
# Models are trained on pieces of at least so many pixels.
_LEAST_SIDE = 16


@dataclass(frozen=True)
class Amount:
    """How much is trained.

    Attributes
    ----------
    crops
        Pieces of photographs that are looked at in all.
    fewest, most
        Epochs that this may come to, where there are very many or very few photographs.
    photographs
        No more than so many photographs are used; None uses all.
    """

    crops: int
    fewest: int
    most: int
    photographs: int | None = None


@dataclass(frozen=True)
class Preset:
    """One of the three ways that are offered, with what to expect of it in words."""

    key: str
    label: str
    fine_tuning: str
    fresh: str


PRESETS = (
    Preset(
        "quick",
        "Quick try",
        "Shows whether your photographs can be learned from; the colours change a little.",
        "Shows that all works; the colours will be poor.",
    ),
    Preset(
        "normal",
        "Normal",
        "The model learns how the things in your photographs are coloured.",
        "Sky, grass and skin get their colours; far from as good as fine-tuning.",
    ),
    Preset(
        "long",
        "Long",
        "For thousands of photographs, or when Normal still gets better at its end.",
        "For many thousands of photographs; best left to a GPU.",
    ),
)

# The one table of numbers: how much, and with which settings.
_AMOUNTS: dict[tuple[str, bool], Amount] = {
    ("quick", True): Amount(2_000, 2, 20, 1_000),
    ("normal", True): Amount(20_000, 4, 100),
    ("long", True): Amount(100_000, 10, 300),
    ("quick", False): Amount(10_000, 4, 60, 2_000),
    ("normal", False): Amount(200_000, 10, 400),
    ("long", False): Amount(1_000_000, 20, 1_000),
}
_SETTINGS: dict[tuple[str, bool], dict[str, Any]] = {
    ("quick", True): {"learning_rate": 1e-3, "tone": 0.3},
    ("normal", True): {"learning_rate": 5e-4, "tone": 0.3},
    ("long", True): {"learning_rate": 5e-4, "tone": 0.3},
    ("quick", False): {"crop": 64, "working_size": 80},
    ("normal", False): {},
    ("long", False): {},
}


def fine_tuning(
    key: str, model: str, card: Mapping[str, Any], photographs: int | None = None
) -> dict[str, Any]:
    """Return the settings that teach a model more.

    Parameters
    ----------
    key
        ``"quick"``, ``"normal"`` or ``"long"``.
    model
        Name or file of the model.
    card
        Its card: which network it is, and at which sizes it learned.
    photographs
        How many there are to learn from, None while that is not known.
    """
    sides = {"crop": _learned_crop(card), "working_size": _side(card.get("working_size"))}
    return {
        "init": model,
        "network": card["network"],
        **{name: side for name, side in sides.items() if side is not None},
        **_SETTINGS[key, True],
        **_amount(_AMOUNTS[key, True], photographs),
    }


def fresh(key: str, network: str, photographs: int | None = None) -> dict[str, Any]:
    """Return the settings that train a network which knows nothing yet; see `fine_tuning`."""
    amount = _amount(_AMOUNTS[key, False], photographs)
    return {"network": network, **_SETTINGS[key, False], **amount}


def seconds(settings: Mapping[str, Any], photographs: int | None, rate: float) -> float:
    """Return how long a training will take, in seconds, without the reading of the photographs.

    Parameters
    ----------
    settings
        Those of the training; the others have their defaults.
    photographs
        How many there are to learn from, None while that is not known.
    rate
        Photographs a second that this machine trains on with these settings.
    """
    there = photographs or ASSUMED_PHOTOGRAPHS
    used = min(there, settings.get("photographs") or there)
    batch = min(settings.get("batch_size", TrainingConfig.batch_size), used)
    learned = math.ceil(used / batch) * batch  # the last batch is filled up
    looked_at = min(there * _LOOKED_AT, _LOOKED_AT_LIMIT) * _COST_OF_A_LOOK
    epoch = (learned + looked_at) / rate + _WRITING
    return float(_START + settings.get("epochs", TrainingConfig.epochs) * epoch)


def _amount(amount: Amount, photographs: int | None) -> dict[str, Any]:
    """Return the epochs, and the limit of photographs where it matters."""
    there = photographs or ASSUMED_PHOTOGRAPHS
    limit = amount.photographs
    used = there if limit is None else min(there, limit)
    epochs = min(max(round(amount.crops / used), amount.fewest), amount.most)
    return {"epochs": epochs} | ({"photographs": limit} if there > used else {})


def _learned_crop(card: Mapping[str, Any]) -> int | None:
    """Return the side of the crops that a model learned from, None where its card does not tell."""
    training = card.get("training")
    settings = training.get("settings") if isinstance(training, dict) else None
    return _side(settings.get("crop")) if isinstance(settings, dict) else None


def _side(value: Any) -> int | None:
    """Return a number of pixels from a card, None if it is none."""
    good = isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST_SIDE
    return value if good else None


def about(duration: float) -> str:
    """Return a time in seconds in words, no finer than it is known: ``"about 6 minutes"``."""
    if duration < 50:
        return "less than a minute"
    for most, unit, size in ((55, "minute", 60), (22, "hour", 3600), (math.inf, "day", 86400)):
        count = _coarse(duration / size)
        if count <= most:
            return f"about {count:g} {unit}{'' if count == 1 else 's'}"
    return "very long"


def _coarse(value: float) -> float:
    """Return a number with the digits that an estimate deserves."""
    if value < 1:
        return 1
    if value < 2.75:
        return round(value * 2) / 2
    return round(value) if value < 12 else 5 * round(value / 5)
