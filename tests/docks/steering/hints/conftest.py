"""A viewer without a window: what a panel needs of it, in a tenth of the time."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel


@pytest.fixture
def viewer(qapp: object) -> ViewerModel:
    """Return a viewer that has layers, sliders and a theme."""
    return ViewerModel()
