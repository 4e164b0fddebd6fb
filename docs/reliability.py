"""Draw a model's error against its confidence, from the score card in its card.

::

    python docs/reliability.py [--model palette] [--out docs/images/reliability.svg]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_colorize import load_model

WIDTH, HEIGHT, MARGIN = 480, 320, 52
INK, LINE = "#555", "#1f77b4"


def main() -> None:
    """Write the drawing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="palette")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "images/reliability.svg"
    )
    asked = parser.parse_args()
    card = load_model(asked.model)["score_card"]["evaluation"]
    bins = card["reliability"]["bins"]
    points = [(one["confidence"], one["error"]) for one in bins]
    asked.out.write_text(drawing(points, f"{card['model']}, {card['pictures']} photographs"))


def drawing(points: list[tuple[float, float]], title: str) -> str:
    """Return the curve as SVG: confidence to the right, distance in ab upwards."""
    highest = max(error for _, error in points) * 1.1

    def place(confidence: float, error: float) -> tuple[float, float]:
        return (
            MARGIN + confidence * (WIDTH - 2 * MARGIN),
            HEIGHT - MARGIN - error / highest * (HEIGHT - 2 * MARGIN),
        )

    def text(x: float, y: float, words: str, anchor: str = "middle") -> str:
        return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'

    left, bottom = place(0, 0)
    right, top = place(1, highest)
    marks = [text(place(step / 5, 0)[0], bottom + 18, f"{step / 5:g}") for step in range(6)]
    marks += [
        text(left - 8, place(0, level)[1] + 4, str(level), "end")
        for level in range(0, int(highest) + 1, 5)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{LINE}"/>'
        for x, y in (place(*point) for point in points)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"',
            f'  font-family="sans-serif" font-size="13" fill="{INK}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="{INK}"/>',
            *marks,
            f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="2"/>',
            *dots,
            text(WIDTH / 2, HEIGHT - 12, "confidence (each point: a tenth of the pixels)"),
            text(left, top - 12, "mean distance of ab from the truth", "start"),
            text(WIDTH / 2, 20, title),
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    main()
