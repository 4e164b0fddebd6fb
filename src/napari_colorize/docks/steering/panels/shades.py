"""How colours look at a lightness. It loads torch: ask when the network has looked."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_colorize.color.hints import Color

# Half the side of the ab plane that a slice shows.
PLANE = 110.0
# Pixels of a slice's side: about three for two units of ab, and one in the very middle.
SIDE = 331


@lru_cache(maxsize=32)
def slice_at(lightness: int) -> NDArray[np.uint8]:
    """Return the colours of ab that sRGB shows at a lightness 0..100, (SIDE, SIDE, 4) RGBA.

    b is up, a to the right; nothing is seen of what is outside the gamut. The first time it takes
    some 50 ms: have a thread ask for it before the window does.
    """
    from napari_colorize.color.picking import gamut_slice

    return gamut_slice(lightness, SIDE)


@lru_cache(maxsize=512)
def look_at(color: Color, lightness: int) -> Color:
    """Return a colour (r, g, b), 0..255, as it looks at a lightness 0..100."""
    from napari_colorize.color.picking import at_lightness

    return at_lightness(color, lightness)
