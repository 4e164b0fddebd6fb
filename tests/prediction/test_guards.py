"""Cancelling a network at work, and errors for people."""

from __future__ import annotations

import itertools

import pytest
import torch
from made_networks import small_palette
from torch import nn

from napari_colorize.errors import Cancelled, ColorizeError, PictureError
from napari_colorize.prediction.guards import cancellable, leave_if, mapped_errors


class TestCancellable:
    """Asking between layers."""

    def test_every_layer_asks(self) -> None:
        """Once before each of four; nothing is left behind afterwards."""
        network = nn.Sequential(nn.Identity(), nn.Sequential(nn.ReLU(), nn.ReLU()), nn.Identity())
        asked = itertools.count()
        with cancellable(network, lambda: next(asked) < 0):
            network(torch.zeros(1))
        assert next(asked) == 4
        network(torch.zeros(1))
        assert next(asked) == 5

    def test_a_wish_ends_the_network(self) -> None:
        """Also in its last layers; afterwards it answers again."""
        network, asked = small_palette(), itertools.count()
        lightness = torch.zeros(1, 1, 32, 32)
        with cancellable(network, lambda: next(asked) < 0):
            network(lightness)
        layers = next(asked)
        for turn in (0, layers // 2, layers - 1):
            turns = itertools.count()
            with pytest.raises(Cancelled), cancellable(network, lambda: next(turns) >= turn):  # noqa: B023
                network(lightness)
        assert network(lightness).ab.shape == (1, 2, 8, 8)

    def test_nobody_asks(self) -> None:
        """Without a way to cancel no layer is slowed."""
        network = nn.ReLU()
        with cancellable(network, None):
            assert not network._forward_pre_hooks

    def test_leave_if(self) -> None:
        """Only a yes is a yes."""
        leave_if(None)
        leave_if(lambda: False)
        with pytest.raises(Cancelled):
            leave_if(lambda: True)


class TestMappedErrors:
    """What torch raises."""

    @pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory")])
    def test_a_lack_of_memory(self, error: Exception) -> None:
        """With what to do about it."""
        with (
            pytest.raises(ColorizeError, match="memory does not suffice") as caught,
            mapped_errors(),
        ):
            raise error
        assert caught.value.__cause__ is error

    def test_any_other(self) -> None:
        """Told as it is, and no RuntimeError."""
        wanted = pytest.raises(ColorizeError, match="could not be coloured: odd")
        with wanted as caught, mapped_errors():
            raise RuntimeError("odd")
        assert not isinstance(caught.value, RuntimeError)

    def test_our_own_pass(self) -> None:
        """They are for people already."""
        with pytest.raises(PictureError, match=r"^mine$"), mapped_errors():
            raise PictureError("mine")
