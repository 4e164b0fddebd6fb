"""Open layers and their regions as what is learned from, chosen as a person does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers import Image, Shapes

from napari_colorize.docks.setup.layer_pictures import put_into
from napari_colorize.docks.setup.photograph_check import _Look
from napari_colorize.errors import DataError
from napari_colorize.files.cache import cache_folder
from napari_colorize.files.pictures import read_picture

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from made_person import Person


def test_open_layers_can_be_learned_from(
    person: Person, make_photograph: Callable[..., Any], tmp_path: Path
) -> None:
    """Ticked layers are read, looked at, and written where they are wanted."""
    field, viewer = person.field, person.viewer
    field.from_layers.setChecked(True)
    assert "No colour (RGB) layer is open" in person.text(field.reason)
    stack = np.stack([make_photograph(i) for i in range(24)])
    viewer.add_layer(Image(stack, rgb=True, name="flowers"))
    viewer.add_layer(Image(stack[0, ..., 0], name="grey"))
    viewer.add_layer(Image(stack[0], rgb=True, metadata={"napari_colorize": {}}))
    assert field.layers.list.count() == 1
    assert field.layers.list.item(0).text() == "flowers  (24 planes of 96 × 80)"
    assert field.problem() == "Tick the layers to learn from."
    with pytest.raises(DataError, match="Tick the layers"):
        field.pictures()
    person.tick(0)
    assert field.problem() == "The layers are being read…"
    person.wait_for_end()
    assert (field.folder, field.usable, field.problem()) == (None, 22, "")
    target = tmp_path / "run" / "photographs"
    put_into(field.pictures(), target)
    files = sorted(target.iterdir())
    assert [path.name for path in files[:1]] == ["01-flowers-plane-0000.png"]
    for path, plane in zip(files, stack, strict=True):
        np.testing.assert_array_equal(read_picture(path).pixels, plane)
    field.stop()
    person.wait(lambda: not list(cache_folder().glob("layers-*")))
    assert len(list(target.iterdir())) == 24


def test_list_of_layers_follows_the_viewer(
    person: Person, make_photograph: Callable[..., Any]
) -> None:
    """Layers come, go, move and get other names; ticks stay with their layers."""
    field, viewer = person.field, person.viewer
    one, two = (
        viewer.add_layer(Image(make_photograph(i), rgb=True, name=name))
        for i, name in ((1, "one"), (2, "two"))
    )
    field.from_layers.setChecked(True)
    person.tick(0)
    assert field.layers.ticked() == [two]
    viewer.layers.move(1, 0)
    one.name = "first"
    texts = [field.layers.list.item(row).text() for row in range(2)]
    assert texts == ["first  (96 × 80)", "two  (96 × 80)"]
    assert field.layers.ticked() == [two]
    person.wait_for_end()
    changed: list[bool] = []
    field.changed.connect(lambda: changed.append(True))
    viewer.layers.remove(one)
    assert not changed
    two.data = make_photograph(3, 90, 70)
    assert changed
    assert field.layers.list.item(0).text() == "two  (70 × 90)"
    viewer.layers.remove(two)
    assert "No colour (RGB) layer is open" in field.problem()
    assert not field._timer.isActive()


def test_layer_that_goes_while_it_is_read(
    person: Person, make_photograph: Callable[..., Any], held: threading.Event
) -> None:
    """A ticked layer that is removed under the look is no longer asked about."""
    field = person.field
    layer = person.viewer.add_layer(Image(make_photograph(1), rgb=True))
    field.from_layers.setChecked(True)
    person.tick(0)
    person.wait(lambda: field._check.busy)
    person.viewer.layers.remove(layer)
    assert not field._check.busy
    assert "No colour (RGB) layer is open" in person.text(field.reason)
    person.wait(lambda: not _Look._living)
    person.wait(lambda: not list(cache_folder().glob("layers-*")))


def test_regions_can_be_learned_from(
    person: Person, make_photograph: Callable[..., Any], tmp_path: Path
) -> None:
    """Only what is drawn is taken; what is drawn next is taken too."""
    field, viewer = person.field, person.viewer
    stack = np.stack([make_photograph(i, 200, 200) for i in range(24)])
    viewer.add_layer(Image(stack, rgb=True, name="s"))
    shapes = viewer.add_layer(Shapes(ndim=2, name="drawn"))
    field.from_layers.setChecked(True)
    person.tick(0)
    person.choose_regions(1)
    assert field.problem() == "No region is drawn in 'drawn' yet."
    shapes.add_rectangles(np.array([[20, 20], [120, 120]]))
    person.wait_for_end()
    assert field.usable is not None
    assert field.usable > 15
    shapes.add_rectangles(np.array([[-90, 0], [-20, 80]]))
    person.wait_for_end()
    assert "1 outside the picture" in person.text(field.box.why)
    assert field.problem() == ""
    for path in field.pictures().iterdir():
        assert read_picture(path).pixels.shape == (100, 100, 3)
    viewer.layers.remove(shapes)
    person.wait_for_end()
    assert field.layers.regions.currentText() == "Whole pictures"
    assert (field.usable, field.problem()) == (22, "")


def test_field_tells_when_no_region_can_be_used(
    person: Person, make_photograph: Callable[..., Any]
) -> None:
    """All regions outside of the picture: that is said, and there is nothing to train on."""
    field, viewer = person.field, person.viewer
    viewer.add_layer(Image(make_photograph(1), rgb=True))
    viewer.add_layer(Shapes([np.array([[-50, -50], [-10, -10]])], shape_type="rectangle"))
    field.from_layers.setChecked(True)
    person.tick(0)
    person.choose_regions(1)
    person.wait_for_end()
    assert person.text(field.reason) == (
        "No picture of these layers can be used: 1 outside the picture."
    )


def test_all_layers_can_be_ticked_at_once(
    person: Person, make_photograph: Callable[..., Any]
) -> None:
    """One button ticks all, and none when all are ticked; the choice changes once."""
    field = person.field
    for number in range(3):
        person.viewer.add_layer(Image(make_photograph(number), rgb=True))
    field.from_layers.setChecked(True)
    person.tick(1)
    changed: list[bool] = []
    field.changed.connect(lambda: changed.append(True))
    field.layers.all.click()
    assert len(field.layers.ticked()) == 3
    field.layers.all.click()
    assert field.layers.ticked() == []
    assert len(changed) == 2
