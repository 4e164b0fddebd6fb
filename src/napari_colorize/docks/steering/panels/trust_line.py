"""The line that says whether the structure of a picture is untouched."""

from __future__ import annotations

from typing import Any

_UNSEEN = 2.0  # units of L that no eye tells apart, and eight bits a channel may need


def trust_sentence(trust: Any, fitted: float) -> str:
    """Return how far the lightness moved, and how much was brought into the gamut, in words.

    Parameters
    ----------
    trust : Trust
        `mean` and `largest` distance of L, of 100.
    fitted : float
        Share of pixels that were brought into the gamut, 0..1.
    """
    verdict = "Structure untouched" if trust.largest <= _UNSEEN else "The lightness was touched"
    return (
        f"{verdict}: lightness differs by {trust.mean:.2f} on average and {trust.largest:.2f} at "
        f"most (of 100); {_percent(fitted)} of the pixels were brought into the gamut."
    )


def _percent(share: float) -> str:
    """Return a share in words; what is little is not told as nothing."""
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %"
