"""What a card says of vividness: nothing, a number, or nonsense."""

from __future__ import annotations

import json
from typing import Any

import pytest

from napari_colorize.errors import ModelError
from napari_colorize.files.cards import VIVIDNESS, card_of_header, default_vividness

CARD = {
    "version": 1,
    "name": "tiny",
    "network": "palette",
    "settings": {},
    "working_size": 48,
    "hash": "ab" * 32,
}


def checked(**more: Any) -> dict[str, Any]:
    """Return the card as it is read out of a header."""
    return card_of_header({"__metadata__": {"card": json.dumps(CARD | more)}}, "tiny")


def test_default_vividness() -> None:
    """The card's, else the common one; none where there is one colour a place."""
    assert default_vividness(checked()) == VIVIDNESS
    assert default_vividness(checked(vividness=0)) == 0
    assert default_vividness(checked(vividness=0.43)) == 0.43
    assert default_vividness(checked(network="plain")) is None
    assert default_vividness(checked(network="plain", vividness=0.43)) is None


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), "much", None, [0.5]])
def test_vividness_that_is_none(value: object) -> None:
    """A card that tells no number from 0 to 1 is refused when the model is opened, not later."""
    with pytest.raises(ModelError, match="no usable vividness"):
        checked(vividness=value)
