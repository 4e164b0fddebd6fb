"""Print the tables of docs/models.md from the score card in a model's card.

::

    python docs/score_card.py [--model palette]
"""

from __future__ import annotations

import argparse
from typing import Any

from napari_colorize import load_model

# Head of a column, the figure's name, how it is written by itself.
COLUMNS = (
    ("PSNR dB", "psnr", ".2f"),
    ("AuC raw %", "auc_raw", ".2f"),
    ("half %", "auc_half", ".2f"),
    ("balanced %", "auc_balanced", ".2f"),
    ("CIEDE2000", "ciede2000", ".2f"),
    ("colourfulness", "colorfulness", ".2f"),
    ("edges", "edges", ".2f"),
    ("flats", "flats", ".2f"),
)
STABILITY = {
    "mean distance of ab from 256 px": "ab_distance_from_256",
    "largest from 128 px": "largest_ab_distance_from_128",
}
# Those that are over the truth's, not beside grey's.
SHARES = {"colorfulness", "edges", "flats"}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="palette")
    card = load_model(parser.parse_args().model)["score_card"]["evaluation"]
    vividness = card.get("vividness")
    own = card["model"]
    if vividness is not None:
        own += f", default vividness {vividness:g}"
    rows = card["rows"]
    names = {"grey": "grey", "mean ab": "mean ab (an oracle)", "plain": "`plain`"}
    names |= {"vividness 0": f"`{card['model']}`, vividness 0", "model": f"**{own}**"}
    known = {key: name for key, name in names.items() if key in rows}
    print(table_line(["", *(head for head, _, _ in COLUMNS)]))
    print("|---" * (len(COLUMNS) + 1) + "|")
    for key, name in known.items():
        print(table_line([name, *(format(rows[key][name], form) for _, name, form in COLUMNS)]))
    for key in ("plain", "vividness 0", "model"):
        if key in rows:
            label = {"plain": "`plain`", "model": "default"}.get(key, key)
            print(table_line([f"{label} over grey", *over_grey(rows[key], rows["grey"])]))
    if "hint_curve" in card:
        print_hints(card["hint_curve"])
    print()
    for what, key in STABILITY.items():
        distances = card["size_stability"].get(key, {})
        told = ", ".join(f"{distance:.2f} at {side} px" for side, distance in distances.items())
        print(f"Size stability, {what}: {told}")
    if "reliability" in card:
        bins = card["reliability"]["bins"]
        print(f"Error from {bins[0]['error']:.1f} to {bins[-1]['error']:.1f} units of ab")


def over_grey(figures: dict[str, float], grey: dict[str, float]) -> list[str]:
    """Return the cells of a row beside grey."""
    return [
        format(figures[name], form) if name in SHARES else f"{figures[name] - grey[name]:+.2f}"
        for _, name, form in COLUMNS
    ]


def print_hints(curve: dict[str, Any]) -> None:
    """Print PSNR over grey by the number of hints."""
    print()
    psnr = curve["psnr"]
    print(table_line(["hints of 6 x 6 px", *psnr]))
    print("|---" * (len(psnr) + 1) + "|")
    gains = (f"{with_hints - curve['psnr_grey']:+.2f}" for with_hints in psnr.values())
    print(table_line(["PSNR over grey, dB, vividness 0", *gains]))


def table_line(cells: list[str]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
