"""What the recipes that compare settings share: some photographs, and figures over grey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_colorize.files.pictures import find_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from napari_colorize.color.scores import Scores

HEAD = "PSNR, AuC raw, half, balanced over grey; colourfulness, edges, flats over the truth's"
GAINS = ("psnr", "auc_raw", "auc_half", "auc_balanced")
SHARES = ("colorfulness", "edges", "flats")


def some(folder: Path, limit: int) -> list[Path]:
    """Return about so many pictures of a folder, evenly spaced."""
    paths = find_pictures(folder)
    if not paths:
        raise SystemExit(f"{folder} holds no pictures")
    return paths[:: max(1, len(paths) // limit)]


def figures(scores: Scores, grey: Scores) -> str:
    """Return the figures of `HEAD` as a line."""
    found, base = scores.figures().to_dict(), grey.figures().to_dict()
    gains = " ".join(f"{(found[name] or 0) - (base[name] or 0):+6.2f}" for name in GAINS)
    return gains + "; " + " ".join(f"{found[name]:.2f}" for name in SHARES)
