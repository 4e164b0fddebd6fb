"""The score card of a model that has a distribution: its rows, hints, doubt and sheet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from napari_colorize import evaluation
from napari_colorize.color.metrics import PSNR_CAP, lab_of, psnr
from napari_colorize.color.scores import Truth
from napari_colorize.evaluation import HINT_COUNTS, evaluate_model
from napari_colorize.networks.palette import Palette
from napari_colorize.networks.weights import save_network
from napari_colorize.score_card import GREY, MEAN_AB, MODEL, PLAIN, SAFE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_colorize.color.hints import Hint


def save(folder: Path, name: str, colours: Any) -> None:
    """Write colours, (H, W, 3), as a PNG."""
    Image.fromarray(np.asarray(colours, np.uint8)).save(folder / name)


@pytest.fixture(scope="module")
def palette_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small random model that has a distribution of colours."""
    torch.manual_seed(5)
    settings = {"widths": (16, 32, 64), "encoder": (0.25, 0.3)}
    network = Palette(**settings)
    torch.nn.init.normal_(network.to_logits.weight, std=0.2)
    torch.nn.init.normal_(network.to_ab.weight, std=0.1)
    path = tmp_path_factory.mktemp("palette") / "p.safetensors"
    card = {"name": "p", "network": "palette", "settings": settings, "working_size": 32,
            "training": {}, "score_card": {}, "license": "none", "vividness": 0.75}  # fmt: skip
    save_network(path, network, card)
    return path


def test_a_palette_model(tmp_path: Path, photographs: Path, palette_model: Path) -> None:
    """The card has the safe average and the baseline, hints and doubt; the sheet five columns."""
    card = evaluate_model(photographs, model=palette_model, device="cpu", limit=3, stability=1)
    assert list(card.rows) == [MODEL, SAFE, PLAIN, GREY, MEAN_AB]
    assert card.rows[MODEL] != card.rows[SAFE]
    plain = evaluate_model(photographs, model="plain", device="cpu", limit=3, stability=0)
    assert card.rows[PLAIN] == plain.rows[MODEL]
    assert card.hint_curve is not None
    assert tuple(card.hint_curve.psnr) == HINT_COUNTS
    assert card.hint_curve.psnr[0] == pytest.approx(card.rows[SAFE].psnr)
    assert card.hint_curve.grey == pytest.approx(card.rows[GREY].psnr)
    assert len(set(card.hint_curve.psnr.values())) == len(HINT_COUNTS)
    sure = [one.confidence for one in card.reliability]
    assert len(sure) == 10
    assert sure == sorted(sure)
    table = card.table()
    assert max(map(len, table.splitlines())) <= 100
    for start in ("vividness 0 - grey", "plain - grey", "over grey", "ab distance"):
        assert f"\n{start} " in table
    assert "default vividness, 0.75" in table
    data = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert set(data["hint_curve"]["psnr"]) == {str(count) for count in HINT_COUNTS}
    assert len(data["reliability"]["bins"]) == 10
    assert data["true_ab_gradient"]["edge"] > data["true_ab_gradient"]["flat"] > 0
    columns = ["grey", "plain", "vividness 0", "model", "true"]
    assert [list(one.pictures) for one in card.samples] == [columns] * 3
    card.contact_sheet(tmp_path / "sheet.png")
    assert np.asarray(Image.open(tmp_path / "sheet.png")).shape == (20 + 3 * 276, 5 * 256, 3)


def test_a_card_can_be_made_again(photographs: Path, palette_model: Path) -> None:
    """The same pictures and model give the very same figures."""
    first, second = (
        evaluate_model(photographs, model=palette_model, device="cpu", limit=2, stability=1)
        for _ in range(2)
    )
    assert first == second


class Obedient:
    """Stands in for a Colorizer of a palette model: grey but for hints, each on its own patch."""

    model_name = "obedient"
    card: ClassVar[dict[str, Any]] = {"hash": "cd" * 32, "network": "palette"}
    device = "cpu"
    has_distribution = True
    looks = 0
    asked: ClassVar[list[tuple[Hint, ...]]] = []

    def __init__(self, model: object, device: str) -> None:
        self.has_distribution = model != "plain"

    def set_picture(self, image: NDArray[np.uint8], **_: object) -> None:
        """Hold a grey picture and count that it was looked at."""
        self.image = image
        Obedient.looks += self.has_distribution

    def colorize(
        self, hints: Sequence[Hint] = (), vividness: float | None = None, **_: object
    ) -> NDArray[np.uint8]:
        """Paint the patches."""
        rgb = np.repeat(self.image[..., None], 3, axis=-1)
        if hints:
            assert vividness == 0
            self.asked.append(tuple(hints))
        for hint in hints:
            top, left = (round(place + 0.5 - hint.size / 2) for place in (hint.y, hint.x))
            rows, columns = slice(top, top + int(hint.size)), slice(left, left + int(hint.size))
            rgb[rows, columns] = np.round(hint.color)
        return rgb

    def confidence(self) -> NDArray[np.float32]:
        """Be sure of the upper half."""
        sure = np.full(self.image.shape, 0.25, np.float32)
        sure[: len(sure) // 2] = 0.75
        return sure

    def close(self) -> None:
        """Forget nothing."""


@pytest.fixture
def obedient(monkeypatch: pytest.MonkeyPatch) -> type[Obedient]:
    """Put an obedient Colorizer in place."""
    monkeypatch.setattr(evaluation, "Colorizer", Obedient)
    monkeypatch.setattr(Obedient, "looks", 0)
    monkeypatch.setattr(Obedient, "asked", [])
    return Obedient


def test_hints_are_nested_and_a_picture_is_looked_at_once(
    tmp_path: Path, obedient: type[Obedient], make_photograph: Callable[..., NDArray[np.uint8]]
) -> None:
    """1, 2, 5 ... hints are the first of the 100, and the network looks once for all of them."""
    save(tmp_path, "p.png", make_photograph(1))
    evaluate_model(tmp_path, stability=0, samples=0)
    assert obedient.looks == 1
    assert [len(hints) for hints in obedient.asked] == list(HINT_COUNTS[1:])
    for hints in obedient.asked:
        assert hints == obedient.asked[-1][: len(hints)]


def test_the_hint_curve_by_hand(tmp_path: Path, obedient: type[Obedient]) -> None:
    """In a picture of 6 x 6 px of one colour a single hint tells all; none tells nothing."""
    truth = np.full((6, 6, 3), (150, 90, 60), np.uint8)
    save(tmp_path, "a.png", truth)
    save(tmp_path, "b.png", np.full((6, 6, 3), 90))  # nearly grey: left out
    card = evaluate_model(tmp_path, stability=0)
    assert card.hint_curve is not None
    assert card.hint_curve.pictures == 1
    grey = psnr(Truth(truth).colorless, truth)
    assert card.hint_curve.grey == card.hint_curve.psnr[0] == grey
    assert {card.hint_curve.psnr[count] for count in HINT_COUNTS[1:]} == {PSNR_CAP}


def test_hints_depend_on_the_place_alone(
    tmp_path: Path, obedient: type[Obedient], make_photograph: Callable[..., NDArray[np.uint8]]
) -> None:
    """A broken file elsewhere moves no hint, and two pictures alike have hints of their own."""
    for name in ("a.png", "b.png"):
        save(tmp_path, name, make_photograph(1))
    evaluate_model(tmp_path, stability=0, samples=0)
    first, second = obedient.asked[6], obedient.asked[13]
    assert first != second
    (tmp_path / "a.png").write_bytes(b"broken")
    obedient.asked.clear()
    evaluate_model(tmp_path, stability=0, samples=0)
    assert obedient.asked[6] == second


def test_hints_on_some_of_many_pictures(
    tmp_path: Path, obedient: type[Obedient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the curve is measured on fewer pictures, the grey beside it is of those."""
    colours = [(150, 90, 60), (60, 90, 150), (90, 150, 60), (200, 60, 60)]
    for number, colour in enumerate(colours):
        save(tmp_path, f"{number}.png", np.full((8, 8, 3), colour))
    monkeypatch.setattr(evaluation, "HINT_PICTURES", 2)
    card = evaluate_model(tmp_path, stability=0)
    assert card.hint_curve is not None
    assert card.hint_curve.pictures == 2
    truths = [np.full((8, 8, 3), colours[number], np.uint8) for number in (0, 2)]
    want = np.mean([psnr(Truth(truth).colorless, truth) for truth in truths])
    assert card.hint_curve.grey == pytest.approx(want)


def test_reliability_by_hand(tmp_path: Path, obedient: type[Obedient]) -> None:
    """Grey above, where the model is sure of grey, red below: the error falls once."""
    truth = np.full((8, 8, 3), 90, np.uint8)
    truth[4:] = 200, 60, 60
    save(tmp_path, "p.png", truth)
    card = evaluate_model(tmp_path, stability=0)
    chroma = np.hypot(*lab_of(truth)[-1, 0, 1:])
    assert [one.confidence for one in card.reliability] == pytest.approx([0.25] * 5 + [0.75] * 5)
    errors = [one.error for one in card.reliability]
    assert errors == pytest.approx([chroma] * 5 + [0] * 5, abs=1e-3)
