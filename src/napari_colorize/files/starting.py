"""What a training starts from: a model brings its network along."""

from __future__ import annotations

from typing import Any

from napari_colorize.errors import RunError
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import find_model


def with_network_of_init(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a training with the network of the model that it starts from.

    Parameters
    ----------
    settings
        Those that were given; without ``"init"`` they are returned as they are.

    Raises
    ------
    ModelError
        If there is no such model, or it is broken.
    RunError
        If another network is asked for than the model's.
    """
    init = settings.get("init")
    if init is None:
        return settings
    network = read_card(find_model(init))["network"]
    wanted = settings.get("network", network)
    if wanted != network:
        raise RunError(
            f"The model {init} is of the network {network!r}, not {wanted!r}: leave the network "
            "out or start from another model."
        )
    return settings | {"network": network}
