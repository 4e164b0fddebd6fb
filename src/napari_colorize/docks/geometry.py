"""Where a result lies: the geometry of a layer, of one of its planes, of a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from numpy.typing import NDArray


def whole_geometry(layer: Image) -> dict[str, Any]:
    """Return all that says where a layer lies: a white list, nothing of how it is shown."""
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine.affine_matrix,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def flat_geometry(layer: Image, axes: tuple[int, int]) -> dict[str, Any]:
    """Return the geometry of a plane on its own, lying where napari draws it."""
    chosen, block = list(axes), np.ix_(axes, axes)
    homogeneous = [*axes, layer.ndim]
    shear, affine = _shear_matrix(layer), layer.affine.affine_matrix
    kept = {
        "units": tuple(layer.units[axis] for axis in axes),
        "axis_labels": tuple(layer.axis_labels[axis] for axis in axes),
    }
    if all(_keeps_apart(matrix, axes) for matrix in (layer.rotate, shear, affine[:-1, :-1])):
        return {
            "scale": layer.scale[chosen],
            "translate": layer.translate[chosen],
            "rotate": layer.rotate[block],
            "shear": shear[block],
            "affine": affine[np.ix_(homogeneous, homogeneous)],
            **kept,
        }
    # The plane is turned out of itself: its parts mean nothing alone, their product does.
    corners = [np.zeros(layer.ndim), *np.eye(layer.ndim)[chosen]]
    origin, *ends = (np.asarray(layer.data_to_world(corner))[chosen] for corner in corners)
    whole = np.eye(3)
    whole[:2] = np.stack([*(end - origin for end in ends), origin], axis=1)
    return {"affine": whole, **kept}


def moved_geometry(layer: Image, place: tuple[int, ...]) -> dict[str, Any]:
    """Return the geometry of a layer whose index 0 is the plane at `place`."""
    here, there = (np.asarray(layer.data_to_world(p)) for p in (np.zeros(layer.ndim), place))
    geometry = whole_geometry(layer)
    shift = np.linalg.solve(geometry["affine"][:-1, :-1], there - here)
    return {**geometry, "translate": geometry["translate"] + shift}


def lay(layer: Layer, geometry: dict[str, Any]) -> None:
    """Lay a layer as a geometry says; what it does not name is plain."""
    plain = {
        "scale": np.ones(layer.ndim),
        "translate": np.zeros(layer.ndim),
        "rotate": np.eye(layer.ndim),
        "shear": np.eye(layer.ndim),
        "affine": np.eye(layer.ndim + 1),
    }
    for name, value in {**plain, **geometry}.items():
        now = getattr(layer, name)
        if name == "affine":
            now = now.affine_matrix
        if not np.array_equal(now, value):
            setattr(layer, name, value)


def _shear_matrix(layer: Image) -> NDArray[np.float64]:
    shear = np.asarray(layer.shear)
    if shear.ndim == 2:
        return shear
    matrix = np.eye(layer.ndim)
    matrix[np.triu_indices(layer.ndim, k=1)] = shear
    return matrix


def _keeps_apart(matrix: NDArray[np.float64], axes: tuple[int, int]) -> bool:
    """Return whether a matrix mixes none of `axes` with the other axes."""
    inside = np.isin(np.arange(len(matrix)), axes)
    return np.allclose(matrix[inside][:, ~inside], 0) and np.allclose(matrix[~inside][:, inside], 0)
