"""What an evaluation found: figures as a table and as JSON, pictures as a contact sheet."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_colorize.color.metrics import BIN_START, BIN_WIDTH, Figures
from napari_colorize.errors import DataError
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

MODEL, GREY, MEAN_AB = "model", "grey", "mean ab"
_COLUMNS = {
    "psnr": "PSNR dB",
    "auc_raw": "AuC raw %",
    "auc_half": "half %",
    "auc_balanced": "balanced %",
    "ciede2000": "CIEDE2000",
    "colorfulness": "colourfulness",
}


@dataclass(frozen=True)
class Sample:
    """A picture for the contact sheet: grey, predicted and true are (H, W, 3) uint8."""

    kind: str
    name: str
    psnr: float
    gain: float
    grey: Pixels
    predicted: Pixels
    true: Pixels


@dataclass(frozen=True)
class ScoreCard:
    """What :func:`napari_colorize.evaluation.evaluate_model` found by its protocol.

    rows has the `Figures` of "model", "grey" and "mean ab"; p is the share of true pixels in each
    ab bin, (24, 24); stability the mean distance in ab from the colours at 256 px, for each other
    size; left_out the pictures that could not be used, by reason.
    """

    protocol: str
    model: str
    hash: str
    device: str
    pictures: int
    nearly_grey: int
    left_out: dict[str, tuple[str, ...]]
    rows: dict[str, Figures]
    p: NDArray[np.float64] = field(repr=False, compare=False)
    stability: dict[int, float]
    stability_pictures: int
    samples: tuple[Sample, ...] = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the pictures, as JSON can hold it."""
        return {
            "protocol": self.protocol,
            "model": self.model,
            "hash": self.hash,
            "device": self.device,
            "pictures": self.pictures,
            "nearly_grey": self.nearly_grey,
            "left_out": {reason: list(names) for reason, names in self.left_out.items()},
            "rows": {name: figures.to_dict() for name, figures in self.rows.items()},
            "size_stability": {
                "pictures": self.stability_pictures,
                "ab_distance_from_256": {str(px): value for px, value in self.stability.items()},
            },
            "ab_bins": [{"a": a, "b": b, "p": p} for a, b, p in self._bins()],
            "samples": [
                {"kind": one.kind, "name": one.name, "psnr": one.psnr, "gain": one.gain}
                for one in self.samples
            ],
        }

    def table(self) -> str:
        """Return the score card as plain text."""
        rows = {name: figures.to_dict() for name, figures in self.rows.items()}
        rows["model - grey"] = {
            key: None if None in (rows[MODEL][key], rows[GREY][key]) else
            (rows[MODEL][key] or 0) - (rows[GREY][key] or 0)
            for key in _COLUMNS
        }  # fmt: skip
        bins = self._bins()
        common = ", ".join(f"({a}, {b}) {p:.1%}" for a, b, p in bins[:3])
        sizes = ", ".join(f"{value:.2f} at {px} px" for px, value in self.stability.items())
        lines = [
            f"{self.model} ({self.hash[:12]}) on {self.device}, {self.pictures:,} pictures, "
            f"{self.nearly_grey:,} of them nearly grey (not in PSNR)",
            "",
            " " * 14 + "".join(f"{title:>15}" for title in _COLUMNS.values()),
            *(
                f"{name:<14}" + "".join(f"{_cell(figures[key]):>15}" for key in _COLUMNS)
                for name, figures in rows.items()
            ),
            "",
            f"size stability: {sizes or 'not measured'} "
            f"(mean ab distance from 256 px, {self.stability_pictures} pictures)",
            f"p: {len(bins)} bins of ab (10 units wide) occupied, most {common}",
        ]
        lines += [f"left out: {len(names)} x {reason}" for reason, names in self.left_out.items()]
        return "\n".join(lines)

    def contact_sheet(self, path: str | Path) -> None:
        """Write grey | predicted | true of the best, median and worst pictures as a PNG.

        Raises
        ------
        DataError
            When no picture had colours to tell how good the result is.
        StorageError
            When the file cannot be written.
        """
        if not self.samples:
            raise DataError("No contact sheet: every picture is nearly grey.")
        buffer = BytesIO()
        _draw(self.samples).save(buffer, "PNG")
        with written_whole(Path(path)) as file:
            file.write(buffer.getvalue())

    def _bins(self) -> list[tuple[int, int, float]]:
        """Return the occupied bins, most common first: lower corner in a and b, share."""
        order = np.argsort(-self.p, axis=None, kind="stable")[: np.count_nonzero(self.p)]
        corners = (np.stack(np.unravel_index(order, self.p.shape)) * BIN_WIDTH + BIN_START).T
        return [
            (int(a), int(b), float(self.p.flat[i]))
            for (a, b), i in zip(corners, order, strict=True)
        ]


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _draw(samples: Sequence[Sample], cell: int = 256, line: int = 20) -> Image.Image:
    """Return the sheet: a line of text, then grey | predicted | true, for each sample."""
    row = cell + line
    sheet = Image.new("RGB", (3 * cell, len(samples) * row), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for number, sample in enumerate(samples):
        top = number * row
        text = (
            f"{sample.kind}: {sample.gain:+.2f} dB over grey ({sample.psnr:.2f} dB) {sample.name}"
        )
        pen.text((4, top + 2), text.encode("ascii", "replace").decode(), "black", font)
        for place, pixels in enumerate((sample.grey, sample.predicted, sample.true)):
            picture = Image.fromarray(pixels)
            picture.thumbnail((cell, cell))
            left = place * cell + (cell - picture.width) // 2
            sheet.paste(picture, (left, top + line + (cell - picture.height) // 2))
    return sheet
