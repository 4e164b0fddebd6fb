"""Curves and previews for TensorBoard, with a stand-in for its writer."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from napari_colorize.runs.events import Failed, Finished
from napari_colorize.training.run import run_training

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_colorize.runs.folder import RunFolder


class StandIn:
    """Keeps what it is given."""

    made: list[StandIn]

    def __init__(self, place: str, purge_step: int) -> None:
        self.place, self.purge_step, self.closed = place, purge_step, False
        self.curves: dict[str, list[int]] = {}
        self.pictures: dict[str, list[tuple[int, ...]]] = {}
        self.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """Keep the step of a value."""
        assert isinstance(value, float)
        self.curves.setdefault(name, []).append(step)

    def add_image(self, name: str, pixels: NDArray[Any], step: int, dataformats: str) -> None:
        """Keep the shape of a picture."""
        assert dataformats == "HWC"
        self.pictures.setdefault(name, []).append((step, *pixels.shape))

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Remember it."""
        self.closed = True


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list[StandIn]:
    """Put the stand-in in the place of the writer, and return all that are made."""
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    StandIn.made = []
    return StandIn.made


def test_curves_and_previews(
    make_run: Callable[..., RunFolder], writers: list[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is drawn over the steps of the training, in the run folder."""
    monkeypatch.setattr("napari_colorize.training.run.TELL_EVERY", 0.0)
    run = make_run(logger="tensorboard")
    assert isinstance(run_training(run), Finished)
    (writer,) = writers
    assert writer.place == str(run.path / "tensorboard")
    assert writer.closed
    assert writer.curves["training/loss"] == [1, 2, 3, 4, 5, 6]
    assert writer.curves["training/learning rate"] == [1, 2, 3, 4, 5, 6]
    assert writer.curves["check/PSNR"] == [3, 6]
    assert [shape[0] for shape in writer.pictures["previews/01"]] == [3, 6]
    assert writer.pictures["previews/01"][0][1:] == (16, 48, 3)


def test_none_is_written_unless_wanted(
    make_run: Callable[..., RunFolder], writers: list[StandIn]
) -> None:
    """The default writes nothing."""
    run_training(make_run())
    assert not writers


def test_a_broken_tensorboard(
    make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be loaded fails the run in words."""
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    last = run_training(make_run(logger="tensorboard"))
    assert isinstance(last, Failed)
    assert last.message.startswith("TensorBoard cannot be loaded; install it")
