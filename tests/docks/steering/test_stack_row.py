"""Colour the whole stack so: the button of the Steer dock, and hints in the Colorize dock."""

from __future__ import annotations

import sys
import types
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments
from napari_colorize.docks.colorize_form import WHOLE_STACK
from napari_colorize.docks.colorizing.worker import Run
from napari_colorize.docks.layers import take_source
from napari_colorize.docks.steering import opening
from napari_colorize.docks.steering.stack_hints import stack_hints
from napari_colorize.errors import Cancelled
from napari_colorize.files.models import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GINGER, BLUE = (214, 120, 50), (40, 60, 200)
STACK = np.stack([np.full((40, 60), 100 + 10 * n, np.uint8) for n in range(4)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a stand-in in the place of the engine of stacks; return what it was asked."""
    asked: dict[str, Any] = {"held": False}

    def stack_planes(stack: Any, axes: Any, **settings: Any) -> Iterator[SimpleNamespace]:
        asked.update(settings, axes=axes)
        for place, _ in axes.places():
            while asked["held"]:
                if settings["cancel"]():
                    raise Cancelled("cancelled")
            pixels = np.stack([stack[place]] * 3, axis=-1)
            yield SimpleNamespace(place=place, pixels=pixels, reason="", confidence=None)

    module = types.ModuleType("napari_colorize.stacks.api")
    module.stack_planes = stack_planes  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "napari_colorize.stacks.api", module)
    return asked


@pytest.fixture
def dock(
    steering_desk: Any, viewer: Any, asked: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """Return the Steer dock at work on a stack."""
    models = [ModelInfo("a", tmp_path / "a.safetensors", {"network": "palette"}, True)]
    for place in ("steering.picture_choice", "colorize_form"):
        monkeypatch.setattr(f"napari_colorize.docks.{place}.list_models", lambda: models)
    viewer.add_image(STACK, name="stack", contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 0)
    dock = opening.open_steer_dock(viewer)
    dock.start.click()
    session = dock.steered.session
    steering_desk.wait(lambda: session.is_ready and dock.steered.kept.file is not None)
    steering_desk.settle(session)
    yield dock
    dock.stop()


def add_hint(dock: Any, viewer: Any, desk: Any, plane: int, color: Any) -> None:
    """Click a hint into a plane."""
    viewer.dims.set_current_step(0, plane)
    desk.settle(dock.steered.session)
    layers = dock.steered.hint_layers
    layers.add_points()
    layers.set_color(color)
    layers.points.add([(plane, 10, 12)])
    layers.look()
    desk.settle(dock.steered.session)


def test_button_takes_all_that_steers(
    dock: Any, viewer: Any, steering_desk: Any, asked: dict[str, Any]
) -> None:
    """Hints of every plane, and what holds for all; the layer lies above."""
    add_hint(dock, viewer, steering_desk, 0, GINGER)
    add_hint(dock, viewer, steering_desk, 2, BLUE)
    session = dock.steered.session
    session.change(
        type(session.steering)(session.steering.hints, 0.5, None, Adjustments(warmth=0.25))
    )
    dock.stack.button.click()
    steering_desk.wait(lambda: Run.living_in(viewer) is None)
    assert (asked["steering"].vividness, asked["steering"].adjustments.warmth) == (0.5, 0.25)
    assert asked["steering"].hints == ()
    assert {place: [hint.color for hint in hints] for place, hints in asked["hints"].items()} == {
        (0,): [GINGER],
        (2,): [BLUE],
    }
    assert asked["coherent"] is True
    assert viewer.layers[-1].data.shape == (4, 40, 60, 3)
    assert dock.stack.note.told().endswith("It lies above: hide it to go on steering.")
    assert dock.stack.button.text() == "Colour the whole stack so"


def test_it_can_be_cancelled(
    dock: Any, viewer: Any, steering_desk: Any, asked: dict[str, Any]
) -> None:
    """The same button ends it, and an open Colorize dock watches it."""
    colorize = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]
    asked["held"] = True
    dock.stack.button.click()
    steering_desk.wait(lambda: "axes" in asked)
    assert dock.stack.button.text() == "Cancel the whole stack"
    assert not colorize.run.enabled
    dock.stack.button.click()
    steering_desk.wait(lambda: Run.living_in(viewer) is None)
    assert dock.stack.note.told() == "Cancelled."
    assert colorize.status.value == "Cancelled."
    assert colorize.run.enabled


def test_pictures_have_no_such_button(dock: Any, viewer: Any, steering_desk: Any) -> None:
    """There is no stack to colour."""
    assert not dock.stack.isHidden()
    picture = viewer.add_image(STACK[0], name="picture")
    dock.steer(picture)
    steering_desk.settle(dock.steered.session)
    assert dock.stack.isHidden()


def test_colorize_dock_takes_hints_along(
    dock: Any, viewer: Any, steering_desk: Any, asked: dict[str, Any]
) -> None:
    """Also those that the Steer dock left behind; they can be left out."""
    add_hint(dock, viewer, steering_desk, 1, GINGER)
    source = take_source(viewer, viewer.layers["stack"], whole=True)
    steered = stack_hints(viewer, source)
    dock.stop()
    left = stack_hints(viewer, source)
    assert [*steered] == [*left] == [(1,)]
    for found in (steered, left):
        (hint,) = found[(1,)]
        assert isinstance(hint, Hint)
        assert (round(hint.y), round(hint.x), hint.color) == (10, 12, GINGER)
    colorize = viewer.window.add_plugin_dock_widget("napari-colorize", "Colorize")[1]
    colorize.form.layers.value = [viewer.layers["stack"]]
    colorize.form.planes.value = WHOLE_STACK
    assert colorize.form.stack.hints.text == "With 1 hint on 1 plane"
    colorize.run.native.click()
    steering_desk.wait(lambda: Run.living_in(viewer) is None)
    assert [*asked["hints"]] == [(1,)]
    colorize.form.stack.hints.value = False
    assert colorize.form.order().sources[0].hints == {}
