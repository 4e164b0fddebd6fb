"""Layers become arrays, plane by plane, and arrays become layers that lie on their sources."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points

from napari_colorize.docks.layers import (
    Facts,
    confidence_layer,
    is_result,
    refusal,
    result_layer,
    take_source,
    workable_layers,
)
from napari_colorize.errors import PictureError

FACTS = Facts("plain", "ab" * 32, {"device": "cpu"})
STACK = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)


def shown(*layers, ndisplay=2):
    """Return a viewer model with layers, every slider at its first step."""
    viewer = ViewerModel(ndisplay=ndisplay)
    for layer in layers:
        viewer.add_layer(layer)
    viewer.dims.current_step = (0,) * viewer.dims.ndim
    return viewer


def coloured(source):
    """Return a result layer whose red is the source's values, as a run would make it."""
    pixels = np.zeros(source.result_shape, np.uint8)
    for key, place in source.cuts():
        plane = source.read(key)
        pixels[place] = plane if source.rgb else plane[..., None]
    return result_layer(source, pixels, FACTS)


@pytest.mark.parametrize(
    ("layer", "part"),
    [
        (Points(np.zeros((1, 2)), name="dots"), "'dots' is a Points layer"),
        (Labels(np.ones((4, 4), int), name="cells"), "'cells' is a Labels layer"),
    ],
)
def test_refusal_says_why(layer, part):
    """What cannot be coloured is not offered, and the reason names the layer."""
    assert part in refusal(layer)
    assert workable_layers(shown(layer)) == []
    with pytest.raises(PictureError, match=part.split()[-1]):
        take_source(shown(layer), layer, whole=False)


def test_offers_grey_and_colour_layers_topmost_first():
    """Image layers of any number of axes are offered, colours among them."""
    below, above = Image(STACK), Image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    assert workable_layers(shown(below, above)) == [above, below]


def test_plane_in_view_is_read():
    """Of a stack the plane under the slider is taken, with the layer's contrast limits."""
    layer = Image(STACK, contrast_limits=(10, 90))
    viewer = shown(layer)
    viewer.dims.current_step = (2, 0, 0)
    source = take_source(viewer, layer, whole=False)
    [(key, place)] = source.cuts()
    np.testing.assert_array_equal(source.read(key), STACK[2])
    assert (place, source.contrast_limits, source.result_shape) == ((), (10, 90), (5, 6, 3))
    assert coloured(source).ndim == 2


def test_whole_stack_is_read_plane_by_plane():
    """Each plane of a stack lands in its place of the result."""
    layer = Image(np.stack([STACK, STACK + 7]))
    source = take_source(shown(layer), layer, whole=True)
    assert (source.planes, source.result_shape) == (8, (2, 4, 5, 6, 3))
    np.testing.assert_array_equal(coloured(source).data[..., 1], layer.data)


def test_one_plane_of_a_lazy_stack_computes_one_plane():
    """A dask stack is never read as a whole."""
    read = []

    def block(block_info):
        place = block_info[None]["chunk-location"]
        read.append(place)
        return np.full((1, 5, 6), place[0], np.uint8)

    data = da.map_blocks(block, chunks=((1,) * 200, 5, 6), dtype=np.uint8, meta=np.empty((0, 0, 0)))
    layer = Image(data, contrast_limits=(0, 255))
    viewer = shown(layer)
    viewer.dims.current_step = (40, 0, 0)
    read.clear()
    source = take_source(viewer, layer, whole=False)
    [(key, _)] = source.cuts()
    assert source.read(key)[0, 0] == 40
    assert read == [(40, 0, 0)]


def test_multiscale_gives_full_resolution():
    """Of a pyramid the finest level is coloured."""
    fine = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    layer = Image([fine, fine[::2, ::2]], multiscale=True, scale=(2, 3))
    source = take_source(shown(layer), layer, whole=False)
    [(key, _)] = source.cuts()
    np.testing.assert_array_equal(source.read(key), fine)


def test_colour_layer_keeps_its_channels_and_has_no_limits():
    """A colour layer is handed over with its channels; its lightness is found from them."""
    layer = Image(np.zeros((3, 5, 6, 4), np.uint8), rgb=True)
    viewer = shown(layer)
    source = take_source(viewer, layer, whole=False)
    [(key, _)] = source.cuts()
    assert source.read(key).shape == (5, 6, 4)
    assert source.contrast_limits is None
    assert take_source(viewer, layer, whole=True).result_shape == (3, 5, 6, 3)


def test_plane_follows_scale_translation_and_units():
    """The slider stands in world units of the viewer; the plane is the one napari draws."""
    layer = Image(STACK, scale=(2, 1, 1), translate=(10, 0, 0), units=("um", "um", "um"))
    viewer = shown(layer)
    viewer.dims.set_point(0, 14)
    assert take_source(viewer, layer, whole=False).place == (2, 0, 0)
    viewer.add_layer(Image(STACK, scale=(0.001, 1, 1), units=("mm", "um", "um")))
    viewer.dims.set_point(0, 16)
    assert take_source(viewer, layer, whole=False).place == (3, 0, 0)


def test_slider_outside_the_layer_is_told():
    """Where a layer has no plane there is nothing to colour."""
    short, long = Image(STACK, name="short"), Image(np.zeros((9, 5, 6), np.uint8))
    viewer = shown(short, long)
    viewer.dims.current_step = (8, 0, 0)
    with pytest.raises(PictureError, match="'short' has no plane where the sliders stand"):
        take_source(viewer, short, whole=False)
    assert take_source(viewer, short, whole=True).planes == 4


def test_layer_that_has_left_is_told():
    """While a viewer is being emptied, its sliders go before those who listen to them."""
    layer = Image(STACK, name="stack")
    viewer = shown(layer)
    viewer.layers.clear()
    with pytest.raises(PictureError, match="'stack' is not in the viewer any more"):
        take_source(viewer, layer, whole=False)


def test_layer_with_fewer_axes_than_the_viewer():
    """A flat layer beside a stack is coloured wherever the slider stands."""
    flat = Image(STACK[0])
    viewer = shown(flat, Image(STACK))
    viewer.dims.current_step = (3, 0, 0)
    source = take_source(viewer, flat, whole=False)
    np.testing.assert_array_equal(coloured(source).data[..., 0], STACK[0])


def turned(ndim):
    """Return a full rotation, shear, scale, translation and affine of *ndim* axes, with units."""
    rng = np.random.default_rng(ndim)
    rotate, _ = np.linalg.qr(rng.normal(size=(ndim, ndim)))
    rotate[0] *= np.sign(np.linalg.det(rotate))
    affine = np.eye(ndim + 1)
    affine[:-1] += rng.normal(scale=0.2, size=(ndim, ndim + 1))
    return {
        "scale": rng.uniform(0.5, 3, ndim),
        "translate": rng.normal(size=ndim),
        "rotate": rotate,
        "shear": rng.normal(scale=0.3, size=ndim * (ndim - 1) // 2),
        "affine": affine,
        "units": ("s", "um", "um", "um")[-ndim:],
        "axis_labels": ("t", "z", "y", "x")[-ndim:],
    }


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_whole_result_lies_on_its_source(ndim):
    """Every part of the geometry is the source's: each point has the same place in the world."""
    layer = Image(np.zeros((2, 3, 5, 6)[-ndim:], np.float32), **turned(ndim))
    result = coloured(take_source(shown(layer), layer, whole=True))
    assert (result.units, result.axis_labels) == (layer.units, layer.axis_labels)
    for name in ("scale", "translate", "rotate", "shear"):
        np.testing.assert_allclose(getattr(result, name), getattr(layer, name), atol=1e-9)
    for point in np.random.default_rng(0).uniform(0, 6, (5, ndim)):
        np.testing.assert_allclose(result.data_to_world(point), layer.data_to_world(point))


def test_plane_keeps_its_part_of_the_geometry():
    """A plane out of a stack is scaled, turned, sheared and moved as the stack is in its axes."""
    flat = turned(2)
    affine, rotate = np.eye(4), np.eye(3)
    affine[1:, 1:], rotate[1:, 1:] = flat["affine"], flat["rotate"]
    layer = Image(
        STACK,
        scale=(5, *flat["scale"]),
        translate=(7, *flat["translate"]),
        rotate=rotate,
        shear=(0, 0, flat["shear"][0]),
        affine=affine,
        units=("s", "um", "um"),
        axis_labels=("t", "y", "x"),
    )
    result = coloured(take_source(shown(layer), layer, whole=False))
    assert (result.axis_labels, [str(unit) for unit in result.units]) == (
        ("y", "x"),
        ["micrometer", "micrometer"],
    )
    np.testing.assert_allclose(result.scale, flat["scale"])
    for point in [(0, 0), (3, 1.5), (4, 5)]:
        there = layer.data_to_world((0, *point))[1:]
        np.testing.assert_allclose(result.data_to_world(point), there)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_plane_of_an_obliquely_turned_stack_lies_where_it_is_drawn():
    """napari draws the part of the turn that stays in the plane; the result has just that."""
    layer = Image(STACK, **turned(3))
    viewer = shown(layer)
    viewer.dims.set_point(0, float(layer.extent.world[:, 0].mean()))
    source = take_source(viewer, layer, whole=False)
    result = coloured(source)
    drawn = layer._transforms[1:].simplified.set_slice([1, 2])
    for point in [(0, 0), (3, 1.5), (4, 5)]:
        np.testing.assert_allclose(result.data_to_world(point), drawn(point))
    np.testing.assert_array_equal(source.read(next(source.cuts())[0]), layer._slice.image.raw)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_plane_along_other_axes_lies_in_its_place(order):
    """Seen from the side, a plane is read along the axes in view and stays in the volume."""
    layer = Image(STACK, scale=(2, 3, 4), translate=(1, 2, 3), rotate=np.diag([1, -1, -1]))
    viewer = shown(layer)
    viewer.dims.order = order
    viewer.dims.set_point(order[0], float(np.asarray(layer.data_to_world((1, 1, 1)))[order[0]]))
    source = take_source(viewer, layer, whole=False)
    result = coloured(source)
    np.testing.assert_array_equal(np.squeeze(result.data[..., 0]), np.take(STACK, 1, axis=order[0]))
    place = [1 if axis == order[0] else 0 for axis in range(3)]
    corner = layer.data_to_world(place)[-result.ndim :]
    np.testing.assert_allclose(result.data_to_world((0,) * result.ndim), corner)


def test_three_dimensional_view_takes_the_last_two_axes():
    """In the 3-D view a plane is still one of the last two axes in view."""
    layer = Image(STACK)
    viewer = shown(layer, ndisplay=3)
    source = take_source(viewer, layer, whole=False)
    assert source.result_shape == (5, 6, 3)


def test_result_is_named_recorded_and_never_overwrites():
    """The name follows the source's name of now, the record tells how it was made."""
    layer = Image(STACK[0], name="cell", contrast_limits=(3, 80), colormap="magma", gamma=0.4)
    viewer = shown(layer)
    source = take_source(viewer, layer, whole=False)
    layer.name = "nucleus"
    first, second = (viewer.add_layer(coloured(source)) for _ in range(2))
    assert (first.name, second.name) == ("nucleus [colorized]", "nucleus [colorized] [1]")
    record = first.metadata["napari_colorize"]
    assert (record["model"], record["hash"], record["source"]) == ("plain", "ab" * 32, "nucleus")
    assert record["settings"] == {"device": "cpu", "plane": None, "contrast_limits": [3, 80]}
    assert record["version"]
    assert first.rgb
    assert (first.gamma, first.blending, first.contrast_limits) == (1, "translucent", [0, 255])
    assert is_result(first)
    assert not is_result(layer)


def test_confidence_lies_on_its_source_and_is_no_new_source():
    """It shows 0..1 as they are, in the place of the picture, and is not offered by itself."""
    layer = Image(STACK, name="cell", scale=(5, 2, 3), translate=(1, 2, 3))
    source = take_source(shown(layer), layer, whole=True)
    sure = np.linspace(0.2, 0.4, STACK.size, dtype=np.float32).reshape(STACK.shape)
    result = confidence_layer(source, sure, FACTS)
    np.testing.assert_array_equal(result.data, sure)
    assert (result.name, result.rgb) == ("cell [confidence]", False)
    assert (result.contrast_limits, result.colormap.name) == ([0, 1], "viridis")
    np.testing.assert_allclose(result.data_to_world((2, 3, 4)), layer.data_to_world((2, 3, 4)))
    assert result.metadata["napari_colorize"]["source"] == "cell"
    assert is_result(result)


def test_tiny_result_is_colour_not_a_stack():
    """A picture smaller than napari's guess for colours is still one."""
    layer = Image(np.zeros((1, 1), np.uint8))
    assert coloured(take_source(shown(layer), layer, whole=False)).rgb


def test_all_nan_layer_has_no_limits():
    """Limits that are no numbers are not handed on."""
    layer = Image(np.full((4, 4), np.nan, np.float32))
    limits = take_source(shown(layer), layer, whole=False).contrast_limits
    assert limits is None or np.isfinite(limits).all()
