"""What an evaluation found: figures as a table and as JSON, pictures as a contact sheet."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_colorize.color.metrics import BIN_START, BIN_WIDTH
from napari_colorize.color.reliability import falling_steps
from napari_colorize.errors import DataError
from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_colorize.color.bleeding import Slopes
    from napari_colorize.color.reliability import ReliabilityBin
    from napari_colorize.color.scores import Figures

    Pixels = NDArray[np.uint8]

VERSION = 2
MODEL, SAFE, PLAIN, GREY, MEAN_AB = "model", "vividness 0", "plain", "grey", "mean ab"
_COLUMNS = {
    "psnr": "PSNR dB",
    "auc_raw": "AuC raw",
    "auc_half": "half",
    "auc_balanced": "balanced",
    "ciede2000": "CIEDE2000",
    "colorfulness": "colourful",
    "edges": "edges",
    "flats": "flats",
}
_NAME, _WIDTH = 19, 10  # letters of the names of rows, and of a column of figures


@dataclass(frozen=True)
class Sample:
    """A picture for the contact sheet: its results by row and "true", (H, W, 3) uint8 each."""

    kind: str
    name: str
    psnr: float
    gain: float
    pictures: dict[str, Pixels]


@dataclass(frozen=True)
class HintCurve:
    """PSNR in dB by number of hints, and that of grey, on so many pictures."""

    pictures: int
    psnr: dict[int, float]
    grey: float


@dataclass(frozen=True)
class Stability:
    """How colours move with the size: ab distances on so many pictures.

    mean is that from the colours at 256 px, for each other size, over the pictures; largest the
    largest over the pictures of the distance from the colours at 128 px.
    """

    pictures: int
    mean: dict[int, float]
    largest: dict[int, float]


@dataclass(frozen=True)
class ScoreCard:
    """What :func:`napari_colorize.evaluation.evaluate_model` found by its protocol.

    rows has the `Figures` of "model", "grey" and "mean ab", of "vividness 0" where the model has a
    distribution, and of "plain" where it is of another network; p is the share of true pixels in
    each ab bin, (24, 24); slopes how steep the true colours are; left_out the pictures that could
    not be used, by reason. vividness is the default one; it and hint_curve are None, reliability
    is empty, where the model has no distribution.
    """

    protocol: str
    model: str
    hash: str
    device: str
    vividness: float | None
    pictures: int
    nearly_grey: int
    left_out: dict[str, tuple[str, ...]]
    rows: dict[str, Figures]
    p: NDArray[np.float64] = field(repr=False, compare=False)
    slopes: Slopes
    hint_curve: HintCurve | None
    reliability: tuple[ReliabilityBin, ...]
    stability: Stability
    samples: tuple[Sample, ...] = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the pictures, as JSON can hold it."""
        curve, bins = self.hint_curve, self.reliability
        return {
            "version": VERSION,
            "protocol": self.protocol,
            "model": self.model,
            "hash": self.hash,
            "device": self.device,
            "vividness": self.vividness,
            "pictures": self.pictures,
            "nearly_grey": self.nearly_grey,
            "left_out": {reason: list(names) for reason, names in self.left_out.items()},
            "rows": {name: figures.to_dict() for name, figures in self.rows.items()},
            "true_ab_gradient": self.slopes.to_dict(),
            "hint_curve": curve and {
                "pictures": curve.pictures,
                "psnr": {str(count): value for count, value in curve.psnr.items()},
                "psnr_grey": curve.grey,
            },
            "reliability": {
                "bins": [asdict(one) for one in bins],
                "falling_steps": falling_steps(bins),
            } if bins else None,
            "size_stability": {
                "pictures": self.stability.pictures,
                "ab_distance_from_256": _by_text(self.stability.mean),
                "largest_ab_distance_from_128": _by_text(self.stability.largest),
            },
            "ab_bins": [{"a": a, "b": b, "p": p} for a, b, p in self._bins()],
            "samples": [
                {"kind": one.kind, "name": one.name, "psnr": one.psnr, "gain": one.gain}
                for one in self.samples
            ],
        }  # fmt: skip

    def table(self) -> str:
        """Return the score card as plain text, at most 100 letters wide but for names and reasons.

        Differences over grey stand below the rows.
        """
        rows = {name: figures.to_dict() for name, figures in self.rows.items()}
        for name in (MODEL, SAFE, PLAIN):
            if name in rows:
                rows[f"{name} - grey"] = _difference(rows[name], rows[GREY])
        bins = self._bins()
        common = ", ".join(f"({a}, {b}) {p:.1%}" for a, b, p in bins[:3])
        lines = [
            f"{self.model} ({self.hash[:12]}) on {self.device}, {self.pictures:,} pictures, "
            f"{self.nearly_grey:,} of them nearly grey (not in PSNR)",
            "",
            _line("", _COLUMNS.values(), _WIDTH),
            *(
                _line(name, (_cell(figures[key]) for key in _COLUMNS), _WIDTH)
                for name, figures in rows.items()
            ),
            "",
            "AuC in per cent; colourful, edges and flats over the truth's",
            *self._notes(),
            f"p: {len(bins)} bins of ab (10 units wide) occupied, most {common}",
        ]
        lines += [f"left out: {len(names)} x {reason}" for reason, names in self.left_out.items()]
        return "\n".join(lines)

    def _notes(self) -> Iterator[str]:
        """Yield what stands below the rows: edges, hints, reliability, size."""
        slopes, moved = self.slopes, self.stability
        yield (
            f"edges: {slopes.edge_share:.1%} of the places, true gradient of ab "
            f"{_cell(slopes.edge)} per px; flats: {slopes.flat_share:.1%}, {_cell(slopes.flat)}"
        )
        if self.vividness is not None:
            yield f"model: at its default vividness, {self.vividness:g}"
        mean, largest = (
            ", ".join(f"{value:.2f} at {px} px" for px, value in moves.items())
            for moves in (moved.mean, moved.largest)
        )
        yield (
            f"size stability, ab from that at 256 px ({moved.pictures} pictures): "
            f"{mean or 'not measured'}"
        )
        if largest:
            yield f"largest over them, from that at 128 px: {largest}"
        yield ""
        if (curve := self.hint_curve) is not None:
            values = curve.psnr.values()
            yield _line("hints", map(str, curve.psnr), 8)
            yield _line("PSNR dB", map(_cell, values), 8)
            yield _line("over grey", (f"{value - curve.grey:+.2f}" for value in values), 8)
            yield f"(vividness 0, {curve.pictures:,} pictures, grey {curve.grey:.2f} dB)"
            yield ""
        if bins := self.reliability:
            yield _line("confidence", (_cell(one.confidence) for one in bins), 8)
            yield _line("ab distance", (_cell(one.error) for one in bins), 8)
            yield (
                f"(vividness 0, {bins[0].share:.0%} of the pixels each; "
                f"the error falls in {falling_steps(bins)} of {len(bins) - 1} steps)"
            )
            yield ""

    def contact_sheet(self, path: str | Path) -> None:
        """Write the best, median and worst pictures side by side as a PNG.

        The columns are grey | model | true, and grey | plain | vividness 0 | default | true for a
        model that has a distribution.

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


def _difference(
    row: dict[str, float | None], grey: dict[str, float | None]
) -> dict[str, float | None]:
    """Return the figures of a row less those of grey."""
    pairs = {key: (value, grey[key]) for key, value in row.items()}
    return {
        key: None if value is None or less is None else value - less
        for key, (value, less) in pairs.items()
    }


def _by_text(values: dict[int, float]) -> dict[str, float]:
    return {str(key): value for key, value in values.items()}


def _line(name: str, cells: Iterable[str], width: int) -> str:
    return f"{name:<{_NAME}}" + "".join(f"{cell:>{width}}" for cell in cells)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _draw(samples: Sequence[Sample], cell: int = 256, line: int = 20) -> Image.Image:
    """Return the sheet: captions, then a line of text and a row of pictures for each sample."""
    row = cell + line
    captions = list(samples[0].pictures)
    sheet = Image.new("RGB", (len(captions) * cell, line + len(samples) * row), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, caption in enumerate(captions):
        shown = "default" if caption == MODEL and SAFE in captions else caption
        pen.text((place * cell + cell // 2, 2), shown, "black", font, anchor="ma")
    for number, sample in enumerate(samples):
        top = line + number * row
        text = (
            f"{sample.kind}: {sample.gain:+.2f} dB over grey ({sample.psnr:.2f} dB) {sample.name}"
        )
        pen.text((4, top + 2), text.encode("ascii", "replace").decode(), "black", font)
        for place, pixels in enumerate(sample.pictures.values()):
            picture = Image.fromarray(pixels)
            picture.thumbnail((cell, cell))
            left = place * cell + (cell - picture.width) // 2
            sheet.paste(picture, (left, top + line + (cell - picture.height) // 2))
    return sheet
